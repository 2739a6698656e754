// SPDX-License-Identifier: Apache-2.0
#include "cache/response_head.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "http/message/etag.hpp"
#include "http/message/message.hpp"

namespace ghmesh::cache {
namespace {

using http::iequals;

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_length(std::string& out, std::uint64_t size) {
  out.append("Content-Length: ");
  append_number(out, size);
  out.append("\r\n");
}

bool has_no_body(int status) { return status == 204 || status == 304; }

constexpr std::string_view kAge = "Age: ";

// What every answer gets anew, and the empty line.
void append_generated(std::string& out, const Entry& entry, const HitFields& hit) {
  out.append(kAge);
  append_passing(out, entry, hit);
  out.append("\r\n");
}

// A 304 leaves out what describes a body that it does not have (RFC 9110 §15.4.5); validators stay.
bool is_about_the_body(std::string_view name) {
  for (const std::string_view one :
       {"Content-Type", "Content-Encoding", "Content-Language", "Content-Range", "Content-MD5", "Content-Disposition"})
    if (iequals(name, one)) return true;
  return false;
}

std::string status_line(int status) {
  std::string line = "HTTP/1.1 " + std::to_string(status) + " ";
  return line.append(http::reason_phrase(status)).append("\r\n");
}

int status_of(const Entry& entry, Form form) {
  switch (form) {
    case Form::Full: return entry.status();
    case Form::NotModified: return 304;
    case Form::Partial: return 206;
    case Form::RangeNotSatisfiable: return 416;
  }
  return entry.status();
}

bool is_left_out(std::string_view name, Form form, bool recoded) {
  if (form == Form::NotModified || form == Form::RangeNotSatisfiable) return is_about_the_body(name);
  if (form == Form::Partial && iequals(name, "Content-Range")) return true;
  return recoded &&
         (iequals(name, "Content-Encoding") || iequals(name, "Content-MD5") || iequals(name, "Accept-Ranges"));
}

void append_stored(std::string& out, const Entry& entry, Form form, bool recoded) {
  out.append(status_line(status_of(entry, form)));
  const http::Fields fields = entry.head_fields();
  for (const http::Field& field : fields) {
    if (is_left_out(field.name, form, recoded)) continue;
    if (recoded && iequals(field.name, "ETag"))
      append_line(out, field.name, http::weaken_etag(field.value));
    else
      append_line(out, field.name, field.value);
  }
}

}  // namespace

void append_lasting(std::string& out, const Entry& entry, const HitFields& hit) {
  if (!has_no_body(entry.status())) append_length(out, hit.coded_size.value_or(entry.body_size()));
  out.append(kAge);
}

void append_passing(std::string& out, const Entry& entry, const HitFields& hit, std::string_view cache_status) {
  const auto age = std::chrono::duration_cast<Seconds>(std::max<Duration>(hit.age, Duration(0)));
  append_number(out, static_cast<std::uint64_t>(std::min<Seconds>(age, http::kMaxDeltaSeconds).count()));
  out.append("\r\nCache-Status: ");
  if (cache_status.empty())
    http::append_cache_status(out, hit.status);
  else
    out.append(cache_status);
  out.append("\r\n").append(hit.live.empty() ? entry.live() : hit.live);
  if (hit.from_cache) out.append("X-From-Cache: 1\r\n");
  if (hit.close) out.append("Connection: close\r\n");
}

void append_tail(std::string& out, const Entry& entry, const HitFields& hit) {
  append_lasting(out, entry, hit);
  append_passing(out, entry, hit);
  out.append("\r\n");
}

void append_recoded_head(std::string& out, const Entry& entry, std::string_view coding) {
  append_stored(out, entry, Form::Full, true);
  append_line(out, "Content-Encoding", coding);
}

void append_head(std::string& out, const Entry& entry, const Answer& answer, const HitFields& hit) {
  append_stored(out, entry, answer.form, !hit.coding.empty() && answer.form != Form::Partial);
  const bool recoded = !hit.coding.empty();
  switch (answer.form) {
    case Form::Full:
      if (recoded) append_line(out, "Content-Encoding", hit.coding);
      if (recoded && !hit.coded_size)
        append_line(out, "Transfer-Encoding", "chunked");
      else if (!has_no_body(entry.status()))
        append_length(out, hit.coded_size.value_or(entry.body_size()));
      break;
    case Form::NotModified: break;
    case Form::Partial:
      append_line(out, "Content-Range", http::format_content_range(answer.range, entry.body_size()));
      append_length(out, answer.range.length());
      break;
    case Form::RangeNotSatisfiable:
      append_line(out, "Content-Range", http::format_content_range(std::nullopt, entry.body_size()));
      append_length(out, 0);
      break;
  }
  append_generated(out, entry, hit);
}

}  // namespace ghmesh::cache
