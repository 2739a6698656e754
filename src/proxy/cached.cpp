// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cache/response_head.hpp"
#include "fetch.hpp"
#include "github/pretty.hpp"
#include "proxy/limits.hpp"

// Cacheable requests that memory alone could not answer: disk, then one flight per key and token, in which the leader
// validates or fetches and the others wait for what it brings.

namespace ghmesh::proxy {
io::Task<Slot> Proxy::find_on_disk(const Plan& plan) {
  struct Waiting {
    explicit Waiting(io::Loop& loop) : done(loop) {}
    store::EntryPtr record;
    io::Event done;
  };
  auto waiting = std::make_shared<Waiting>(parts_.loop);
  const bool reading = parts_.store.get_from_disk(plan.key, [waiting](store::EntryPtr record) {
    waiting->record = std::move(record);
    waiting->done.set();
  });
  if (!reading) co_return Slot();
  co_await waiting->done.wait();
  if (!waiting->record) co_return find_in_memory(plan);
  Result<Slot> slot = Slot::of(waiting->record, plan.policy);
  if (!slot) parts_.store.remove(plan.key);
  co_return slot ? *std::move(slot) : Slot();
}

// True: lead holds the flight, or is empty because this request goes alone. False: look again, somebody has fetched.
io::Task<bool> Proxy::join_flight(const std::string& key, cache::SingleFlight::Lead& lead) {
  struct Landed {
    explicit Landed(io::Loop& loop) : done(loop) {}
    cache::Landing landing = cache::Landing::Alone;
    cache::SingleFlight::Lead lead;
    io::Event done;
  };
  auto landed = std::make_shared<Landed>(parts_.loop);
  cache::SingleFlight::Follow follow;
  cache::SingleFlight::Joined joined =
      flights_.join(key, parts_.loop.now(), follow, [landed](cache::Landing landing, cache::SingleFlight::Lead given) {
        landed->landing = landing;
        landed->lead = std::move(given);
        landed->done.set();
      });
  if (joined.role == cache::SingleFlight::Role::Leader) {
    lead = std::move(joined.lead);
    co_return true;
  }
  if (joined.role == cache::SingleFlight::Role::Alone) co_return true;
  wait_for_followers();
  co_await landed->done.wait();
  if (landed->landing == cache::Landing::Done) co_return false;
  lead = std::move(landed->lead);
  co_return true;
}

io::Task<> Proxy::cached(Exchange& exchange, Plan plan, TimePoint began) {
  const http::RequestView request = view_of(plan, exchange.request().view);
  const std::string flight_key(as_text(plan.key));
  bool collapsed = false;
  for (int look = 0;; ++look) {
    Slot slot = find_in_memory(plan);
    bool from_disk = false;
    if (!slot) {
      slot = co_await find_on_disk(plan);
      from_disk = static_cast<bool>(slot);
    }
    const cache::Now now{parts_.loop.now(), parts_.loop.wall_now()};
    cache::Decision decision = cache::decide(request, slot.candidates(), policy_for(plan, slot), now);
    // What another request fetched while this one waited is as fresh as an own fetch would be, whatever the policy.
    const bool just_fetched = collapsed && decision.entry && slot.entry(*decision.entry).age(now) <= now.steady - began;
    if (decision.serves() || just_fetched) {
      http::CacheStatus status;
      AnswerKind kind = from_disk ? AnswerKind::DiskHit : AnswerKind::MemoryHit;
      if (just_fetched || (collapsed && !decision.stale)) {
        kind = AnswerKind::Collapsed;
        status.forward = http::Forward::Miss;
        status.forward_status = slot.entry(*decision.entry).status();
        status.collapsed = true;
      } else {
        status.hit = true;
        status.detail = decision.stale ? "stale" : from_disk ? "disk" : "memory";
        if (decision.stale) {
          status.forward = http::Forward::Stale;
          kind = AnswerKind::Stale;
        }
      }
      const cache::Answer form = just_fetched ? cache::answer_from(request, slot.entry(*decision.entry))
                                              : cache::Answer{decision.form, decision.range};
      answer_from(exchange, plan, slot, *decision.entry, form, status, kind, {}, began);
      if (decision.action == cache::Action::ServeAndRevalidate && !just_fetched) {
        cache::SingleFlight::Follow nobody;
        cache::SingleFlight::Joined joined = flights_.join(flight_key, now.steady, nobody, [](auto, auto) {});
        if (joined.role == cache::SingleFlight::Role::Leader) {
          http::Request copy{std::string(request.method), plan.target, http::Fields(request.fields)};
          background_.spawn(
              revalidate_behind(plan.detached(), std::move(copy), std::move(slot), decision, std::move(joined.lead)));
        }
      }
      co_return;
    }
    if (decision.entry && look == 0) parts_.stats.expirations.add();
    if (decision.action == cache::Action::GatewayTimeout) {
      count(exchange, plan, AnswerKind::Error, 504, began);
      co_return co_await refuse(exchange, 504, "only-if-cached, and no stored answer may be used", {});
    }
    if (decision.action == cache::Action::Pass) {
      Plan passed = std::move(plan);
      passed.bypass = http::Forward::Request;
      co_return co_await forward(exchange, passed, parts_.upstream, Destination::Upstream, began);
    }
    cache::SingleFlight::Lead lead;
    // HEAD brings no body that others could use.
    if (request.method == "GET" && look < Limits::kLooks && !co_await join_flight(flight_key, lead)) {
      collapsed = true;
      continue;
    }
    Fetch fetch{exchange, plan, began, std::move(slot), {}, {}, std::move(lead), {}, {}, {}, {}};
    fetch.exchange.request = request;
    if (plan.canonical) {
      fetch.stripped = without_conditions(request.fields);
      fetch.exchange.request.fields = fetch.stripped;
    }
    fetch.exchange.candidates = fetch.slot.candidates();
    fetch.exchange.decision = decision;
    fetch.exchange.authority = parts_.upstream_authority;
    if (plan.canonical) co_return co_await prove(fetch);
    co_return co_await this->fetch(fetch);
  }
}

// Sends the upstream what this exchange needs to know. client: who gets interim answers, if anybody.
io::Task<Result<std::unique_ptr<OriginAnswer>>> Proxy::ask(const Plan& plan, http::Request request, Exchange* client) {
  on_asked(plan);
  pass_on_trace(plan, request.fields);
  const TimePoint asked = parts_.loop.now();
  OnInterim on_interim;
  if (client != nullptr)
    on_interim = [client](int status, http::FieldsView fields) -> io::Task<> {
      static_cast<void>(co_await client->interim(status, fields));
    };
  Result<std::unique_ptr<OriginAnswer>> answer =
      co_await parts_.upstream.call(std::move(request), std::nullopt, std::move(on_interim));
  if (answer) {
    on_answered(plan, (*answer)->status(), (*answer)->fields(), asked);
  } else {
    on_unanswered(plan);
  }
  co_return answer;
}

namespace {

http::Request upstream_request(const Planner& planner, const Plan& plan, const cache::Exchange& exchange,
                               bool with_conditions) {
  http::Request out{std::string(exchange.request.method), plan.target, {}};
  const http::Fields wanted =
      with_conditions ? cache::upstream_fields(exchange) : cache::unconditional_fields(exchange);
  out.fields = planner.upstream_fields(plan, {out.method, out.target, 1, wanted.view()});
  return out;
}

}  // namespace

// Plain RFC 9111 (--freshness http): one exchange, or a second one without conditions.
io::Task<> Proxy::fetch(Fetch& fetch) {
  const Plan& plan = fetch.plan;
  fetch.exchange.requested = {parts_.loop.now(), parts_.loop.wall_now()};
  bool with_conditions = true;
  while (true) {
    Result<std::unique_ptr<OriginAnswer>> answer =
        co_await ask(plan, upstream_request(parts_.planner, plan, fetch.exchange, with_conditions), &fetch.client);
    if (!answer) co_return co_await on_no_answer(fetch, std::move(answer.error()));
    cache::Outcome outcome = cache::on_response(fetch.exchange, {(*answer)->status(), (*answer)->fields()}, plan.policy,
                                                {parts_.loop.now(), parts_.loop.wall_now()});
    if (outcome.reply == cache::Reply::Refetch && with_conditions) {
      with_conditions = false;
      fetch.exchange.refetched = true;
      continue;
    }
    if (outcome.reply == cache::Reply::Forward) co_return co_await on_body(fetch, **answer, std::move(outcome));

    // Answered from what is here: a 304 proved it, or the origin failed and the operator allows stale answers.
    const bool stale = outcome.stale;
    std::size_t variant = 0;
    Slot slot = fetch.slot;
    if (outcome.from_put) {
      variant = *outcome.from_put;  // new entries come first, in their order
      // A write has gone by meanwhile: this client may have the answer it asked for, but nobody after it.
      slot = fetch.lead.tainted() ? *fetch.slot.after(outcome, {}, plan.key, {}, 0, plan.policy)
                                  : keep(plan, fetch.slot, outcome, {});
    } else {
      variant = *outcome.from_candidate;
    }
    if (stale) {
      fetch.lead.release();
    } else {
      fetch.lead.finish();
    }
    http::CacheStatus status;
    status.hit = true;
    status.detail = stale ? "stale" : "proof";
    if (stale) status.forward = http::Forward::Stale;
    const http::RequestView request = view_of(plan, fetch.client.request().view);
    answer_from(fetch.client, plan, slot, variant, cache::answer_from(request, slot.entry(variant)), status,
                stale ? AnswerKind::Stale : AnswerKind::Proof, {}, fetch.began);
    co_return;
  }
}

void Proxy::answer_stale(Fetch& fetch, std::size_t variant) {
  http::CacheStatus status;
  status.hit = true;
  status.detail = "stale";
  status.forward = http::Forward::Stale;
  const http::RequestView request = view_of(fetch.plan, fetch.client.request().view);
  answer_from(fetch.client, fetch.plan, fetch.slot, variant, cache::answer_from(request, fetch.slot.entry(variant)),
              status, AnswerKind::Stale, {}, fetch.began);
}

io::Task<> Proxy::on_no_answer(Fetch& fetch, Error error) {
  fetch.lead.fail();
  const cache::Now now{parts_.loop.now(), parts_.loop.wall_now()};
  if (const auto stale = cache::stale_instead(fetch.exchange, cache::Failure::Unreachable, fetch.plan.policy, now))
    co_return answer_stale(fetch, *stale);
  http::CacheStatus status;
  status.forward = fetch.exchange.decision.forward;
  const int code = error.code == ErrorCode::Timeout ? 504 : 502;
  count(fetch.client, fetch.plan, AnswerKind::Error, code, fetch.began);
  co_await refuse(fetch.client, code, "the upstream did not answer: " + error.message, status);
}

// Stores what the exchange with the origin left: new entries first, then the variants that still stand.
Slot Proxy::keep(const Plan& plan, const Slot& old, const cache::Outcome& outcome, ByteView new_body) {
  std::optional<Slot> slot = old.after(outcome, new_body, plan.key, parts_.planner.stored_groups(plan),
                                       unix_seconds(parts_.loop.wall_now() + kUsefulFor), plan.policy);
  if (!slot) {
    parts_.store.remove(plan.key);
    return {};
  }
  parts_.store.put(slot->record());
  return *std::move(slot);
}

// A body follows. It is gathered if it may be kept (or must be whole to be indented), and passed on meanwhile once it
// is larger than an ordinary answer.
io::Task<> Proxy::on_body(Fetch& fetch, OriginAnswer& answer, cache::Outcome outcome,
                          std::function<void(ByteView)> checked) {
  const Plan& plan = fetch.plan;
  http::CacheStatus status;
  status.forward =
      plan.canonical && !fetch.exchange.decision.entry ? http::Forward::Miss : fetch.exchange.decision.forward;
  if (status.forward == http::Forward::None) status.forward = http::Forward::Miss;
  status.forward_status = answer.status();
  http::Fields fields(answer.fields());
  http::remove_hop_by_hop(fields);
  rewrite(fetch.client, fields);

  if (plan.canonical) {
    parts_.stats.direct_calls.add();
    ++plan.spent.direct;
  }
  bool storing = !outcome.put.empty() && !fetch.lead.tainted() && gathered_bytes_ < Limits::kGatheredBytes;
  if (!storing) {
    fetch.turn.land(false);
    fetch.lead.release();
  }
  std::unique_ptr<http::coding::Decoder> decoder;
  if (plan.canonical && answer.fields().has("Content-Encoding")) {
    if (const auto coding = http::coding::parse_content_encoding(answer.fields().joined("Content-Encoding")))
      decoder = http::coding::make_decoder(*coding, {.output_bytes = Limits::kStreamedBodyBytes});
  }
  if (plan.canonical && decoder) uncode(fields);
  if (fetch.exchange.request.method == "HEAD") {
    if (!storing) outcome.put.clear();
    if (!outcome.drop.empty() || storing) keep(plan, fetch.slot, outcome, {});
    count(fetch.client, plan, AnswerKind::Miss, answer.status(), fetch.began);
    fields.add("Cache-Status", http::format_cache_status(status));
    co_return co_await stream(fetch.client, answer, std::move(fields), {});
  }

  struct Gathered {
    ~Gathered() { total -= body.size(); }
    std::size_t& total;
    Bytes body;
  } gathered{gathered_bytes_, {}};
  bool begun = false;
  std::size_t sent = 0;
  while (true) {
    Result<std::string_view> piece = co_await answer.read();
    if (!piece) {
      fetch.lead.fail();
      parts_.stats.upstream_errors.add();
      if (begun) co_return;  // the server breaks the connection: the client must see that the body is not whole
      count(fetch.client, plan, AnswerKind::Error, 502, fetch.began);
      co_return co_await refuse(fetch.client, 502, "the upstream's answer broke off: " + piece.error().message, status);
    }
    const bool end = piece->empty();
    const std::size_t before = gathered.body.size();
    Result<> decoded;
    if (decoder) {
      decoded = end ? decoder->finish() : decoder->decode(as_bytes(*piece), gathered.body);
    } else {
      append(gathered.body, *piece);
    }
    gathered_bytes_ += gathered.body.size() - before;
    if (!decoded) {
      fetch.lead.fail();
      parts_.stats.upstream_errors.add();
      if (begun) co_return;
      count(fetch.client, plan, AnswerKind::Error, 502, fetch.began);
      co_return co_await refuse(fetch.client, 502, "the upstream's body cannot be decoded: " + decoded.error().message,
                                status);
    }
    if (end) break;
    const bool too_large =
        gathered.body.size() > Limits::kCacheableBodyBytes || gathered_bytes_ > Limits::kGatheredBytes;
    if (storing && too_large) {
      storing = false;
      fetch.turn.land(false);
      fetch.lead.release();
    }
    const bool whole_wanted = plan.pretty && !too_large;
    if (gathered.body.size() <= Limits::kWholeBodyBytes || whole_wanted) continue;
    if (!begun) {
      begun = true;
      count(fetch.client, plan, AnswerKind::Miss, answer.status(), fetch.began);
      status.stored = storing;
      fields.add("Cache-Status", http::format_cache_status(status));
      fields.remove("Content-Length");
      if (!fetch.client.begin(answer.status(), fields, decoder ? std::nullopt : answer.length())) co_return;
    }
    if (!co_await fetch.client.send(as_text(ByteView(gathered.body).subspan(sent)))) {
      // The client is gone; whoever follows still wants what is on its way, so it is read to its end.
    }
    sent = gathered.body.size();
    if (!storing) {
      gathered_bytes_ -= gathered.body.size();
      gathered.body.clear();
      sent = 0;
    }
  }

  if (checked) checked(gathered.body);
  Slot kept;
  const bool overtaken =
      plan.canonical && invalidations_.doubts(parts_.planner.groups(plan), fetch.exchange.requested.wall);
  if (storing && !fetch.lead.tainted() && !overtaken) {
    kept = keep(plan, fetch.slot, outcome, gathered.body);
    if (plan.canonical && !plan.graphql && !plan.request.anonymous && answer.status() == 200) {
      node_candidates_.remember(plan.candidate, plan.key, parts_.planner.stored_groups(plan));
      // Looked at now, beside a call that took a round trip, so that its first proof need not.
      static_cast<void>(shapes_.of({kept.record(), &kept.record()->body}));
    }
    if (answer.status() == 200) tell_mesh(fetch, kept);
    fetch.turn.land(true);
    fetch.lead.finish();
  } else {
    // What this answer supersedes must not come back as a stale one.
    outcome.put.clear();
    if (!outcome.drop.empty() && fetch.slot) keep(plan, fetch.slot, outcome, {});
    storing = false;
    if (fetch.search)
      parts_.sharing->abandon(*fetch.search, overtaken ? mesh::ReleaseOutcome::Failed : mesh::ReleaseOutcome::Pass);
    fetch.turn.land(false);
    fetch.lead.release();
  }
  if (begun) {
    if (sent < gathered.body.size() && !co_await fetch.client.send(as_text(ByteView(gathered.body).subspan(sent))))
      co_return;
    static_cast<void>(co_await fetch.client.finish());
    co_return;
  }
  status.stored = storing;
  if (plan.canonical && kept) {
    // The client's own conditions were held back; here is what they are about.
    const http::RequestView request = view_of(plan, fetch.client.request().view);
    const cache::Answer form = cache::answer_from(request, kept.entry(0));
    if (form.form == cache::Form::NotModified)
      co_return answer_from(fetch.client, plan, kept, 0, form, status, AnswerKind::Miss, live_lines(fields),
                            fetch.began);
  }
  fields.add("Cache-Status", http::format_cache_status(status));
  count(fetch.client, plan, AnswerKind::Miss, answer.status(), fetch.began);
  co_await respond_whole(fetch.client, plan, answer.status(), std::move(fields), gathered.body);
}

// A stale answer has gone out (RFC 5861 §3); this brings the entry up to date for the next one.
io::Task<> Proxy::revalidate_behind(Plan plan, http::Request request, Slot slot, cache::Decision decision,
                                    cache::SingleFlight::Lead lead) {
  cache::Exchange exchange;
  exchange.request = request.view();
  exchange.candidates = slot.candidates();
  exchange.decision = decision;
  exchange.requested = {parts_.loop.now(), parts_.loop.wall_now()};
  exchange.authority = parts_.upstream_authority;
  Result<std::unique_ptr<OriginAnswer>> answer =
      co_await ask(plan, upstream_request(parts_.planner, plan, exchange, true), nullptr);
  if (!answer) co_return;
  cache::Outcome outcome = cache::on_response(exchange, {(*answer)->status(), (*answer)->fields()}, plan.policy,
                                              {parts_.loop.now(), parts_.loop.wall_now()});
  Bytes body;
  while (true) {
    const Result<std::string_view> piece = co_await (*answer)->read();
    if (!piece || body.size() > Limits::kCacheableBodyBytes) co_return;
    if (piece->empty()) break;
    append(body, *piece);
  }
  if (lead.tainted() || (outcome.put.empty() && outcome.drop.empty())) co_return;
  keep(plan, slot, outcome, body);
  lead.finish();
}

}  // namespace ghmesh::proxy
