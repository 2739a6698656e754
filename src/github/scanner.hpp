// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"

// Looks through a body for what must not leave the node (proof.md rule 12): credentials that GitHub puts into bodies,
// and profile fields that only their owner sees. It fails closed: a body that it cannot read to the end within its
// bounds is not shared. Pure; the peer wing asks it before it offers a body.

namespace ghmesh::github {

enum class Finding : std::uint8_t {
  Clean,
  NotJson,       // not one JSON text in UTF-8
  TooLarge,      // over Limits::max_scan
  TooDeep,       // over Limits::max_json_depth
  Credential,    // temp_clone_token with a value, a signed URL, a token in a URL or text
  PrivateField,  // fields of an account that only its owner or its administrators get
};
std::string_view to_string(Finding finding);

Finding scan_body(ByteView body);

// Whether a string holds a credential: ?token=, X-Amz-Signature, sig=, jwt=, access_token=, or a token of GitHub's own
// kinds (ghp_, gho_, ghu_, ghs_, ghr_, github_pat_), or a URL with a password.
bool text_has_credential(std::string_view text);

// Rule 6: the body is one JSON value and nothing else (simdjson's full validation, UTF-8 included). No size limit but
// that of the cache. Nothing if it is not.
struct JsonShape {
  std::optional<std::size_t> array_length;  // members, if the value is an array
};
std::optional<JsonShape> json_shape(ByteView body);
inline bool is_single_json_value(ByteView body) { return json_shape(body).has_value(); }

}  // namespace ghmesh::github
