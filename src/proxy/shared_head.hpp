// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "http/message/fields.hpp"

// The head of an answer as members of a mesh hold it: Item::metadata (doc/formats/mesh.md). Only fields about the body
// are in it, in one fixed order, so that the same answer has the same version everywhere. What belongs to a token, to a
// request or to a moment (quota, date, age, scopes) never leaves its node. Pure.

namespace ghmesh::proxy {

struct SharedHead {
  // GitHub's tag was the formula's for these bytes, so that each member works it out for its own token. Otherwise
  // fields has the ETag, which is of use to the same token only.
  bool tag_by_formula = false;
  http::Fields fields;
};

// fields may hold more than what travels.
Bytes encode_shared_head(http::FieldsView fields, bool tag_by_formula);
// Malformed: not what encode makes. A value that could not stand in a field line is refused.
Result<SharedHead> decode_shared_head(ByteView bytes);

}  // namespace ghmesh::proxy
