// SPDX-License-Identifier: Apache-2.0
#include "cache/target.hpp"

#include "http/message/fields.hpp"

namespace ghmesh::cache {
namespace {

// "HOST:443" and "host" of https are one authority; scheme is not compared, since the upstream has only one.
std::string_view without_default_port(std::string_view authority) {
  for (const std::string_view port : {":443", ":80"})
    if (authority.ends_with(port)) authority.remove_suffix(port.size());
  return authority;
}

bool same_authority(std::string_view a, std::string_view b) {
  return !a.empty() && http::iequals(without_default_port(a), without_default_port(b));
}

// RFC 3986 §5.2.4 on a path that begins with '/'.
std::string remove_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t next = path.find('/', 1);
    const std::string_view segment = path.substr(0, next);
    path = next == std::string_view::npos ? std::string_view() : path.substr(next);
    if (segment == "/.") {
      if (path.empty()) out.push_back('/');
    } else if (segment == "/..") {
      out.erase(out.rfind('/') == std::string::npos ? 0 : out.rfind('/'));
      if (path.empty()) out.push_back('/');
    } else {
      out.append(segment);
    }
  }
  return out;
}

std::string normalise(std::string_view target) {
  const std::size_t query = target.find('?');
  std::string out = remove_dot_segments(target.substr(0, query));
  if (out.empty()) out = "/";
  if (query != std::string_view::npos) out.append(target.substr(query));
  return out;
}

std::optional<std::string> on_authority(std::string_view authority, std::string_view reference) {
  const std::size_t end = reference.find_first_of("/?");
  std::string_view theirs = reference.substr(0, end);
  if (!same_authority(authority, theirs)) return std::nullopt;
  const std::string_view rest = end == std::string_view::npos ? std::string_view() : reference.substr(end);
  return normalise(rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest));
}

}  // namespace

std::optional<std::string> resolve_target(std::string_view authority, std::string_view base,
                                          std::string_view reference) {
  reference = http::trim(reference.substr(0, reference.find('#')));
  const std::string_view base_path = base.substr(0, base.find('?'));
  if (!base_path.starts_with('/')) return std::nullopt;
  if (reference.starts_with("//")) return on_authority(authority, reference.substr(2));
  if (reference.starts_with('/')) return normalise(reference);
  if (reference.empty()) return normalise(base);
  if (reference.starts_with('?')) return normalise(std::string(base_path).append(reference));
  const std::size_t colon = reference.find(':');
  if (colon != std::string_view::npos && colon < reference.find_first_of("/?")) {
    const std::string_view scheme = reference.substr(0, colon);
    const std::string_view rest = reference.substr(colon + 1);
    const bool web = http::iequals(scheme, "http") || http::iequals(scheme, "https");
    if (!web || !rest.starts_with("//")) return std::nullopt;
    return on_authority(authority, rest.substr(2));
  }
  return normalise(std::string(base_path.substr(0, base_path.rfind('/') + 1)).append(reference));
}

}  // namespace ghmesh::cache
