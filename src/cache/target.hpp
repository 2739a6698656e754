// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

// References in Location and Content-Location (RFC 3986 §5.2), as far as invalidation needs them.

namespace ghmesh::cache {

// The origin-form target that reference means on the host authority, seen from base (an origin-form target); nothing if
// it points to another host or is no http reference. A fragment is dropped, dot segments are removed.
std::optional<std::string> resolve_target(std::string_view authority, std::string_view base,
                                          std::string_view reference);

}  // namespace ghmesh::cache
