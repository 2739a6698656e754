// SPDX-License-Identifier: Apache-2.0
#include "http/message/url.hpp"

#include <algorithm>
#include <charconv>

#include "http/message/fields.hpp"

namespace ghmesh::http {
namespace {

bool is_name_octet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_address_octet(char c) {
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0 || value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  Authority authority;
  std::size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos || end < 3) return std::nullopt;
    if (!std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(end), is_address_octet))
      return std::nullopt;
    ++end;
  } else {
    while (end < text.size() && is_name_octet(text[end])) ++end;
    if (end == 0 || end > 253) return std::nullopt;
  }
  authority.host = text.substr(0, end);
  if (end == text.size()) return authority;
  if (text[end] != ':') return std::nullopt;
  authority.port = parse_port(text.substr(end + 1));
  if (!authority.port) return std::nullopt;
  return authority;
}

std::optional<UrlView> parse_url_view(std::string_view text) {
  UrlView url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = text.substr(0, colon);
  if (iequals(scheme, "https"))
    url.secure = true;
  else if (!iequals(scheme, "http"))
    return std::nullopt;
  const std::string_view rest = text.substr(colon + 3);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  url.authority_text = rest.substr(0, end);
  const auto authority = parse_authority(url.authority_text);
  if (!authority) return std::nullopt;
  url.authority = *authority;
  url.target = rest.substr(end);
  const bool clean =
      std::all_of(url.target.begin(), url.target.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  return clean ? std::optional(url) : std::nullopt;
}

Result<Url> parse_url(std::string_view text) {
  const auto view = parse_url_view(text);
  if (!view) return fail(ErrorCode::Malformed, "not an http or https URL with a plain host: " + std::string(text));
  Url url;
  url.scheme = view->secure ? "https" : "http";
  url.host = to_lower(view->authority.host);
  url.port = view->port();
  url.target = view->target.starts_with('/') ? std::string(view->target) : "/" + std::string(view->target);
  return url;
}

std::string Url::authority() const { return has_default_port() ? host : host + ":" + std::to_string(port); }

std::string Url::text() const { return scheme + "://" + authority() + target; }

}  // namespace ghmesh::http
