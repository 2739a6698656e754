// SPDX-License-Identifier: Apache-2.0
#include "admin_source.hpp"

#include <algorithm>

#include "cache/lookup.hpp"
#include "http/message/url.hpp"
#include "proxy/slot.hpp"

namespace ghmesh::node {

namespace {

using proxy::AnswerKind;

std::string seconds_text(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

std::string_view lifetime_text(cache::Lifetime::Kind kind) {
  switch (kind) {
    case cache::Lifetime::Kind::Origin: return "as the response's Cache-Control says";
    case cache::Lifetime::Kind::Fixed: return "fixed";
    case cache::Lifetime::Kind::Forever: return "for ever: it is addressed by its content";
    case cache::Lifetime::Kind::AlwaysValidate: return "none: it is always proved by the upstream";
  }
  return "";
}

std::string_view action_text(cache::Action action) {
  switch (action) {
    case cache::Action::Serve: return "answered from here, without an upstream call";
    case cache::Action::ServeAndRevalidate: return "answered from here, and validated behind the answer";
    case cache::Action::Validate: return "validated: a 304 costs no quota";
    case cache::Action::Fetch: return "fetched, charged, and kept if the answer allows it";
    case cache::Action::Pass: return "forwarded and not kept";
    case cache::Action::GatewayTimeout: return "504";
  }
  return "";
}

std::string_view state_text(mesh::MemberState state) {
  switch (state) {
    case mesh::MemberState::Alive: return "alive";
    case mesh::MemberState::Suspect: return "suspect";
    case mesh::MemberState::Dead: return "dead";
    case mesh::MemberState::Left: return "left";
  }
  return "";
}

admin::PeerCounts counts_of(const mesh::CounterRow& row) {
  const auto value = [&](MeshWing::Counter counter) { return counter < row.values.size() ? row.values[counter] : 0; };
  return {.requests = value(MeshWing::kRequests),
          .charged_calls = value(MeshWing::kChargedCalls),
          .calls_saved = static_cast<std::int64_t>(value(MeshWing::kDirectCalls)) -
                         static_cast<std::int64_t>(value(MeshWing::kChargedCalls))};
}

// Path and query of a target in whatever form, and the authority it names ("" for none).
struct Named {
  std::string authority;
  std::string target;
};
Result<Named> parse_named(const std::string& text) {
  if (text.starts_with('/')) return Named{"", text};
  const Result<http::Url> url = http::parse_url(text);
  if (!url) return fail(ErrorCode::Malformed, "'" + text + "' is neither a path nor a URL", Fault::Client);
  return Named{url->authority(), url->target};
}

void explain_held(admin::Explanation& out, const AdminParts& parts, const proxy::Plan& plan,
                  const http::RequestView& request) {
  const auto add = [&](const char* name, std::string value) { out.emplace_back(name, std::move(value)); };
  const store::EntryPtr record = parts.store.find(plan.key);
  if (!record) {
    const bool on_disk = parts.store.contains(plan.key);
    add("held", on_disk ? "on disk" : "no");
    if (!on_disk) add("would_be", std::string(action_text(cache::Action::Fetch)));
    return;
  }
  add("held", "in memory");
  const Result<proxy::Slot> slot = proxy::Slot::of(record, plan.policy);
  if (!slot) return;
  const cache::Decision decision = cache::decide(request, slot->candidates(), parts.proxy.policy_for(plan, *slot),
                                                 {parts.clock.now(), parts.clock.wall_now()});
  add("variants", std::to_string(slot->size()));
  if (decision.entry) {
    const cache::Entry& entry = slot->entry(*decision.entry);
    add("status", std::to_string(entry.status()));
    add("bytes", std::to_string(slot->body(*decision.entry).size()));
    add("age", seconds_text(decision.age));
    add("fresh_for", decision.time_to_live.count() > 0 ? seconds_text(decision.time_to_live) : "0 s");
  }
  add("would_be", std::string(action_text(decision.action)));
}

}  // namespace

std::optional<std::string> NodeAdminSource::not_ready() const {
  if (parts_.draining()) return "draining";
  return std::nullopt;
}

admin::Stats NodeAdminSource::stats() const {
  const proxy::Stats& counted = parts_.stats;
  const store::Stats held = parts_.store.stats();
  admin::Stats out;
  out.listen_addrs = parts_.listen_addrs();
  out.uptime_seconds = std::chrono::duration<double>(parts_.clock.now() - parts_.started).count();
  out.requests = counted.requests();
  out.local_hits = counted.answers(AnswerKind::MemoryHit) + counted.answers(AnswerKind::DiskHit);
  out.peer_hits = counted.answers(AnswerKind::PeerHit);
  out.proofs = counted.answers(AnswerKind::Proof);
  out.peer_proofs = counted.answers(AnswerKind::PeerProof);
  out.collapsed = counted.answers(AnswerKind::Collapsed);
  out.stale_served = counted.answers(AnswerKind::Stale);
  out.misses = counted.answers(AnswerKind::Miss);
  out.bypassed = counted.answers(AnswerKind::Bypass);
  out.errors = counted.answers(AnswerKind::Error);
  out.upstream_calls = counted.upstream_calls.value();
  out.charged_calls = counted.charged_calls.value();
  out.free_304s = counted.free_304s.value();
  out.calls_saved = static_cast<std::int64_t>(counted.direct_calls.value()) -
                    static_cast<std::int64_t>(counted.charged_calls.value());
  out.invalidations = counted.invalidations.value();
  out.entries = held.entries - std::min<std::uint64_t>(held.entries, parts_.proxy.own_records());
  out.memory_bytes = held.memory_bytes;
  out.disk_bytes = held.disk_bytes;
  out.evictions = held.evictions;
  out.quota = quota();
  out.expirations = counted.expirations.value();
  out.proof_state = proof_state();
  if (parts_.mesh != nullptr) {
    const mesh::LinkStats traffic = parts_.mesh->link().stats();
    out.peer_id = parts_.mesh->peer_id();
    out.connected_peers = parts_.mesh->link().mesh().stats().connected;
    out.bytes_from_peers = traffic.bytes_in;
    out.bytes_to_peers = traffic.bytes_out;
    out.fleet = fleet();
  }
  return out;
}

admin::Fleet NodeAdminSource::fleet() const {
  const std::vector<std::uint64_t> sums = parts_.mesh->fleet_totals();
  admin::Fleet out;
  out.members = parts_.mesh->fleet_members();
  out.requests = sums[MeshWing::kRequests];
  out.charged_calls = sums[MeshWing::kChargedCalls];
  out.calls_saved = static_cast<std::int64_t>(sums[MeshWing::kDirectCalls]) -
                    static_cast<std::int64_t>(sums[MeshWing::kChargedCalls]);
  out.peer_hits = sums[MeshWing::kPeerHits];
  out.peer_proofs = sums[MeshWing::kPeerProofs];
  out.upstream_calls = sums[MeshWing::kUpstreamCalls];
  out.free_304s = sums[MeshWing::kFree304s];
  return out;
}

admin::MeshView NodeAdminSource::mesh() const {
  admin::MeshView out;
  if (parts_.mesh == nullptr) {
    out.why_none = parts_.no_mesh;
    return out;
  }
  const mesh::Link& link = parts_.mesh->link();
  out.peer_id = parts_.mesh->peer_id();
  out.addresses = parts_.mesh->addresses();
  out.partitions = link.mesh().stats().partitions;
  out.settled = parts_.mesh->settled();
  std::unordered_map<mesh::PeerId, admin::PeerCounts> told;
  for (const mesh::FleetMember& member : link.mesh().fleet_members()) told[member.row.peer] = counts_of(member.row);
  for (const mesh::PeerInfo& info : link.mesh().peers(parts_.clock.now())) {
    admin::PeerRow row;
    row.peer_id = info.peer.text();
    if (const auto connection = parts_.mesh->host().swarm().connection(info.peer)) {
      if (connection->remote_address()) row.address = connection->remote_address()->text();
      row.direction = connection->direction() == libp2p::Direction::Inbound ? "in" : "out";
    } else if (const mesh::Member* member = link.mesh().member(info.peer); member && !member->addresses.empty()) {
      if (const auto address = multiformats::Multiaddr::decode(member->addresses.front()))
        row.address = address->text();
    }
    if (!info.connected) row.direction.clear();
    row.state = state_text(info.state);
    row.role = info.banned ? "banned" : info.draining ? "draining" : info.owner ? "owner" : "client";
    row.rtt_ms = parts_.mesh->rtt_ms(info.peer);
    row.age_seconds = std::chrono::duration<double>(info.age).count();
    row.partitions = info.partitions;
    const mesh::PeerTraffic traffic = link.traffic(info.peer);
    row.bytes_in = traffic.bytes_in;
    row.bytes_out = traffic.bytes_out;
    row.score = info.score;
    if (const auto it = told.find(info.peer); it != told.end()) row.counts = it->second;
    out.peers.push_back(std::move(row));
  }
  for (const mesh::Contact& contact : parts_.mesh->discovery().contacts()) {
    const mesh::Member* member = contact.peer ? link.mesh().member(*contact.peer) : nullptr;
    if (member != nullptr && member->in_mesh()) continue;
    out.contacts.push_back({contact.text(), std::string(to_string(contact.source)), contact.failures, contact.error});
  }
  std::sort(out.peers.begin(), out.peers.end(), [](const auto& a, const auto& b) {
    return a.direction.empty() != b.direction.empty() ? b.direction.empty() : a.peer_id < b.peer_id;
  });
  return out;
}

// The least trusted class speaks for all: one that has tripped is what an operator must see.
std::string NodeAdminSource::proof_state() const {
  if (!parts_.proxy.proof().gate.enabled || !parts_.planner.paces()) return "off";
  bool proven = false;
  for (const github::ProofCellView& cell : parts_.proxy.calibration().cells(parts_.clock.now())) {
    if (cell.phase == github::ProofPhase::Tripped) return "tripped";
    proven = proven || cell.phase == github::ProofPhase::Proven;
  }
  return proven ? "proven" : "learning";
}

std::vector<admin::QuotaRow> NodeAdminSource::quota() const {
  std::vector<admin::QuotaRow> out;
  for (const github::QuotaView& view : parts_.quota.ledger().view(parts_.clock.wall_now())) {
    out.push_back({view.token,
                   view.resource,
                   view.limit,
                   view.remaining,
                   view.used,
                   view.reset,
                   static_cast<std::uint64_t>(std::max<std::int64_t>(0, view.spent_by_this_node)),
                   view.spent_by_members,
                   view.spent_by_others,
                   view.forecast_remaining,
                   view.empty_at,
                   {},
                   view.spent_by_member});
    for (std::size_t i = 0; i < proxy::kRequestClasses; ++i)
      if (const std::uint32_t spent = view.spent_by_kind[i]; spent > 0)
        out.back().spent_by_class.emplace_back(proxy::to_string(static_cast<proxy::RequestClass>(i)), spent);
  }
  return out;
}

admin::ActivityView NodeAdminSource::activity() const {
  admin::ActivityView out;
  out.latency_bounds.assign(metrics::Histogram::kBounds.begin(), metrics::Histogram::kBounds.end());
  for (int i = 0; i < proxy::kRequestClasses; ++i) {
    const auto cls = static_cast<proxy::RequestClass>(i);
    const proxy::ClassRow& row = parts_.activity.row(cls);
    if (row.requests() == 0) continue;
    admin::ActivityClass shown;
    shown.name = proxy::to_string(cls);
    for (int kind = 0; kind < proxy::kAnswerKinds; ++kind)
      if (const std::uint64_t count = row.answers[static_cast<std::size_t>(kind)]; count > 0)
        shown.answers.emplace_back(proxy::to_string(static_cast<AnswerKind>(kind)), count);
    shown.requests = row.requests();
    shown.hit_rate = row.hit_rate();
    shown.upstream_calls = row.upstream_calls;
    shown.charged = row.charged;
    shown.direct = row.direct;
    shown.seconds = row.seconds;
    shown.latency.assign(row.latency.begin(), row.latency.end());
    out.classes.push_back(std::move(shown));
  }
  for (const proxy::Activity::Slow& one : parts_.activity.slowest())
    out.slowest.push_back({one.method, one.path, std::string(proxy::to_string(one.kind)),
                           std::string(proxy::to_string(one.cls)), one.status, one.seconds,
                           std::chrono::duration_cast<std::chrono::milliseconds>(one.at.time_since_epoch()).count()});
  for (const proxy::Activity::Costly& one : parts_.activity.costliest())
    out.costliest.push_back(
        {one.method, one.path, std::string(proxy::to_string(one.cls)), one.requests, one.charged, one.error});
  for (const github::ProofCellView& cell : parts_.proxy.calibration().cells(parts_.clock.now()))
    out.proofs.push_back({cell.host, std::string(github::to_string(cell.cls)), cell.media_type,
                          std::string(github::to_string(cell.phase)), cell.matches, cell.mismatches,
                          std::chrono::duration<double>(cell.retry_in).count()});
  return out;
}

io::Task<Result<admin::Explanation>> NodeAdminSource::explain(admin::Explained asked) {
  const Result<Named> named = parse_named(asked.target);
  if (!named) co_return std::unexpected(named.error());
  admin::Explanation out{{"target", named->target}};
  const auto add = [&](const char* name, std::string_view value) { out.emplace_back(name, std::string(value)); };
  switch (parts_.authorities.decide(named->authority, named->target)) {
    case proxy::Destination::Refused:
      add("would_be", "refused: " + named->authority + " is not on the allow-list");
      co_return out;
    case proxy::Destination::Beside:
    case proxy::Destination::Allowed:
      add("would_be", "streamed from " + named->authority + ", not kept");
      co_return out;
    case proxy::Destination::Upstream: break;
  }
  if (asked.accept && !http::is_field_value(*asked.accept))
    co_return fail(ErrorCode::Malformed, "accept is no media type", Fault::Client);
  http::Fields fields;  // no Accept: GitHub's own default stands in
  if (asked.authorization) fields.add("Authorization", *asked.authorization);
  if (asked.accept) fields.add("Accept", *asked.accept);
  http::Fields any = fields;  // what gh, curl and ghmesh get ask for; that is another entry
  any.add("Accept", "*/*");
  http::RequestView request{"GET", named->target, 1, fields.view()};
  proxy::Plan plan = parts_.planner.plan(request, named->target, false);
  const auto held = [this](const proxy::Plan& each) {
    return each.cacheable && (parts_.store.find(each.key) || parts_.store.contains(each.key));
  };
  if (!asked.accept && !held(plan)) {
    const http::RequestView other{"GET", named->target, 1, any.view()};
    proxy::Plan other_plan = parts_.planner.plan(other, named->target, false);
    if (held(other_plan)) {
      request = other;
      plan = std::move(other_plan);
      add("asked_with", "Accept: */*");
    }
  }
  if (asked.accept) add("asked_with", "Accept: " + *asked.accept);
  add("asked_as", plan.target);
  add("class", github::to_string(plan.resource.cls));
  if (!plan.resource.family.empty()) add("family", plan.resource.family);
  add("share", github::to_string(plan.resource.share));
  add("partition", plan.request.anonymous ? "anonymous" : github::KeyMaker::fingerprint(plan.partition));
  if (!plan.cacheable) {
    add("would_be", action_text(cache::Action::Pass));
    co_return out;
  }
  add("key", to_hex(ByteView(plan.key).first(8)));
  add("lifetime", plan.policy.lifetime.kind == cache::Lifetime::Kind::Fixed
                      ? seconds_text(plan.policy.lifetime.fixed)
                      : std::string(lifetime_text(plan.policy.lifetime.kind)));
  add("policy", parts_.policy);
  explain_held(out, parts_, plan, request);
  if (plan.canonical) explain_proof(out, plan);
  explain_mesh(out, plan);
  co_return out;
}

void NodeAdminSource::explain_proof(admin::Explanation& out, const proxy::Plan& plan) {
  const github::ProofPhase phase = parts_.proxy.calibration().phase(parts_.upstream_authority, plan.resource,
                                                                    plan.request.accept, parts_.clock.now());
  const bool takes_part =
      github::takes_part(parts_.proxy.proof().gate, "GET", plan.resource, plan.request) && !plan.request.anonymous;
  const std::size_t candidates = parts_.proxy.known_candidates(plan);
  const bool own = parts_.store.contains(plan.key);
  const bool others = candidates > (own ? 1u : 0u) && takes_part && phase == github::ProofPhase::Proven &&
                      github::may_prove_across_tokens(plan.resource);
  out.emplace_back("candidates", std::to_string(candidates));
  out.emplace_back("proof_state", takes_part ? std::string(to_string(phase)) : "takes no part");
  const bool served = !out.empty() && std::any_of(out.begin(), out.end(), [](const auto& row) {
    return row.first == "would_be" && row.second == action_text(cache::Action::Serve);
  });
  const char* cost = "1 charged request; nothing for a client whose own tag is current";
  if (served) {
    cost = "nothing";
  } else if (plan.request.anonymous) {
    cost = "1 charged request: without a token even a 304 is charged";
  } else if (own || others) {
    cost = "nothing while it is unchanged (a free 304), else 1 charged request";
  }
  out.emplace_back("cost", cost);
}

void NodeAdminSource::explain_mesh(admin::Explanation& out, const proxy::Plan& plan) {
  if (parts_.mesh == nullptr || !parts_.mesh->sharing().takes_part(plan, "GET")) {
    out.emplace_back("mesh", parts_.mesh == nullptr ? "none: " + parts_.no_mesh : "never leaves this node");
    return;
  }
  const mesh::Mesh& mesh = parts_.mesh->link().mesh();
  const store::Key key = parts_.planner.shared_key(plan);
  std::string owners;
  for (const mesh::PeerId& peer : mesh.ranks_of(key))
    owners += (owners.empty() ? "" : ", ") + (peer == mesh.self().peer ? std::string("this node") : peer.text());
  out.emplace_back("mesh", "shared");
  // Who is asked, in this order; what they hold only they know.
  out.emplace_back("holders", owners.empty() ? "none yet" : owners);
  out.emplace_back("on_this_shelf", mesh.holds(key) ? "yes" : "no");
}

io::Task<Result<std::uint64_t>> NodeAdminSource::purge(std::string pattern, bool mesh) {
  if (mesh && parts_.mesh == nullptr)
    co_return fail(ErrorCode::Unsupported, "this node has no mesh: " + parts_.no_mesh, Fault::Client);
  if (pattern == "*") {
    if (mesh) static_cast<void>(co_await parts_.mesh->sharing().purge({}));
    co_return parts_.proxy.clear();
  }
  constexpr std::string_view kBelow = "/*";
  const bool whole_repository = pattern.ends_with(kBelow);
  if (whole_repository) pattern.resize(pattern.size() - kBelow.size());
  if (!pattern.starts_with('/') || pattern.find_first_of("*?#") != std::string::npos)
    co_return fail(ErrorCode::Malformed, "a pattern is a path, /repos/OWNER/REPO/*, or *", Fault::Client);
  if (mesh) {
    std::vector<store::GroupId> groups{parts_.planner.shared_group(pattern, whole_repository)};
    static_cast<void>(co_await parts_.mesh->sharing().purge(std::move(groups)));
  }
  co_return parts_.store.purge_group(parts_.planner.named_group(pattern, whole_repository));
}

}  // namespace ghmesh::node
