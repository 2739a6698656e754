// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "cache/exchange.hpp"
#include "cache/response_head.hpp"
#include "cache/single_flight.hpp"
#include "github/calibration.hpp"
#include "github/etag.hpp"
#include "github/proof.hpp"
#include "github/quota.hpp"
#include "http/coding/coding.hpp"
#include "http/server/exchange.hpp"
#include "http/wire/buffers.hpp"
#include "io/task_group.hpp"
#include "proxy/activity.hpp"
#include "proxy/authority.hpp"
#include "proxy/body_flights.hpp"
#include "proxy/candidates.hpp"
#include "proxy/fleet_draw.hpp"
#include "proxy/invalidations.hpp"
#include "proxy/live_fields.hpp"
#include "proxy/origin.hpp"
#include "proxy/pacing_gate.hpp"
#include "proxy/plan.hpp"
#include "proxy/plan_memo.hpp"
#include "proxy/proof_memory.hpp"
#include "proxy/repository_buckets.hpp"
#include "proxy/sharing.hpp"
#include "proxy/slot.hpp"
#include "proxy/stats.hpp"
#include "proxy/trace.hpp"
#include "proxy/tunnel_rules.hpp"
#include "store/tiered_store.hpp"

// The request path: from a client's request to its answer, out of memory, disk or the origin. What GitHub is like is in
// github/, what may be reused in cache/, where bytes lie in store/; here they meet. One loop.
//
//   try_answer ── fresh in memory? ─► one write, done
//   answer ─┬─ CONNECT ─► tunnel.cpp
//           ├─ not ours ─► forward.cpp to that host, or 403
//           ├─ not cacheable ─► forward.cpp to the upstream; writes invalidate before their answer goes out
//           └─ cacheable ─► cached.cpp: disk, single flight, validation, fetch

namespace ghmesh::proxy {

struct ProofOptions {
  github::ProofGate gate;
  github::CalibrationOptions calibration;
  github::PacingOptions pacing;
  std::string url_prefix;   // scheme and authority of the upstream, for rebuilt Links
  int reserve_percent = 0;  // of each limit, left for writes
  bool vouched = false;     // the formula is known to hold on the upstream (calibration.hpp, vouch)
};

struct Parts {
  io::Loop& loop;
  Random& random;  // the secure one: canaries must not be guessed
  Planner& planner;
  store::TieredStore& store;
  Origin& upstream;
  // The origin for another host of the allow-list, over TLS; or for what is beside the API on the upstream's own.
  std::function<std::shared_ptr<Origin>(std::string host)> origin_of;
  // Connects a tunnel's far end; an internal address only where to says so.
  std::function<io::Task<Result<std::unique_ptr<io::Stream>>>(TunnelTo to, std::string host, std::uint16_t port)>
      dial_tunnel;
  const AuthorityRules& authorities;
  LiveFields& live;
  Stats& stats;
  Activity& activity;
  log::Logger logger;
  std::string upstream_authority;
  store::Key invalidation_key;  // of the record that outlives restarts (invalidations.hpp)
  ProofOptions proof;
  bool rewrite_links = false;
  store::Key proof_key{};  // of the record that carries the formula's state over restarts (proof_memory.hpp)
  TunnelOptions tunnels;
  // Speaks TLS and HTTP to a client that asked for one of tunnels.here, until that connection ends.
  std::function<io::Task<>(std::unique_ptr<io::Stream>)> answer_here;
  Sharing* sharing = nullptr;    // null: no mesh
  std::string pseudonym = {};    // of this node in Via, where it goes out through a proxy
  std::uint64_t log_sample = 1;  // of the request lines, one in so many is written
  JobOfNode job = {};
};

class Proxy final : public http::server::Handler {
 public:
  explicit Proxy(Parts parts);
  ~Proxy() override;

  bool try_answer(http::server::Exchange& exchange) override;
  const http::http1::RequestHead* recall(std::string_view octets) override;
  io::Task<> answer(http::server::Exchange& exchange) override;

  // What a write here, or on another node, has touched.
  void invalidate(const std::vector<store::GroupId>& groups);
  // Everything from before now is asked about before it is served again: nobody knows which writes went by.
  void doubt_all() { invalidations_.touch_all(parts_.loop.wall_now()); }
  // Empties the store of all answers: how many. What is known of the formula stays, trips above all.
  std::size_t clear();
  // Records of the store that are no answers: what is known of the formula.
  std::size_t own_records() const { return parts_.store.contains(parts_.proof_key) ? 1 : 0; }
  github::Calibration& calibration() { return calibration_; }
  const ProofOptions& proof() const { return parts_.proof; }
  // How many bodies of other tokens are known for that plan, as far as memory tells.
  std::size_t known_candidates(const Plan& plan) const { return node_candidates_.known(plan.candidate); }
  // The policy for what lies there: doubtful entries and absences have rules of their own.
  cache::FreshnessPolicy policy_for(const Plan& plan, const Slot& slot) const;

 private:
  struct Fetch;  // one upstream exchange of a cacheable request
  using Exchange = http::server::Exchange;

  // ---- proxy.cpp
  http::RequestView view_of(const Plan& plan, const http::RequestView& request) const;
  Slot find_in_memory(const Plan& plan);
  // ready: where to note the answer if it is one that can be given again. False: nothing was done.
  bool try_hit(Exchange& exchange, const Plan& plan, PlanMemo::Ready* ready);
  bool try_ready(Exchange& exchange, const PlanMemo::Known& known);
  // If ready is given and the whole body went out as it lies there, its head and body are noted.
  void answer_from(Exchange& exchange, const Plan& plan, const Slot& slot, std::size_t variant, cache::Answer form,
                   http::CacheStatus status, AnswerKind kind, std::string_view live, TimePoint began,
                   PlanMemo::Ready* ready = nullptr);
  void set_live(const Plan& plan, cache::HitFields& hit) const;
  io::Task<> refuse(Exchange& exchange, int status, std::string_view what, http::CacheStatus status_of_cache = {});

  // ---- account.cpp: what a request cost and how it ended, counted once each.
  // status: the client's. direct: what a client that asks GitHub itself would have been charged besides plan.spent.
  void count(const Exchange& exchange, const Plan& plan, AnswerKind kind, int status, TimePoint began,
             std::uint32_t direct = 0);
  void log_request(const Exchange& exchange, const Plan& plan, const Answered& answered);
  // The client's trace as the upstream is told of it; a trace that is not valid to the letter goes no further.
  void pass_on_trace(const Plan& plan, http::Fields& fields);
  void on_asked(const Plan& plan);
  static RequestClass class_of(const Plan& plan, std::string_view method);
  // True if it was charged.
  bool on_answered(const Plan& plan, int status, http::FieldsView fields, TimePoint asked);
  void on_unanswered(const Plan& plan);

  // Link and Location of a client that uses this node as its base URL, where the operator asked for it.
  bool rewrites_for(const Exchange& exchange) const;
  void rewrite(const Exchange& exchange, http::Fields& fields) const;

  // ---- forward.cpp
  io::Task<> forward(Exchange& exchange, const Plan& plan, Origin& origin, Destination to, TimePoint began);
  // A whole body as this client wants it: indented, packed, or as it is.
  io::Task<> respond_whole(Exchange& exchange, const Plan& plan, int status, http::Fields fields, ByteView body);
  io::Task<> stream(Exchange& exchange, OriginAnswer& answer, http::Fields fields, std::string_view begun_with);
  std::vector<store::GroupId> written_by(const http::RequestView& request, std::string_view target, int status) const;
  io::Task<> graphql(Exchange& exchange, Plan plan, TimePoint began);

  // ---- tunnel.cpp
  io::Task<> tunnel(Exchange& exchange);
  // Passes octets both ways until both ends are done.
  io::Task<> join(const Exchange::Tunnel& near_end, io::Stream& far_end);

  // ---- cached.cpp
  io::Task<> cached(Exchange& exchange, Plan plan, TimePoint began);
  io::Task<Slot> find_on_disk(const Plan& plan);
  io::Task<bool> join_flight(const std::string& key, cache::SingleFlight::Lead& lead);
  io::Task<> fetch(Fetch& fetch);
  io::Task<> revalidate_behind(Plan plan, http::Request request, Slot slot, cache::Decision decision,
                               cache::SingleFlight::Lead lead);
  io::Task<Result<std::unique_ptr<OriginAnswer>>> ask(const Plan& plan, http::Request request, Exchange* client);

  // ---- prove.cpp
  io::Task<> prove(Fetch& fetch);
  io::Task<> pass_clients_own(Fetch& fetch, OriginAnswer& answer);
  io::Task<std::vector<github::Candidate>> candidates(const Plan& plan);
  io::Task<BodyFlights::Turn> take_turn(Fetch& fetch, github::Ladder& ladder);
  // Whether another token has brought a newer body than the own one: then that one is offered first, so that a change
  // is paid for once and not by every token that holds the old body.
  bool is_overtaken(const Fetch& fetch);
  io::Task<github::SharedBody> held_page(std::string target, http::RequestView request);
  void answer_proved(Fetch& fetch, const github::Ladder& ladder, const github::Outcome& outcome, http::FieldsView live,
                     const cache::Now& requested);
  static http::FieldsView live_of(Fetch& fetch, const github::Step& step, http::FieldsView now);
  cache::FreshnessPolicy absence_policy(const Plan& plan) const;
  void keep_page(const http::RequestView& request, const std::string& target, const github::OriginAnswer& answer,
                 const cache::Now& requested);
  io::Task<> answer_limited(Fetch& fetch, const github::Refused& refused);

  // ---- shared.cpp
  // Asks the mesh before GitHub. True: the client has its answer.
  io::Task<bool> ask_mesh(Fetch& fetch);
  bool answer_shared(Fetch& fetch);
  io::Task<> trust_formula(Fetch& fetch);
  void tell_mesh(Fetch& fetch, const Slot& slot);
  void judge_candidate(Fetch& fetch, ByteView whole);
  void tell_mesh_refusal(Fetch& fetch, int status, bool rate_limited);
  // A write, here and on every member.
  io::Task<> invalidate_everywhere(std::vector<store::GroupId> groups);

  // ---- pace.cpp
  static Draw draw_of(const Plan& plan, std::string_view method);
  // A place in GitHub's pace, or why there is none within a client's patience. After a place: leave_pace().
  io::Task<std::optional<github::Refused>> enter_pace(const Plan& plan, const Draw& draw, const Exchange& client,
                                                      TimePoint since);
  github::LimitVerdict leave_pace(const Plan& plan, const Draw& draw, int status, http::FieldsView fields,
                                  std::string_view body);
  github::LocalAnswer limited_answer(const Plan& plan, const Draw& draw, const github::Refused& refused);
  io::Task<> on_no_answer(Fetch& fetch, Error error);
  void answer_stale(Fetch& fetch, std::size_t variant);
  // checked is told the whole body, or nothing if it was too large to be gathered.
  io::Task<> on_body(Fetch& fetch, OriginAnswer& answer, cache::Outcome outcome,
                     std::function<void(ByteView)> checked = {});
  Slot keep(const Plan& plan, const Slot& old, const cache::Outcome& outcome, ByteView new_body);
  void wait_for_followers();

  Parts parts_;
  const TunnelRules tunnel_rules_;
  PlanMemo plans_;
  const PlanMemo::Known* recalled_ = nullptr;  // between recall() and the try_answer() that follows
  Invalidations invalidations_;
  NodeCandidates node_candidates_;
  github::Calibration calibration_;
  ProofMemory proof_memory_;
  github::PrefixCache prefixes_;
  github::ShapeCache shapes_;
  // Candidate keys of resources that look different to each token: there the own bytes come first. Bounded.
  std::unordered_set<store::Key, store::KeyHash> token_specific_;
  PacingGate pacing_;
  std::optional<FleetDraw> fleet_draw_;  // in a mesh
  RepositoryBuckets repository_buckets_;
  BodyFlights body_flights_;
  http::wire::BufferPool tunnel_buffers_;
  cache::SingleFlight flights_;
  io::Timer flight_timer_;
  std::size_t gathered_bytes_ = 0;
  // Whether the upstream was seen not to answer 304 to anything, before the first proof with a peer's bytes.
  enum class Discerning : std::uint8_t { Unknown, Asking, Yes };
  Discerning discerning_ = Discerning::Unknown;
  io::Event discerned_;
  io::TaskGroup background_;
  LogSample log_sample_;
  std::string scratch_head_;
  std::string scratch_tail_;
};

}  // namespace ghmesh::proxy
