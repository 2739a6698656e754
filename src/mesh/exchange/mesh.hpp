// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "draws.hpp"
#include "finder.hpp"
#include "fleet.hpp"
#include "limits.hpp"
#include "mesh/membership/membership.hpp"
#include "pause.hpp"
#include "probe.hpp"

// One member of the mesh as a state machine (doc/formats/mesh.md): messages of admitted peers and `now` in; messages
// and events out. It knows no sockets, no HTTP and no GitHub; the driver (mesh/link) and the simulator (simulate)
// run the same code. After any call: send take_outgoing(), handle take_events(), and call tick() at next_deadline().
// One thread.

namespace ghmesh::mesh {

struct MeshConfig {
  SelfDescription self;
  std::uint64_t started_ms = 0;  // Unix time
  MembershipLimits membership;
  ExchangeLimits exchange;
};

// A write somewhere made these stale; the shelf here knows already.
struct Invalidated {
  std::vector<GroupId> groups;
  bool drop = false;  // a purge: the bytes go too; without groups, all of them
};
// Our own write has been told: to so many, of whom so many confirmed in time.
struct InvalidateDone {
  std::uint64_t id = 0;
  std::size_t told = 0;
  std::size_t confirmed = 0;
};
// Somebody else came into the mesh, or is no longer in it; the moment that this node knows.
struct MemberChange {
  enum class What : std::uint8_t { Joined, Left, Died };
  PeerId peer = nobody();
  What what = What::Joined;
};
// Drawn: what a bucket's keeper says to this node.
using MeshEvent = std::variant<FindResult, Invalidated, InvalidateDone, ProbeDone, MemberChange, Drawn, Unheard>;

struct PeerInfo {
  PeerId peer = nobody();
  MemberState state = MemberState::Alive;
  Duration age{};
  bool connected = false;
  bool reachable = false;
  bool stable = false;
  bool draining = false;
  bool owner = false;
  bool banned = false;
  std::size_t partitions = 0;  // as rank 1
  double score = 1;
};

struct MeshStats {
  std::size_t members = 0;    // others in the mesh
  std::size_t connected = 0;  // admitted connections now, either direction
  std::size_t partitions = 0;
  std::size_t shelf_entries = 0;
  std::size_t shelf_bytes = 0;
  std::uint64_t searches = 0;
  std::uint64_t fresh_from_peers = 0;
  std::uint64_t candidates_from_peers = 0;
  std::uint64_t leases = 0;
  std::uint64_t alone = 0;
  std::uint64_t asked_everybody = 0;
  std::uint64_t protocol_errors = 0;
};

class Mesh {
 public:
  Mesh(MeshConfig config, Random& random, TimePoint now);
  ~Mesh();

  // From the transport; only admitted peers.
  void on_connected(const PeerId& peer, std::vector<Bytes> addresses, TimePoint now);
  void on_disconnected(const PeerId& peer, TimePoint now);
  void on_message(const PeerId& from, const Message& message, TimePoint now);
  void on_protocol_error(const PeerId& from, TimePoint now);
  void tick(TimePoint now);
  TimePoint next_deadline() const;
  std::vector<Outgoing> take_outgoing();
  std::vector<MeshEvent> take_events() { return std::exchange(events_, {}); }

  // What the mesh knows of key for a client with that token; have is the version held already, or zeros. The answer
  // comes as a FindResult event, at once or within the limits' patience. After Candidate, Lease and Alone exactly one
  // of put, renew and abandon must follow. After a Fresh answer that was not true the question may be put again, with
  // what was disbelieved.
  FindId find(const LookupKey& key, const TokenTag& tag, const Version& have, TimePoint now,
              const Disbelieved& disbelieved = {});
  void put(FindId find, ItemPtr item, const Freshness& fresh, TimePoint now);
  void renew(FindId find, const Version& version, const Freshness& fresh, TimePoint now);
  void abandon(FindId find, ReleaseOutcome outcome, TimePoint now);
  // Before one of these: the fetch waits for its turn at GitHub, or (false) has got it. Others wait longer for the
  // former.
  void queued(FindId find, bool waits, TimePoint now);
  // How a Candidate fared that `from` sent and `publisher` fetched: GitHub's 304 proved it, or it did not hold. Also
  // false for a Fresh answer whose seal is wrong. Not for the stale body of a Lease: that one is expected to change.
  void report(const PeerId& from, const PeerId& publisher, bool proved, TimePoint now);

  // Tells all members that these groups changed; InvalidateDone follows within the limit.
  std::uint64_t invalidate(std::vector<GroupId> groups, bool drop, TimePoint now);

  void pause(const TokenTag& bucket, Duration length, TimePoint now);  // GitHub said stop
  void resumed(const TokenTag& bucket, TimePoint now);                 // GitHub answered normally
  std::optional<TimePoint> paused_until(const TokenTag& bucket, TimePoint now) const;

  // What this node did and wants of a bucket, for its keeper; Drawn events answer. Again whenever it changes.
  void draw(Draw own, TimePoint now);
  // Others that could draw on a bucket, if somebody keeps it; 0: this node paces itself alone. Whose connections have
  // ended do not count, until they are connected again.
  std::size_t sharers(const TokenTag& bucket) const;

  void set_reachable(bool reachable, TimePoint now);
  // On SIGTERM: partitions go to those who come next; then, when the transport has sent everything, leave.
  void drain(TimePoint now);
  void leave(TimePoint now);

  // Puts an entry on that member's shelf and asks for it back; ProbeDone follows within the limit. wall_ms: Unix time.
  std::uint64_t probe(const PeerId& peer, std::int64_t wall_ms, TimePoint now);

  void set_counters(std::vector<std::uint64_t> values, TimePoint now);
  std::vector<std::uint64_t> fleet_totals(TimePoint now) { return fleet_.totals(now); }
  std::vector<FleetMember> fleet_members() const { return fleet_.members(); }

  // Nobody came for a while, and what this member owns is here: news of others that are there is not on its way.
  bool quiet(TimePoint now) const;
  MeshStats stats() const;
  std::vector<PeerInfo> peers(TimePoint now) const;
  const Member& self() const { return membership_.self(); }
  const Member* member(const PeerId& peer) const { return membership_.find(peer); }
  // Versions this node can decode deltas against.
  ItemPtr held(const LookupKey& key, const Version& version) const;
  // Any version of that key.
  bool holds(const LookupKey& key) const;
  // Who brought that version here; nobody() if it is not held.
  PeerId publisher(const LookupKey& key, const Version& version) const;
  // Owner first, then those behind it.
  std::vector<PeerId> ranks_of(const LookupKey& key) const;
  // Whom to keep a connection to: the owners.
  std::vector<PeerId> owners() const;

 private:
  struct Parts;
  struct Telling {
    std::uint64_t id = 0;
    std::vector<PeerId> open;
    std::size_t told = 0;
    TimePoint until{};
  };

  void settle(TimePoint now);
  void dispatch(const PeerId& from, const Message& message, TimePoint now);
  void on_invalidate(const PeerId& from, const Invalidate& invalidate, TimePoint now);
  void on_ack(const PeerId& from, const Ack& ack, TimePoint now);
  void mark_stale(const std::vector<GroupId>& groups, bool drop, TimePoint now);
  void update_ranks(TimePoint now);
  void note_presence(const PeerId& peer, const Member* member, TimePoint now);
  void to_all(const Message& message);
  std::vector<PeerId> everybody() const;
  void count(const FindResult& result);

  MeshConfig config_;
  Membership membership_;
  std::unique_ptr<Parts> parts_;
  Fleet fleet_;
  PauseBoard pauses_;
  Prober prober_;
  std::unordered_map<PeerId, unsigned> connected_;
  std::unordered_set<PeerId> present_;  // others in the mesh, as events have told
  std::unordered_set<PeerId> parted_;   // of those, whose last connection has ended
  TimePoint last_joined_{};
  std::deque<Telling> tellings_;
  std::vector<Outgoing> outgoing_;
  std::vector<MeshEvent> events_;
  Random& random_;
  TimePoint next_counters_{};
  MeshStats totals_;
  bool draining_ = false;
};

}  // namespace ghmesh::mesh
