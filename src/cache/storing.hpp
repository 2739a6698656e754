// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "cache/entry.hpp"
#include "cache/policy.hpp"
#include "http/message/message.hpp"

// Which responses are kept (RFC 9111 §3), and what of them (§3.1). Pure.

namespace ghmesh::cache {

// The entry of this answer to this GET, or nothing where a rule, the policy or its uselessness speaks against keeping
// it.
std::optional<Entry> make_storable(const http::RequestView& request, const http::ResponseView& response,
                                   const Received& times, const FreshnessPolicy& policy);

// The entry that stored becomes by an answer without a body of its own: a 304, or a 200 to HEAD (§3.2, §4.3.5). The
// request's selecting fields become the entry's. Nothing if the result may not be kept.
std::optional<Entry> freshen(const Entry& stored, const http::RequestView& request, http::FieldsView update,
                             const Received& times, const FreshnessPolicy& policy);

}  // namespace ghmesh::cache
