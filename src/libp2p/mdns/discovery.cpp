// SPDX-License-Identifier: Apache-2.0
#include "libp2p/mdns/discovery.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace ghmesh::libp2p::mdns {

namespace {

constexpr std::uint8_t kGroup[4] = {224, 0, 0, 251};
constexpr std::size_t kNameLength = 32;

Result<int> open_socket(const Options& options) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail_errno(errno, "opening the mDNS socket");
  const auto give_up = [fd](const char* doing) -> Result<int> {
    const int reason = errno;
    ::close(fd);
    return fail_errno(reason, doing);
  };
  const int yes = 1;
  // Other responders of this machine use the port too.
  if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) != 0)
    return give_up("sharing the mDNS port");
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(options.port);
  std::memcpy(&at.sin_addr, kGroup, sizeof kGroup);
  sockaddr_storage storage{};
  std::memcpy(&storage, &at, sizeof at);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&storage), sizeof at) != 0) return give_up("binding the mDNS port");
  ip_mreqn membership{};
  std::memcpy(&membership.imr_multiaddr, kGroup, sizeof kGroup);
  std::memcpy(&membership.imr_address, options.interface.octets.data(), 4);
  const std::uint8_t hops = 255;  // RFC 6762 §11
  const std::uint8_t loop = 1;
  if (::setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership) != 0 ||
      ::setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &membership, sizeof membership) != 0 ||
      ::setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops) != 0 ||
      ::setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &loop, sizeof loop) != 0)
    return give_up("joining the mDNS group");
  return fd;
}

std::string random_name(Random& random) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string out;
  for (std::size_t i = 0; i < kNameLength; ++i) out += kLetters[random.below(kLetters.size())];
  return out;
}

// So many per second and as many at once.
struct Rate {
  double per_second;
  double tokens;
  TimePoint at;
  bool take(TimePoint now) {
    tokens = std::min(per_second, tokens + std::chrono::duration<double>(now - at).count() * per_second);
    at = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  }
};

}  // namespace

struct Discovery::State final : private io::Waiter, private io::TimerNode {
  State(io::EpollLoop& l, int fd, Random& random, PeerId id, OwnAddresses own_addresses, OnPeer found, Options o)
      : io::TimerNode(l),
        options(std::move(o)),
        socket(l, fd),
        name(random_name(random)),
        self(id),
        own(std::move(own_addresses)),
        on_peer(std::move(found)),
        answers{options.limits.answers_per_second, options.limits.answers_per_second, l.now()},
        packets{options.limits.packets_per_second, options.limits.packets_per_second, l.now()} {
    socket.wait_readable(*this);
    fire();
  }

  void send(const Bytes& packet) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(options.port);
    std::memcpy(&to.sin_addr, kGroup, sizeof kGroup);
    sockaddr_storage storage{};
    std::memcpy(&storage, &to, sizeof to);
    // Lost like any datagram if it cannot be sent now.
    (void)::sendto(socket.fd(), packet.data(), packet.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&storage),
                   sizeof to);
  }
  void run() override {
    std::uint8_t buffer[9001];
    while (true) {
      const ssize_t n = ::recv(socket.fd(), buffer, sizeof buffer, 0);
      if (n < 0) break;
      if (packets.take(TimerNode::loop().now())) take(ByteView(buffer, static_cast<std::size_t>(n)));
    }
    socket.set_empty();
    socket.wait_readable(*this);
  }
  void take(ByteView packet) {
    const auto message = decode(packet, options.limits);
    if (!message) return;
    if (message->asks_for_peers && answers.take(TimerNode::loop().now()))
      send(encode_answer(name, own(), options.limits));
    for (const auto& address : message->addresses)
      if (const auto peer = peer_of(address); peer && *peer != self)
        on_peer(*peer, address.decapsulate(multiformats::Protocol::P2p));
  }
  // Twice at the start, since the first may be lost; then slowly.
  void fire() override {
    send(encode_query());
    arm_after(std::exchange(asked, true) ? options.interval : std::chrono::seconds(1));
  }

  const Options options;
  io::Descriptor socket;
  const std::string name;
  const PeerId self;
  OwnAddresses own;
  OnPeer on_peer;
  Rate answers;
  Rate packets;
  bool asked = false;
};

Discovery::Discovery(std::unique_ptr<State> state) : state_(std::move(state)) {}
Discovery::~Discovery() = default;
void Discovery::query() { state_->send(encode_query()); }

Result<std::unique_ptr<Discovery>> Discovery::start(io::EpollLoop& loop, Random& random, PeerId self, OwnAddresses own,
                                                    OnPeer on_peer, Options options) {
  const Result<int> fd = open_socket(options);
  if (!fd) return std::unexpected(fd.error());
  return std::unique_ptr<Discovery>(new Discovery(
      std::make_unique<State>(loop, *fd, random, self, std::move(own), std::move(on_peer), std::move(options))));
}

}  // namespace ghmesh::libp2p::mdns
