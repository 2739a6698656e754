// SPDX-License-Identifier: Apache-2.0
#include "github/target.hpp"

#include <array>

#include "github/limits.hpp"
#include "http/message/fields.hpp"

namespace ghmesh::github {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What a character is in a target. RFC 3986 leaves the forbidden ones out of every component; servers differ in what
// they make of them.
enum class Octet : std::uint8_t { Plain, Percent, Fragment, Forbidden, NonAscii };

constexpr std::array<Octet, 256> kOctets = [] {
  std::array<Octet, 256> out{};
  for (std::size_t c = 0; c < out.size(); ++c)
    out[c] = c >= 0x80 ? Octet::NonAscii : c <= 0x20 || c == 0x7f ? Octet::Forbidden : Octet::Plain;
  for (const unsigned char c : std::string_view("\"<>\\^`{|}")) out[c] = Octet::Forbidden;
  out['#'] = Octet::Fragment;
  out['%'] = Octet::Percent;
  return out;
}();

TargetProblem check_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (kOctets[static_cast<unsigned char>(text[i])]) {
      case Octet::Plain: break;
      case Octet::NonAscii: return TargetProblem::NonAscii;
      case Octet::Fragment: return TargetProblem::Fragment;
      case Octet::Forbidden: return TargetProblem::Character;
      case Octet::Percent:
        if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
          return TargetProblem::BadEscape;
        if (hex_value(text[i + 1]) == 0 && hex_value(text[i + 2]) == 0) return TargetProblem::EncodedNul;
        break;
    }
  }
  return TargetProblem::None;
}

// "%2e" is a dot to whoever decodes before resolving.
bool is_dot_segment(std::string_view segment) {
  int dots = 0;
  while (!segment.empty()) {
    if (segment.front() == '.') {
      segment.remove_prefix(1);
    } else if (segment.size() >= 3 && segment[0] == '%' && segment[1] == '2' && (segment[2] | 0x20) == 'e') {
      segment.remove_prefix(3);
    } else {
      return false;
    }
    ++dots;
  }
  return dots == 1 || dots == 2;
}

TargetProblem check_path(std::string_view path) {
  for (std::size_t i = path.find('%'); i != std::string_view::npos && i + 2 < path.size(); i = path.find('%', i + 1)) {
    const int value = hex_value(path[i + 1]) * 16 + hex_value(path[i + 2]);
    if (value == '/' || value == '\\') return TargetProblem::EncodedSlash;
  }
  std::string_view rest = path.substr(1);
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    if (is_dot_segment(segment)) return TargetProblem::DotSegment;
    if (slash == std::string_view::npos) return TargetProblem::None;
    if (segment.empty()) return TargetProblem::EmptySegment;
    rest.remove_prefix(slash + 1);
  }
}

// prefix itself, or prefix and a slash: "/api/v3" but not "/api/v33".
bool strip_prefix(std::string_view& path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  if (path.size() > prefix.size() && path[prefix.size()] != '/') return false;
  path.remove_prefix(prefix.size());
  if (path.empty()) path = "/";
  return true;
}

}  // namespace

std::string_view to_string(TargetProblem problem) {
  switch (problem) {
    case TargetProblem::None: return "none";
    case TargetProblem::NotOriginForm: return "not origin-form";
    case TargetProblem::TooLong: return "too long";
    case TargetProblem::NonAscii: return "not ASCII";
    case TargetProblem::Character: return "forbidden character";
    case TargetProblem::Fragment: return "fragment";
    case TargetProblem::BadEscape: return "malformed escape";
    case TargetProblem::DotSegment: return "dot segment";
    case TargetProblem::EncodedSlash: return "encoded slash";
    case TargetProblem::EncodedNul: return "encoded NUL";
    case TargetProblem::EmptySegment: return "empty segment";
  }
  return "";
}

ParsedTarget parse_target(std::string_view text) {
  if (text.empty() || text.front() != '/') return {TargetProblem::NotOriginForm, {}};
  if (text.size() > kLimits.max_target) return {TargetProblem::TooLong, {}};
  if (const TargetProblem problem = check_characters(text); problem != TargetProblem::None) return {problem, {}};
  ParsedTarget parsed;
  const std::size_t mark = text.find('?');
  parsed.target.path = text.substr(0, mark);
  parsed.target.has_query = mark != std::string_view::npos;
  if (parsed.target.has_query) parsed.target.query = text.substr(mark + 1);
  parsed.problem = check_path(parsed.target.path);
  return parsed;
}

namespace {

// Where the part behind /repos/OWNER/REPO/ begins; nothing for other paths.
std::optional<std::size_t> below_repository(std::string_view path) {
  const std::size_t root = path.starts_with("/api/v3/") ? 7 : 0;
  if (!path.substr(root).starts_with("/repos/")) return std::nullopt;
  std::size_t rest = root + 7;
  for (int i = 0; i < 2; ++i) {
    rest = path.find('/', rest);
    if (rest == std::string_view::npos) return std::nullopt;
    ++rest;
  }
  return rest;
}

bool is_escaped_slash(std::string_view path, std::size_t at) {
  return at + 2 < path.size() && path[at] == '%' && path[at + 1] == '2' && (path[at + 2] | 0x20) == 'f';
}

}  // namespace

std::optional<std::string> with_plain_slashes(std::string_view text) {
  const std::string_view path = text.substr(0, text.find('?'));
  const std::optional<std::size_t> below = below_repository(path);
  if (!below) return std::nullopt;
  const std::size_t rest = *below;
  for (const std::string_view kind : {"contents/", "git/ref/", "git/refs/", "git/matching-refs/"}) {
    if (!path.substr(rest).starts_with(kind)) continue;
    std::string out(text.substr(0, rest));
    for (std::size_t i = rest; i < text.size(); ++i) {
      const bool slash = is_escaped_slash(path, i);
      out += slash ? '/' : text[i];
      if (slash) i += 2;
    }
    if (parse_target(out).problem == TargetProblem::None) return out;
  }
  return std::nullopt;
}

std::optional<std::string> with_slashes_in_names(std::string_view text) {
  const std::string_view path = text.substr(0, text.find('?'));
  const std::optional<std::size_t> below = below_repository(path);
  if (!below || path.substr(0, *below).find('%') != std::string_view::npos) return std::nullopt;
  std::string plain;
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_escaped_slash(path, i)) {
      plain += text[i];
      escaped += text[i];
      continue;
    }
    plain += '/';
    escaped += "%2F";
    i += 2;
  }
  if (parse_target(plain).problem != TargetProblem::None) return std::nullopt;
  return escaped;
}

std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name) {
  std::optional<std::string_view> found;
  while (!query.empty()) {
    const std::size_t stop = query.find('&');
    const std::string_view pair = query.substr(0, stop);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name)
      found = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    if (stop == std::string_view::npos) break;
    query.remove_prefix(stop + 1);
  }
  return found;
}

HostKind host_kind(std::string_view authority) {
  const std::string host = http::to_lower(authority.substr(0, authority.rfind(':')));
  if (host == "api.github.com") return HostKind::Cloud;
  if (host == "uploads.github.com") return HostKind::CloudUploads;
  if (host.ends_with(".ghe.com")) {
    if (host.starts_with("api.")) return HostKind::Cloud;
    if (host.starts_with("uploads.")) return HostKind::CloudUploads;
  }
  return HostKind::EnterpriseServer;
}

bool has_api_prefix(std::string_view path) {
  for (const std::string_view prefix : {"/api/v3", "/api/graphql", "/api/uploads"})
    if (std::string_view rest = path; strip_prefix(rest, prefix)) return true;
  return false;
}

Route route(HostKind host, std::string_view path) {
  if (host == HostKind::CloudUploads) return {Surface::Uploads, path};
  std::string_view rest = path;
  if (strip_prefix(rest, "/api/v3")) return {Surface::Rest, rest};
  if (strip_prefix(rest, "/api/graphql")) return {Surface::GraphQl, rest};
  if (strip_prefix(rest, "/api/uploads")) return {Surface::Uploads, rest};
  // The stand-in and other loopback origins serve REST at the root, as the cloud does.
  if (strip_prefix(rest, "/graphql") && rest == "/") return {Surface::GraphQl, rest};
  return {Surface::Rest, path};
}

std::string upstream_path(HostKind host, const Route& route) {
  const bool enterprise = host == HostKind::EnterpriseServer;
  const std::string below = route.path == "/" ? std::string() : std::string(route.path);
  switch (route.surface) {
    case Surface::Rest: return enterprise ? "/api/v3" + below : std::string(route.path);
    case Surface::GraphQl: return enterprise ? "/api/graphql" : "/graphql";
    case Surface::Uploads: return enterprise ? "/api/uploads" + below : std::string(route.path);
    case Surface::Other: break;
  }
  return std::string(route.path);
}

}  // namespace ghmesh::github
