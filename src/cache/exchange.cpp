// SPDX-License-Identifier: Apache-2.0
#include "cache/exchange.hpp"

#include <algorithm>

#include "cache/limits.hpp"
#include "cache/storing.hpp"
#include "cache/target.hpp"
#include "http/message/etag.hpp"

namespace ghmesh::cache {
namespace {

using http::EntityTag;
using http::EntityTagList;
using http::Fields;
using http::ResponseView;

bool asks_with_own_conditions(const Exchange& exchange) {
  return exchange.decision.action == Action::Validate || exchange.decision.action == Action::ServeAndRevalidate;
}

bool is_background(const Exchange& exchange) { return exchange.decision.action == Action::ServeAndRevalidate; }

// The candidates whose tags go into If-None-Match: the one that matches the request, or, when none does, all of them,
// since the origin may say that another variant is the answer (RFC 9111 §4.3.1).
std::vector<std::size_t> nominated(const Exchange& exchange) {
  std::vector<std::size_t> out;
  if (exchange.decision.entry) {
    if (exchange.candidates[*exchange.decision.entry]->etag()) out.push_back(*exchange.decision.entry);
    return out;
  }
  for (std::size_t i = 0; i < exchange.candidates.size() && out.size() < Limits::kTagsSent; ++i)
    if (exchange.candidates[i]->etag()) out.push_back(i);
  return out;
}

void append_tag(std::string& list, const EntityTag& tag) {
  if (!list.empty()) list.append(", ");
  list.append(tag.to_string());
}

// The client's own tags stay in the question: it may hold a newer answer than this node, and a 304 is then all it
// needs.
std::string if_none_match(const Exchange& exchange, const EntityTagList& client) {
  std::string list;
  std::vector<EntityTag> mine;
  for (const std::size_t i : nominated(exchange)) {
    const EntityTag tag = *exchange.candidates[i]->etag();
    if (std::any_of(mine.begin(), mine.end(), [&](const EntityTag& seen) { return http::weak_match(seen, tag); }))
      continue;
    mine.push_back(tag);
    append_tag(list, tag);
  }
  if (mine.empty() || is_background(exchange)) return list;
  std::size_t sent = mine.size();
  for (const EntityTag& tag : client.tags) {
    if (sent == Limits::kTagsSent) break;
    if (std::any_of(mine.begin(), mine.end(), [&](const EntityTag& own) { return http::weak_match(own, tag); }))
      continue;
    append_tag(list, tag);
    ++sent;
  }
  return list;
}

void remove_conditions(Fields& fields) {
  for (const std::string_view name : {"If-None-Match", "If-Modified-Since", "If-Range"}) fields.remove(name);
}

Fields forwarded_fields(const Exchange& exchange) {
  Fields fields(exchange.request.fields);
  http::remove_hop_by_hop(fields);
  return fields;
}

bool matches(const Entry& entry, const Exchange& exchange, const FreshnessPolicy& policy) {
  return entry.selected_by(exchange.request.fields, policy.ignore_accept_encoding);
}

void drop_replaced(Outcome& outcome, const Exchange& exchange, const Entry& by, const FreshnessPolicy& policy) {
  for (std::size_t i = 0; i < exchange.candidates.size(); ++i) {
    const Entry& candidate = *exchange.candidates[i];
    if (matches(candidate, exchange, policy) || candidate.same_selecting(by)) outcome.drop.push_back(i);
  }
  const std::size_t kept = exchange.candidates.size() - outcome.drop.size();
  if (kept < Limits::kVariants) return;
  std::optional<std::size_t> oldest;
  for (std::size_t i = 0; i < exchange.candidates.size(); ++i) {
    if (std::find(outcome.drop.begin(), outcome.drop.end(), i) != outcome.drop.end()) continue;
    if (!oldest || exchange.candidates[i]->received_at() < exchange.candidates[*oldest]->received_at()) oldest = i;
  }
  if (oldest) outcome.drop.push_back(*oldest);
}

Received times_of(const Exchange& exchange, const Now& now) { return {exchange.requested, now}; }

// ---- 304 (RFC 9111 §4.3.4)

struct Match {
  std::optional<std::size_t> candidate;
  bool clients = false;  // the tag is one of the client's own
};

Match match_not_modified(const Exchange& exchange, const ResponseView& response) {
  const auto value = response.fields.first("ETag");
  const auto tag = value ? http::parse_etag(*value) : std::nullopt;
  const std::string joined = exchange.request.fields.joined("If-None-Match");
  const EntityTagList client = is_background(exchange) ? EntityTagList{} : http::parse_etag_list(joined);
  const std::vector<std::size_t> mine = nominated(exchange);
  if (mine.empty()) return {exchange.decision.entry, false};  // asked by date, of one entry
  if (tag) {
    for (const std::size_t i : mine)
      if (http::weak_match(*exchange.candidates[i]->etag(), *tag)) return {i, false};
    return {std::nullopt, client.weak_contains(*tag)};
  }
  // Without a tag the 304 names no one: it must have been the only one asked about.
  const bool foreign = std::any_of(client.tags.begin(), client.tags.end(), [&](const EntityTag& theirs) {
    return !http::weak_match(*exchange.candidates[mine.front()]->etag(), theirs);
  });
  if (mine.size() == 1 && !foreign) return {mine.front(), false};
  return {};
}

// Every other stored response with the very same strong tag is as current (§4.3.4).
void freshen_siblings(Outcome& outcome, const Exchange& exchange, const ResponseView& response, std::size_t chosen,
                      const FreshnessPolicy& policy, const Now& now) {
  const auto value = response.fields.first("ETag");
  const auto tag = value ? http::parse_etag(*value) : std::nullopt;
  if (!tag || tag->weak) return;
  for (std::size_t i = 0; i < exchange.candidates.size(); ++i) {
    const Entry& sibling = *exchange.candidates[i];
    const auto mine = sibling.etag();
    if (i == chosen || !mine || !http::strong_match(*mine, *tag)) continue;
    if (std::find(outcome.drop.begin(), outcome.drop.end(), i) != outcome.drop.end()) continue;
    Fields selecting;
    const std::vector<Selecting> old = sibling.selecting();
    for (const Selecting& one : old) selecting.add(one.name, one.value);
    http::RequestView request = exchange.request;
    request.fields = selecting.view();
    auto entry = freshen(sibling, request, response.fields, times_of(exchange, now), policy);
    outcome.drop.push_back(i);
    if (entry) outcome.put.push_back({std::move(*entry), i});
  }
}

Outcome on_not_modified(const Exchange& exchange, const ResponseView& response, const FreshnessPolicy& policy,
                        const Now& now) {
  Outcome outcome;
  const Match match = match_not_modified(exchange, response);
  if (!match.candidate) {
    // What is stored here is not what the origin has.
    if (exchange.decision.entry) outcome.drop.push_back(*exchange.decision.entry);
    outcome.reply = match.clients ? Reply::Forward : Reply::Refetch;
    return outcome;
  }
  const Entry& stored = *exchange.candidates[*match.candidate];
  outcome.reply = Reply::FromEntry;
  auto entry = freshen(stored, exchange.request, response.fields, times_of(exchange, now), policy);
  if (!entry) {
    outcome.from_candidate = match.candidate;
    outcome.answer = answer_from(exchange.request, stored);
    outcome.drop.push_back(*match.candidate);
    return outcome;
  }
  outcome.answer = answer_from(exchange.request, *entry);
  drop_replaced(outcome, exchange, *entry, policy);
  outcome.put.push_back({std::move(*entry), match.candidate});
  outcome.from_put = 0;
  freshen_siblings(outcome, exchange, response, *match.candidate, policy, now);
  return outcome;
}

// ---- HEAD (RFC 9111 §4.3.5)

bool describes_same(const Entry& stored, const ResponseView& response) {
  if (response.status != stored.status()) return false;
  bool compared = false;
  if (const auto value = response.fields.first("ETag")) {
    const auto theirs = http::parse_etag(*value);
    const auto mine = stored.etag();
    if (!theirs || !mine || !http::weak_match(*theirs, *mine)) return false;
    compared = true;
  }
  if (const auto value = response.fields.first("Last-Modified")) {
    if (stored.last_modified() != value) return false;
    compared = true;
  }
  const auto length = response.fields.first("Content-Length");
  if (length && !stored.recoded()) {
    if (*length != std::to_string(stored.body_size())) return false;
    compared = true;
  }
  return compared;
}

Outcome on_head(const Exchange& exchange, const ResponseView& response, const FreshnessPolicy& policy, const Now& now) {
  Outcome outcome;
  if (!exchange.decision.entry || response.status >= 500) return outcome;
  const Entry& stored = *exchange.candidates[*exchange.decision.entry];
  outcome.drop.push_back(*exchange.decision.entry);
  if (!describes_same(stored, response)) return outcome;
  auto entry = freshen(stored, exchange.request, response.fields, times_of(exchange, now), policy);
  if (entry) outcome.put.push_back({std::move(*entry), exchange.decision.entry});
  return outcome;
}

// ---- everything else

// A final answer after which what was stored for this request is history, kept or not.
bool supersedes(int status) { return status < 400 || status == 401 || status == 404 || status == 410 || status == 451; }

Outcome on_full(const Exchange& exchange, const ResponseView& response, const FreshnessPolicy& policy, const Now& now) {
  Outcome outcome;
  auto entry = make_storable(exchange.request, response, times_of(exchange, now), policy);
  if (entry) {
    drop_replaced(outcome, exchange, *entry, policy);
    outcome.put.push_back({std::move(*entry), std::nullopt});
  } else if (exchange.decision.entry && supersedes(response.status)) {
    outcome.drop.push_back(*exchange.decision.entry);
  }
  return outcome;
}

// RFC 9111 §4.4: any method that is not known to be safe, once it did not fail.
Outcome on_unsafe(const Exchange& exchange, const ResponseView& response) {
  Outcome outcome;
  if (response.status < 200 || response.status >= 400) return outcome;
  outcome.invalidate.emplace_back(exchange.request.target);
  for (const std::string_view name : {"Location", "Content-Location"}) {
    const auto reference = response.fields.first(name);
    if (!reference) continue;
    auto target = resolve_target(exchange.authority, exchange.request.target, *reference);
    if (target && *target != exchange.request.target) outcome.invalidate.push_back(std::move(*target));
  }
  return outcome;
}

bool is_origin_error(int status) { return status == 500 || status == 502 || status == 503 || status == 504; }

}  // namespace

Fields upstream_fields(const Exchange& exchange) {
  Fields fields = forwarded_fields(exchange);
  if (!asks_with_own_conditions(exchange)) return fields;
  const std::string joined = exchange.request.fields.joined("If-None-Match");
  const std::string tags = if_none_match(exchange, http::parse_etag_list(joined));
  remove_conditions(fields);
  if (is_background(exchange)) fields.remove("Range");
  if (!tags.empty()) {
    // A date beside the tag could only weaken the answer: it has seconds, and misses what changed within one.
    fields.add("If-None-Match", tags);
  } else if (exchange.decision.entry) {
    if (const auto modified = exchange.candidates[*exchange.decision.entry]->last_modified())
      fields.add("If-Modified-Since", *modified);
  }
  return fields;
}

Fields unconditional_fields(const Exchange& exchange) {
  Fields fields = forwarded_fields(exchange);
  remove_conditions(fields);
  return fields;
}

Outcome on_response(const Exchange& exchange, const ResponseView& response, const FreshnessPolicy& policy,
                    const Now& now) {
  if (!http::is_safe_method(exchange.request.method)) return on_unsafe(exchange, response);
  if (exchange.decision.action == Action::Pass || !is_cacheable_method(exchange.request.method)) return {};
  if (response.status == 304) {
    // Nobody asked with a condition: a broken origin's answer is the client's to see.
    if (exchange.refetched || !asks_with_own_conditions(exchange)) return {};
    return on_not_modified(exchange, response, policy, now);
  }
  if (is_origin_error(response.status)) {
    if (const auto stale = stale_instead(exchange, Failure::Error, policy, now)) {
      Outcome outcome;
      outcome.reply = Reply::FromEntry;
      outcome.from_candidate = stale;
      outcome.answer = answer_from(exchange.request, *exchange.candidates[*stale]);
      outcome.stale = true;
      return outcome;
    }
  }
  if (exchange.request.method == "HEAD") return on_head(exchange, response, policy, now);
  return on_full(exchange, response, policy, now);
}

std::optional<std::size_t> stale_instead(const Exchange& exchange, Failure failure, const FreshnessPolicy& policy,
                                         const Now& now) {
  if (!exchange.decision.entry || exchange.decision.action == Action::Pass) return std::nullopt;
  const Entry& entry = *exchange.candidates[*exchange.decision.entry];
  if (entry.freshness().forbids_stale) return std::nullopt;
  const http::RequestCacheControl client = http::parse_request_cache_control(exchange.request.fields);
  const Duration age = entry.age(now);
  if (client.no_cache || client.min_fresh || (client.max_age && age > *client.max_age)) return std::nullopt;
  const Duration lifetime = entry.lifetime(policy);
  if (lifetime == Duration::max()) return exchange.decision.entry;
  const Duration staleness = age - std::max<Duration>(lifetime, Duration(0));
  Duration allowed = policy.stale_on_error;
  if (policy.stale_if_error) {
    allowed = std::max<Duration>(allowed, entry.freshness().stale_if_error);
    allowed = std::max<Duration>(allowed, client.stale_if_error.value_or(Seconds(0)));
  }
  if (failure == Failure::Unreachable) allowed = std::max<Duration>(allowed, policy.stale_when_disconnected);
  if (allowed == Duration(0) || staleness > allowed) return std::nullopt;
  return exchange.decision.entry;
}

}  // namespace ghmesh::cache
