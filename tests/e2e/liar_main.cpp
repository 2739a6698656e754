// SPDX-License-Identifier: Apache-2.0
// A member of a mesh that holds its secret and lies: for tests of what honest members make of it. It runs their own
// state machine, over a link that changes what it says.
//
//   GHMESH_SECRET=… ghmesh-test-liar KIND CONTACT
//
//   forged     one octet of every body that it hands out is another
//   wrong-mac  its proof of the secret is wrong by one bit
//   junk       octets in place of its envelopes
//   replay     each envelope twice
//   waits      to every question it says for as long as anybody may wait that somebody's fetch waits for its turn
//   silence    it answers to be alive, and nothing else
//   thief      it asks everybody for everything, and tells the truth
//
// Standard output: one line once it listens, one for every session that begins or ends, every question, and the text of
// every body that comes to it.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

#include "crypto/random.hpp"
#include "io/epoll_loop.hpp"
#include "io/sockets.hpp"
#include "io/sync.hpp"
#include "io/task_group.hpp"
#include "libp2p/host/host.hpp"
#include "mesh/admission/admission.hpp"
#include "mesh/exchange/mesh.hpp"
#include "mesh/wire/codec.hpp"

using namespace ghmesh;
using multiformats::Multiaddr;

namespace {

constexpr const char* kProtocol = "/ghmesh/mesh/1.0.0";
constexpr std::uint32_t kWhole = 0, kPart = 1;
constexpr std::size_t kUnsent = 64;

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

template <typename Change>
void each_item(mesh::Message& message, Change change) {
  const auto look = [&](mesh::ItemPtr& item) {
    if (item != nullptr) change(item);
  };
  if (auto* body = std::get_if<mesh::Body>(&message)) look(body->item);
  if (auto* put = std::get_if<mesh::Put>(&message)) look(put->item);
  if (auto* lease = std::get_if<mesh::Lease>(&message)) look(lease->item);
  if (auto* found = std::get_if<mesh::Found>(&message)) look(found->item);
  if (auto* chunk = std::get_if<mesh::Chunk>(&message))
    for (mesh::ChunkEntry& entry : chunk->entries) look(entry.item);
}

void forge(mesh::ItemPtr& item) {
  auto forged = std::make_shared<mesh::Item>(*item);
  if (!forged->body.empty()) forged->body[forged->body.size() / 2] ^= 1;
  item = std::move(forged);
}

class Liar {
 public:
  Liar(libp2p::Host& host, Random& random, mesh::Keyring keys, std::string kind)
      : host_(host),
        random_(random),
        keys_(std::move(keys)),
        kind_(std::move(kind)),
        mesh_(config(), random, host.loop().now()),
        timer_(host.loop(), [this] { tick(); }),
        tasks_(host.loop()) {
    host_.swarm().set_handler(kProtocol, [this](libp2p::PeerStream stream) -> io::Task<> {
      tasks_.spawn(serve(std::move(stream), false));
      co_return;
    });
    pump();
  }

  io::Task<> meet(Multiaddr address) {
    auto connection = co_await host_.swarm().dial(std::move(address));
    if (!connection) co_return;
    auto stream = (*connection)->open(kProtocol);
    if (stream) co_await serve(std::move(*stream), true);
  }
  void begin(const Multiaddr& contact) { tasks_.spawn(meet(contact)); }

 private:
  struct Session {
    Session(libp2p::PeerStream s, mesh::EnvelopePair pair, io::Loop& loop)
        : stream(std::move(s)), envelopes(std::move(pair)), something(loop) {}
    libp2p::PeerStream stream;
    mesh::EnvelopePair envelopes;
    mesh::Codec codec;
    Bytes out;
    Bytes parts;  // of a message that has not come whole
    io::Event something;
  };

  mesh::MeshConfig config() const {
    mesh::MeshConfig config;
    config.self.peer = host_.id();
    for (const auto& address : host_.addresses())
      config.self.addresses.emplace_back(address.bytes().begin(), address.bytes().end());
    config.started_ms = 1;
    return config;
  }
  TimePoint now() const { return host_.loop().now(); }

  io::Task<Result<mesh::EnvelopePair>> admit(libp2p::PeerStream& stream, bool dialer) {
    const ByteView binding = stream.connection->channel_binding();
    mesh::Admission admission(keys_,
                              {.role = dialer ? mesh::Role::Dialer : mesh::Role::Listener,
                               .self = host_.id(),
                               .remote = stream.peer,
                               .handshake_hash = {binding.begin(), binding.end()}},
                              random_);
    if (auto sent = co_await stream->write_all(admission.hello()); !sent) co_return std::unexpected(sent.error());
    while (admission.expects() != 0) {
      Bytes message(admission.expects());
      if (auto read = co_await stream->read_exact(message); !read) co_return std::unexpected(read.error());
      auto answer = admission.receive(message);
      if (!answer) co_return std::unexpected(answer.error());
      if (answer->empty()) continue;
      // A dialer proves under either of two secrets.
      if (kind_ == "wrong-mac") {
        answer->front() ^= 1;
        answer->back() ^= 1;
      }
      if (auto sent = co_await stream->write_all(*answer); !sent) co_return std::unexpected(sent.error());
    }
    co_return admission.take_envelopes();
  }

  io::Task<> serve(libp2p::PeerStream stream, bool dialer) {
    const libp2p::PeerId peer = stream.peer;
    auto pair = co_await admit(stream, dialer);
    if (!pair) {
      say("refused: " + pair.error().message);
      co_return;
    }
    const auto session = std::make_shared<Session>(std::move(stream), std::move(*pair), host_.loop());
    sessions_[peer].push_back(session);
    say("session " + peer.text());
    mesh_.on_connected(peer, {}, now());
    for (mesh::Message& message : std::exchange(unsent_[peer], {})) tell(*session, std::move(message));
    if (kind_ == "thief") ask_for_everything(peer);
    pump();
    {
      io::TaskGroup writer(host_.loop());
      writer.spawn(write(session));
      co_await read(session);
    }
    // Of two connections of one pair either may end: then the other session goes on.
    std::erase(sessions_.at(peer), session);
    if (sessions_.at(peer).empty()) {
      sessions_.erase(peer);
      dialled_.erase(peer);
    }
    say("over " + peer.text());
    mesh_.on_disconnected(peer, now());
    pump();
  }

  io::Task<> read(std::shared_ptr<Session> session) {
    Bytes buffer(64u << 10);
    while (true) {
      const auto n = co_await session->stream->read_some(buffer);
      if (!n || *n == 0) co_return;
      session->envelopes.opener.feed(ByteView(buffer).first(*n));
      while (true) {
        auto frame = session->envelopes.opener.next();
        if (!frame) co_return;
        if (!*frame) break;
        // Long messages come in parts, and short ones between them (doc/formats/mesh.md, "Envelope").
        Bytes whole;
        if ((*frame)->request != kWhole) {
          append(session->parts, (*frame)->plain);
          if ((*frame)->request == kPart) continue;
          whole = std::exchange(session->parts, {});
        }
        auto message = session->codec.decode(whole.empty() ? (*frame)->plain : ByteView(whole));
        if (!message) continue;
        each_item(*message, [](const mesh::ItemPtr& item) { say("body " + to_hex(item->body)); });
        if (const auto* ask = std::get_if<mesh::Ask>(&*message)) {
          say("asked " + session->stream.peer.text());
          if (kind_ == "waits") {
            promise(session->stream.peer, ask->id);
            continue;
          }
        }
        mesh_.on_message(session->stream.peer, *message, now());
      }
      pump();
    }
  }

  io::Task<> write(std::shared_ptr<Session> session) {
    while (true) {
      session->something.reset();
      const Bytes out = std::exchange(session->out, {});
      if (out.empty()) {
        co_await session->something.wait();
      } else if (!co_await session->stream->write_all(out)) {
        session->stream->abort(Error{ErrorCode::Closed, Fault::Peer, Retry::Later, "gone"});
        co_return;
      }
    }
  }

  void tell(Session& session, mesh::Message message) {
    const bool of_life = std::holds_alternative<mesh::Ping>(message) || std::holds_alternative<mesh::Pong>(message) ||
                         std::holds_alternative<mesh::News>(message) || std::holds_alternative<mesh::Sync>(message);
    if (kind_ == "silence" && !of_life) return;
    if (kind_ == "forged") each_item(message, forge);
    Bytes frame;
    session.envelopes.sealer.seal(0, session.codec.encode(message), frame);
    // Until it is known to them it behaves, so that it comes to own keys.
    const bool misbehaves = !of_life;
    if (kind_ == "junk" && misbehaves) random_.fill(std::span(frame).subspan(mesh::kFrameHeaderBytes));
    append(session.out, frame);
    if (kind_ == "replay" && misbehaves) append(session.out, frame);
    session.something.set();
  }

  void ask_for_everything(const libp2p::PeerId& peer) {
    for (std::uint8_t partition = 0; partition < mesh::kPartitions; ++partition)
      tell(*sessions_.at(peer).back(), mesh::Pull{.id = random_.next_u64() | 1, .partition = partition, .have = {}});
  }

  void promise(const libp2p::PeerId& peer, std::uint64_t ask) {
    promises_.push_back({peer, ask, now() + 40s});
    next_promises_ = now();
  }
  void keep_promising() {
    if (now() < next_promises_) return;
    std::erase_if(promises_, [&](const Promise& each) { return each.until < now() || !sessions_.contains(each.peer); });
    for (const Promise& each : promises_)
      tell(*sessions_.at(each.peer).back(), mesh::Wait{.id = each.ask, .next_ms = 1000, .what = mesh::Wait::For::Turn});
    next_promises_ = promises_.empty() ? TimePoint::max() : now() + 500ms;
  }

  void tick() {
    mesh_.tick(now());
    if (kind_ == "thief" && now() >= next_theft_) {
      next_theft_ = now() + 200ms;
      for (const auto& each : sessions_) ask_for_everything(each.first);
    }
    pump();
  }

  void pump() {
    for (mesh::Outgoing& out : mesh_.take_outgoing()) {
      if (const auto it = sessions_.find(out.to); it != sessions_.end()) {
        tell(*it->second.back(), std::move(out.message));
      } else if (const mesh::Member* member = mesh_.member(out.to); member != nullptr && !member->addresses.empty()) {
        if (auto& unsent = unsent_[out.to]; unsent.size() < kUnsent) unsent.push_back(std::move(out.message));
        auto address = Multiaddr::decode(member->addresses.front());
        if (address && dialled_.insert(out.to).second) begin(*address);
      }
    }
    static_cast<void>(mesh_.take_events());
    keep_promising();
    TimePoint next = std::min(mesh_.next_deadline(), next_promises_);
    if (kind_ == "thief") next = std::min(next, next_theft_);
    timer_.arm_at(std::max(next, now()));
  }

  libp2p::Host& host_;
  Random& random_;
  const mesh::Keyring keys_;
  const std::string kind_;
  mesh::Mesh mesh_;
  io::Timer timer_;
  std::map<libp2p::PeerId, std::vector<std::shared_ptr<Session>>> sessions_;  // the newest last
  std::map<libp2p::PeerId, std::vector<mesh::Message>> unsent_;               // until there is one
  std::set<libp2p::PeerId> dialled_;
  TimePoint next_theft_{};
  struct Promise {
    libp2p::PeerId peer;
    std::uint64_t ask;
    TimePoint until;
  };
  std::vector<Promise> promises_;
  TimePoint next_promises_ = TimePoint::max();
  io::TaskGroup tasks_;
};

int run(const std::string& kind, const std::string& text, std::string_view secret_text) {
  const Result<Multiaddr> contact = Multiaddr::parse(text);
  const Result<crypto::SecretBytes> secret = mesh::parse_secret(secret_text);
  if (!contact || !secret) {
    std::fprintf(stderr, "%s\n", (contact ? secret.error() : contact.error()).message.c_str());
    return 2;
  }
  io::EpollLoop loop;
  io::WorkPool pool(1, "resolve");
  io::SocketNetwork network(loop, pool);
  crypto::SecureRandom random;
  libp2p::Host host(network, random, {.key = libp2p::PrivateKey::generate(random)});
  if (auto bound = host.swarm().listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0")); !bound) {
    std::fprintf(stderr, "%s\n", bound.error().message.c_str());
    return 1;
  }
  mesh::Keyring keys{.current = mesh::MeshKeys::derive(secret->expose()), .also_accept = std::nullopt};
  Liar liar(host, random, std::move(keys), kind);
  say("liar " + host.id().text());
  liar.begin(*contact);
  loop.run();
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const char* secret = std::getenv("GHMESH_SECRET");
  if (count != 3 || secret == nullptr) {
    std::fprintf(stderr, "usage: GHMESH_SECRET=... ghmesh-test-liar KIND CONTACT\n");
    return 2;
  }
  return run(words[1], words[2], secret);
}
