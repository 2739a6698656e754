// SPDX-License-Identifier: Apache-2.0
#include "head.hpp"

#include <charconv>

#include "base/check.hpp"
#include "http/server/exchange.hpp"

namespace ghmesh::http::http2 {
namespace {

// What the text of a head has beside its fields: the request line's spaces and version, line ends, Host's name.
constexpr std::size_t kFrameBytes = 64;

std::uint8_t* octets(char* text) { return reinterpret_cast<std::uint8_t*>(text); }

}  // namespace

bool RequestText::add(std::string_view name, std::string_view value, const http1::HeadLimits& limits) {
  bytes_ += name.size() + value.size() + 4;
  if (!name.starts_with(':')) ++fields_;
  // Room for Host and Transfer-Encoding, which are added.
  too_large_ = too_large_ || bytes_ + kFrameBytes > limits.head_bytes || fields_ + 2 > limits.fields ||
               name.size() + value.size() + kFrameBytes > limits.line_bytes;
  if (too_large_) return false;
  if (name == ":method") {
    method_ = value;
  } else if (name == ":scheme") {
    scheme_ = value;
  } else if (name == ":path") {
    path_ = value;
  } else if (name == ":authority") {
    authority_ = value;
  } else if (name == "host") {
    host_ = value;
  } else if (name == "cookie") {
    // RFC 9113 §8.2.3: crumbs of one field.
    cookie_.append(cookie_.empty() ? "" : "; ").append(value);
  } else if (name != "te") {  // "trailers", the only value allowed, says nothing that is not so here
    has_length_ = has_length_ || name == "content-length";
    text_.append(name).append(": ").append(value).append("\r\n");
  }
  return true;
}

std::string RequestText::finish(bool has_body) const {
  std::string out;
  out.reserve(bytes_ + kFrameBytes);
  out.append(method_).append(" ").append(path_).append(" HTTP/1.1\r\n");
  if (!authority_.empty()) out.append("host: ").append(authority_).append("\r\n");
  // A second one that says something else is for the parser to refuse, as in HTTP/1.1.
  if (!host_.empty() && host_ != authority_) out.append("host: ").append(host_).append("\r\n");
  out.append(text_);
  if (!cookie_.empty()) out.append("cookie: ").append(cookie_).append("\r\n");
  if (has_body && !has_length_) out.append("transfer-encoding: chunked\r\n");
  return out.append("\r\n");
}

ResponseFields::ResponseFields(int status) {
  GHMESH_CHECK(status >= 100 && status <= 599);
  text_.append(":status").append(std::to_string(status));
  places_.push_back({0, 7, text_.size()});
}

Result<> ResponseFields::add(std::string_view name, std::string_view value) {
  if (!is_token(name) || !is_field_value(value)) return fail(ErrorCode::Internal, "a field that cannot be sent");
  const std::size_t at = text_.size();
  for (const char c : name) text_.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  text_.append(value);
  places_.push_back({at, at + name.size(), text_.size()});
  return {};
}

Result<> ResponseFields::add_lines(std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return fail(ErrorCode::Internal, "a head with a line that is no field");
    const std::string_view name = line.substr(0, colon);
    if (server::is_servers_own_field(name) && !iequals(name, "content-length")) continue;
    if (Result<> added = add(name, trim(line.substr(colon + 1))); !added) return added;
  }
  return {};
}

const std::vector<nghttp2_nv>& ResponseFields::pairs() {
  pairs_.clear();
  for (const Place& place : places_)
    pairs_.push_back({octets(text_.data() + place.name), octets(text_.data() + place.value), place.value - place.name,
                      place.end - place.value, NGHTTP2_NV_FLAG_NONE});
  return pairs_;
}

int split_status_line(std::string_view& head) {
  const std::size_t end = head.find("\r\n");
  const std::size_t space = head.find(' ');
  GHMESH_CHECK(end != std::string_view::npos && space < end && end - space >= 4);
  int status = 0;
  std::from_chars(head.data() + space + 1, head.data() + space + 4, status);
  head.remove_prefix(end + 2);
  return status;
}

}  // namespace ghmesh::http::http2
