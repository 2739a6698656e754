// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

// Real answers of GitHub's API, carried inside the program (data/README.md names their sources). Any thread; read-only.

namespace ghmesh::standin {

struct Recording {
  std::string source;  // "fixtures": recorded; "openapi": GitHub's own example
  std::string method;
  std::string path;  // with the query, as recorded
  int status = 200;
  std::string type;  // Content-Type
  std::string link;
  std::string location;
  std::string modified;  // Last-Modified as recorded, or ""
  bool needs_token = false;
  std::string body;  // compact JSON, or text
};

// All of them, in the order of the file; unpacked at the first call.
const std::vector<Recording>& recordings();

}  // namespace ghmesh::standin
