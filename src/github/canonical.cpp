// SPDX-License-Identifier: Apache-2.0
#include "github/canonical.hpp"

#include <algorithm>
#include <array>

#include "github/limits.hpp"
#include "github/pretty.hpp"

namespace ghmesh::github {
namespace {

// What a request field is to the cache.
enum class Role : std::uint8_t { Keyed, Handled, Dropped, Bypass };

struct FieldRule {
  std::string_view name;  // lower-case
  Role role;
  BypassReason reason = BypassReason::UnknownField;
};

// Keyed: sent to GitHub and part of the key. Handled: the proxy answers to it itself. Dropped: real clients send it,
// GitHub's answer does not depend on it, and it is not sent on, so it cannot matter. Sorted by name.
constexpr FieldRule kRules[] = {
    {"accept", Role::Keyed},
    {"accept-charset", Role::Dropped},   // old Java clients; bodies are UTF-8 always
    {"accept-encoding", Role::Handled},  // bodies are kept uncoded and coded for each client
    {"accept-language", Role::Dropped},  // Node's fetch; the API speaks English
    {"authorization", Role::Keyed},
    {"baggage", Role::Dropped},
    {"cache-control", Role::Handled},
    {"connection", Role::Handled},
    {"content-length", Role::Handled},
    {"content-type", Role::Dropped},  // gh and PyGithub send it on GET
    {"cookie", Role::Bypass, BypassReason::Cookie},
    {"dnt", Role::Dropped},
    {"expect", Role::Handled},
    {"forwarded", Role::Dropped},
    {"from", Role::Dropped},
    {"host", Role::Handled},
    {"if-match", Role::Bypass, BypassReason::Precondition},
    {"if-modified-since", Role::Handled},
    {"if-none-match", Role::Handled},
    {"if-range", Role::Bypass, BypassReason::Range},
    {"if-unmodified-since", Role::Bypass, BypassReason::Precondition},
    {"keep-alive", Role::Handled},
    {"pragma", Role::Handled},
    {"priority", Role::Dropped},
    {"proxy-authorization", Role::Handled},
    {"proxy-connection", Role::Handled},
    {"range", Role::Bypass, BypassReason::Range},
    {"referer", Role::Dropped},
    {"sec-fetch-mode", Role::Dropped},  // Node's fetch
    {"te", Role::Handled},
    {"time-zone", Role::Keyed},  // gh
    {"traceparent", Role::Dropped},
    {"tracestate", Role::Dropped},
    {"transfer-encoding", Role::Bypass, BypassReason::Body},
    {"upgrade-insecure-requests", Role::Dropped},  // browsers; it asks for a scheme, not for a body
    {"user-agent", Role::Handled},
    {"via", Role::Dropped},
    {"x-client-request-id", Role::Dropped},
    {"x-forwarded-for", Role::Dropped},
    {"x-forwarded-proto", Role::Dropped},
    {"x-gh-cache-ttl", Role::Handled},
    {"x-github-api-version", Role::Keyed},
    {"x-request-id", Role::Dropped},
};

const FieldRule* find_rule(std::string_view name) {
  const auto rule = std::lower_bound(std::begin(kRules), std::end(kRules), name,
                                     [](const FieldRule& a, std::string_view b) { return a.name < b; });
  return rule != std::end(kRules) && rule->name == name ? rule : nullptr;
}

// Visible ASCII and blanks: what every front end passes on as it is.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

Canonical refuse(BypassReason reason, std::string field = {}) {
  Canonical out;
  out.bypass = reason;
  out.offending_field = std::move(field);
  return out;
}

}  // namespace

std::string_view to_string(BypassReason reason) {
  switch (reason) {
    case BypassReason::None: return "none";
    case BypassReason::Method: return "method";
    case BypassReason::Body: return "request with content";
    case BypassReason::Range: return "range";
    case BypassReason::Precondition: return "precondition";
    case BypassReason::UnknownField: return "unknown request field";
    case BypassReason::Authorization: return "authorization";
    case BypassReason::Accept: return "accept";
    case BypassReason::Cookie: return "cookie";
  }
  return "";
}

std::string canonical_authorization(std::string_view value) {
  const std::size_t blank = value.find(' ');
  if (blank == std::string_view::npos || value.size() > kLimits.max_authorization || !is_plain(value)) return {};
  const std::string_view scheme = value.substr(0, blank);
  const std::string_view credential = http::trim(value.substr(blank + 1));
  if (credential.empty() || credential.find(' ') != std::string_view::npos) return {};
  if (http::iequals(scheme, "token") || http::iequals(scheme, "bearer")) return "Bearer " + std::string(credential);
  if (http::iequals(scheme, "basic")) return "Basic " + std::string(credential);
  return {};
}

Canonical canonicalise(std::string_view method, http::FieldsView fields) {
  if (method != "GET" && method != "HEAD") return refuse(BypassReason::Method);
  std::size_t authorizations = 0;
  Canonical out;
  for (const http::Field& field : fields) {
    const std::string name = http::to_lower(field.name);
    const FieldRule* rule = find_rule(name);
    if (rule == nullptr) return refuse(BypassReason::UnknownField, name);
    if (rule->role == Role::Bypass) return refuse(rule->reason, name);
    if (name == "content-length" && field.value != "0") return refuse(BypassReason::Body, name);
    if (name == "accept" && !field.value.empty()) {
      // One line upstream, however many the client used: a list may be split over lines (RFC 9110 §5.3).
      if (!out.accept.empty()) out.accept += ", ";
      out.accept += field.value;
    }
    if (name == "authorization") {
      ++authorizations;
      out.authorization = crypto::SecretText(canonical_authorization(field.value));
      if (out.authorization.expose().empty() || authorizations > 1) return refuse(BypassReason::Authorization, name);
      out.anonymous = false;
    }
    // A second line of these would have to be read in an order that only GitHub knows.
    std::string* keyed = name == "time-zone"              ? &out.time_zone
                         : name == "x-github-api-version" ? &out.api_version
                                                          : nullptr;
    if (keyed != nullptr) {
      if (!keyed->empty() || !is_plain(field.value)) return refuse(BypassReason::UnknownField, name);
      *keyed = field.value;
    }
    if (name == "user-agent") out.pretty = wants_pretty(field.value);
  }
  if (out.accept.empty()) out.accept = kDefaultAccept;
  if (out.accept.size() > kLimits.max_accept || !is_plain(out.accept)) return refuse(BypassReason::Accept, "accept");
  return out;
}

http::Fields upstream_fields(const Canonical& request) {
  http::Fields out;
  out.add("Accept", request.accept);
  if (!request.anonymous) out.add("Authorization", request.authorization.expose());
  out.add("User-Agent", kUserAgent);
  if (!request.api_version.empty()) out.add("X-GitHub-Api-Version", request.api_version);
  if (!request.time_zone.empty()) out.add("Time-Zone", request.time_zone);
  return out;
}

bool is_json_media_type(std::string_view content_type) {
  const std::string essence = http::to_lower(http::trim(content_type.substr(0, content_type.find(';'))));
  return essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
}

// Previews are JSON without saying so: every REST command of gh sends "…merge-info-preview+json, …nebula-preview".
static bool is_preview(std::string_view essence) {
  return essence.starts_with("application/vnd.github.") && essence.ends_with("-preview");
}

bool accepts_plain_json(std::string_view accept) {
  bool plain = true;
  bool any = false;
  http::for_each_member(accept, [&](std::string_view member) {
    any = true;
    const std::string essence = http::to_lower(http::trim(member.substr(0, member.find(';'))));
    plain = plain && (essence == "*/*" || essence == "application/*" || essence == "application/vnd.github.v3" ||
                      essence == "application/vnd.github" || is_preview(essence) || is_json_media_type(essence));
    // application/vnd.github.raw+json and its like choose another rendering, sometimes of another type.
    for (const std::string_view param : {".raw", ".diff", ".patch", ".sha", ".base64"})
      if (essence.find(param) != std::string::npos) plain = false;
  });
  return any && plain;
}

std::string github_media_type(std::string_view accept) {
  // "application/vnd.github.v3.full+json" → "github.v3; param=full; format=json".
  std::string essence = http::to_lower(accept.substr(0, accept.find_first_of(";,")));
  std::string param;
  constexpr std::string_view kVendor = "application/vnd.github.";
  if (essence.starts_with(kVendor)) {
    std::string_view rest = std::string_view(essence).substr(kVendor.size());
    rest = rest.substr(0, rest.find('+'));
    if (rest == "v3" || rest.starts_with("v3.")) rest.remove_prefix(std::min<std::size_t>(rest.size(), 3));
    if (!rest.empty()) param = "; param=" + std::string(rest);
  }
  return "github.v3" + param + "; format=json";
}

bool is_body_field(std::string_view name) {
  static constexpr std::string_view kNames[] = {"content-type", "x-github-media-type", "last-modified",
                                                "etag",         "cache-control",       "vary",
                                                "link",         "content-language"};
  return std::any_of(std::begin(kNames), std::end(kNames), [&](std::string_view n) { return http::iequals(n, name); });
}

}  // namespace ghmesh::github
