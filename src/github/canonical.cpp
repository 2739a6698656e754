// SPDX-License-Identifier: Apache-2.0
#include "github/canonical.hpp"

#include <algorithm>
#include <array>

#include "github/limits.hpp"
#include "github/pretty.hpp"

namespace ghmesh::github {
namespace {

// What a request field is to the cache. Keyed: sent to GitHub and part of the key. Handled: the proxy answers to it
// itself. Dropped: real clients send it, GitHub's answer does not depend on it, and it is not sent on, so it cannot
// matter.
enum class Role : std::uint8_t { Accept, Authorization, ApiVersion, TimeZone, Handled, Agent, Length, Dropped, Bypass };

struct FieldRule {
  std::string_view name;  // lower-case
  Role role;
  BypassReason reason = BypassReason::UnknownField;
};

constexpr FieldRule kRules[] = {
    {"accept", Role::Accept},
    {"accept-charset", Role::Dropped},   // old Java clients; bodies are UTF-8 always
    {"accept-encoding", Role::Handled},  // bodies are kept uncoded and coded for each client
    {"accept-language", Role::Dropped},  // Node's fetch; the API speaks English
    {"authorization", Role::Authorization},
    {"baggage", Role::Dropped},
    {"cache-control", Role::Handled},
    {"connection", Role::Handled},
    {"content-length", Role::Length},
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
    {"time-zone", Role::TimeZone},  // gh
    {"traceparent", Role::Dropped},
    {"tracestate", Role::Dropped},
    {"transfer-encoding", Role::Bypass, BypassReason::Body},
    {"upgrade-insecure-requests", Role::Dropped},  // browsers; it asks for a scheme, not for a body
    {"user-agent", Role::Agent},
    {"via", Role::Dropped},
    {"x-client-request-id", Role::Dropped},
    {"x-forwarded-for", Role::Dropped},
    {"x-forwarded-proto", Role::Dropped},
    {"x-gh-cache-ttl", Role::Handled},
    {"x-github-api-version", Role::ApiVersion},
    {"x-request-id", Role::Dropped},
};

// The rules by the length of their names: each field of each hit is looked up here, and a length leaves two or three.
constexpr std::size_t kLongestName = 25;

struct RulesByLength {
  std::array<std::uint8_t, std::size(kRules)> order{};
  std::array<std::uint8_t, kLongestName + 2> start{};
};

consteval RulesByLength sort_by_length() {
  RulesByLength out;
  std::uint8_t at = 0;
  for (std::size_t length = 0; length <= kLongestName; ++length) {
    out.start[length] = at;
    for (std::size_t rule = 0; rule < std::size(kRules); ++rule)
      if (kRules[rule].name.size() == length) out.order.at(at++) = static_cast<std::uint8_t>(rule);
  }
  out.start[kLongestName + 1] = at;
  if (at != std::size(kRules)) throw "a name is longer than kLongestName";
  return out;
}

constexpr RulesByLength kByLength = sort_by_length();

const FieldRule* find_rule(std::string_view name) {
  if (name.size() > kLongestName) return nullptr;
  for (std::size_t i = kByLength.start[name.size()]; i < kByLength.start[name.size() + 1]; ++i) {
    const FieldRule& rule = kRules[kByLength.order[i]];
    if ((name.front() | 0x20) == rule.name.front() && http::iequals(name, rule.name)) return &rule;
  }
  return nullptr;
}

// Visible ASCII and blanks: what every front end passes on as it is.
bool is_plain(std::string_view text) {
  // Without leaving early, so that the compiler can take many characters at a time.
  unsigned odd = 0;
  for (const char c : text) odd |= static_cast<unsigned>(static_cast<unsigned char>(c - 0x20) >= 0x7f - 0x20);
  return odd == 0;
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
  Canonical out;
  for (const http::Field& field : fields) {
    const FieldRule* rule = find_rule(field.name);
    if (rule == nullptr) return refuse(BypassReason::UnknownField, http::to_lower(field.name));
    const auto refused = [&](BypassReason reason) { return refuse(reason, std::string(rule->name)); };
    switch (rule->role) {
      case Role::Handled:
      case Role::Dropped: break;
      case Role::Bypass: return refused(rule->reason);
      case Role::Length:
        if (field.value != "0") return refused(BypassReason::Body);
        break;
      case Role::Accept:
        if (field.value.empty()) break;
        // One line upstream, however many the client used: a list may be split over lines (RFC 9110 §5.3).
        if (!out.accept.empty()) out.accept += ", ";
        out.accept += field.value;
        break;
      case Role::Authorization:
        if (!out.anonymous) return refused(BypassReason::Authorization);
        out.authorization = crypto::SecretText(canonical_authorization(field.value));
        if (out.authorization.expose().empty()) return refused(BypassReason::Authorization);
        out.anonymous = false;
        break;
      case Role::TimeZone:
      case Role::ApiVersion: {
        // A second line of these would have to be read in an order that only GitHub knows.
        std::string& keyed = rule->role == Role::TimeZone ? out.time_zone : out.api_version;
        if (!keyed.empty() || !is_plain(field.value)) return refused(BypassReason::UnknownField);
        keyed = field.value;
        break;
      }
      case Role::Agent: out.pretty = wants_pretty(field.value); break;
    }
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
  // What nearly every client sends, without taking it apart.
  if (accept == kDefaultAccept || accept == "application/vnd.github.v3+json" || accept == "*/*") return true;
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
