// SPDX-License-Identifier: Apache-2.0
#include "link.hpp"

#include "mesh/admission/admission.hpp"
#include "mesh/wire/codec.hpp"

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

std::size_t weight(const Message& message) {
  const auto body = [](const ItemPtr& item) { return item ? item->body.size() + item->metadata.size() : 0; };
  std::size_t size = 256;
  if (const auto* each = std::get_if<Body>(&message)) size += body(each->item);
  if (const auto* each = std::get_if<Put>(&message)) size += body(each->item);
  if (const auto* each = std::get_if<Lease>(&message)) size += body(each->item);
  if (const auto* each = std::get_if<Found>(&message)) size += body(each->item);
  if (const auto* chunk = std::get_if<Chunk>(&message))
    for (const ChunkEntry& entry : chunk->entries) size += body(entry.item);
  return size;
}

}  // namespace

struct Link::Session {
  Session(libp2p::PeerStream s, EnvelopePair pair, FindItem find, io::Loop& loop)
      : peer(s.peer),
        stream(std::move(s)),
        envelopes(std::move(pair)),
        codec(std::move(find)),
        something(loop),
        drained(loop) {}

  PeerId peer;
  libp2p::PeerStream stream;
  EnvelopePair envelopes;
  Codec codec;
  std::vector<Message> queue;
  std::size_t queued_bytes = 0;
  io::Event something;
  io::Event drained;
};

Link::Link(libp2p::Host& host, Random& random, LinkOptions options)
    : host_(host),
      random_(random),
      options_(std::move(options)),
      keys_(std::make_shared<const Keyring>(std::move(options_.keys))),
      mesh_(config_of(host, options_), random, host.loop().now()),
      timer_(host.loop(),
             [this] {
               mesh_.tick(now());
               pump();
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
  auto session = std::make_shared<Session>(
      std::move(stream), std::move(*pair),
      [this](const LookupKey& key, const Version& version) -> ItemPtr {
        if (ItemPtr item = mesh_.held(key, version)) return item;
        return options_.find_item ? options_.find_item(key, version) : nullptr;
      },
      host_.loop());
  sessions_[peer] = session;
  mesh_.on_connected(peer, {}, now());
  if (const auto it = outboxes_.find(peer); it != outboxes_.end()) {
    for (Message& message : it->second.waiting) session->queue.push_back(std::move(message));
    outboxes_.erase(it);
    if (!session->queue.empty()) session->something.set();
  }
  pump();
  {
    io::TaskGroup writer(host_.loop());
    writer.spawn(write_loop(session));
    co_await read_loop(session);
  }
  session->stream->abort(Error{ErrorCode::Closed, Fault::Peer, Retry::Later, "the session ended"});
  if (const auto it = sessions_.find(peer); it != sessions_.end() && it->second == session) {
    sessions_.erase(it);
    connection->set_protected(false);
  }
  mesh_.on_disconnected(peer, now());
  pump();
}

io::Task<void> Link::read_loop(std::shared_ptr<Session> session) {
  Bytes buffer(options_.limits.read_bytes);
  while (true) {
    const auto n = co_await session->stream->read_some(buffer);
    if (!n || *n == 0) co_return;
    stats_.bytes_in += *n;
    traffic_of(session->peer).bytes_in += *n;
    session->envelopes.opener.feed(ByteView(buffer).first(*n));
    while (true) {
      auto frame = session->envelopes.opener.next();
      if (!frame) {
        mesh_.on_protocol_error(session->peer, now());
        co_return;
      }
      if (!*frame) break;
      ++stats_.messages_in;
      const auto message = session->codec.decode((*frame)->plain);
      if (message) {
        mesh_.on_message(session->peer, *message, now());
      } else if (message.error().code != ErrorCode::NotFound) {
        mesh_.on_protocol_error(session->peer, now());
        co_return;
      }
      // A delta against something we dropped meanwhile is lost; its search goes on without it.
    }
    pump();
  }
}

io::Task<void> Link::write_loop(std::shared_ptr<Session> session) {
  while (true) {
    if (session->queue.empty()) {
      session->drained.set();
      session->something.reset();
      co_await session->something.wait();
    }
    session->drained.reset();
    Bytes out;
    // What gathered while the last write was under way goes out as one.
    for (const Message& message : std::exchange(session->queue, {})) {
      ++stats_.messages_out;
      const Bytes plain = session->codec.encode(message);
      session->envelopes.sealer.seal(0, plain, out);
    }
    session->queued_bytes = 0;
    stats_.bytes_out += out.size();
    traffic_of(session->peer).bytes_out += out.size();
    if (auto written = co_await session->stream->write_all(out); !written) {
      session->stream->abort(written.error());
      co_return;
    }
  }
}

void Link::queue(const PeerId& to, Message message) {
  if (const auto it = sessions_.find(to); it != sessions_.end()) {
    Session& session = *it->second;
    const std::size_t size = weight(message);
    if (session.queue.size() >= options_.limits.queued_messages ||
        (session.queued_bytes + size > options_.limits.queued_bytes && !session.queue.empty())) {
      ++stats_.dropped;
      return;
    }
    session.queued_bytes += size;
    session.queue.push_back(std::move(message));
    session.something.set();
    return;
  }
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

void Link::pump() {
  for (Outgoing& out : mesh_.take_outgoing()) queue(out.to, std::move(out.message));
  bool woke = false;
  for (MeshEvent& event : mesh_.take_events()) {
    if (auto* result = std::get_if<FindResult>(&event)) {
      found_[result->find] = std::move(*result);
      woke = true;
    } else if (auto* done = std::get_if<InvalidateDone>(&event)) {
      told_[done->id] = *done;
      woke = true;
    } else if (auto* probed = std::get_if<ProbeDone>(&event)) {
      if (probed_.size() < options_.exchange.probes) probed_[probed->id] = *probed;
      woke = true;
    } else if (auto* stale = std::get_if<Invalidated>(&event); stale != nullptr && invalidated_) {
      invalidated_(*stale);
    } else if (auto* change = std::get_if<MemberChange>(&event); change != nullptr && member_changed_) {
      member_changed_(*change);
    }
  }
  if (woke) {
    events_.set();
    events_.reset();
  }
  timer_.arm_at(std::max(mesh_.next_deadline(), now()));
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

io::Task<FindResult> Link::find(LookupKey key, TokenTag tag, Version have) {
  const FindId id = mesh_.find(key, tag, have, now());
  bool answered = false;
  const Finally cleanup{[&] {
    if (answered) return;
    found_.erase(id);
    abandon(id, ReleaseOutcome::Failed);
  }};
  pump();
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

void Link::report(const PeerId& peer, bool proved) { mesh_.report(peer, proved, now()); }

io::Task<InvalidateDone> Link::invalidate(std::vector<GroupId> groups, bool drop) {
  const std::uint64_t id = mesh_.invalidate(std::move(groups), drop, now());
  pump();
  // The mesh ends every telling within its own limit; this is for one whose event went by.
  const TimePoint deadline = now() + 2 * options_.exchange.invalidate_wait;
  while (!told_.contains(id) && now() < deadline) co_await events_.wait_until(deadline);
  InvalidateDone done{.id = id};
  if (auto node = told_.extract(id)) done = node.mapped();
  co_return done;
}

io::Task<ProbeDone> Link::probe(PeerId peer) {
  const auto wall = host_.loop().wall_now().time_since_epoch();
  const std::uint64_t id =
      mesh_.probe(peer, std::chrono::duration_cast<std::chrono::milliseconds>(wall).count(), now());
  const Finally cleanup{[&] { probed_.erase(id); }};
  pump();
  while (!probed_.contains(id)) co_await events_.wait();
  co_return probed_.at(id);
}

void Link::pause(const TokenTag& bucket, Duration length) {
  mesh_.pause(bucket, length, now());
  pump();
}

void Link::resumed(const TokenTag& bucket) {
  mesh_.resumed(bucket, now());
  pump();
}

io::Task<void> Link::leave(Duration patience) {
  const TimePoint deadline = now() + patience;
  mesh_.drain(now());
  pump();
  const auto written = [this](TimePoint until) -> io::Task<void> {
    const auto sessions = sessions_;
    for (const auto& [peer, session] : sessions)
      if (!session->queue.empty()) co_await session->drained.wait_until(until);
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
  return stats;
}

}  // namespace ghmesh::mesh
