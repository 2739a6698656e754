// SPDX-License-Identifier: Apache-2.0
#pragma once

// A broken assumption dies at once, in release too: a node that has lost track of itself must not go on answering.
// For program logic only, never for input; input gives a Result.

namespace ghmesh {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace ghmesh

#define GHMESH_CHECK(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::ghmesh::check_failed(#condition, __FILE__, __LINE__))
