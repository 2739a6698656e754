// SPDX-License-Identifier: Apache-2.0
#include "standin/recordings.hpp"

#include "base/check.hpp"
#include "json.hpp"
#include "standin/coding.hpp"

extern "C" {
extern const char ghmesh_standin_recordings_begin[];
extern const char ghmesh_standin_recordings_end[];
}

namespace ghmesh::standin {
namespace {

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  GHMESH_CHECK(end != std::string_view::npos);
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

std::vector<Recording> unpack() {
  const std::string_view packed(
      ghmesh_standin_recordings_begin,
      static_cast<std::size_t>(ghmesh_standin_recordings_end - ghmesh_standin_recordings_begin));
  const std::optional<std::string> text = gunzip(packed);
  GHMESH_CHECK(text.has_value());
  std::vector<Recording> out;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const Json head = parse_json(take_line(rest));
    const std::string_view body = take_line(rest);
    GHMESH_CHECK(head.is_object());
    Recording& r = out.emplace_back();
    r.source = text_of(head, "source");
    r.method = text_of(head, "method");
    r.path = text_of(head, "path");
    r.status = head.value("status", 200);
    r.type = text_of(head, "type");
    r.link = text_of(head, "link");
    r.location = text_of(head, "location");
    r.modified = text_of(head, "modified");
    r.needs_token = head.contains("access");
    r.body = head.value("text", false) ? parse_json(body).get<std::string>() : std::string(body);
  }
  return out;
}

}  // namespace

const std::vector<Recording>& recordings() {
  static const std::vector<Recording> all = unpack();
  return all;
}

}  // namespace ghmesh::standin
