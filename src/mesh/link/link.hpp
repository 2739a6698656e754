// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/log.hpp"
#include "io/task_group.hpp"
#include "libp2p/host/host.hpp"
#include "limits.hpp"
#include "mesh/admission/envelope.hpp"
#include "mesh/admission/secret.hpp"
#include "mesh/exchange/mesh.hpp"
#include "mesh/wire/codec.hpp"

// Joins the mesh's state machine to a libp2p host: per connection one stream of "/ghmesh/mesh/1.0.0", opened by the
// dialer, on which both sides prove the secret and then send sealed frames both ways. Whoever does not prove it is hung
// up on without a word. One loop; host and random outlive it.

namespace ghmesh::mesh {

struct LinkOptions {
  Keyring keys;
  SelfDescription self;                           // peer is taken from the host
  std::vector<multiformats::Multiaddr> contacts;  // --bootstrap; more by add_contact
  MembershipLimits membership;
  ExchangeLimits exchange;
  LinkLimits limits;
  // A version that the caller holds outside of the mesh's shelf: what find() names as have.
  FindItem find_item;
  log::Logger log;
};

struct LinkStats {
  std::size_t sessions = 0;
  std::size_t untaken = 0;  // answers of the mesh that nobody has picked up yet
  std::uint64_t admitted = 0;
  std::uint64_t refused = 0;   // by us or by them
  std::uint64_t dropped = 0;   // messages to peers too slow or out of reach
  std::uint64_t bytes_in = 0;  // sealed
  std::uint64_t bytes_out = 0;
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;
};

// Of one peer, sealed, since this process started.
struct PeerTraffic {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

class Link {
 public:
  static constexpr const char* kProtocol = "/ghmesh/mesh/1.0.0";

  Link(libp2p::Host& host, Random& random, LinkOptions options);
  ~Link();

  // Starts to answer, to dial contacts and to tick.
  void start();
  // A peer heard of by any other way: registry, mDNS, DNS. A hint only.
  void add_contact(multiformats::Multiaddr address);
  // Takes a reloaded secret: new connections use it, those that stand go on.
  void set_keys(Keyring keys);

  // As Mesh, for coroutines.
  io::Task<FindResult> find(LookupKey key, TokenTag tag, Version have, Disbelieved disbelieved = {});
  void put(FindId find, ItemPtr item, const Freshness& fresh);
  void renew(FindId find, const Version& version, const Freshness& fresh);
  void abandon(FindId find, ReleaseOutcome outcome);
  void queued(FindId find, bool waits) { mesh_.queued(find, waits, now()); }
  void report(const PeerId& from, const PeerId& publisher, bool proved);
  // Until all members confirmed, or the limit.
  io::Task<InvalidateDone> invalidate(std::vector<GroupId> groups, bool drop = false);
  void pause(const TokenTag& bucket, Duration length);
  void resumed(const TokenTag& bucket);
  void draw(Draw own);
  // One entry there and back.
  io::Task<ProbeDone> probe(PeerId peer);
  // Hands over, waits until it is written (at most `patience`), leaves.
  io::Task<void> leave(Duration patience);
  // Called for writes elsewhere.
  void on_invalidated(std::function<void(const Invalidated&)> listener) { invalidated_ = std::move(listener); }
  // Called for members that come and go.
  void on_member(std::function<void(const MemberChange&)> listener) { member_changed_ = std::move(listener); }

  // Called when a bucket's keeper has said something.
  void on_drawn(std::function<void(const Drawn&)> listener) { drawn_ = std::move(listener); }
  void on_unheard(std::function<void(const Unheard&)> listener) { unheard_ = std::move(listener); }

  const Mesh& mesh() const { return mesh_; }
  Mesh& mesh() { return mesh_; }
  LinkStats stats() const;
  PeerTraffic traffic(const PeerId& peer) const;

 private:
  struct Session;
  struct Outbox {
    std::vector<Message> waiting;
    bool dialling = false;
  };

  io::Task<void> serve(libp2p::PeerStream stream, bool dialer);
  io::Task<Result<EnvelopePair>> admit(libp2p::PeerStream& stream, bool dialer);
  io::Task<void> read_loop(std::shared_ptr<Session> session);
  void forget(const std::shared_ptr<Session>& session);
  void hang_up(const PeerId& peer);
  void flush(Session& session);
  io::Task<void> open_session(std::shared_ptr<libp2p::PeerConnection> connection);
  io::Task<void> dial_member(PeerId peer);
  io::Task<void> keep_contacts();
  io::Task<void> keep_owners();
  void queue(const PeerId& to, Message message);
  void queue_in(const std::shared_ptr<Session>& session, Message message);
  PeerTraffic& traffic_of(const PeerId& peer);
  void pump();
  void pump(TimePoint at);
  TimePoint now() const { return host_.loop().now(); }

  libp2p::Host& host_;
  Random& random_;
  LinkOptions options_;
  std::shared_ptr<const Keyring> keys_;
  Mesh mesh_;
  Codec codec_;  // one for all sessions: its contexts are what is large about one
  io::Timer timer_;
  std::unordered_map<PeerId, std::shared_ptr<Session>> sessions_;
  std::vector<std::shared_ptr<Session>> unflushed_;  // got messages since the last pump
  std::unordered_map<PeerId, Outbox> outboxes_;
  std::unordered_map<PeerId, TimePoint> refused_;
  std::unordered_map<FindId, FindResult> found_;
  std::unordered_map<std::uint64_t, std::optional<InvalidateDone>> told_;  // those waited for
  std::unordered_map<std::uint64_t, std::optional<ProbeDone>> probed_;     // the same
  io::Event events_;
  std::function<void(const Invalidated&)> invalidated_;
  std::function<void(const MemberChange&)> member_changed_;
  std::function<void(const Drawn&)> drawn_;
  std::function<void(const Unheard&)> unheard_;
  LinkStats stats_;
  std::unordered_map<PeerId, PeerTraffic> traffic_;
  std::shared_ptr<int> alive_;  // listeners of the swarm outlive us; they look here first
  io::TaskGroup tasks_;
};

}  // namespace ghmesh::mesh
