// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "store/files.hpp"

namespace ghmesh::store {

// Opens the directory, making it (0700) and missing parents. Refused if it is a symbolic link, belongs to another user
// or is open to others. Everything inside is reached through the directory's descriptor and never through a link, so
// a path that changes meanwhile cannot lead elsewhere. Files are made 0600.
Result<std::unique_ptr<Directory>> open_posix_directory(const std::string& path);

}  // namespace ghmesh::store
