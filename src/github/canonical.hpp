// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/secret.hpp"
#include "http/message/fields.hpp"

// The canonical request (proof.md rule 3): what GitHub sees of a cacheable request depends on a few named fields only,
// each present exactly once, so that its answer, its tag and our key depend on nothing else. Request fields are on an
// allow-list: a field that is on neither side of it might shape the body, and its request goes past the cache as the
// client wrote it. Pure functions; a Canonical owns its texts and its credential.

namespace ghmesh::github {

inline constexpr std::string_view kDefaultAccept = "application/vnd.github+json";
// Holds none of the names that GitHub pretty-prints for.
inline constexpr std::string_view kUserAgent = "ghmesh";

enum class BypassReason : std::uint8_t {
  None,
  Method,         // not GET or HEAD
  Body,           // a GET with content
  Range,          // Range, If-Range
  Precondition,   // If-Match, If-Unmodified-Since: about writes
  UnknownField,   // not on the allow-list
  Authorization,  // several lines, an unknown scheme, empty or too long
  Accept,         // too long, or characters that could be read in two ways
  Cookie,
};
std::string_view to_string(BypassReason reason);

struct Canonical {
  BypassReason bypass = BypassReason::None;
  std::string offending_field;  // lower-case name, when a field is the reason

  std::string accept;                // never empty
  crypto::SecretText authorization;  // "Bearer X", "Basic X"; empty for an anonymous request
  std::string api_version;           // X-GitHub-Api-Version, empty if absent
  std::string time_zone;             // Time-Zone, shapes dates in some bodies
  bool pretty = false;               // the client's own agent would have got indented JSON
  bool anonymous = true;

  bool cacheable() const { return bypass == BypassReason::None; }
};

Canonical canonicalise(std::string_view method, http::FieldsView fields);

// The end-to-end fields to send to the origin, without Host, Accept-Encoding, Connection and preconditions, which
// belong to the connection and to the proof.
http::Fields upstream_fields(const Canonical& request);

// "token X" and "bearer X" become "Bearer X", "basic X" becomes "Basic X"; empty if the value cannot be read so.
std::string canonical_authorization(std::string_view value);

// Whether media type and status allow looking into the body as JSON: application/json and application/*+json.
bool is_json_media_type(std::string_view content_type);

// Whether GitHub answers this Accept with JSON in the ordinary way (no raw, diff, patch, sha, html and the like).
bool accepts_plain_json(std::string_view accept);

// The content-type that GitHub gives to a JSON body, rebuilt for answers proved here (rule 8).
inline constexpr std::string_view kJsonContentType = "application/json; charset=utf-8";

// "github.v3; format=json", or with the media type's parameters; for x-github-media-type of rebuilt answers.
std::string github_media_type(std::string_view accept);

// The fields of a stored answer that are about the body and may be kept for replay; everything else is of the request,
// of the token or of the connection (rule 8) and comes from the live 304 only.
bool is_body_field(std::string_view name);

}  // namespace ghmesh::github
