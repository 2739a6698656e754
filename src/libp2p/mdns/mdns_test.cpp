// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "crypto/random.hpp"
#include "io/sockets.hpp"
#include "libp2p/mdns/discovery.hpp"
#include "libp2p/mdns/message.hpp"

namespace ghmesh::libp2p::mdns {
namespace {

using multiformats::Multiaddr;

constexpr const char* kPeer = "/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

std::vector<Multiaddr> some(std::size_t n) {
  std::vector<Multiaddr> out;
  for (std::size_t i = 0; i < n; ++i)
    out.push_back(*Multiaddr::parse("/ip4/192.0.2.1/tcp/" + std::to_string(1000 + i) + kPeer));
  return out;
}

TEST(MdnsMessage, Query) {
  EXPECT_EQ(to_hex(encode_query()), "000000000001000000000000045f703270045f756470056c6f63616c00000c0001");
  const auto message = decode(encode_query(), {});
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->asks_for_peers);
  EXPECT_TRUE(message->addresses.empty());
}

TEST(MdnsMessage, AnswerThereAndBackAndBounded) {
  const Limits limits;
  const auto few = decode(encode_answer("name", some(3), limits), limits);
  ASSERT_TRUE(few);
  EXPECT_FALSE(few->asks_for_peers);
  EXPECT_EQ(few->addresses, some(3));
  const Bytes many = encode_answer("name", some(100), limits);
  EXPECT_LE(many.size(), limits.answer);
  EXPECT_GT(decode(many, limits)->addresses.size(), 5u);
}

TEST(MdnsMessage, CompressedNamesAsOthersSendThem) {
  // A response whose TXT record's name is a label and a pointer to the question's name.
  Bytes packet = *from_hex(
      "000084000001000100000000045f703270045f756470056c6f63616c00000c0001"
      "0461626364c00c001000010000007800");
  const std::string text = std::string("dnsaddr=/ip4/10.0.0.1/tcp/9") + kPeer;
  packet.push_back(static_cast<std::uint8_t>(text.size() + 1));
  packet.push_back(static_cast<std::uint8_t>(text.size()));
  append(packet, text);
  const auto message = decode(packet, {});
  ASSERT_TRUE(message);
  ASSERT_EQ(message->addresses.size(), 1u);
  EXPECT_EQ(message->addresses[0].text(), std::string("/ip4/10.0.0.1/tcp/9") + kPeer);
}

TEST(MdnsMessage, PointerLoopsAndCutPacketsAreMalformed) {
  EXPECT_FALSE(decode(*from_hex("000000000001000000000000c00c000c0001"), {}));
  const Bytes whole = encode_answer("name", some(2), {});
  for (std::size_t n = 0; n + 1 < whole.size(); ++n) EXPECT_FALSE(decode(ByteView(whole).first(n), {})) << n;
}

enum class Outcome { Found, Lost, NoMulticast };

// Two on the interface that has this address.
Outcome find_each_other(const io::IpAddress& interface) {
  io::EpollLoop loop;
  crypto::SecureRandom random;
  const auto someone = [&] { return PeerId::from_key(PrivateKey::generate(random).public_key()); };
  const PeerId a = someone(), b = someone();
  // A port of its own, so that nobody else's mDNS is in the test.
  const auto port = static_cast<std::uint16_t>(20000 + random.below(20000));
  const Options options{.interface = interface, .port = port};
  const auto address = [](const PeerId& id) {
    return std::vector{*with_peer(*Multiaddr::parse("/ip4/127.0.0.1/tcp/4001"), id)};
  };
  std::set<std::string> found_by_a, found_by_b;
  auto first = Discovery::start(
      loop, random, a, [&] { return address(a); },
      [&](const PeerId& p, const Multiaddr& at) { found_by_a.insert(p.text() + at.text()); }, options);
  if (!first) return Outcome::NoMulticast;
  auto second = Discovery::start(
      loop, random, b, [&] { return address(b); },
      [&](const PeerId& p, const Multiaddr& at) { found_by_b.insert(p.text() + at.text()); }, options);
  (void)loop.run_until([&] { return !found_by_a.empty() && !found_by_b.empty(); }, 3s);
  const bool both = found_by_a == std::set{b.text() + "/ip4/127.0.0.1/tcp/4001"} &&
                    found_by_b == std::set{a.text() + "/ip4/127.0.0.1/tcp/4001"};
  return both ? Outcome::Found : Outcome::Lost;
}

TEST(MdnsDiscovery, TwoOnLoopbackFindEachOther) {
  const Outcome outcome = find_each_other(io::IpAddress::loopback());
  if (outcome == Outcome::NoMulticast) GTEST_SKIP() << "no multicast here";
  EXPECT_EQ(outcome, Outcome::Found);
}

// In a network of its own, so that nothing leaves the machine; loopback has no IPv6 multicast. Returns an exit status.
int ipv6_in_a_network_of_its_own() {
  constexpr int kNoNetwork = 77;
  const uid_t user = ::getuid();
  if (::unshare(CLONE_NEWNET) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return kNoNetwork;
    std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";  // so that ip keeps what we may
  }
  if (std::system("ip link add mdns0 type veth peer name mdns1 2>/dev/null") != 0) return kNoNetwork;
  for (const char* end : {"mdns0", "mdns1"})
    std::ofstream(std::string("/proc/sys/net/ipv6/conf/") + end + "/accept_dad") << 0;
  if (std::system("ip link set mdns0 up && ip link set mdns1 up") != 0) return kNoNetwork;
  io::EpollLoop loop;
  io::WorkPool pool(1, "resolver");
  const io::SocketNetwork network(loop, pool);
  std::vector<io::IpAddress> here;
  // The kernel gives the interface its link-local address in its own time.
  (void)loop.run_until([&] { return !(here = network.interface_addresses()).empty(); }, 3s);
  if (here.empty()) return kNoNetwork;
  return find_each_other(here[0]) == Outcome::Found ? 0 : 1;
}

TEST(MdnsDiscovery, TwoOnOneIpv6LinkFindEachOther) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(ipv6_in_a_network_of_its_own());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no network namespaces here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(MdnsDiscovery, AnAddressOfNoInterfaceIsNamed) {
  io::EpollLoop loop;
  crypto::SecureRandom random;
  const PeerId self = PeerId::from_key(PrivateKey::generate(random).public_key());
  const auto none = Discovery::start(
      loop, random, self, [] { return std::vector<Multiaddr>(); }, [](const PeerId&, const Multiaddr&) {},
      {.interface = *io::IpAddress::parse("2001:db8::77")});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::NotFound);
  EXPECT_NE(none.error().message.find("2001:db8::77"), std::string::npos);
}

}  // namespace
}  // namespace ghmesh::libp2p::mdns
