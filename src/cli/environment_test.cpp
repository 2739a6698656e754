// SPDX-License-Identifier: Apache-2.0
#include "environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ghmesh::cli {
namespace {

using node::config::Variables;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;

constexpr const char* kUrl = "http://127.0.0.1:8418";

Variables with(std::map<std::string, std::string, std::less<>> set) { return Variables(std::move(set)); }

TEST(Environment, EveryToolIsLedToTheNode) {
  const PointedEnvironment out = point_at({.url = kUrl, .ca_out = "/run/ca", .gh_config_dir = "/run/gh"}, with({}));
  EXPECT_THAT(out.notes, IsEmpty());
  for (const char* name : {"GHMESH_URL", "HTTPS_PROXY", "https_proxy"}) EXPECT_EQ(out.set.at(name), kUrl) << name;
  for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"})
    EXPECT_EQ(out.set.at(name), "/run/ca/ca-bundle.pem") << name;
  EXPECT_EQ(out.set.at("NODE_EXTRA_CA_CERTS"), "/run/ca/ghmesh-ca.pem");
  EXPECT_EQ(out.set.at("GH_CONFIG_DIR"), "/run/gh");
  for (const char* host : {"localhost", "127.0.0.1", "::1", "169.254.169.254"})
    EXPECT_THAT(out.set.at("NO_PROXY"), HasSubstr(host));
  EXPECT_EQ(out.set.at("NO_PROXY"), out.set.at("no_proxy"));
  EXPECT_FALSE(out.set.contains("HTTP_PROXY"));
}

TEST(Environment, WithoutACaThereIsNoProxy) {
  EXPECT_THAT(point_at({.url = kUrl}, with({})).set, testing::ElementsAre(Pair("GHMESH_URL", kUrl)));
}

TEST(Environment, DirectHostsAreKept) {
  const auto extended = [](std::map<std::string, std::string, std::less<>> set) {
    return point_at({.url = kUrl, .ca_out = "/run/ca"}, with(std::move(set))).set.at("no_proxy");
  };
  EXPECT_THAT(extended({{"NO_PROXY", "corp.example, localhost"}}), StartsWith("corp.example, localhost,127.0.0.1,"));
  EXPECT_THAT(extended({{"NO_PROXY", "a.example"}, {"no_proxy", "b.example"}}), StartsWith("b.example,a.example,"));
  EXPECT_EQ(extended({{"NO_PROXY", "*"}}), "*");
}

TEST(Environment, AProxyThatIsSetAlreadyIsTheNodesWayOut) {
  const char* corp = "http://u:p@proxy.corp.example:3128";
  const Variables present = with({{"https_proxy", corp}, {"NO_PROXY", ".corp.example"}});
  const PointedEnvironment out =
      point_at({.url = kUrl, .ca_out = "/run/ca", .by_proxy = true, .chained = "https_proxy"}, present);
  EXPECT_EQ(out.set.at("https_proxy"), kUrl);
  EXPECT_EQ(out.set.at("GHMESH_UPSTREAM_PROXY"), corp);
  // That proxy may be the one way to hosts that are direct elsewhere.
  EXPECT_EQ(out.set.at("no_proxy"),
            ".corp.example,localhost,127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.169.254");
  EXPECT_THAT(out.notes, IsEmpty());
  // It was told to go another way, or none: then that is not to be undone for the next node.
  EXPECT_FALSE(
      point_at({.url = kUrl, .ca_out = "/run/ca", .by_proxy = true}, present).set.contains("GHMESH_UPSTREAM_PROXY"));
}

TEST(Environment, AProxyThatCannotBeTheWayOutStays) {
  const PointedEnvironment out = point_at({.url = kUrl, .ca_out = "/run/ca", .proxy_problem = "https_proxy is odd"},
                                          with({{"https_proxy", "socks5://proxy.corp.example"}}));
  EXPECT_THAT(out.set, testing::ElementsAre(Pair("GHMESH_URL", kUrl)));
  EXPECT_THAT(out.notes, testing::ElementsAre(StartsWith("https_proxy is odd; it stays")));
}

TEST(Environment, AskedTwiceItChangesNothing) {
  std::map<std::string, std::string, std::less<>> once = point_at({.url = kUrl, .ca_out = "/run/ca"}, with({})).set;
  EXPECT_THAT(point_at({.url = kUrl, .ca_out = "/run/ca"}, with(once)).set, IsEmpty());
  // And an earlier node's proxy makes room for its successor's.
  const PointedEnvironment moved = point_at({.url = "http://127.0.0.1:9", .ca_out = "/run/ca"}, with(once));
  EXPECT_EQ(moved.set.at("HTTPS_PROXY"), "http://127.0.0.1:9");
  EXPECT_THAT(moved.notes, IsEmpty());
}

TEST(Environment, NodeSeesTheUsersOwnRootsToo) {
  const PointedEnvironment out =
      point_at({.url = kUrl, .ca_out = "/run/ca"}, with({{"NODE_EXTRA_CA_CERTS", "/corp.pem"}}));
  EXPECT_EQ(out.set.at("NODE_EXTRA_CA_CERTS"), "/run/ca/ca-bundle.pem");
}

}  // namespace
}  // namespace ghmesh::cli
