// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

// For the tests of this room: the lines of a published vector file under tests/vectors/multiformats.

namespace ghmesh::multiformats {

inline std::vector<std::string> vector_lines(const std::string& name) {
  std::ifstream in(std::string(GHMESH_SOURCE_DIR) + "/tests/vectors/multiformats/" + name);
  EXPECT_TRUE(in.good()) << name;
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace ghmesh::multiformats
