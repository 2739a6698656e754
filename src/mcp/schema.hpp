// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "json_rpc.hpp"

// Arguments against the very schema that tools/list shows: the part of JSON Schema 2020-12 that our schemas use (type,
// properties, required, additionalProperties, enum, minimum, maximum, minLength, maxLength, maxProperties). Pure.

namespace ghmesh::mcp {

// What is wrong, naming the place; nothing if the value fits.
std::optional<std::string> mismatch(const Json& schema, const Json& value, const std::string& where = "arguments");

}  // namespace ghmesh::mcp
