// SPDX-License-Identifier: Apache-2.0
#include "cache/lookup.hpp"

#include <algorithm>

#include "http/message/date.hpp"
#include "http/message/etag.hpp"

namespace ghmesh::cache {
namespace {

using http::Forward;
using http::RequestCacheControl;
using http::RequestView;

bool has_body(const RequestView& request) {
  if (request.fields.has("Transfer-Encoding")) return true;
  const auto length = request.fields.first("Content-Length");
  return length && *length != "0";
}

// Of several variants that match, the newest (RFC 9111 §4.1).
std::optional<std::size_t> select(const RequestView& request, Candidates candidates, const FreshnessPolicy& policy) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!candidates[i]->selected_by(request.fields, policy.ignore_accept_encoding)) continue;
    if (!best || candidates[i]->received_at() > candidates[*best]->received_at()) best = i;
  }
  return best;
}

Decision forward(Action action, Forward reason, std::optional<std::size_t> entry = std::nullopt) {
  Decision decision;
  decision.action = action;
  decision.forward = reason;
  decision.entry = entry;
  return decision;
}

// The client's own bounds on a fresh response (§5.2.1). max-age=0 asks for the origin even within the first second.
bool client_accepts_fresh(const RequestCacheControl& client, Duration age, Duration left) {
  if (client.max_age && (age > *client.max_age || *client.max_age == Seconds(0))) return false;
  return !client.min_fresh || left >= *client.min_fresh;
}

bool client_accepts_stale(const RequestCacheControl& client, const Entry& entry, Duration age, Duration left) {
  if (entry.freshness().forbids_stale) return false;
  if (client.max_age && age > *client.max_age) return false;
  if (client.min_fresh) return false;
  return client.max_stale_any || (client.max_stale && -left <= *client.max_stale);
}

bool may_serve_while_revalidating(const RequestCacheControl& client, const Entry& entry, const FreshnessPolicy& policy,
                                  Duration left) {
  if (!policy.stale_while_revalidate || entry.freshness().forbids_stale) return false;
  if (policy.lifetime.kind != Lifetime::Kind::Origin) return false;
  // A client that names bounds of its own gets them.
  if (client.max_age || client.min_fresh || client.max_stale) return false;
  return -left < entry.freshness().stale_while_revalidate;
}

void serve(Decision& decision, Action action, const RequestView& request, const Entry& entry) {
  decision.action = action;
  const Answer answer = answer_from(request, entry);
  decision.form = answer.form;
  decision.range = answer.range;
}

// A stored response that cannot be used as it is: worth validating if it, or a sibling, has a validator.
void ask_origin(Decision& decision, Candidates candidates, Forward reason) {
  const bool any_validator = decision.entry ? candidates[*decision.entry]->has_validator()
                                            : std::any_of(candidates.begin(), candidates.end(),
                                                          [](const Entry* e) { return e->etag().has_value(); });
  decision.action = any_validator ? Action::Validate : Action::Fetch;
  decision.forward = reason;
}

Decision decide_with(const RequestView& request, Candidates candidates, const FreshnessPolicy& policy, const Now& now,
                     const RequestCacheControl& client) {
  Decision decision;
  decision.entry = select(request, candidates, policy);
  if (!decision.entry) {
    ask_origin(decision, candidates, Forward::Miss);
    return decision;
  }
  const Entry& entry = *candidates[*decision.entry];
  decision.age = entry.age(now);
  const Duration lifetime = entry.lifetime(policy);
  const bool fresh = lifetime > decision.age;
  decision.time_to_live = lifetime == Duration::max() ? lifetime : lifetime - decision.age;
  decision.stale = !fresh;
  if (client.no_cache || (fresh && !client_accepts_fresh(client, decision.age, decision.time_to_live))) {
    ask_origin(decision, candidates, Forward::Request);
    return decision;
  }
  if (entry.freshness().no_cache || policy.lifetime.kind == Lifetime::Kind::AlwaysValidate) {
    ask_origin(decision, candidates, Forward::Stale);
    return decision;
  }
  if (fresh || client_accepts_stale(client, entry, decision.age, decision.time_to_live)) {
    serve(decision, Action::Serve, request, entry);
  } else if (may_serve_while_revalidating(client, entry, policy, decision.time_to_live)) {
    serve(decision, Action::ServeAndRevalidate, request, entry);
  } else {
    ask_origin(decision, candidates, Forward::Stale);
  }
  if (decision.serves() && decision.stale) decision.forward = Forward::Stale;
  return decision;
}

// RFC 9110 §13.1.3: only without If-None-Match. An answer without Last-Modified is as old as its Date.
bool modified_since(std::string_view since_text, const Entry& entry) {
  const auto since = http::parse_http_date(since_text, entry.received_at());
  if (!since) return true;
  const auto modified_text = entry.last_modified() ? entry.last_modified() : entry.field("Date");
  const auto modified = http::parse_http_date(modified_text.value_or(""), entry.received_at());
  return !modified || *modified > *since;
}

bool not_modified(const RequestView& request, const Entry& entry) {
  if (entry.status() != 200) return false;
  if (request.fields.has("If-None-Match")) {
    const std::string joined = request.fields.joined("If-None-Match");
    const http::EntityTagList list = http::parse_etag_list(joined);
    if (list.any) return true;
    const auto mine = entry.etag();
    return mine && list.weak_contains(*mine);
  }
  const auto since = request.fields.first("If-Modified-Since");
  return since && !modified_since(*since, entry);
}

// §13.1.5: a strong tag, or the very date of a Last-Modified that a second could not have hidden a change behind.
bool if_range_holds(std::string_view condition, const Entry& entry) {
  if (const auto tag = http::parse_etag(condition)) {
    const auto mine = entry.etag();
    return mine && http::strong_match(*tag, *mine);
  }
  const auto modified = entry.last_modified();
  if (!modified || *modified != condition) return false;
  const auto modified_time = http::parse_http_date(*modified, entry.received_at());
  const auto date = http::parse_http_date(entry.field("Date").value_or(""), entry.received_at());
  return modified_time && date && *date - *modified_time >= std::chrono::seconds(1);
}

}  // namespace

bool is_cacheable_method(std::string_view method) { return method == "GET" || method == "HEAD"; }

Answer answer_from(const RequestView& request, const Entry& entry) {
  if (not_modified(request, entry)) return {Form::NotModified, {}};
  const auto range = request.fields.first("Range");
  if (!range || request.method != "GET" || entry.status() != 200) return {};
  const auto condition = request.fields.first("If-Range");
  if (condition && !if_range_holds(*condition, entry)) return {};
  const http::RangeRequest parsed = http::parse_range(*range, entry.body_size());
  if (parsed.outcome == http::RangeOutcome::Satisfiable) return {Form::Partial, parsed.range};
  if (parsed.outcome == http::RangeOutcome::Unsatisfiable) return {Form::RangeNotSatisfiable, {}};
  return {};
}

Decision decide(const RequestView& request, Candidates candidates, const FreshnessPolicy& policy, const Now& now) {
  if (!is_cacheable_method(request.method)) return forward(Action::Pass, Forward::Method);
  const RequestCacheControl client = http::parse_request_cache_control(request.fields);
  // The anonymous partition is a shared cache: nothing of a credential may enter or be asked of it (§3.5).
  const bool misplaced = policy.partition == Partition::Anonymous && request.fields.has("Authorization");
  if (!policy.may_store || misplaced || has_body(request))
    return forward(client.only_if_cached ? Action::GatewayTimeout : Action::Pass, Forward::Bypass);
  Decision decision;
  if (client.no_store) {
    decision = forward(Action::Pass, Forward::Request);
  } else if (request.fields.has("If-Match") || request.fields.has("If-Unmodified-Since")) {
    decision = forward(Action::Fetch, Forward::Request);  // conditions on the origin's state, not on ours (§4.3.2)
  } else {
    decision = decide_with(request, candidates, policy, now, client);
  }
  if (client.only_if_cached && !decision.serves()) decision.action = Action::GatewayTimeout;
  return decision;
}

}  // namespace ghmesh::cache
