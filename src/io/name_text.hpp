// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/endpoint.hpp"

// TXT records by the C library's resolver (resolver(3), RFC 1035). Private to the room.

namespace ghmesh::io {

// At most this many records of an answer are looked at, and this many octets of each: a name's owner may write
// anything.
inline constexpr std::size_t kMaxTexts = 32;
inline constexpr std::size_t kMaxTextBytes = 1024;

// The texts of a whole answer, in its order. Malformed: it is no DNS message.
Result<std::vector<std::string>> parse_text_answer(ByteView packet);

// Blocks for some seconds at most; any thread. NotFound: no such name or no such record.
Result<std::vector<std::string>> resolve_text_blocking(const std::string& name,
                                                       const std::optional<Endpoint>& name_server);

}  // namespace ghmesh::io
