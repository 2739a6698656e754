// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cache/lookup.hpp"

// What follows a decision that needs the origin: the request to send (RFC 9111 §4.3.1), and what its answer, or its
// absence, means for the client and the store (§3, §4.3.3, §4.3.4, §4.4). Pure; who calls owns the candidates until the
// exchange is over.

namespace ghmesh::cache {

struct Exchange {
  http::RequestView request;  // as the client sent it
  Candidates candidates;      // as decide saw them
  Decision decision;
  Now requested;
  bool refetched = false;      // asked a second time, with unconditional_fields()
  std::string_view authority;  // of the target, to tell which Location is ours; may be empty
};

// The client's fields with its conditions replaced by, or joined with, those of the stored responses; hop-by-hop fields
// and only-if-cached are gone. For every decision that forwards.
http::Fields upstream_fields(const Exchange& exchange);
// The same without any condition: for Reply::Refetch.
http::Fields unconditional_fields(const Exchange& exchange);

enum class Reply {
  Forward,    // the origin's answer as it is
  FromEntry,  // the entry of `from`
  Refetch,    // a 304 that fits nothing here: ask again with unconditional_fields()
};

struct Put {
  Entry entry;
  // Whose body it has: a candidate's, or the answer's own (nothing), whose size is set when it is complete.
  std::optional<std::size_t> body_of;
};

struct Outcome {
  Reply reply = Reply::Forward;
  // For FromEntry: an index into put, or else the candidate itself (stale service).
  std::optional<std::size_t> from_put;
  std::optional<std::size_t> from_candidate;
  Answer answer;
  bool stale = false;
  std::vector<Put> put;
  std::vector<std::size_t> drop;        // candidates that no longer stand, or that a Put replaces
  std::vector<std::string> invalidate;  // origin-form targets whose entries no longer stand, in every partition
};

// response: final (not 1xx), with hop-by-hop fields still in place or already gone. A body that turns out to be cut
// short must not be put.
Outcome on_response(const Exchange& exchange, const http::ResponseView& response, const FreshnessPolicy& policy,
                    const Now& now);

enum class Failure {
  Unreachable,  // no connection, or it died: nobody answered
  Error,        // answered 500, 502, 503 or 504, or the quota is spent
};
// The stale candidate that may be served instead (§4.2.4, RFC 5861 §4), or nothing.
std::optional<std::size_t> stale_instead(const Exchange& exchange, Failure failure, const FreshnessPolicy& policy,
                                         const Now& now);

}  // namespace ghmesh::cache
