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
  const PointedEnvironment out = point_at({kUrl, "/run/ca", "/run/gh"}, with({}));
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
  EXPECT_THAT(point_at({kUrl, {}, {}}, with({})).set, testing::ElementsAre(Pair("GHMESH_URL", kUrl)));
}

TEST(Environment, DirectHostsAreKept) {
  const auto extended = [](std::map<std::string, std::string, std::less<>> set) {
    return point_at({kUrl, "/run/ca", {}}, with(std::move(set))).set.at("no_proxy");
  };
  EXPECT_THAT(extended({{"NO_PROXY", "corp.example, localhost"}}), StartsWith("corp.example, localhost,127.0.0.1,"));
  EXPECT_THAT(extended({{"NO_PROXY", "a.example"}, {"no_proxy", "b.example"}}), StartsWith("b.example,a.example,"));
  EXPECT_EQ(extended({{"NO_PROXY", "*"}}), "*");
}

TEST(Environment, AProxyThatIsSetAlreadyStays) {
  const PointedEnvironment out =
      point_at({kUrl, "/run/ca", {}}, with({{"https_proxy", "http://proxy.corp.example:3128"}}));
  EXPECT_THAT(out.set, testing::ElementsAre(Pair("GHMESH_URL", kUrl)));
  EXPECT_THAT(out.notes, testing::ElementsAre(StartsWith("https_proxy is set and stays")));
}

TEST(Environment, AskedTwiceItChangesNothing) {
  std::map<std::string, std::string, std::less<>> once = point_at({kUrl, "/run/ca", {}}, with({})).set;
  EXPECT_THAT(point_at({kUrl, "/run/ca", {}}, with(once)).set, IsEmpty());
  // And an earlier node's proxy makes room for its successor's.
  const PointedEnvironment moved = point_at({"http://127.0.0.1:9", "/run/ca", {}}, with(once));
  EXPECT_EQ(moved.set.at("HTTPS_PROXY"), "http://127.0.0.1:9");
  EXPECT_THAT(moved.notes, IsEmpty());
}

TEST(Environment, NodeSeesTheUsersOwnRootsToo) {
  const PointedEnvironment out = point_at({kUrl, "/run/ca", {}}, with({{"NODE_EXTRA_CA_CERTS", "/corp.pem"}}));
  EXPECT_EQ(out.set.at("NODE_EXTRA_CA_CERTS"), "/run/ca/ca-bundle.pem");
}

}  // namespace
}  // namespace ghmesh::cli
