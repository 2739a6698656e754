// SPDX-License-Identifier: Apache-2.0
#include "libp2p/identify/identify.hpp"

#include <algorithm>

#include "libp2p/core/peer_record.hpp"
#include "libp2p/request/framing.hpp"

namespace ghmesh::libp2p::identify {

using multiformats::Multiaddr;

namespace {

// Of "name/version (more)", as agents call themselves.
std::string_view agent_name(std::string_view agent) { return agent.substr(0, agent.find_first_of("/ ")); }

}  // namespace

Identify::Identify(Swarm& swarm, Peerstore& peerstore, const PrivateKey& key, Options options)
    : swarm_(swarm),
      peerstore_(peerstore),
      key_(key),
      options_(std::move(options)),
      own_pushes_{options_.limits.push_burst, swarm.loop().now()},
      tasks_(swarm.loop()) {
  swarm_.set_handler(std::string(kProtocol), [this](PeerStream s) { return answer(std::move(s)); });
  swarm_.set_handler(std::string(kPushProtocol), [this](PeerStream s) { return receive_push(std::move(s)); });
  swarm_.on_connected([this](const std::shared_ptr<PeerConnection>& connection) {
    tasks_.spawn([](Identify& self, std::shared_ptr<PeerConnection> c) -> io::Task<void> {
      (void)co_await self.ask(std::move(c));
    }(*this, connection));
  });
  swarm_.on_disconnected([this](const std::shared_ptr<PeerConnection>& connection) {
    pushes_.erase(connection->peer());
    for (auto& [address, peers] : observed_) peers.erase(connection->peer());
    std::erase_if(observed_, [](const auto& entry) { return entry.second.empty(); });
  });
  swarm_.on_changed([this] {
    if (push_planned_) return;
    push_planned_ = true;
    tasks_.spawn(push_all());
  });
}

Identify::~Identify() {
  swarm_.remove_handler(kProtocol);
  swarm_.remove_handler(kPushProtocol);
}

std::vector<Multiaddr> Identify::own_addresses() const {
  std::vector<Multiaddr> out = options_.announce;
  if (!options_.announce_listeners) return out;
  for (Multiaddr& address : swarm_.listen_addresses())
    if (std::ranges::find(out, address) == out.end() && out.size() < options_.limits.addresses)
      out.push_back(std::move(address));
  return out;
}

Bytes Identify::make_message(const PeerConnection& to) const {
  Message message;
  message.public_key = key_.public_key().encode();
  message.listen_addresses = own_addresses();
  message.protocols = swarm_.protocols();
  message.observed_address = to.remote_address();
  message.protocol_version = options_.protocol_version;
  message.agent_version = options_.agent_version;
  // Peers keep the record with the highest sequence, over restarts of ours too; and never the same for two contents.
  const auto wall = swarm_.loop().wall_now().time_since_epoch();
  const auto millis = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(wall).count());
  sequence_ = std::max(sequence_ + 1, millis);
  message.signed_peer_record = sign_peer_record(key_, sequence_, message.listen_addresses);
  return encode(message);
}

io::Task<void> Identify::answer(PeerStream stream) {
  const io::StreamDeadline deadline(*stream, options_.limits.deadline, "telling who we are");
  const Bytes message = make_message(*stream.connection);
  if (co_await write_frame(*stream, message)) stream->shutdown_write();
}

io::Task<Result<Message>> Identify::read_message(PeerStream& stream) {
  const io::StreamDeadline deadline(*stream, options_.limits.deadline, "learning who the peer is");
  FrameReader reader(*stream, options_.limits.message);
  Message message;
  std::size_t total = 0;
  for (std::size_t parts = 0; parts <= options_.limits.parts; ++parts) {
    const auto part = co_await reader.next();
    if (!part) co_return std::unexpected(part.error());
    if (!*part && parts == 0) break;
    if (!*part) co_return message;
    total += (*part)->size();
    if (total > options_.limits.message) break;
    if (Result<> fine = decode_into(message, **part, options_.limits); !fine) co_return std::unexpected(fine.error());
  }
  co_return fail(ErrorCode::Limit, "identify: an empty message, too many parts or too many octets", Fault::Peer);
}

io::Task<Result<>> Identify::ask(std::shared_ptr<PeerConnection> connection) {
  if (const auto it = asking_->find(connection.get()); it != asking_->end()) {
    const std::shared_ptr<Asking> other = it->second;
    co_await other->done.wait();
    co_return *other->result;
  }
  const auto asking = std::make_shared<Asking>(swarm_.loop());
  asking_->emplace(connection.get(), asking);
  // Also when this task is destroyed: whoever waits shall not wait for ever.
  struct Answer {
    std::shared_ptr<AskingTable> table;
    const PeerConnection* key;
    std::shared_ptr<Asking> asking;
    ~Answer() {
      if (!asking->result) asking->result = fail(ErrorCode::Cancelled, "identify: whoever asked has left");
      table->erase(key);
      asking->done.set();
    }
  } const answer{asking_, connection.get(), asking};
  asking->result = co_await ask_once(connection);
  co_return *asking->result;
}

io::Task<Result<>> Identify::ask_once(std::shared_ptr<PeerConnection> connection) {
  Result<PeerStream> stream = connection->open(kProtocol);
  if (!stream) co_return std::unexpected(stream.error());
  Result<Message> message = co_await read_message(*stream);
  if (!message) co_return std::unexpected(message.error());
  (*stream)->shutdown_write();
  if (Result<> fine = learn(*connection, std::move(*message), false); !fine) co_return fine;
  for (const auto& listener : identified_) listener(connection);
  co_return Result<>();
}

// A handler's stream proves which peer speaks; only that peer can be spoken about.
Result<> Identify::learn(PeerConnection& connection, Message message, bool push) {
  RemoteInfo& info = connection.info();
  if (message.public_key && !equal(*message.public_key, connection.peer_key().encode()))
    return fail(ErrorCode::Authentic, "identify: another key than the connection's", Fault::Peer);
  const TimePoint now = swarm_.loop().now();
  const Limits& limits = options_.limits;
  if (message.signed_peer_record) {
    const auto record = open_peer_record(*message.signed_peer_record, options_.accept_keys);
    if (record && record->peer == connection.peer()) {
      info.certified = true;
      PeerRecord kept = *record;
      if (kept.addresses.size() > limits.addresses) kept.addresses.resize(limits.addresses);
      peerstore_.add_certified(kept, limits.address_ttl, now);
    }
  }
  peerstore_.add(connection.peer(), message.listen_addresses, limits.address_ttl, now);
  if (message.protocol_version) info.protocol_version = std::move(*message.protocol_version);
  if (message.agent_version) info.agent_version = std::move(*message.agent_version);
  info.same_kind = agent_name(info.agent_version) == agent_name(options_.agent_version);
  if (!push || !message.protocols.empty()) info.protocols = std::move(message.protocols);
  if (message.observed_address) {
    info.observed_address = message.observed_address;
    note_observed(connection, *message.observed_address);
  }
  return {};
}

void Identify::note_observed(const PeerConnection& connection, const Multiaddr& address) {
  for (auto& [known, peers] : observed_) peers.erase(connection.peer());
  std::erase_if(observed_, [](const auto& entry) { return entry.second.empty(); });
  if (observed_.size() < options_.limits.observed_addresses) observed_[address].insert(connection.peer());
}

std::vector<Multiaddr> Identify::observed_addresses() const {
  std::vector<Multiaddr> out;
  for (const auto& [address, peers] : observed_)
    if (peers.size() >= options_.limits.observers) out.push_back(address);
  return out;
}

bool Identify::take(Bucket& bucket) {
  const Limits& limits = options_.limits;
  const TimePoint now = swarm_.loop().now();
  const double seconds = std::chrono::duration<double>(now - bucket.at).count();
  bucket = {std::min(limits.push_burst, bucket.tokens + seconds * limits.pushes_per_second), now};
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

bool Identify::take_push(const PeerId& peer) {
  return take(pushes_.try_emplace(peer, Bucket{options_.limits.push_burst, swarm_.loop().now()}).first->second);
}

io::Task<void> Identify::receive_push(PeerStream stream) {
  if (!take_push(stream.peer)) co_return;
  Result<Message> message = co_await read_message(stream);
  if (!message) co_return;
  stream->shutdown_write();
  if (!learn(*stream.connection, std::move(*message), true)) co_return;
  for (const auto& listener : identified_) listener(stream.connection);
}

io::Task<void> Identify::push_all() {
  co_await swarm_.loop().sleep_for(options_.limits.push_delay);
  // Not faster than a peer with our limits takes them.
  while (!take(own_pushes_)) co_await swarm_.loop().sleep_for(options_.limits.push_delay);
  push_planned_ = false;
  for (const auto& connection : swarm_.connections()) {
    const auto& known = connection->info().protocols;
    if (std::ranges::find(known, kPushProtocol) != known.end()) tasks_.spawn(push_one(connection));
  }
}

io::Task<void> Identify::push_one(std::shared_ptr<PeerConnection> connection) {
  Result<PeerStream> stream = connection->open(kPushProtocol);
  if (!stream) co_return;
  const io::StreamDeadline deadline(**stream, options_.limits.deadline, "pushing who we are");
  const Bytes message = make_message(*connection);
  if (!co_await write_frame(**stream, message)) co_return;
  (*stream)->shutdown_write();
  std::uint8_t one;
  (void)co_await (*stream)->read_some({&one, 1});
}

}  // namespace ghmesh::libp2p::identify
