// SPDX-License-Identifier: Apache-2.0
#include "cache/storing.hpp"
#include "fetch.hpp"
#include "http/message/date.hpp"
#include "proxy/limits.hpp"

// The mesh on the request path: asked after this node's own stores and before GitHub, and told what GitHub said.

namespace ghmesh::proxy {
namespace {

constexpr std::size_t kRateLimitBytes = 256 * 1024;

// Bodies in which GitHub tells the viewer about itself: another token's differ without anybody lying.
bool shows_its_viewer(ByteView body) {
  const std::string_view text = as_text(body);
  return text.find("\"permissions\":") != std::string_view::npos || text.find("\"viewer_") != std::string_view::npos;
}

}  // namespace

io::Task<bool> Proxy::ask_mesh(Fetch& fetch) {
  if (parts_.sharing == nullptr || !parts_.sharing->takes_part(fetch.plan, fetch.exchange.request.method))
    co_return false;
  fetch.search.emplace(co_await parts_.sharing->find(fetch.plan, fetch.prefix, fetch.slot));
  if (fetch.search->answer() && answer_shared(fetch)) co_return true;
  co_await trust_formula(fetch);
  co_return false;
}

// An answer that a holder of this very token has sealed. It becomes this node's own entry, and is served if this node's
// policy and the client allow it; if not, its tag asks GitHub.
bool Proxy::answer_shared(Fetch& fetch) {
  const Plan& plan = fetch.plan;
  const Sharing::Answer& shared = *fetch.search->answer();
  const cache::Now now{parts_.loop.now(), parts_.loop.wall_now()};
  const cache::Now then{now.steady - shared.age, now.wall - std::chrono::duration_cast<WallTime::duration>(shared.age)};
  http::Fields fields(shared.fields);
  fields.add("Date", http::format_http_date(then.wall));
  auto entry = cache::make_storable(fetch.exchange.request, {200, fields}, {then, then}, plan.policy);
  if (!entry) return false;
  cache::Outcome stored;
  stored.put.push_back({std::move(*entry), std::nullopt});
  const github::SharedBody theirs = fetch.search->body();
  const Slot slot = keep(plan, {}, stored, theirs ? ByteView(*theirs) : fetch.slot.body(0));
  if (!plan.request.anonymous) node_candidates_.remember(plan.candidate, plan.key, parts_.planner.stored_groups(plan));
  fetch.turn.land(true);

  const http::RequestView request = view_of(plan, fetch.client.request().view);
  const cache::Decision decision = cache::decide(request, slot.candidates(), policy_for(plan, slot), now);
  const auto& groups = slot.groups([&] { return parts_.planner.groups(plan); });
  // Fetched while this request waited: as good as an own fetch, whatever the policy.
  const bool just_fetched = decision.entry && slot.entry(*decision.entry).age(now) <= now.steady - fetch.began &&
                            !invalidations_.doubts(groups, slot.entry(*decision.entry).received_at());
  if (!just_fetched && decision.action != cache::Action::Serve) {
    fetch.slot = slot;
    fetch.exchange.candidates = fetch.slot.candidates();
    fetch.exchange.decision = decision;
    return false;
  }
  fetch.lead.finish();
  http::CacheStatus status;
  AnswerKind kind = AnswerKind::PeerHit;
  if (just_fetched) {
    kind = AnswerKind::Collapsed;
    status.forward = http::Forward::Miss;
    status.forward_status = 200;
    status.collapsed = true;
  } else {
    status.hit = true;
    status.detail = shared.from_here ? "memory" : "peer";
    if (shared.from_here) kind = AnswerKind::MemoryHit;
  }
  const cache::Answer form = just_fetched ? cache::answer_from(request, slot.entry(*decision.entry))
                                          : cache::Answer{decision.form, decision.range};
  answer_from(fetch.client, plan, slot, *decision.entry, form, status, kind, {}, fetch.began);
  return true;
}

// A class that this node still learns about is believed to follow the formula once another member has seen it: the
// proof itself is a 304 to bytes that this node hashes, so a lie about it can only waste a validator. What a member
// cannot know is whether something before this node answers 304 to anything: a random tag at the one endpoint that
// costs no quota tells, once per run.
io::Task<> Proxy::trust_formula(Fetch& fetch) {
  const Plan& plan = fetch.plan;
  const auto phase = [&] {
    return calibration_.phase(parts_.upstream_authority, plan.resource, plan.request.accept, parts_.loop.now());
  };
  if (!fetch.search->body() || !fetch.search->formula_held() || plan.request.anonymous || !parts_.proof.gate.enabled ||
      phase() != github::ProofPhase::Learning)
    co_return;
  while (discerning_ == Discerning::Asking) co_await discerned_.wait();
  if (discerning_ == Discerning::Unknown) {
    discerning_ = Discerning::Asking;
    discerned_.reset();
    struct Done {
      ~Done() {
        if (proxy.discerning_ == Discerning::Asking) proxy.discerning_ = Discerning::Unknown;
        proxy.discerned_.set();
      }
      Proxy& proxy;
    } const done{*this};
    http::Request request{"GET", plan.target.starts_with("/api/v3/") ? "/api/v3/rate_limit" : "/rate_limit", {}};
    request.fields = parts_.planner.upstream_fields(plan, fetch.exchange.request);
    pass_on_trace(plan, request.fields);
    request.fields.set("If-None-Match", github::quoted_etag(calibration_.make_canary()));
    request.fields.set("Cache-Control", "no-cache");
    on_asked(plan);
    Result<std::unique_ptr<OriginAnswer>> answer =
        co_await parts_.upstream.call(std::move(request), std::nullopt, nullptr);
    if (!answer) {
      on_unanswered(plan);
      co_return;
    }
    parts_.live.observe(plan, "/rate_limit", (*answer)->status(), (*answer)->fields());
    if ((*answer)->status() == 304) {
      calibration_.on_canary(parts_.upstream_authority, plan.resource, plan.request.accept, true, parts_.loop.now());
      co_return;
    }
    if ((*answer)->status() >= 500) co_return;
    static_cast<void>(co_await read_whole(**answer, kRateLimitBytes));
    discerning_ = Discerning::Yes;
  }
  calibration_.believe(parts_.upstream_authority, plan.resource, plan.request.accept, parts_.loop.now());
}

void Proxy::tell_mesh(Fetch& fetch, const Slot& slot) {
  if (!fetch.search || !slot) return;
  const Plan& plan = fetch.plan;
  if (plan.request.anonymous) {
    parts_.sharing->saw_public(plan);
  } else if (!plan.resource.repo.empty() && plan.resource.rest.empty()) {
    const auto identity = github::repository_identity(as_text(slot.body(0)));
    if (identity && !identity->is_private) parts_.sharing->saw_public(plan);
  }
  parts_.sharing->publish(*fetch.search, plan, fetch.prefix, slot);
}

void Proxy::tell_mesh_refusal(Fetch& fetch, int status, bool rate_limited) {
  if (!fetch.search) return;
  mesh::ReleaseOutcome outcome = mesh::ReleaseOutcome::Failed;
  if (status < 400) {
    outcome = mesh::ReleaseOutcome::Pass;
  } else if (status < 500 && !rate_limited && !fetch.search->body()) {
    // Nobody holds it and this token does not get it: waiting for one another would not help. Where somebody does hold
    // it, only this token has no right to it.
    outcome = mesh::ReleaseOutcome::Negative;
  }
  parts_.sharing->abandon(*fetch.search, outcome);
}

void Proxy::judge_candidate(Fetch& fetch, ByteView whole) {
  if (!fetch.search || !fetch.search->body() || shows_its_viewer(whole)) return;
  parts_.sharing->report(*fetch.search, equal(whole, *fetch.search->body()));
}

io::Task<> Proxy::invalidate_everywhere(std::vector<store::GroupId> groups) {
  if (groups.empty()) co_return;
  invalidate(groups);
  if (parts_.sharing != nullptr) co_await parts_.sharing->invalidate(std::move(groups));
}

}  // namespace ghmesh::proxy
