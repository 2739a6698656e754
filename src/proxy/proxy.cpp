// SPDX-License-Identifier: Apache-2.0
#include "proxy/proxy.hpp"

#include <algorithm>

#include "cache/response_head.hpp"
#include "github/pagination.hpp"
#include "github/pretty.hpp"
#include "proxy/limits.hpp"

namespace ghmesh::proxy {
namespace {

bool accepts_gzip(http::FieldsView fields) {
  const auto value = fields.first("Accept-Encoding");
  return value && http::coding::accepts(*value, http::coding::Coding::Gzip);
}

// Cache-Status of nearly every hit.
constexpr std::string_view kMemoryHit = "ghmesh; hit; detail=memory";

// The server writes the empty line itself.
void drop_empty_line(std::string& head) { head.resize(head.size() - 2); }

}  // namespace

Proxy::Proxy(Parts parts)
    : parts_(std::move(parts)),
      tunnel_rules_(parts_.authorities, parts_.tunnels),
      invalidations_(parts_.store, parts_.invalidation_key),
      node_candidates_(parts_.store),
      calibration_(parts_.random, parts_.proof.calibration),
      proof_memory_(parts_.loop, parts_.store, parts_.proof_key, calibration_),
      pacing_(parts_.loop, parts_.random, parts_.proof.pacing),
      repository_buckets_(parts_.loop, parts_.live, parts_.sharing, parts_.upstream_authority, parts_.job),
      body_flights_(parts_.loop),
      flight_timer_(parts_.loop, [this] { wait_for_followers(); }),
      discerned_(parts_.loop),
      background_(parts_.loop),
      log_sample_(parts_.log_sample) {
  if (parts_.sharing != nullptr) {
    fleet_draw_.emplace(parts_.loop, *parts_.sharing, pacing_, parts_.live);
    fleet_draw_->on_other([this](const mesh::Drawn& drawn) { repository_buckets_.on_drawn(drawn); });
  }
  if (parts_.proof.vouched) calibration_.vouch(parts_.upstream_authority);
}

Proxy::~Proxy() = default;

std::size_t Proxy::clear() {
  const std::size_t kept = own_records();
  const std::size_t gone = parts_.store.clear();
  proof_memory_.save();
  return gone - std::min(gone, kept);
}

http::RequestView Proxy::view_of(const Plan& plan, const http::RequestView& request) const {
  http::RequestView out = request;
  if (plan.cache_fields) out.fields = plan.cache_fields->view();
  return out;
}

Slot Proxy::find_in_memory(const Plan& plan) {
  store::EntryPtr record = parts_.store.find(plan.key);
  if (!record) return {};
  Result<Slot> slot = Slot::of(std::move(record), plan.policy);
  if (slot) return *std::move(slot);
  parts_.store.remove(plan.key);
  return {};
}

cache::FreshnessPolicy Proxy::policy_for(const Plan& plan, const Slot& slot) const {
  cache::FreshnessPolicy policy = plan.policy;
  if (!plan.canonical || slot.size() == 0) return policy;
  if (slot.entry(0).status() == 404) {
    // An absence is remembered for a moment, by the token that met it, and not at all where things appear by the
    // minute.
    const bool keep = plan.policy.lifetime.kind != cache::Lifetime::Kind::AlwaysValidate;
    policy.lifetime = keep ? cache::Lifetime{cache::Lifetime::Kind::Fixed, Limits::kAbsenceLife}
                           : cache::Lifetime{cache::Lifetime::Kind::AlwaysValidate, {}};
  }
  const auto& groups = slot.groups([&] { return parts_.planner.groups(plan); });
  if (invalidations_.doubts(groups, slot.entry(0).received_at()))
    policy.lifetime = {cache::Lifetime::Kind::AlwaysValidate, {}};
  return policy;
}

const http::http1::RequestHead* Proxy::recall(std::string_view octets) {
  recalled_ = plans_.find(octets);
  return recalled_ != nullptr ? &recalled_->head : nullptr;
}

bool Proxy::try_answer(Exchange& exchange) {
  const http::http1::RequestHead& head = exchange.request();
  const PlanMemo::Known* known = std::exchange(recalled_, nullptr);
  if (known == nullptr || &known->head != &head) known = plans_.find(head.octets);
  if (known != nullptr) return try_ready(exchange, *known) || try_hit(exchange, known->plan, &known->ready);
  if (!cache::is_cacheable_method(head.view.method) || !head.upgrade.empty()) return false;
  if (parts_.authorities.decide(head.authority, head.origin_target) != Destination::Upstream) return false;
  const Plan plan = parts_.planner.plan(head.view, head.origin_target, !head.body.empty());
  if (!plan.cacheable || !try_hit(exchange, plan, nullptr)) return false;
  // What a number of a repository means may change (Planner::learn).
  if (plan.resource.repository_id.empty()) plans_.remember(head.octets, plan);
  return true;
}

// Of all that cache::decide() looks at, only the age is another one: octets, record and writes are the same.
bool Proxy::try_ready(Exchange& exchange, const PlanMemo::Known& known) {
  const PlanMemo::Ready& ready = known.ready;
  if (ready.entry == nullptr || ready.invalidations != invalidations_.changes()) return false;
  store::EntryPtr record = parts_.store.find(known.plan.key);
  if (!record || !ready.is_of(record)) return false;
  const TimePoint began = parts_.loop.turn_now();
  cache::HitFields hit;
  hit.age = ready.entry->age({began, parts_.loop.turn_wall_now()});
  if (hit.age >= ready.lifetime) return false;
  const Plan& plan = known.plan;
  set_live(plan, hit);
  scratch_tail_.clear();
  cache::append_passing(scratch_tail_, *ready.entry, hit, kMemoryHit);
  const int status = ready.entry->status();
  exchange.answer({ready.head, scratch_tail_, ready.body, std::move(record)});
  count(exchange, plan, AnswerKind::MemoryHit, status, began, plan.canonical ? 1 : 0);
  return true;
}

bool Proxy::try_hit(Exchange& exchange, const Plan& plan, PlanMemo::Ready* ready) {
  const http::http1::RequestHead& head = exchange.request();
  const Slot slot = find_in_memory(plan);
  if (!slot) return false;
  const TimePoint began = parts_.loop.turn_now();
  const cache::FreshnessPolicy policy = policy_for(plan, slot);
  const http::RequestView request = view_of(plan, head.view);
  const cache::Decision decision =
      cache::decide(request, slot.candidates(), policy, {began, parts_.loop.turn_wall_now()});
  if (decision.action != cache::Action::Serve) return false;
  http::CacheStatus status;
  status.hit = true;
  status.detail = decision.stale ? "stale" : "memory";
  if (decision.stale) status.forward = decision.forward;
  // A client with bounds of its own on the age is asked about each time.
  const bool again = !decision.stale && !request.fields.has("Cache-Control") && !request.fields.has("Pragma");
  if (ready != nullptr) *ready = {};
  answer_from(exchange, plan, slot, *decision.entry, {decision.form, decision.range}, status,
              decision.stale ? AnswerKind::Stale : AnswerKind::MemoryHit, {}, began, again ? ready : nullptr);
  if (ready == nullptr || ready->head.empty()) return true;
  ready->record = slot.record();
  ready->invalidations = invalidations_.changes();
  ready->entry = &slot.entry(*decision.entry);
  ready->lifetime = ready->entry->lifetime(policy);
  return true;
}

// Nothing came from the upstream with an answer made here: what is known of the token's quota stands in, and
// X-From-Cache keeps clients that reckon with these lines from taking them as news.
void Proxy::set_live(const Plan& plan, cache::HitFields& hit) const {
  if (!plan.canonical) return;
  hit.live = parts_.live.lines(plan);
  hit.from_cache = true;
}

void Proxy::answer_from(Exchange& exchange, const Plan& plan, const Slot& slot, std::size_t variant, cache::Answer form,
                        http::CacheStatus status, AnswerKind kind, std::string_view live, TimePoint began,
                        PlanMemo::Ready* ready) {
  const cache::Entry& entry = slot.entry(variant);
  const cache::Now now{parts_.loop.turn_now(), parts_.loop.turn_wall_now()};
  cache::HitFields hit;
  hit.age = entry.age(now);
  hit.status = status;
  hit.live = live;
  if (live.empty()) set_live(plan, hit);
  http::server::Answer out;
  out.owner = slot.record();
  ByteView body = slot.body(variant);
  scratch_head_.clear();
  scratch_tail_.clear();
  std::string_view ready_head = entry.head();
  std::shared_ptr<std::string> made;
  if (form.form == cache::Form::Full && plan.pretty &&
      github::is_json_media_type(entry.field("Content-Type").value_or(""))) {
    if (std::optional<std::string> pretty = github::pretty_print(as_text(body))) {
      made = std::make_shared<std::string>(std::move(*pretty));
      body = as_bytes(*made);
      out.owner = made;
      hit.coded_size = body.size();
    }
  }
  if (form.form == cache::Form::Full && plan.canonical && body.size() >= Limits::kPackFromBytes &&
      accepts_gzip(exchange.request().view.fields)) {
    if (made) {
      auto packed = std::make_shared<Bytes>(http::coding::gzip_encode(body, 1));
      body = *packed;
      out.owner = packed;
      hit.coding = "gzip";
      ready_head = {};
    } else if (const Bytes& packed = slot.gzip_body(variant); !packed.empty()) {
      body = packed;
      hit.coding = "gzip";
      ready_head = slot.gzip_head(variant);
    }
    hit.coded_size = hit.coding.empty() ? hit.coded_size : body.size();
  }
  const bool rewritten = rewrites_for(exchange) && entry.field("Link").has_value();
  if (form.form == cache::Form::Full && !ready_head.empty() && !rewritten) {
    out.head = ready_head;
    cache::append_tail(scratch_tail_, entry, hit);
    drop_empty_line(scratch_tail_);
    out.more = scratch_tail_;
    if (ready != nullptr && !made && ready_head.size() < Limits::kReadyHeadBytes) {
      ready->head = ready_head;
      cache::append_lasting(ready->head, entry, hit);
      ready->body = as_text(body);
    }
  } else {
    cache::append_head(scratch_head_, entry, form, hit);
    drop_empty_line(scratch_head_);
    if (rewritten) {
      // The one line of the stored head that names the origin.
      const std::string base = "http://" + std::string(exchange.request().authority);
      const std::string line = "Link: " + github::rewrite_links(*entry.field("Link"), parts_.proof.url_prefix, base);
      const std::string_view stored = *entry.field("Link");
      const std::size_t at = scratch_head_.find(stored);
      const std::size_t begin = scratch_head_.rfind('\n', at) + 1;
      if (at != std::string::npos) scratch_head_.replace(begin, at + stored.size() - begin, line);
    }
    out.head = scratch_head_;
    if (form.form == cache::Form::Partial) body = body.subspan(form.range.first, form.range.length());
    if (form.form == cache::Form::NotModified || form.form == cache::Form::RangeNotSatisfiable) body = {};
  }
  out.body = as_text(body);
  exchange.answer(std::move(out));
  const int answered_status = form.form == cache::Form::NotModified           ? 304
                              : form.form == cache::Form::Partial             ? 206
                              : form.form == cache::Form::RangeNotSatisfiable ? 416
                                                                              : entry.status();
  // A client that held the bytes itself would have got its own 304 for nothing.
  const bool own_304 = form.form == cache::Form::NotModified && !plan.request.anonymous;
  count(exchange, plan, kind, answered_status, began, plan.canonical && !own_304 ? 1 : 0);
}

bool Proxy::rewrites_for(const Exchange& exchange) const {
  const http::http1::RequestHead& head = exchange.request();
  return parts_.rewrite_links && head.form == http::http1::TargetForm::Origin &&
         parts_.authorities.is_own(head.authority);
}

void Proxy::rewrite(const Exchange& exchange, http::Fields& fields) const {
  if (!rewrites_for(exchange)) return;
  const std::string base = "http://" + std::string(exchange.request().authority);
  if (fields.has("Link"))
    fields.set("Link", github::rewrite_links(fields.joined("Link"), parts_.proof.url_prefix, base));
  if (const auto location = fields.first("Location"))
    fields.set("Location", github::rewrite_url(*location, parts_.proof.url_prefix, base));
}

io::Task<> Proxy::refuse(Exchange& exchange, int status, std::string_view what, http::CacheStatus status_of_cache) {
  http::Fields fields{{"Content-Type", "application/json; charset=utf-8"}};
  if (status_of_cache.forward != http::Forward::None || status_of_cache.hit)
    fields.add("Cache-Status", http::format_cache_status(status_of_cache));
  const std::string body = http::server::error_body(status, what);
  static_cast<void>(co_await exchange.respond(status, fields, body));
}

io::Task<> Proxy::answer(Exchange& exchange) {
  const TimePoint began = parts_.loop.now();
  const http::http1::RequestHead& head = exchange.request();
  if (head.form == http::http1::TargetForm::Authority) co_return co_await tunnel(exchange);
  const Destination to = parts_.authorities.decide(head.authority, head.origin_target);
  switch (to) {
    case Destination::Upstream: break;
    case Destination::Beside:
    case Destination::Allowed: {
      const auto authority = http::parse_authority(head.authority);
      const std::shared_ptr<Origin> origin = parts_.origin_of(http::to_lower(authority->host));
      Plan plan;
      plan.target = head.origin_target;
      plan.bypass = http::Forward::Bypass;
      plan.elsewhere = true;
      co_return co_await forward(exchange, plan, *origin, to, began);
    }
    case Destination::Refused: {
      parts_.stats.refused.add();
      Plan plan;
      plan.elsewhere = true;
      count(exchange, plan, AnswerKind::Error, 403, began);
      co_return co_await refuse(exchange, 403,
                                "ghmesh does not forward to '" + std::string(head.authority) +
                                    "': it is neither the upstream nor one of GitHub's own hosts");
    }
  }
  Plan plan = parts_.planner.plan(head.view, head.origin_target, !head.body.empty());
  plan.cls = class_of(plan, head.view.method);
  if (parts_.planner.is_graphql(plan, head.view.method)) co_return co_await graphql(exchange, std::move(plan), began);
  if (!head.upgrade.empty() && std::exchange(plan.cacheable, false)) plan.bypass = http::Forward::Request;
  if (!plan.cacheable) co_return co_await forward(exchange, plan, parts_.upstream, to, began);
  co_await cached(exchange, std::move(plan), began);
}

void Proxy::invalidate(const std::vector<store::GroupId>& groups) {
  parts_.stats.invalidations.add(groups.size());
  if (parts_.planner.write_removes()) {
    for (const store::GroupId group : groups) parts_.store.purge_group(group);
  } else {
    invalidations_.touch(groups, parts_.loop.wall_now());
  }
}

void Proxy::wait_for_followers() {
  const TimePoint next = flights_.expire(parts_.loop.now());
  if (next != TimePoint::max()) flight_timer_.arm_at(next);
}

}  // namespace ghmesh::proxy
