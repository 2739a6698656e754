// SPDX-License-Identifier: Apache-2.0
#include "names.hpp"

#include <gtest/gtest.h>

#include "io/manual_loop.hpp"
#include "io/memory_network.hpp"
#include "io/task_group.hpp"

namespace ghmesh::mesh {
namespace {

using multiformats::Multiaddr;
using testing::ElementsAre;

constexpr const char* kPeer = "/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
constexpr const char* kOther = "/p2p/12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq";

struct Names : testing::Test {
  std::vector<std::string> expand_text(const std::string& text, DiscoveryLimits limits = {}) {
    std::optional<Result<std::vector<Multiaddr>>> out;
    io::TaskGroup tasks(loop);
    tasks.spawn([](io::Task<Result<std::vector<Multiaddr>>> task, auto& o) -> io::Task<void> {
      o.emplace(co_await std::move(task));
    }(expand(*network, *Multiaddr::parse(text), limits), out));
    EXPECT_TRUE(loop.run_until([&] { return out.has_value(); }));
    std::vector<std::string> lines;
    if (*out) {
      for (const Multiaddr& each : **out) lines.push_back(each.text());
    } else {
      lines.push_back("error: " + out->error().message);
    }
    return lines;
  }
  io::ManualLoop loop;
  io::MemoryNetwork net{loop};
  std::unique_ptr<io::Network> network = net.host(io::IpAddress::v4(10, 0, 0, 1));
};

TEST_F(Names, AnAddressIsItself) {
  EXPECT_THAT(expand_text("/ip4/10.0.0.2/tcp/1"), ElementsAre("/ip4/10.0.0.2/tcp/1"));
}

TEST_F(Names, AHeadlessServiceIsAllItsPods) {
  net.set_name("ghmesh.ci.svc",
               {io::IpAddress::v4(10, 1, 0, 1), io::IpAddress::v4(10, 1, 0, 2), *io::IpAddress::parse("fd00::1")});
  EXPECT_THAT(expand_text("/dns4/ghmesh.ci.svc/tcp/9100"),
              ElementsAre("/ip4/10.1.0.1/tcp/9100", "/ip4/10.1.0.2/tcp/9100"));
  EXPECT_THAT(expand_text("/dns6/ghmesh.ci.svc/tcp/9100"), ElementsAre("/ip6/fd00::1/tcp/9100"));
  EXPECT_EQ(expand_text("/dns/ghmesh.ci.svc/tcp/9100").size(), 3u);
  EXPECT_THAT(
      expand_text(std::string("/dns4/ghmesh.ci.svc/tcp/9100") + kPeer),
      ElementsAre(std::string("/ip4/10.1.0.1/tcp/9100") + kPeer, std::string("/ip4/10.1.0.2/tcp/9100") + kPeer));
}

TEST_F(Names, DnsaddrReadsTextRecords) {
  net.set_text("_dnsaddr.fleet.example", {std::string("dnsaddr=/ip4/10.0.0.2/tcp/9100") + kPeer, "v=spf1 -all",
                                          "dnsaddr=nonsense", std::string("dnsaddr=/dns4/pod/tcp/9100") + kOther});
  net.set_name("pod", {io::IpAddress::v4(10, 0, 0, 3)});
  EXPECT_THAT(expand_text("/dnsaddr/fleet.example"), ElementsAre(std::string("/ip4/10.0.0.2/tcp/9100") + kPeer,
                                                                 std::string("/ip4/10.0.0.3/tcp/9100") + kOther));
  // With a peer named, only what ends with it.
  EXPECT_THAT(expand_text(std::string("/dnsaddr/fleet.example") + kOther),
              ElementsAre(std::string("/ip4/10.0.0.3/tcp/9100") + kOther));
}

TEST_F(Names, NamesThatLeadInCirclesEnd) {
  net.set_text("_dnsaddr.a", {"dnsaddr=/dnsaddr/b", "dnsaddr=/dnsaddr/b", "dnsaddr=/dnsaddr/a"});
  net.set_text("_dnsaddr.b", {"dnsaddr=/dnsaddr/a", "dnsaddr=/ip4/10.0.0.2/tcp/1"});
  EXPECT_THAT(expand_text("/dnsaddr/a"), ElementsAre("/ip4/10.0.0.2/tcp/1"));
}

TEST_F(Names, ResultsAreBounded) {
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.push_back("dnsaddr=/ip4/10.0.1." + std::to_string(i) + "/tcp/1");
  net.set_text("_dnsaddr.a", many);
  EXPECT_EQ(expand_text("/dnsaddr/a", {.name_results = 8}).size(), 8u);
}

TEST_F(Names, AnUnknownNameSaysSo) {
  EXPECT_THAT(expand_text("/dns4/nowhere/tcp/1"), ElementsAre(testing::HasSubstr("nowhere")));
  EXPECT_THAT(expand_text("/dnsaddr/nowhere"), ElementsAre(testing::HasSubstr("_dnsaddr.nowhere")));
}

}  // namespace
}  // namespace ghmesh::mesh
