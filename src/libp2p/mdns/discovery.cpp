// SPDX-License-Identifier: Apache-2.0
#include "libp2p/mdns/discovery.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace ghmesh::libp2p::mdns {

namespace {

constexpr std::size_t kNameLength = 32;

// The number of the interface that has this IPv6 address; 0 if none has.
unsigned index_of(const io::IpAddress& address) {
  if (address.scope != 0) return address.scope;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return 0;
  unsigned index = 0;
  for (const ifaddrs* one = list; one != nullptr && index == 0; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET6) continue;
    sockaddr_in6 has{};
    std::memcpy(&has, one->ifa_addr, sizeof has);
    if (std::memcmp(&has.sin6_addr, address.octets.data(), address.octets.size()) == 0)
      index = ::if_nametoindex(one->ifa_name);
  }
  ::freeifaddrs(list);
  return index;
}

// The group of that interface, RFC 6762 §3.
io::Endpoint group_of(const Options& options) {
  io::Endpoint group{io::IpAddress::v4(224, 0, 0, 251), options.port};
  if (options.interface.v6) {
    group.address = *io::IpAddress::parse("ff02::fb");
    group.address.scope = index_of(options.interface);
  }
  return group;
}

bool set(int fd, int level, int name, const auto& value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// RFC 6762 §11: the hop limit is 255. Loop: other nodes of this machine hear us, too.
bool join(int fd, const Options& options, const io::Endpoint& group) {
  if (options.interface.v6) {
    ipv6_mreq membership{};
    std::memcpy(&membership.ipv6mr_multiaddr, group.address.octets.data(), sizeof membership.ipv6mr_multiaddr);
    membership.ipv6mr_interface = group.address.scope;
    const int index = static_cast<int>(group.address.scope);
    return set(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, membership) && set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index) &&
           set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255) && set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1);
  }
  ip_mreqn membership{};
  std::memcpy(&membership.imr_multiaddr, group.address.octets.data(), sizeof membership.imr_multiaddr);
  std::memcpy(&membership.imr_address, options.interface.octets.data(), sizeof membership.imr_address);
  constexpr std::uint8_t kHops = 255;
  constexpr std::uint8_t kLoop = 1;
  return set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership) && set(fd, IPPROTO_IP, IP_MULTICAST_IF, membership) &&
         set(fd, IPPROTO_IP, IP_MULTICAST_TTL, kHops) && set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, kLoop);
}

Result<int> open_socket(const Options& options, const io::Endpoint& group) {
  const bool v6 = options.interface.v6;
  if (v6 && group.address.scope == 0)
    return fail(ErrorCode::NotFound, "no interface has the address " + to_string(options.interface));
  const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail_errno(errno, "opening the mDNS socket");
  const auto give_up = [fd](const char* doing) -> Result<int> {
    const int reason = errno;
    ::close(fd);
    return fail_errno(reason, doing);
  };
  // Other responders of this machine use the port too.
  if (!set(fd, SOL_SOCKET, SO_REUSEADDR, 1) || !set(fd, SOL_SOCKET, SO_REUSEPORT, 1))
    return give_up("sharing the mDNS port");
  // What is said to IPv4's group is not this socket's.
  if (v6 && !set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) return give_up("sharing the mDNS port");
  sockaddr_storage at{};
  const socklen_t size = group.to_sockaddr(at);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&at), size) != 0) return give_up("binding the mDNS port");
  if (!join(fd, options, group)) return give_up("joining the mDNS group");
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
  State(io::EpollLoop& l, int fd, io::Endpoint to, Random& random, PeerId id, OwnAddresses own_addresses, OnPeer found,
        Options o)
      : io::TimerNode(l),
        options(std::move(o)),
        group(to),
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
    sockaddr_storage to{};
    const socklen_t size = group.to_sockaddr(to);
    // Lost like any datagram if it cannot be sent now.
    (void)::sendto(socket.fd(), packet.data(), packet.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
                   size);
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
  const io::Endpoint group;
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
  const io::Endpoint group = group_of(options);
  const Result<int> fd = open_socket(options, group);
  if (!fd) return std::unexpected(fd.error());
  return std::unique_ptr<Discovery>(new Discovery(
      std::make_unique<State>(loop, *fd, group, random, self, std::move(own), std::move(on_peer), std::move(options))));
}

}  // namespace ghmesh::libp2p::mdns
