// SPDX-License-Identifier: Apache-2.0
#include "cache/storing.hpp"
#include "fetch.hpp"
#include "github/pretty.hpp"
#include "http/message/etag.hpp"
#include "proxy/limits.hpp"

// Asking GitHub about a cacheable request: github/proof.hpp says what to send and what the answers mean; here it is
// sent, at GitHub's pace, and what comes out is stored and served.

namespace ghmesh::proxy {
namespace {

constexpr std::size_t kMaxCandidates = 2;  // tried per request (design: mesh, known disasters)
constexpr std::size_t kMaxTokenSpecific = 4096;
constexpr std::size_t kLimitBodyBytes = 64 * 1024;

// What a client holds, if it says one thing. Several tags, or none that is one, stay here (rule 2).
std::string only_tag(http::FieldsView fields) {
  const std::string field = fields.joined("If-None-Match");
  const std::optional<http::EntityTag> tag = http::parse_etag(field);
  return tag ? tag->to_string() : std::string();
}

// An answer whose body is here already.
class ReadAnswer final : public OriginAnswer {
 public:
  ReadAnswer(OriginAnswer& head, Bytes body) : status_(head.status()), fields_(head.fields()), body_(std::move(body)) {
    uncode(fields_);
  }
  int status() const override { return status_; }
  http::FieldsView fields() const override { return fields_; }
  std::optional<std::uint64_t> length() const override { return body_.size(); }
  io::Task<Result<std::string_view>> read() override {
    const std::string_view rest = as_text(body_).substr(std::min(given_, body_.size()));
    given_ = body_.size();
    co_return rest;
  }

 private:
  int status_;
  http::Fields fields_;
  Bytes body_;
  std::size_t given_ = 0;
};

}  // namespace

io::Task<std::vector<github::Candidate>> Proxy::candidates(const Plan& plan) {
  struct Waiting {
    explicit Waiting(io::Loop& loop) : done(loop) {}
    std::vector<github::Candidate> found;
    io::Event done;
  };
  auto waiting = std::make_shared<Waiting>(parts_.loop);
  node_candidates_.find(plan.candidate, plan.resource, kMaxCandidates, [waiting](std::vector<github::Candidate> found) {
    waiting->found = std::move(found);
    waiting->done.set();
  });
  co_await waiting->done.wait();
  co_return std::move(waiting->found);
}

// Finds what the ladder may offer, and waits while another token's request may be about to bring it. The turn is empty
// for one who need not be waited for.
io::Task<BodyFlights::Turn> Proxy::take_turn(Fetch& fetch, github::Ladder& ladder) {
  const Plan& plan = fetch.plan;
  const TimePoint deadline = fetch.began + Limits::kTurnWait;
  bool brought = false;
  while (ladder.could_share(parts_.loop.now())) {
    std::vector<github::Candidate> found = co_await candidates(plan);
    if (fetch.search && fetch.search->body()) {
      // The fleet's newest goes first; what another token brought here meanwhile is as new.
      const auto from = fetch.search->from_peer() ? github::Candidate::From::Peer : github::Candidate::From::Node;
      if (!brought) found.insert(found.begin(), {fetch.search->body(), from});
      if (found.size() > kMaxCandidates) found.resize(kMaxCandidates);
    }
    const bool held = !found.empty();
    std::size_t missing = 0;
    if (ladder.wants_candidates(parts_.loop.now())) {
      ladder.set_candidates(std::move(found));
      if (held && brought) break;
    } else {
      missing = calibration_.missing(parts_.upstream_authority, plan.resource, plan.request.accept, parts_.loop.now());
    }
    if (BodyFlights::Turn turn = body_flights_.try_take(plan.candidate, held, missing)) co_return turn;
    switch (co_await body_flights_.wait(plan.candidate, missing, deadline)) {
      case BodyFlights::Waited::Brought: brought = true; break;
      case BodyFlights::Waited::Look: break;
      case BodyFlights::Waited::Nothing:
      case BodyFlights::Waited::Late: co_return BodyFlights::Turn();
    }
  }
  co_return BodyFlights::Turn();
}

bool Proxy::is_overtaken(const Fetch& fetch) {
  const Plan& plan = fetch.plan;
  const Slot& own = fetch.slot;
  if (plan.request.anonymous || token_specific_.contains(plan.candidate) ||
      !github::takes_part(parts_.proof.gate, "GET", plan.resource, plan.request) ||
      !github::may_prove_across_tokens(plan.resource) ||
      calibration_.phase(parts_.upstream_authority, plan.resource, plan.request.accept, parts_.loop.now()) !=
          github::ProofPhase::Proven)
    return false;
  if (fetch.search && fetch.search->body() && !fetch.search->answer() && !equal(*fetch.search->body(), own.body(0)))
    return true;
  const store::EntryPtr newest = node_candidates_.newest(plan.candidate);
  if (!newest || newest->key == plan.key || equal(newest->body, own.body(0))) return false;
  const Result<Slot> other = Slot::of(newest, plan.policy);
  return other && other->entry(0).received_at() > own.entry(0).received_at();
}

// Bytes held for a page, of this token or of another one.
io::Task<github::SharedBody> Proxy::held_page(std::string target, http::RequestView request) {
  const Plan plan = parts_.planner.plan({"GET", target, 1, request.fields}, target, false);
  if (!plan.cacheable) co_return nullptr;
  Slot slot = find_in_memory(plan);
  if (!slot) slot = co_await find_on_disk(plan);
  if (slot && slot.entry(0).status() == 200) co_return github::SharedBody(slot.record(), &slot.record()->body);
  if (plan.request.anonymous) co_return nullptr;
  std::vector<github::Candidate> others = co_await candidates(plan);
  co_return others.empty() ? nullptr : others.front().body;
}

io::Task<> Proxy::prove(Fetch& fetch) {
  const Plan& plan = fetch.plan;
  fetch.prefix = prefixes_.get(plan.partition, plan.request);  // the cache may drop its own while this waits
  if (co_await ask_mesh(fetch)) co_return;
  const std::size_t question = plan.target.find('?');
  const bool has_query = question != std::string::npos;
  github::Ladder::Input input;
  input.calibration = &calibration_;
  input.prefix = &fetch.prefix;
  input.host = parts_.upstream_authority;
  input.url_prefix = parts_.proof.url_prefix;
  input.target = {std::string_view(plan.target).substr(0, question),
                  has_query ? std::string_view(plan.target).substr(question + 1) : std::string_view(), has_query};
  input.resource = &plan.resource;
  input.request = &plan.request;
  input.method = fetch.exchange.request.method;
  input.gate = parts_.proof.gate;
  input.shapes = &shapes_;
  if (fetch.slot && fetch.slot.size() > 0 && fetch.slot.entry(0).status() == 200) {
    const store::EntryPtr record = fetch.slot.record();
    input.own = github::OwnEntry{github::SharedBody(record, &record->body),
                                 std::string(fetch.slot.entry(0).field("ETag").value_or(""))};
  }
  input.clients_tag = only_tag(fetch.client.request().view.fields);
  const bool overtaken = input.own && is_overtaken(fetch);
  if (overtaken) input.own.reset();
  github::Ladder ladder(std::move(input));
  fetch.turn = co_await take_turn(fetch, ladder);

  while (true) {
    if (const auto next_page = ladder.probe_target())
      ladder.set_next_page(co_await held_page(*next_page, fetch.exchange.request));
    const github::Step step = ladder.next(parts_.loop.now());
    const Draw draw = draw_of(plan, fetch.exchange.request.method);
    if (fetch.search) parts_.sharing->queued(*fetch.search, true);
    if (const auto refused = co_await enter_pace(plan, draw, fetch.client, fetch.began))
      co_return co_await answer_limited(fetch, *refused);
    if (fetch.search) parts_.sharing->queued(*fetch.search, false);
    http::Request request{std::string(fetch.exchange.request.method), step.target, {}};
    request.fields = parts_.planner.upstream_fields(plan, fetch.exchange.request);
    pass_on_trace(plan, request.fields);
    if (!step.if_none_match.empty()) {
      request.fields.set("If-None-Match", step.if_none_match);
      request.fields.set("Cache-Control", "no-cache");
    }
    const cache::Now requested{parts_.loop.now(), parts_.loop.wall_now()};
    fetch.exchange.requested = requested;
    Result<std::unique_ptr<OriginAnswer>> answer = co_await ask(plan, std::move(request), &fetch.client);
    if (!answer) {
      leave_pace(plan, draw, 0, {}, {});
      co_return co_await on_no_answer(fetch, std::move(answer.error()));
    }
    const int status = (*answer)->status();
    std::unique_ptr<OriginAnswer> read;
    std::optional<Bytes> body;
    // A refusal says in its body which limit it is; the page after this one is looked at before anything is answered.
    if (status == 403 || status == 429 || (step.probe && status == 200)) {
      body = co_await read_whole(**answer, step.probe ? Limits::kCacheableBodyBytes : kLimitBodyBytes);
      if (body) read = std::make_unique<ReadAnswer>(**answer, *body);
    }
    const github::LimitVerdict limit =
        leave_pace(plan, draw, status, (*answer)->fields(), body ? as_text(*body) : std::string_view());
    github::OriginAnswer head{status, (*answer)->fields(), body ? ByteView(*body) : ByteView(),
                              limit.kind != github::LimitKind::None};
    if (status == 200 && step.validator == github::Validator::Canary && fetch.search && fetch.search->body())
      parts_.stats.canaries.add();
    if (status == 200 && !step.probe) {
      // The answer to the client's own request: passed on while it is gathered, checked when it is whole.
      cache::Outcome outcome;
      http::Fields fields((*answer)->fields());
      uncode(fields);
      const http::Fields kept = body_fields(fields);
      if (auto entry = cache::make_storable(fetch.exchange.request, {200, kept}, {requested, requested}, plan.policy)) {
        outcome.put.push_back({std::move(*entry), std::nullopt});
      }
      if (fetch.slot)
        for (std::size_t i = 0; i < fetch.slot.size(); ++i) outcome.drop.push_back(i);
      co_return co_await on_body(fetch, **answer, std::move(outcome), [&](ByteView whole) {
        head.body = whole;
        static_cast<void>(ladder.on_answer(head, parts_.loop.now()));
        parts_.planner.learn(plan, whole);
        judge_candidate(fetch, whole);
        if (overtaken && equal(whole, fetch.slot.body(0))) {
          // The own bytes were current all the while: this resource shows its viewer.
          if (token_specific_.size() >= kMaxTokenSpecific) token_specific_.clear();
          token_specific_.insert(plan.candidate);
        }
      });
    }
    if (status >= 500)
      if (const auto stale = cache::stale_instead(fetch.exchange, cache::Failure::Error, plan.policy,
                                                  {parts_.loop.now(), parts_.loop.wall_now()})) {
        fetch.lead.release();
        co_return answer_stale(fetch, *stale);
      }
    const github::Outcome outcome = ladder.on_answer(head, parts_.loop.now());
    if (outcome.serve == github::Serve::Answer) tell_mesh_refusal(fetch, status, head.rate_limited);
    if (outcome.drop_own) parts_.store.remove(plan.key);
    if (outcome.store_probe && body) keep_page(fetch.exchange.request, step.target, head, requested);
    switch (outcome.serve) {
      case github::Serve::Continue: continue;
      case github::Serve::Own:
      case github::Serve::Candidate:
      case github::Serve::Empty:
        co_return answer_proved(fetch, ladder, outcome, live_of(fetch, step, (*answer)->fields()), requested);
      case github::Serve::Answer: {
        cache::Outcome stored;
        const http::Fields kept = body_fields((*answer)->fields());
        if (status == 404)
          if (auto entry = cache::make_storable(fetch.exchange.request, {404, kept}, {requested, requested},
                                                absence_policy(plan)))
            stored.put.push_back({std::move(*entry), std::nullopt});
        co_return co_await on_body(fetch, read ? *read : **answer, std::move(stored));
      }
      case github::Serve::Clients: co_return co_await pass_clients_own(fetch, **answer);
      case github::Serve::Failed:
        fetch.lead.fail();
        count(fetch.client, plan, AnswerKind::Error, 502, fetch.began);
        co_return co_await refuse(fetch.client, 502, "the upstream answered 304 to requests that no 304 can answer");
    }
  }
}

// The client holds what it has asked about. Who was waiting for what this request would bring is no further than
// before, and no worse off: the next one of them asks.
io::Task<> Proxy::pass_clients_own(Fetch& fetch, OriginAnswer& answer) {
  if (fetch.search) parts_.sharing->abandon(*fetch.search, mesh::ReleaseOutcome::Failed);
  fetch.turn.step_aside();
  fetch.lead.fail();
  http::CacheStatus status;
  status.forward = http::Forward::Miss;
  status.forward_status = answer.status();
  http::Fields fields(answer.fields());
  http::remove_hop_by_hop(fields);
  rewrite(fetch.client, fields);
  fields.add("Cache-Status", http::format_cache_status(status));
  count(fetch.client, fetch.plan, AnswerKind::Miss, answer.status(), fetch.began);
  static_cast<void>(co_await fetch.client.respond(answer.status(), fields, {}));
}

// The page's 304 is what speaks to the client, not that of the probe behind it.
http::FieldsView Proxy::live_of(Fetch& fetch, const github::Step& step, http::FieldsView now) {
  if (!step.probe) fetch.live = http::Fields(now);
  return fetch.live.empty() ? now : fetch.live.view();
}

cache::FreshnessPolicy Proxy::absence_policy(const Plan& plan) const {
  cache::FreshnessPolicy policy = plan.policy;
  policy.lifetime = {cache::Lifetime::Kind::Fixed, Limits::kAbsenceLife};
  if (plan.policy.lifetime.kind == cache::Lifetime::Kind::AlwaysValidate) policy.may_store = false;
  return policy;
}

void Proxy::answer_proved(Fetch& fetch, const github::Ladder& ladder, const github::Outcome& outcome,
                          http::FieldsView live, const cache::Now& requested) {
  const Plan& plan = fetch.plan;
  const bool own = outcome.serve == github::Serve::Own;
  const std::string type(own ? fetch.slot.entry(0).field("Content-Type").value_or(github::kJsonContentType)
                             : std::string_view(github::kJsonContentType));
  http::Fields fields = github::proved_fields(live, plan.request, ladder.tag(), outcome.link, type);
  if (own && !fields.has("Cache-Control"))
    if (const auto control = fetch.slot.entry(0).field("Cache-Control")) fields.add("Cache-Control", *control);
  cache::Outcome stored;
  const http::Fields kept = body_fields(fields);
  const cache::Now now{parts_.loop.now(), parts_.loop.wall_now()};
  std::optional<cache::Entry> entry =
      cache::make_storable(fetch.exchange.request, {200, kept}, {requested, now}, plan.policy);
  if (!entry) entry = cache::Entry::make(200, kept, {}, {requested, now}, plan.policy);
  stored.put.push_back({std::move(*entry), std::nullopt});
  const github::SharedBody body = ladder.body();
  const Slot slot = keep(plan, {}, stored, *body);
  if (slot && ladder.shape()) shapes_.put({slot.record(), &slot.record()->body}, *ladder.shape());
  if (!plan.request.anonymous) node_candidates_.remember(plan.candidate, plan.key, parts_.planner.stored_groups(plan));
  tell_mesh(fetch, slot);
  fetch.turn.land(true);
  fetch.lead.finish();
  // Or sealed by a holder of this token elsewhere: then they were this token's own, and came from a peer all the same.
  const bool own_from_peer =
      own && fetch.search && fetch.search->answer() && fetch.search->body() && fetch.search->from_peer();
  const bool from_peer = own_from_peer || ladder.proved_from() == github::Candidate::From::Peer;
  if (from_peer && fetch.search) parts_.sharing->report(*fetch.search, true);
  http::CacheStatus status;
  status.hit = true;
  status.detail = from_peer ? "peer-proof" : "proof";
  const std::string lines = live_lines(fields);
  const http::RequestView request = view_of(plan, fetch.client.request().view);
  answer_from(fetch.client, plan, slot, 0, cache::answer_from(request, slot.entry(0)), status,
              from_peer ? AnswerKind::PeerProof : AnswerKind::Proof, lines, fetch.began);
}

// The page that a probe brought, under its own key.
void Proxy::keep_page(const http::RequestView& request, const std::string& target, const github::OriginAnswer& answer,
                      const cache::Now& requested) {
  const Plan next = parts_.planner.plan({"GET", target, 1, request.fields}, target, false);
  if (!next.cacheable) return;
  http::Fields fields(answer.fields);
  uncode(fields);
  const http::Fields kept = body_fields(fields);
  auto entry = cache::make_storable(request, {200, kept}, {requested, requested}, next.policy);
  if (!entry) return;
  cache::Outcome stored;
  stored.put.push_back({std::move(*entry), std::nullopt});
  keep(next, {}, stored, answer.body);
  if (!next.request.anonymous) node_candidates_.remember(next.candidate, next.key, parts_.planner.stored_groups(next));
}

// The wait for GitHub would be longer than a client's patience: GitHub's own kind of answer, which clients know.
io::Task<> Proxy::answer_limited(Fetch& fetch, const github::Refused& refused) {
  fetch.lead.fail();
  const Plan& plan = fetch.plan;
  const cache::Now now{parts_.loop.now(), parts_.loop.wall_now()};
  if (const auto stale = cache::stale_instead(fetch.exchange, cache::Failure::Error, plan.policy, now))
    co_return answer_stale(fetch, *stale);
  const github::LocalAnswer local = limited_answer(plan, draw_of(plan, fetch.exchange.request.method), refused);
  http::Fields fields = local.fields;
  http::CacheStatus status;
  status.forward = fetch.exchange.decision.forward;
  fields.add("Cache-Status", http::format_cache_status(status));
  count(fetch.client, plan, AnswerKind::Error, local.status, fetch.began);
  static_cast<void>(co_await fetch.client.respond(local.status, fields, local.body));
}

}  // namespace ghmesh::proxy
