// SPDX-License-Identifier: Apache-2.0
#include "link.hpp"

#include "mesh/admission/admission.hpp"
#include "sending.hpp"

namespace ghmesh::mesh {
namespace {

MeshConfig config_of(const libp2p::Host& host, const LinkOptions& options) {
  MeshConfig config{
      .self = options.self, .started_ms = 0, .membership = options.membership, .exchange = options.exchange};
  config.self.peer = host.id();
  if (config.self.addresses.empty())
    for (const auto& address : host.addresses())
      config.self.addresses.emplace_back(address.bytes().begin(), address.bytes().end());
  config.started_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(host.loop().wall_now().time_since_epoch()).count());
  return config;
}

}  // namespace

// Waits for room in its stream when there is something to write, and goes on then.
struct Link::Session final : io::Waiter {
  Session(Link& l, libp2p::PeerStream s, EnvelopePair pair)
      : link(l),
        peer(s.peer),
        stream(std::move(s)),
        envelopes(std::move(pair)),
        sending(l.options_.limits),
        drained(l.host_.loop()) {}
  ~Session() override { unlink(); }
  void run() override { link.flush(*this); }
  bool idle() const { return sending.empty() && written == out.size(); }

  Link& link;
  PeerId peer;
  libp2p::PeerStream stream;
  EnvelopePair envelopes;
  Sending sending;
  Receiving receiving;
  Bytes out;  // sealed, on its way into the stream
  std::size_t written = 0;
  bool unflushed = false;
  io::Event drained;
  // With the same peer, and older: two that dial each other at once have a session each.
  std::shared_ptr<Session> older;
};

Link::Link(libp2p::Host& host, Random& random, LinkOptions options)
    : host_(host),
      random_(random),
      options_(std::move(options)),
      keys_(std::make_shared<const Keyring>(std::move(options_.keys))),
      mesh_(config_of(host, options_), random, host.loop().now()),
      codec_([this](const LookupKey& key, const Version& version) -> ItemPtr {
        if (ItemPtr item = mesh_.held(key, version)) return item;
        return options_.find_item ? options_.find_item(key, version) : nullptr;
      }),
      timer_(host.loop(),
             [this] {
               const TimePoint at = now();
               mesh_.tick(at);
               pump(at);
             }),
      events_(host.loop()),
      alive_(std::make_shared<int>(0)),
      tasks_(host.loop()) {}

Link::~Link() { host_.swarm().remove_handler(kProtocol); }

void Link::start() {
  const std::weak_ptr<int> alive = alive_;
  host_.swarm().set_handler(kProtocol, [this, alive](libp2p::PeerStream stream) -> io::Task<void> {
    // The task belongs to us, not to the swarm: it uses our state.
    if (!alive.expired()) tasks_.spawn(serve(std::move(stream), false));
    co_return;
  });
  host_.swarm().on_connected([this, alive](const std::shared_ptr<libp2p::PeerConnection>& connection) {
    if (alive.expired() || connection->direction() != libp2p::Direction::Outbound) return;
    const auto refused = refused_.find(connection->peer());
    if (refused == refused_.end() || refused->second < now()) tasks_.spawn(open_session(connection));
  });
  tasks_.spawn(keep_contacts());
  tasks_.spawn(keep_owners());
  pump();
}

void Link::add_contact(multiformats::Multiaddr address) {
  if (options_.contacts.size() < 256) options_.contacts.push_back(std::move(address));
}

void Link::set_keys(Keyring keys) { keys_ = std::make_shared<const Keyring>(std::move(keys)); }

io::Task<Result<EnvelopePair>> Link::admit(libp2p::PeerStream& stream, bool dialer) {
  // A reload while a proof is under way leaves that proof its keys.
  const std::shared_ptr<const Keyring> keys = keys_;
  const ByteView binding = stream.connection->channel_binding();
  Bytes hash(binding.begin(), binding.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(binding.size(), 64)));
  Admission admission(*keys,
                      {.role = dialer ? Role::Dialer : Role::Listener,
                       .self = host_.id(),
                       .remote = stream.peer,
                       .handshake_hash = std::move(hash)},
                      random_);
  if (auto sent = co_await stream->write_all(admission.hello()); !sent) co_return std::unexpected(sent.error());
  while (admission.expects() != 0) {
    Bytes message(admission.expects());
    if (auto read = co_await stream->read_exact(message); !read) co_return std::unexpected(read.error());
    auto answer = admission.receive(message);
    if (!answer) co_return std::unexpected(answer.error());
    if (answer->empty()) continue;
    if (auto sent = co_await stream->write_all(*answer); !sent) co_return std::unexpected(sent.error());
  }
  co_return admission.take_envelopes();
}

io::Task<void> Link::open_session(std::shared_ptr<libp2p::PeerConnection> connection) {
  auto stream = connection->open(kProtocol);
  if (stream) co_await serve(std::move(*stream), true);
}

io::Task<void> Link::serve(libp2p::PeerStream stream, bool dialer) {
  const PeerId peer = stream.peer;
  auto pair =
      co_await io::with_deadline(host_.loop(), admit(stream, dialer), now() + options_.limits.admission, "admission");
  if (!pair) {
    ++stats_.refused;
    if (refused_.size() >= 1024) refused_.clear();
    refused_[peer] = now() + options_.limits.refused_pause;
    options_.log.info("peer not admitted", {{"peer", peer.text()}, {"why", pair.error().message}});
    stream->abort(Error{ErrorCode::Refused, Fault::Peer, Retry::No, "closed"});
    co_return;
  }
  ++stats_.admitted;
  stream.connection->set_protected(true);
  const auto connection = stream.connection;
  auto session = std::make_shared<Session>(*this, std::move(stream), std::move(*pair));
  std::shared_ptr<Session>& newest = sessions_[peer];
  session->older = std::exchange(newest, session);
  mesh_.on_connected(peer, {}, now());
  if (const auto it = outboxes_.find(peer); it != outboxes_.end()) {
    for (Message& message : it->second.waiting) queue_in(session, std::move(message));
    outboxes_.erase(it);
  }
  pump();
  co_await read_loop(session);
  session->stream->abort(Error{ErrorCode::Closed, Fault::Peer, Retry::Later, "the session ended"});
  connection->set_protected(false);
  forget(session);
  mesh_.on_disconnected(peer, now());
  pump();
  // The connection may have ended for another one, of which the swarm does not tell.
  const auto standing = host_.swarm().connection(peer);
  if (standing && standing->direction() == libp2p::Direction::Outbound && !sessions_.contains(peer))
    tasks_.spawn(open_session(standing));
}

// Of two connections of one pair the swarm closes one, which may be the newer: then the other session goes on.
void Link::forget(const std::shared_ptr<Session>& session) {
  const auto it = sessions_.find(session->peer);
  std::shared_ptr<Session>* place = &it->second;
  while (*place != session) place = &(*place)->older;
  *place = std::exchange(session->older, nullptr);
  if (!it->second) sessions_.erase(it);
}

// What TCP still tries to bring to one that was cut off comes seconds after the cut has healed, and all that is said
// meanwhile waits behind it: a new connection is there at once.
void Link::hang_up(const PeerId& peer) {
  const Error why{ErrorCode::Timeout, Fault::Peer, Retry::Later, "the members take it for dead"};
  if (const auto it = sessions_.find(peer); it != sessions_.end())
    for (std::shared_ptr<Session> session = it->second; session; session = session->older) session->stream->abort(why);
  host_.swarm().disconnect(peer, why);
}

io::Task<void> Link::read_loop(std::shared_ptr<Session> session) {
  EnvelopeOpener& opener = session->envelopes.opener;
  while (true) {
    const auto n = co_await session->stream->read_some(opener.room(options_.limits.read_bytes));
    if (!n || *n == 0) co_return;
    stats_.bytes_in += *n;
    traffic_of(session->peer).bytes_in += *n;
    opener.filled(*n);
    std::optional<TimePoint> told;  // the mesh, for the last time
    while (true) {
      auto frame = opener.next();
      if (!frame) {
        mesh_.on_protocol_error(session->peer, now());
        co_return;
      }
      if (!*frame) break;
      const auto whole = session->receiving.take(**frame);
      if (!whole) {
        mesh_.on_protocol_error(session->peer, now());
        co_return;
      }
      if (!*whole) continue;
      ++stats_.messages_in;
      const auto message = codec_.decode(**whole);
      if (message) {
        told = now();
        mesh_.on_message(session->peer, *message, *told);
      } else if (message.error().code != ErrorCode::NotFound) {
        mesh_.on_protocol_error(session->peer, now());
        co_return;
      }
      // A delta against something we dropped meanwhile is lost; its search goes on without it.
    }
    told ? pump(*told) : pump();
  }
}

// As far as the stream takes it. What gathers while it takes nothing goes out as one.
void Link::flush(Session& session) {
  while (true) {
    if (session.written == session.out.size()) {
      session.out.clear();
      session.written = 0;
      if (session.sending.empty()) {
        if (session.out.capacity() > options_.limits.read_bytes) session.out.shrink_to_fit();
        return session.drained.set();
      }
      stats_.messages_out += session.sending.fill(codec_, session.envelopes.sealer, session.out);
      stats_.bytes_out += session.out.size();
      traffic_of(session.peer).bytes_out += session.out.size();
    }
    const iovec rest{session.out.data() + session.written, session.out.size() - session.written};
    const io::IoStatus status = session.stream->try_write({&rest, 1});
    if (status.kind == io::IoStatus::WouldBlock) return session.stream->wait_writable(session);
    if (status.kind != io::IoStatus::Done) return session.stream->abort(session.stream->error());
    session.written += status.bytes;
  }
}

void Link::queue(const PeerId& to, Message message) {
  if (const auto it = sessions_.find(to); it != sessions_.end()) return queue_in(it->second, std::move(message));
  if (const auto refused = refused_.find(to); refused != refused_.end() && refused->second > now()) {
    ++stats_.dropped;
    return;
  }
  Outbox& outbox = outboxes_[to];
  if (outbox.waiting.size() >= 64) {
    ++stats_.dropped;
    return;
  }
  outbox.waiting.push_back(std::move(message));
  if (std::exchange(outbox.dialling, true)) return;
  tasks_.spawn(dial_member(to));
}

void Link::queue_in(const std::shared_ptr<Session>& session, Message message) {
  if (!session->sending.push(std::move(message))) {
    ++stats_.dropped;
    return;
  }
  session->drained.reset();
  if (!std::exchange(session->unflushed, true)) unflushed_.push_back(session);
}

io::Task<void> Link::dial_member(PeerId peer) {
  if (const Member* member = mesh_.member(peer)) {
    std::vector<multiformats::Multiaddr> addresses;
    for (const Bytes& raw : member->addresses)
      if (auto address = multiformats::Multiaddr::decode(raw))
        addresses.push_back(address->decapsulate(multiformats::Protocol::P2p));
    host_.peerstore().add(peer, addresses, options_.limits.address_life, now());
  }
  const auto connection = co_await host_.swarm().connect(peer);
  // A new connection brings its session by itself; one that stood already may not have one.
  if (connection) co_await host_.loop().sleep_for(options_.limits.admission);
  const auto it = outboxes_.find(peer);
  if (it == outboxes_.end()) co_return;
  stats_.dropped += it->second.waiting.size();
  outboxes_.erase(it);
  mesh_.on_disconnected(peer, now());
  pump();
}

io::Task<void> Link::keep_contacts() {
  Duration pause = options_.limits.contact_retry;
  while (true) {
    if (sessions_.empty()) {
      // By index: contacts may be added while we wait.
      for (std::size_t i = 0; i < options_.contacts.size() && sessions_.empty(); ++i) {
        const multiformats::Multiaddr contact = options_.contacts[i];
        static_cast<void>(co_await host_.swarm().dial(contact));
      }
      co_await host_.loop().sleep_for(pause);
      pause = std::min(pause * 2, options_.limits.contact_retry_max);
    } else {
      pause = options_.limits.contact_retry;
      co_await host_.loop().sleep_for(pause);
    }
  }
}

// A first question must not wait for a handshake, so there is a connection to every owner before it is needed. Of two
// members that can both dial, the one with the smaller id does; two dials at once would end one connection under way.
io::Task<void> Link::keep_owners() {
  while (true) {
    co_await host_.loop().sleep_for(options_.limits.owners_every);
    for (const PeerId& peer : mesh_.owners()) {
      if (sessions_.contains(peer) || outboxes_.contains(peer)) continue;
      if (mesh_.self().reachable && peer < host_.id()) continue;
      if (const auto refused = refused_.find(peer); refused != refused_.end() && refused->second > now()) continue;
      outboxes_[peer].dialling = true;
      tasks_.spawn(dial_member(peer));
    }
  }
}

void Link::pump() { pump(now()); }

void Link::pump(TimePoint at) {
  for (Outgoing& out : mesh_.take_outgoing()) queue(out.to, std::move(out.message));
  bool woke = false;
  for (MeshEvent& event : mesh_.take_events()) {
    if (auto* result = std::get_if<FindResult>(&event)) {
      found_[result->find] = std::move(*result);
      woke = true;
    } else if (auto* done = std::get_if<InvalidateDone>(&event)) {
      if (const auto it = told_.find(done->id); it != told_.end()) it->second = *done;
      woke = true;
    } else if (auto* probed = std::get_if<ProbeDone>(&event)) {
      if (const auto it = probed_.find(probed->id); it != probed_.end()) it->second = *probed;
      woke = true;
    } else if (auto* stale = std::get_if<Invalidated>(&event); stale != nullptr && invalidated_) {
      invalidated_(*stale);
    } else if (auto* change = std::get_if<MemberChange>(&event)) {
      if (change->what == MemberChange::What::Died) hang_up(change->peer);
      // Dials that failed while it was cut off say nothing of it now.
      if (change->what == MemberChange::What::Joined) host_.swarm().forget_failures(change->peer);
      if (member_changed_) member_changed_(*change);
    } else if (auto* drawn = std::get_if<Drawn>(&event); drawn != nullptr && drawn_) {
      drawn_(*drawn);
    } else if (const auto* unheard = std::get_if<Unheard>(&event); unheard != nullptr && unheard_) {
      unheard_(*unheard);
    }
  }
  for (const auto& session : unflushed_) {
    session->unflushed = false;
    // One that waits for room is woken by it.
    if (!session->linked()) flush(*session);
  }
  unflushed_.clear();
  if (woke) {
    events_.set();
    events_.reset();
  }
  timer_.arm_at(std::max(mesh_.next_deadline(), at));
}

namespace {

// Gives a search or a telling back if its coroutine is destroyed before the answer comes.
template <typename F>
struct Finally {
  F action;
  ~Finally() { action(); }
};
template <typename F>
Finally(F) -> Finally<F>;

}  // namespace

io::Task<FindResult> Link::find(LookupKey key, TokenTag tag, Version have, Disbelieved disbelieved) {
  const TimePoint at = now();
  const FindId id = mesh_.find(key, tag, have, at, disbelieved);
  bool answered = false;
  const Finally cleanup{[&] {
    if (answered) return;
    found_.erase(id);
    abandon(id, ReleaseOutcome::Failed);
  }};
  pump(at);
  while (!found_.contains(id)) co_await events_.wait();
  FindResult result = std::move(found_.extract(id).mapped());
  answered = true;
  co_return result;
}

void Link::put(FindId find, ItemPtr item, const Freshness& fresh) {
  mesh_.put(find, std::move(item), fresh, now());
  pump();
}

void Link::renew(FindId find, const Version& version, const Freshness& fresh) {
  mesh_.renew(find, version, fresh, now());
  pump();
}

void Link::abandon(FindId find, ReleaseOutcome outcome) {
  mesh_.abandon(find, outcome, now());
  pump();
}

void Link::report(const PeerId& from, const PeerId& publisher, bool proved) {
  mesh_.report(from, publisher, proved, now());
}

io::Task<InvalidateDone> Link::invalidate(std::vector<GroupId> groups, bool drop) {
  const std::uint64_t id = mesh_.invalidate(std::move(groups), drop, now());
  told_.emplace(id, std::nullopt);
  const Finally cleanup{[&] { told_.erase(id); }};
  pump();
  // The mesh ends every telling within its own limit; this is for one whose event went by.
  const TimePoint deadline = now() + 2 * options_.exchange.invalidate_wait;
  while (!told_.at(id) && now() < deadline) co_await events_.wait_until(deadline);
  co_return told_.at(id).value_or(InvalidateDone{.id = id});
}

io::Task<ProbeDone> Link::probe(PeerId peer) {
  const auto wall = host_.loop().wall_now().time_since_epoch();
  const std::uint64_t id =
      mesh_.probe(peer, std::chrono::duration_cast<std::chrono::milliseconds>(wall).count(), now());
  probed_.emplace(id, std::nullopt);
  const Finally cleanup{[&] { probed_.erase(id); }};
  pump();
  while (!probed_.at(id)) co_await events_.wait();
  co_return *probed_.at(id);
}

void Link::pause(const TokenTag& bucket, Duration length) {
  mesh_.pause(bucket, length, now());
  pump();
}

void Link::resumed(const TokenTag& bucket) {
  mesh_.resumed(bucket, now());
  pump();
}

void Link::draw(Draw own) {
  mesh_.draw(std::move(own), now());
  pump();
}

io::Task<void> Link::leave(Duration patience) {
  const TimePoint deadline = now() + patience;
  mesh_.drain(now());
  pump();
  const auto written = [this](TimePoint until) -> io::Task<void> {
    const auto sessions = sessions_;
    for (const auto& [peer, session] : sessions)
      if (!session->idle()) co_await session->drained.wait_until(until);
  };
  co_await written(deadline);
  mesh_.leave(now());
  pump();
  co_await written(deadline);
}

PeerTraffic& Link::traffic_of(const PeerId& peer) {
  if (traffic_.size() >= options_.limits.remembered_peers && !traffic_.contains(peer)) traffic_.clear();
  return traffic_[peer];
}

PeerTraffic Link::traffic(const PeerId& peer) const {
  const auto it = traffic_.find(peer);
  return it == traffic_.end() ? PeerTraffic{} : it->second;
}

LinkStats Link::stats() const {
  LinkStats stats = stats_;
  stats.sessions = sessions_.size();
  stats.untaken = found_.size() + told_.size() + probed_.size();
  return stats;
}

}  // namespace ghmesh::mesh
