// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The request target as the cache sees it, and whose API it addresses. Only targets that can mean one thing alone get a
// key: whatever another party could normalise differently (dot segments, encoded slashes, fragments, user information,
// bytes outside ASCII) goes past the cache, unchanged. Pure functions over the caller's bytes.

namespace ghmesh::github {

enum class TargetProblem : std::uint8_t {
  None,
  NotOriginForm,  // does not start with "/": absolute-form with or without user information, "*", authority-form
  TooLong,
  NonAscii,
  Character,  // a control, a blank, or one of " < > \ ^ ` { | }
  Fragment,
  BadEscape,     // "%" without two hexadecimal digits
  DotSegment,    // "." or "..", also escaped
  EncodedSlash,  // %2F or %5C in the path
  EncodedNul,
  EmptySegment,  // "//"
};
std::string_view to_string(TargetProblem problem);

// Raw bytes, as they came: the order of a query's parameters and the case of escapes are part of the identity.
struct Target {
  std::string_view path;
  std::string_view query;  // without "?"
  bool has_query = false;
};

struct ParsedTarget {
  TargetProblem problem = TargetProblem::None;
  Target target;  // meaningful only without a problem
};

// origin-form only; the proxy has already split an absolute-form target into authority and the rest.
ParsedTarget parse_target(std::string_view origin_form);

// Octokit escapes the slashes of what it fills into a template: contents/src%2Fmain.c, git/ref/heads%2Fmain. Where all
// of the rest of a path is one file or ref, GitHub reads both spellings alike. The target in the plain spelling if that
// is its only problem, else nothing.
std::optional<std::string> with_plain_slashes(std::string_view origin_form);
// A target whose only problem are escaped slashes inside a name below a repository: of a branch, label, tag or
// environment. Whether GitHub takes a plain slash there for the same depends on the name, so they stay escaped, as
// "%2F" (encodeURIComponent writes it so; "%2f" is the same by RFC 3986 §6.2.2.1, and one resource has one key); it may
// be cached as a resource of its own. Nothing for all others.
std::optional<std::string> with_slashes_in_names(std::string_view origin_form);

// The value of a query parameter as written, of its last occurrence; nothing if it is absent.
std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name);

// Whose API a host serves. api.github.com and api.SUBDOMAIN.ghe.com have REST at the root and /graphql; an Enterprise
// Server has /api/v3, /api/graphql and /api/uploads; the upload hosts take release assets.
enum class HostKind : std::uint8_t { Cloud, CloudUploads, EnterpriseServer };
// authority may carry a port; case does not matter.
HostKind host_kind(std::string_view authority);

enum class Surface : std::uint8_t { Rest, GraphQl, Uploads, Other };
struct Route {
  Surface surface = Surface::Other;
  std::string_view path;  // below the API's root, with the leading slash: "/repos/o/r"
};

// A client that believes it talks to an Enterprise Server sends the prefixes to the cloud too (Renovate, go-github,
// Terraform with another base URL), so they are understood on every host.
Route route(HostKind host, std::string_view path);

// Whether a path is below one of the prefixes of an Enterprise Server's API.
bool has_api_prefix(std::string_view path);

// What the origin must be asked for: the path with the prefix of that host, e.g. "/api/v3/repos/o/r" → "/repos/o/r" for
// the cloud.
std::string upstream_path(HostKind host, const Route& route);

}  // namespace ghmesh::github
