// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

// What the stand-in does to bytes on their way out: gzip (RFC 1952), pretty-printing, dates. Of its own on purpose: the
// stand-in is the referee, so it must not share code with what it judges. Any thread.

namespace ghmesh::standin {

std::string gzip(std::string_view plain);
// Nothing for damaged or truncated input, or for more than 64 MiB of output.
std::optional<std::string> gunzip(std::string_view packed);

// Compact JSON as GitHub prints it for agents that look like a person's: two spaces, "key": value, an empty array or
// object as its brackets with a blank line between, a newline at the end.
std::string pretty_json(std::string_view compact);
// Whether GitHub would: the agent's name holds curl, Wget, Safari or Firefox.
bool wants_pretty(std::string_view user_agent);

// RFC 9110 §5.6.7 (IMF-fixdate), and the form used inside bodies (2026-01-01T00:00:00Z).
std::string http_date(WallTime time);
std::string iso_date(WallTime time);
std::optional<WallTime> parse_http_date(std::string_view text);

// %XX and '+' decoded (application/x-www-form-urlencoded); a broken escape stays as it is.
std::string percent_decode(std::string_view text, bool plus_is_space);
std::string percent_encode(std::string_view text);

// 40 hexadecimal digits that depend on the text: a commit's or blob's name in a world without git.
std::string fake_sha(std::string_view text);

}  // namespace ghmesh::standin
