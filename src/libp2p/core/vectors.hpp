// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "crypto/secret.hpp"

// For the tests of this room: rows of the vector files under tests/vectors/libp2p, without their heading.

namespace ghmesh::libp2p {

inline std::vector<std::vector<std::string>> vector_rows(const std::string& name) {
  std::ifstream in(std::string(GHMESH_SOURCE_DIR) + "/tests/vectors/libp2p/" + name);
  EXPECT_TRUE(in.good()) << name;
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string>& row = rows.emplace_back(1);
    for (const char c : line) {
      if (c == ',') {
        row.emplace_back();
      } else {
        row.back() += c;
      }
    }
  }
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

inline Bytes hex(std::string_view text) { return from_hex(text).value(); }

// The Ed25519 key of the peer id specification.
inline crypto::SecretBytes spec_private_key() {
  return crypto::SecretBytes(hex(
      "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c"
      "3cacf6010f0e42d474fce27e"));
}

}  // namespace ghmesh::libp2p
