// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/message/message.hpp"

// Heads as octets (RFC 9112 §2). Messages are always written anew from their parts: bytes that came from one side are
// never passed to the other. A part that would not survive being read back (a line break in a value, a space in a
// target) is Internal and writes nothing. Framing is the caller's: what fields say is what is written.

namespace ghmesh::http::http1 {

// Append to out. The head ends with its empty line.
Result<> format_request_head(std::string& out, std::string_view method, std::string_view target, FieldsView fields);
Result<> format_response_head(std::string& out, int status, FieldsView fields);

// Pieces, for heads that are put together by hand.
void format_status_line(std::string& out, int status);
Result<> format_fields(std::string& out, FieldsView fields);
void format_length(std::string& out, std::uint64_t length);  // "Content-Length: 12\r\n"

}  // namespace ghmesh::http::http1
