// SPDX-License-Identifier: Apache-2.0
#include "github/graphql.hpp"

#include "cache/storing.hpp"
#include "fetch.hpp"
#include "proxy/limits.hpp"

// POST /graphql: half of what gh sends, and nothing GitHub would prove. The document is read; a query's answer may be
// kept for the same token for a short while, everything else passes, and a mutation makes doubtful what it may have
// changed before its own answer goes out.

namespace ghmesh::proxy {
namespace {

RequestBody text_body(const std::string& text) {
  RequestBody body;
  body.length = text.size();
  body.read = [rest = std::string_view(text)]() mutable -> io::Task<Result<std::string_view>> {
    co_return std::exchange(rest, {});
  };
  return body;
}

}  // namespace

io::Task<> Proxy::graphql(Exchange& exchange, Plan plan, TimePoint began) {
  const http::http1::RequestHead& head = exchange.request();
  const Result<std::string> document = co_await exchange.read_all(Limits::kGraphqlRequestBytes);
  if (!document) co_return;  // the server answers for a broken or too large body
  const Result<github::graphql::Request> request = github::graphql::parse_request(*document);
  const bool is_query = request && request->type == github::graphql::OperationType::Query;
  std::optional<Plan> query;
  if (is_query) query = parts_.planner.plan_query(head.view, head.origin_target, request->identity);

  const http::RequestView as_get{"GET", plan.target, 1,
                                 query && query->cache_fields ? query->cache_fields->view() : head.view.fields};
  http::CacheStatus status;
  status.forward = query ? http::Forward::Miss : http::Forward::Method;
  cache::SingleFlight::Lead lead;
  bool collapsed = false;
  for (int look = 0; query; ++look) {
    Slot slot = find_in_memory(*query);
    if (!slot) slot = co_await find_on_disk(*query);
    const cache::Now now{parts_.loop.now(), parts_.loop.wall_now()};
    const cache::Decision decision = cache::decide(as_get, slot.candidates(), policy_for(*query, slot), now);
    if (decision.serves()) {
      status = {};
      status.hit = !collapsed;
      if (collapsed) {
        status.forward = http::Forward::Miss;
        status.forward_status = 200;
        status.collapsed = true;
      } else {
        status.detail = "memory";
      }
      answer_from(exchange, *query, slot, *decision.entry, {}, status,
                  collapsed ? AnswerKind::Collapsed : AnswerKind::MemoryHit, {}, began);
      co_return;
    }
    if (decision.action == cache::Action::Pass) query.reset();
    if (!query || look >= Limits::kLooks || co_await join_flight(std::string(as_text(query->key)), lead)) break;
    collapsed = true;
  }

  http::Request upstream{std::string(head.view.method), plan.target, parts_.planner.upstream_fields(plan, head.view)};
  pass_on_trace(plan, upstream.fields);
  upstream.fields.remove("Content-Length");
  const Draw draw{"graphql", !is_query};
  if (const auto refused = co_await enter_pace(plan, draw, exchange, began)) {
    lead.fail();
    const github::LocalAnswer local = limited_answer(plan, draw, *refused);
    count(exchange, plan, AnswerKind::Error, local.status, began);
    static_cast<void>(co_await exchange.respond(local.status, local.fields, local.body));
    co_return;
  }
  on_asked(plan);
  const cache::Now requested{parts_.loop.now(), parts_.loop.wall_now()};
  Result<std::unique_ptr<OriginAnswer>> answer =
      co_await parts_.upstream.call(std::move(upstream), text_body(*document), nullptr);
  // Whatever came of it, a mutation may have happened; so may a document that cannot be read.
  if (!is_query && (!answer || (*answer)->status() < 400))
    co_await invalidate_everywhere(
        parts_.planner.written_by_mutation(request ? request->root_fields : std::vector<std::string>{}));
  if (!answer) leave_pace(plan, draw, 0, {}, {});
  if (!answer) {
    lead.fail();
    on_unanswered(plan);
    const int code = answer.error().code == ErrorCode::Timeout ? 504 : 502;
    count(exchange, plan, AnswerKind::Error, code, began);
    co_return co_await refuse(exchange, code, "the upstream did not answer: " + answer.error().message, status);
  }
  if (on_answered(plan, (*answer)->status(), (*answer)->fields(), requested.steady)) {
    parts_.stats.direct_calls.add();
    ++plan.spent.direct;
  }
  status.forward_status = (*answer)->status();
  http::Fields fields((*answer)->fields());
  http::remove_hop_by_hop(fields);
  if (!query || (*answer)->status() != 200) {
    leave_pace(plan, draw, (*answer)->status(), (*answer)->fields(), {});
    lead.release();
    count(exchange, plan, AnswerKind::Bypass, (*answer)->status(), began);
    fields.add("Cache-Status", http::format_cache_status(status));
    co_return co_await stream(exchange, **answer, std::move(fields), {});
  }

  // A query's answer is gathered whole: only its body tells whether it may be kept.
  const std::optional<Bytes> body = co_await read_whole(**answer, Limits::kCacheableBodyBytes);
  // A spent GraphQL limit may be said in the body of a 200.
  leave_pace(plan, draw, 200, (*answer)->fields(), body ? as_text(*body) : std::string_view());
  if (!body) {
    lead.fail();
    parts_.stats.upstream_errors.add();
    count(exchange, plan, AnswerKind::Error, 502, began);
    co_return co_await refuse(exchange, 502, "the upstream's answer broke off or cannot be decoded", status);
  }
  uncode(fields);
  const bool overtaken = invalidations_.doubts(parts_.planner.groups(*query), requested.wall);
  if (!overtaken &&
      github::graphql::is_cacheable_answer(200, fields.first("Content-Type").value_or(""), as_text(*body))) {
    http::Fields kept = body_fields(fields);
    kept.remove("Cache-Control");  // the policy's time holds; GitHub says nothing useful of answers to POST
    kept.remove("ETag");
    const cache::Now now{parts_.loop.now(), parts_.loop.wall_now()};
    cache::Outcome stored;
    stored.put.push_back({cache::Entry::make(200, kept, {}, {requested, now}, query->policy), std::nullopt});
    keep(*query, {}, stored, *body);
    status.stored = true;
    lead.finish();
  } else {
    lead.release();
  }
  fields.add("Cache-Status", http::format_cache_status(status));
  count(exchange, plan, AnswerKind::Miss, 200, began);
  co_await respond_whole(exchange, *query, 200, std::move(fields), *body);
}

}  // namespace ghmesh::proxy
