// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

// GitHub prints JSON for people: a client whose User-Agent names curl, Wget, Safari or Firefox gets the body indented,
// after the tag was computed over the compact form. A node fetches and keeps the compact form only and indents here.
//
// The form, which is yajl's, followed by one newline: two blanks per level, `"key": value`, one member per line; an
// empty array or object is its brackets on two lines with an empty line between them. Evidence: answers to curl pasted
// into public repositories from 2014 to 2026 (those with pull_request_creation_policy) all show `"topics": [`, an empty
// line,
// `],` (elastic/ecs, packit/hello-world, apache/nuttx among them), and python-wheel-build's repository shows the same
// of an empty object, `"custom_properties": {`, an empty line, `},`. Pure functions.

namespace ghmesh::github {

bool wants_pretty(std::string_view user_agent);

// Works from token to token: numbers and strings are copied as they are. Nothing if compact is not one JSON text of at
// most Limits::max_json_depth levels (the caller then serves the compact bytes).
std::optional<std::string> pretty_print(std::string_view compact);

}  // namespace ghmesh::github
