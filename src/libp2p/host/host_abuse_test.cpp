// SPDX-License-Identifier: Apache-2.0
// The public classes of attack (go-, js-, rust-, py-libp2p's advisories) against a whole host over real loopback
// sockets. Each ends with an honest peer's ping, and with memory where it was.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <fstream>

#include "crypto/random.hpp"
#include "io/epoll_loop.hpp"
#include "io/sockets.hpp"
#include "libp2p/core/protobuf.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/multistream/negotiate.hpp"
#include "libp2p/request/request.hpp"
#include "libp2p/yamux/frame.hpp"
#include "multiformats/varint.hpp"

namespace ghmesh::libp2p {
namespace {

using multiformats::Multiaddr;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GHMESH_TEST_SANITIZED 1
#endif
#endif
#if defined(GHMESH_TEST_SANITIZED)
// A sanitizer keeps what was freed: resident memory says nothing then.
constexpr bool kMemoryIsOurs = false;
#else
constexpr bool kMemoryIsOurs = true;
#endif

constexpr std::uint64_t kBomb = std::uint64_t{1} << 60;
constexpr std::int64_t kKiB = 1024;

std::int64_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0, pages = 0;
  statm >> size >> pages;
  return pages * ::sysconf(_SC_PAGESIZE);
}

void expect_growth_below(std::int64_t before, std::int64_t bound) {
  if (kMemoryIsOurs) EXPECT_LE(resident() - before, bound);
}

double thread_cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// Many peers of this machine come in turn: the rate per address, tested elsewhere, is out of the way.
resource::Limits busy_limits() {
  resource::Limits limits;
  limits.loopback_accepts_per_second = limits.loopback_accept_burst = 1e6;
  return limits;
}

class HostAbuse : public testing::Test {
 public:
  std::unique_ptr<Host> make_host(resource::Limits limits = {}) {
    HostOptions options{.key = PrivateKey::generate(random_)};
    options.resources = std::move(limits);
    options.swarm.first_back_off = 1ms;
    return std::make_unique<Host>(network_, random_, std::move(options));
  }
  // The victim, with one protocol of framed requests.
  std::unique_ptr<Host> make_victim(resource::Limits limits, const char* at = "/ip4/127.0.0.1/tcp/0") {
    auto victim = make_host(std::move(limits));
    EXPECT_TRUE(victim->swarm().listen(*Multiaddr::parse(at)));
    serve_requests(victim->swarm(), "/up/1.0.0", [](PeerId, Bytes m) -> io::Task<Result<Bytes>> { co_return m; });
    return victim;
  }
  template <typename T>
  T run(io::Task<T> task) {
    std::optional<T> out;
    tasks_.spawn([](io::Task<T> t, std::optional<T>& o) -> io::Task<void> { o.emplace(co_await std::move(t)); }(
                                                            std::move(task), out));
    EXPECT_TRUE(loop_.run_until([&] { return out.has_value(); }, 20s));
    return std::move(*out);
  }
  void settle() {
    (void)loop_.run_until([] { return false; }, 30ms);
  }
  io::Task<bool> pinged(Host& from, Multiaddr to) {
    const auto connection = co_await from.swarm().dial(std::move(to));
    if (!connection) co_return false;
    auto pinger = ping::Pinger::open(**connection, random_);
    co_return pinger&& co_await pinger->ping();
  }
  void expect_honest_peer_is_served(Host& victim) {
    auto honest = make_host();
    EXPECT_TRUE(run(pinged(*honest, victim.addresses()[0])));
  }

  // A peer that speaks multistream-select and Noise by the book and is then on its own.
  io::Task<std::unique_ptr<io::Stream>> raw_secured(Host& victim) {
    auto raw = co_await network_.dial(endpoint_of(victim));
    if (!raw) co_return nullptr;
    if (!co_await multistream::select(**raw, {"/noise"})) co_return nullptr;
    auto secured = co_await mallory_.secure(std::move(*raw), Direction::Outbound, std::nullopt);
    co_return secured ? std::move(secured->stream) : nullptr;
  }
  io::Endpoint endpoint_of(Host& victim) const {
    const std::string text = victim.swarm().listen_addresses()[0].text();
    return {io::IpAddress::loopback(), static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind('/') + 1)))};
  }

  io::EpollLoop loop_;
  io::WorkPool pool_{1, "resolver"};
  io::SocketNetwork network_{loop_, pool_};
  crypto::SecureRandom random_;
  PrivateKey mallory_key_ = PrivateKey::generate(random_);
  noise::LocalIdentity mallory_identity_{mallory_key_, {"/yamux/1.0.0"}, random_};
  noise::NoiseSecurity mallory_{mallory_identity_, random_};
  io::TaskGroup tasks_{loop_};
};

Bytes bomb() {
  Bytes out;
  multiformats::append_varint(out, kBomb);
  append(out, as_bytes("and a few octets"));
  return out;
}

// Sends what it is given and stays; true once the other side has ended the stream or the connection.
io::Task<bool> ends(io::Stream& stream, Bytes sent) {
  (void)co_await stream.write_all(sent);
  Bytes block(4096);
  const io::StreamDeadline deadline(stream, 15s, "waiting for the end");
  while (true) {
    const auto n = co_await stream.read_some(block);
    if (!n) co_return n.error().code != ErrorCode::Timeout;
    if (*n == 0) co_return true;
  }
}

// A32: ten thousand connections from many addresses, none of which says anything, all held open as far as descriptors
// allow. Limits are a node's.
TEST_F(HostAbuse, A32_HalfOpenFlood) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const std::size_t held_most = std::min<std::size_t>(10000, files.rlim_cur / 2);
  auto victim = make_victim({});
  auto honest = make_host();
  const io::Endpoint to = endpoint_of(*victim);
  std::deque<int> held;
  int opened = 0;
  const std::int64_t before = resident();
  tasks_.spawn([](io::Loop& loop, io::Endpoint at, std::deque<int>& fds, std::size_t most, int& n) -> io::Task<void> {
    for (; n < 10000; ++n) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      sockaddr_in from{};
      from.sin_family = AF_INET;
      from.sin_addr.s_addr = htonl(0x7f010001u + static_cast<std::uint32_t>(n % 250));
      (void)::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from);
      sockaddr_in victim_at = from;
      victim_at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      victim_at.sin_port = htons(at.port);
      (void)::connect(fd, reinterpret_cast<const sockaddr*>(&victim_at), sizeof victim_at);
      fds.push_back(fd);
      if (fds.size() > most) {
        ::close(fds.front());
        fds.pop_front();
      }
      if (n % 20 == 19) co_await loop.yield();
    }
  }(loop_, to, held, held_most, opened));
  EXPECT_TRUE(loop_.run_until([&] { return opened == 10000; }, 20s));
  // The flood is in the queue of the listener and in the victim's hands; the honest peer comes behind it and tries as a
  // mesh does, again after a refusal.
  const TimePoint begin = loop_.now();
  bool joined = false;
  for (int i = 0; i < 20 && !joined; ++i) {
    joined = run(pinged(*honest, victim->addresses()[0]));
    if (!joined) (void)loop_.run_until([] { return false; }, 50ms);
  }
  EXPECT_TRUE(joined);
  EXPECT_LE(loop_.now() - begin, 2s);
  EXPECT_LE(victim->resources().usage().transient_connections, victim->resources().limits().transient_connections);
  expect_growth_below(before, 4096 * kKiB);
  for (const int fd : held) ::close(fd);
}

// A27: a length of 2^60 on every framed protocol, in both roles.
TEST_F(HostAbuse, A27_LengthBombs) {
  auto victim = make_victim(busy_limits());
  auto attacker = make_host();
  for (const auto protocol : {identify::kProtocol})
    attacker->swarm().set_handler(std::string(protocol),
                                  [](PeerStream s) -> io::Task<void> { (void)co_await ends(*s, bomb()); });
  const auto connection = run(attacker->swarm().dial(victim->addresses()[0]));
  ASSERT_TRUE(connection);
  const auto round = [&] {
    for (const std::string_view protocol : {std::string_view("/up/1.0.0"), identify::kPushProtocol}) {
      Result<PeerStream> stream = (*connection)->open(protocol);
      ASSERT_TRUE(stream);
      EXPECT_TRUE(run(ends(**stream, bomb()))) << protocol;
    }
    // The victim asks and is answered with a bomb.
    const auto back = victim->swarm().connection(attacker->id());
    ASSERT_TRUE(back);
    EXPECT_FALSE(run(victim->identify().ask(back)));
    // multistream-select on the socket and the 2-byte length of Noise.
    auto socket = run(network_.dial(endpoint_of(*victim)));
    ASSERT_TRUE(socket);
    EXPECT_TRUE(run(ends(**socket, bomb())));
    socket = run(network_.dial(endpoint_of(*victim)));
    ASSERT_TRUE(run(multistream::select(**socket, {"/noise"})));
    EXPECT_TRUE(run(ends(**socket, Bytes{0xff, 0xff, 1, 2, 3})));
    settle();
  };
  round();
  const std::int64_t before = resident();
  for (int i = 0; i < 5; ++i) round();
  expect_growth_below(before, 64 * kKiB);
  expect_honest_peer_is_served(*victim);
}

Bytes frames(int n, yamux::FrameHeader header) {
  Bytes out;
  for (int i = 0; i < n; ++i, header.stream += 2) append(out, ByteView(yamux::encode_header(header)));
  return out;
}

// A26: the advisories of yamux implementations, behind a proper handshake.
TEST_F(HostAbuse, A26_YamuxFloodAndOverflow) {
  using yamux::FrameType;
  auto victim = make_victim(busy_limits());
  const auto attack = [&](Bytes octets) {
    auto stream = run(raw_secured(*victim));
    ASSERT_TRUE(stream);
    EXPECT_TRUE(run(ends(*stream, std::move(octets))));
    stream.reset();
    settle();
  };
  Bytes overflow = frames(1, {FrameType::WindowUpdate, yamux::kSyn, 1, 0});
  append(overflow, frames(1, {FrameType::WindowUpdate, 0, 1, 0xffffffff}));
  const std::vector<Bytes> attacks{
      frames(20000, {FrameType::WindowUpdate, yamux::kSyn, 1, 0}),        // stream flood
      frames(20000, {FrameType::Data, yamux::kSyn | yamux::kRst, 1, 0}),  // rapid reset
      overflow,                                                           // window overflow
      frames(1, {FrameType::WindowUpdate, yamux::kSyn, 1, 0xffffffff}),   // the same on the opening frame
      frames(1, {FrameType::Data, yamux::kSyn, 1, 256 * 1024 + 1}),       // oversized SYN data
      frames(1, {FrameType::Data, yamux::kSyn, 1, 0xffffffff}),           // 4 GiB announced
      frames(1, {FrameType::Data, 0, 0, 1}),                              // stream 0
      frames(1, {static_cast<FrameType>(9), 0, 0, 0}),                    // no such type
  };
  for (const Bytes& octets : attacks) attack(octets);
  const std::int64_t before = resident();
  for (const Bytes& octets : attacks) attack(octets);
  expect_growth_below(before, 256 * kKiB);
  EXPECT_EQ(victim->resources().usage().streams, 0u);
  EXPECT_EQ(victim->resources().usage().memory, 0u);
  expect_honest_peer_is_served(*victim);
}

// A26: all windows of all streams filled by a peer whose streams nobody reads.
TEST_F(HostAbuse, A26_FilledWindowsStayWithinTheConnectionsMemory) {
  auto victim = make_victim(busy_limits());
  victim->swarm().set_handler("/sink/1.0.0", [](PeerStream s) -> io::Task<void> {
    co_await s->loop().sleep_for(1h);  // never reads
  });
  auto attacker = make_host();
  const std::int64_t before = resident();
  const auto connection = run(attacker->swarm().dial(victim->addresses()[0]));
  ASSERT_TRUE(connection);
  std::vector<PeerStream> streams;
  io::TaskGroup writers(loop_);
  const Bytes block(64 * 1024);
  for (int i = 0; i < 64; ++i) {
    Result<PeerStream> stream = (*connection)->open("/sink/1.0.0");
    if (!stream) break;
    streams.push_back(std::move(*stream));
  }
  EXPECT_GE(streams.size(), 16u);
  for (PeerStream& stream : streams)
    writers.spawn([](io::Stream& s, ByteView b) -> io::Task<void> {
      while (co_await s.write_all(b)) continue;
    }(*stream, block));
  (void)loop_.run_until([] { return false; }, 500ms);
  EXPECT_LE(victim->resources().usage().memory, victim->resources().limits().memory_per_connection);
  // Both ends live here: what the victim holds, and the attacker's own buffers.
  expect_growth_below(before, static_cast<std::int64_t>(victim->resources().limits().memory_per_connection) * 3 / 2);
  expect_honest_peer_is_served(*victim);
}

// A28: identities come and go, each with as much to say about itself as fits.
TEST_F(HostAbuse, A28_IdentifyGrowth) {
  auto victim = make_victim(busy_limits());
  const auto talkative = [&] {
    HostOptions options{.key = PrivateKey::generate(random_)};
    for (int i = 0; i < 200; ++i)
      options.identify.announce.push_back(*Multiaddr::parse("/ip4/10.9.8." + std::to_string(i) + "/tcp/4001"));
    options.identify.agent_version = std::string(1000, 'a');
    Host attacker(network_, random_, std::move(options));
    for (int i = 0; i < 60; ++i)
      attacker.swarm().set_handler("/talk/" + std::to_string(i), [](PeerStream) -> io::Task<void> { co_return; });
    ASSERT_TRUE(run(attacker.swarm().dial(victim->addresses()[0])));
    const auto seen = [&] { return victim->swarm().connection(attacker.id()) != nullptr; };
    ASSERT_TRUE(loop_.run_until(seen, 5s));
    const auto connection = victim->swarm().connection(attacker.id());
    ASSERT_TRUE(run(victim->identify().ask(connection)));
    EXPECT_LE(connection->info().protocols.size(), identify::Limits{}.protocols);
    EXPECT_LE(connection->info().agent_version.size(), identify::Limits{}.version);
    EXPECT_LE(victim->peerstore().addresses(attacker.id(), loop_.now()).size(), 8u);
    attacker.swarm().disconnect(victim->id(), {ErrorCode::Cancelled, Fault::Local, Retry::No, "said it all"});
    ASSERT_TRUE(loop_.run_until([&] { return !seen(); }, 5s));
  };
  // More than the 256 peers that are remembered.
  for (int i = 0; i < 300; ++i) talkative();
  const std::int64_t before = resident();
  for (int i = 0; i < 150; ++i) talkative();
  expect_growth_below(before, 256 * kKiB);
  expect_honest_peer_is_served(*victim);
}

// A29: an RSA key of 16,384 bits as the identity of who dials: over the size of any key. One of 8,192 bits, where RSA
// was not asked for, is refused by its type.
TEST_F(HostAbuse, A29_HugeRsaKeyCostsNothing) {
  const auto claims = [](std::size_t octets) {
    Bytes key;
    ProtoWriter(key).varint(1, static_cast<std::uint64_t>(KeyType::Rsa)).bytes(2, Bytes(octets, 0x7f));
    Bytes said;
    ProtoWriter(said).bytes(1, key).bytes(2, Bytes(512, 1));
    return said;
  };
  const crypto::X25519PublicKey static_key = mallory_identity_.static_key().public_key;
  const Bytes payload = claims(2100);
  const double begin = thread_cpu_seconds();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(noise::verify_payload(payload, static_key, {}).error().code, ErrorCode::Limit);
    EXPECT_EQ(noise::verify_payload(claims(1062), static_key, {}).error().code, ErrorCode::Refused);
  }
  EXPECT_LE((thread_cpu_seconds() - begin) / 200, 0.001);

  auto victim = make_victim(busy_limits());
  const auto attack = [&] {
    return run([](HostAbuse& self, Host& to, ByteView said) -> io::Task<bool> {
      auto raw = co_await self.network_.dial(self.endpoint_of(to));
      if (!raw || !co_await multistream::select(**raw, {"/noise"})) co_return false;
      noise::Handshake shake(noise::Role::Initiator, crypto::X25519KeyPair::generate(self.random_),
                             crypto::X25519KeyPair::generate(self.random_));
      const auto send = [&](ByteView text) {
        Bytes frame(noise::kFrameHeader);
        EXPECT_TRUE(shake.write(text, frame));
        store_be(frame.data(), static_cast<std::uint16_t>(frame.size() - noise::kFrameHeader));
        return frame;
      };
      const Bytes first = send({});
      if (!co_await (*raw)->write_all(first)) co_return false;
      std::uint8_t size[2];
      if (!co_await (*raw)->read_exact(size)) co_return false;
      Bytes second(load_be<std::uint16_t>(size));
      if (!co_await (*raw)->read_exact(second) || !shake.read(second)) co_return false;
      co_return co_await ends(**raw, send(said));
    }(*this, *victim, payload));
  };
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(attack());
  const std::int64_t before = resident();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(attack());
  expect_growth_below(before, 64 * kKiB);
  EXPECT_TRUE(victim->swarm().connections().empty());
  expect_honest_peer_is_served(*victim);
}

// A31: what is not built cannot be attacked.
TEST_F(HostAbuse, A31_NoGossipNoMplexNoDht) {
  auto victim = make_victim(busy_limits());
  auto peer = make_host();
  const auto connection = run(peer->swarm().dial(victim->addresses()[0]));
  ASSERT_TRUE(connection);
  const auto round = [&] {
    for (const char* protocol : {"/meshsub/1.1.0", "/floodsub/1.0.0", "/ipfs/kad/1.0.0", "/mplex/6.7.0", "ls"})
      EXPECT_FALSE(run((*connection)->open_agreed({protocol}))) << protocol;
  };
  for (int i = 0; i < 20; ++i) round();
  const std::int64_t before = resident();
  for (int i = 0; i < 100; ++i) round();
  settle();
  expect_growth_below(before, 64 * kKiB);
  EXPECT_EQ(victim->resources().usage().memory, 0u);
  expect_honest_peer_is_served(*victim);
}

// A33: somebody on the network says that the honest peer lives where the liar does.
TEST_F(HostAbuse, A33_LiesAboutAddressesReachNobodyElse) {
  auto honest = make_victim(busy_limits());
  auto liar = make_victim(busy_limits());
  auto node = make_host();
  const auto address_of = [](Host& host) { return host.swarm().listen_addresses()[0]; };
  const auto told = [&](std::vector<Multiaddr> addresses) {
    node->peerstore().add(honest->id(), std::move(addresses), 1h, loop_.now());
  };
  told({address_of(*liar)});
  EXPECT_FALSE(run(node->swarm().connect(honest->id())));
  EXPECT_TRUE(node->swarm().connections().empty());
  told({address_of(*liar), address_of(*honest)});
  settle();  // the back-off after the failed dial
  const auto connection = run(node->swarm().connect(honest->id()));
  ASSERT_TRUE(connection);
  EXPECT_EQ((*connection)->peer(), honest->id());
  EXPECT_TRUE(liar->swarm().connections().empty());
  // Lies without end, about everybody: what is remembered of them is bounded.
  const auto lie = [&](int n) {
    for (int i = 0; i < n; ++i) {
      const PeerId nobody = PeerId::from_key(PrivateKey::generate(random_).public_key());
      std::vector<Multiaddr> places;
      for (int k = 0; k < 20; ++k)
        places.push_back(
            *Multiaddr::parse("/ip4/10.1." + std::to_string(k) + "." + std::to_string(i % 250) + "/tcp/1"));
      node->peerstore().add(nobody, places, 1h, loop_.now());
    }
  };
  lie(1000);
  const std::int64_t before = resident();
  lie(3000);
  expect_growth_below(before, 64 * kKiB);
  EXPECT_LE(node->peerstore().size(), Peerstore::Limits{}.peers);
  EXPECT_TRUE(run(pinged(*make_host(), address_of(*honest))));
}

TEST_F(HostAbuse, Ipv6LoopbackWorksToo) {
  auto victim = make_host();
  if (!victim->swarm().listen(*Multiaddr::parse("/ip6/::1/tcp/0"))) GTEST_SKIP() << "no IPv6 on this machine";
  auto honest = make_host();
  EXPECT_TRUE(victim->addresses()[0].text().starts_with("/ip6/::1/tcp/"));
  EXPECT_TRUE(run(pinged(*honest, victim->addresses()[0])));
  EXPECT_TRUE(run(victim->identify().ask(victim->swarm().connection(honest->id()))));
}

}  // namespace
}  // namespace ghmesh::libp2p
