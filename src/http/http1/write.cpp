// SPDX-License-Identifier: Apache-2.0
#include "http/http1/write.hpp"

#include <charconv>

#include "grammar.hpp"

namespace ghmesh::http::http1 {
namespace {

bool is_writable(const Field& field) {
  if (field.name.empty() || !all_octets(field.name, kTokenOctet)) return false;
  const char* const end = field.value.data() + field.value.size();
  return skip_value_octets(field.value.data(), end) == end && trim(field.value).size() == field.value.size();
}

}  // namespace

Result<> format_request_head(std::string& out, std::string_view method, std::string_view target, FieldsView fields) {
  if (method.empty() || !all_octets(method, kTokenOctet) || target.empty() || !all_octets(target, kTargetOctet))
    return fail(ErrorCode::Internal, "a request line that cannot be written");
  const std::size_t start = out.size();
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
  auto written = format_fields(out, fields);
  if (!written) out.resize(start);
  if (written) out.append("\r\n");
  return written;
}

Result<> format_response_head(std::string& out, int status, FieldsView fields) {
  if (status < 100 || status > 599) return fail(ErrorCode::Internal, "a status that cannot be written");
  const std::size_t start = out.size();
  format_status_line(out, status);
  auto written = format_fields(out, fields);
  if (!written) out.resize(start);
  if (written) out.append("\r\n");
  return written;
}

void format_status_line(std::string& out, int status) {
  char digits[4];
  const auto end = std::to_chars(digits, digits + sizeof digits, status).ptr;
  out.append("HTTP/1.1 ").append(digits, end).append(" ").append(reason_phrase(status)).append("\r\n");
}

Result<> format_fields(std::string& out, FieldsView fields) {
  const std::size_t start = out.size();
  for (const Field& field : fields) {
    if (!is_writable(field)) {
      out.resize(start);
      return fail(ErrorCode::Internal, "a field that cannot be written");
    }
    out.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  return {};
}

void format_length(std::string& out, std::uint64_t length) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, length).ptr;
  out.append("Content-Length: ").append(digits, end).append("\r\n");
}

}  // namespace ghmesh::http::http1
