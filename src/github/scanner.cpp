// SPDX-License-Identifier: Apache-2.0
#include "github/scanner.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "github/limits.hpp"
#include "http/message/fields.hpp"

namespace ghmesh::github {
namespace {

namespace dom = simdjson::dom;

// Values under these names are credentials whatever they look like; null and "" are how GitHub says that there is none.
constexpr std::array<std::string_view, 10> kSecretNames = {
    "temp_clone_token", "token",       "access_token", "refresh_token", "client_secret",
    "webhook_secret",   "private_key", "pem",          "password",      "encoded_jit_config"};

// What an account or organisation shows only to itself or its owners. GET /users/X by X's own token has them.
constexpr std::array<std::string_view, 12> kPrivateNames = {"private_gists",       "total_private_repos",
                                                            "owned_private_repos", "two_factor_authentication",
                                                            "billing_email",       "plan",
                                                            "disk_usage",          "two_factor_requirement_enabled",
                                                            "business_plus",       "ldap_dn",
                                                            "notification_email",  "default_repository_permission"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_empty_value(dom::element value) {
  std::string_view text;
  return value.is_null() || (!value.get(text) && text.empty());
}

// A parameter of a URL: "sig=" behind "?" or "&" (also as &amp; and %26, which HTML bodies hold), with a value.
bool has_parameter(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::string_view before = text.substr(0, at);
    const std::string_view value = text.substr(at + name.size());
    const bool starts = before.ends_with('?') || before.ends_with('&') || before.ends_with(';') ||
                        before.ends_with("%26") || before.ends_with("%3f") || before.ends_with('#');
    if (starts && !value.empty() && value.front() != '&' && value.front() != ' ') return true;
  }
  return false;
}

bool is_token_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-';
}

// GitHub's own kinds, at least 20 characters behind the prefix; documentation writes shorter examples.
bool has_github_token(std::string_view text) {
  for (const std::string_view prefix : {"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"})
    for (std::size_t at = text.find(prefix); at != std::string_view::npos; at = text.find(prefix, at + 1)) {
      std::size_t end = at + prefix.size();
      while (end < text.size() && is_token_character(text[end])) ++end;
      if (end - at - prefix.size() >= 20) return true;
    }
  return false;
}

// https://user:password@host
bool has_url_password(std::string_view text) {
  for (std::size_t at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 3)) {
    const std::string_view rest = text.substr(at + 3);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?# \"'<>)\n\r"));
    const std::size_t sign = authority.rfind('@');
    if (sign != std::string_view::npos && authority.substr(0, sign).find(':') != std::string_view::npos) return true;
  }
  return false;
}

Finding scan_element(dom::element element, std::size_t depth);

Finding scan_object(dom::object object, std::size_t depth) {
  for (const dom::key_value_pair member : object) {
    if (is_one_of(kSecretNames, member.key) && !is_empty_value(member.value)) return Finding::Credential;
    // null stands for "not shown": SCIM-less instances print ldap_dn: null to everybody.
    if (is_one_of(kPrivateNames, member.key) && !is_empty_value(member.value)) return Finding::PrivateField;
    if (text_has_credential(member.key)) return Finding::Credential;
    if (const Finding found = scan_element(member.value, depth + 1); found != Finding::Clean) return found;
  }
  return Finding::Clean;
}

Finding scan_element(dom::element element, std::size_t depth) {
  if (depth > kLimits.max_json_depth) return Finding::TooDeep;
  if (element.is_object()) return scan_object(element.get_object().value_unsafe(), depth);
  if (element.is_array()) {
    for (const dom::element item : element.get_array().value_unsafe())
      if (const Finding found = scan_element(item, depth + 1); found != Finding::Clean) return found;
    return Finding::Clean;
  }
  std::string_view text;
  if (!element.get(text) && text_has_credential(text)) return Finding::Credential;
  return Finding::Clean;
}

}  // namespace

std::string_view to_string(Finding finding) {
  switch (finding) {
    case Finding::Clean: return "clean";
    case Finding::NotJson: return "not JSON";
    case Finding::TooLarge: return "too large";
    case Finding::TooDeep: return "too deep";
    case Finding::Credential: return "credential";
    case Finding::PrivateField: return "private field";
  }
  return "";
}

bool text_has_credential(std::string_view text) {
  // Most strings hold none of these bytes together; the cheap test comes first.
  if (text.find('=') != std::string_view::npos) {
    const std::string lower = http::to_lower(text);
    for (const std::string_view name :
         {"token=", "access_token=", "x-amz-signature=", "x-amz-credential=", "x-amz-security-token=",
          "x-goog-signature=", "sig=", "signature=", "jwt=", "client_secret="})
      if (has_parameter(lower, name)) return true;
  }
  return has_github_token(text) || has_url_password(text);
}

Finding scan_body(ByteView body) {
  if (body.size() > kLimits.max_scan) return Finding::TooLarge;
  const simdjson::padded_string padded(as_text(body));
  dom::parser parser;
  dom::element root;
  // One level more than allowed, so that too deep is told from broken.
  if (parser.allocate(body.size() + 1, kLimits.max_json_depth + 2)) return Finding::NotJson;
  const auto error = parser.parse(padded).get(root);
  if (error == simdjson::DEPTH_ERROR) return Finding::TooDeep;
  if (error) return Finding::NotJson;
  return scan_element(root, 1);
}

std::optional<JsonShape> json_shape(ByteView body) {
  // Each proof asks this: for bodies of the usual size the parser and its padded copy are kept, about 1 MiB a thread;
  // allocating them anew would cost more than the parsing.
  constexpr std::size_t kUsual = 64 * 1024;
  static thread_local dom::parser kept(kUsual);
  static thread_local std::array<char, kUsual + simdjson::SIMDJSON_PADDING> padded;
  dom::element root;
  dom::parser once;
  if (body.empty()) return std::nullopt;
  if (body.size() <= kUsual) {
    std::memcpy(padded.data(), body.data(), body.size());
    std::memset(padded.data() + body.size(), ' ', simdjson::SIMDJSON_PADDING);
    if (kept.parse(padded.data(), body.size(), false).get(root)) return std::nullopt;
  } else if (once.parse(simdjson::padded_string(as_text(body))).get(root)) {
    return std::nullopt;
  }
  JsonShape out;
  // size() saturates at 2^24, far above any page.
  if (dom::array array; !root.get(array)) out.array_length = array.size();
  return out;
}

}  // namespace ghmesh::github
