// SPDX-License-Identifier: Apache-2.0
#include "proxy/tunnel_rules.hpp"

#include <gtest/gtest.h>

namespace ghmesh::proxy {
namespace {

const AuthorityRules& authorities() {
  static const AuthorityRules rules(*http::parse_url("https://api.github.com"));
  return rules;
}

TunnelTo decide(TunnelPolicy policy, const char* authority) {
  return TunnelRules(authorities(), {policy, {"api.github.com:443"}, {"registry.corp.example", "*.lan.example"}})
      .decide(authority);
}

TEST(TunnelRules, TheApiIsAnsweredHereUnderItsOwnPortAlone) {
  for (const TunnelPolicy policy : {TunnelPolicy::Public, TunnelPolicy::GitHub}) {
    EXPECT_EQ(decide(policy, "api.github.com:443"), TunnelTo::Here);
    EXPECT_EQ(decide(policy, "API.GitHub.com:443"), TunnelTo::Here);
  }
  EXPECT_EQ(decide(TunnelPolicy::Public, "api.github.com:8443"), TunnelTo::Public);
  EXPECT_EQ(decide(TunnelPolicy::GitHub, "api.github.com:8443"), TunnelTo::Refused);
  EXPECT_EQ(TunnelRules(authorities(), {TunnelPolicy::GitHub, {}, {}}).decide("api.github.com:443"),
            TunnelTo::Upstream);
}

TEST(TunnelRules, OtherHostsFollowThePolicy) {
  for (const char* host : {"packages.example.net:443", "example.org:8443", "gitlab.example:22", "93.184.216.34:443"}) {
    EXPECT_EQ(decide(TunnelPolicy::Public, host), TunnelTo::Public) << host;
    EXPECT_EQ(decide(TunnelPolicy::GitHub, host), TunnelTo::Refused) << host;
  }
  EXPECT_EQ(decide(TunnelPolicy::GitHub, "codeload.github.com:443"), TunnelTo::Public);
  for (const char* host : {"api.github.com:443", "github.com:443", "registry.corp.example:443", "example.org:443"})
    EXPECT_EQ(decide(TunnelPolicy::None, host), TunnelTo::Refused) << host;
}

TEST(TunnelRules, MailAndHalfNamesAreRefused) {
  for (const char* host : {"example.org:25", "example.org:465", "example.org:587", "example.org",
                           "example.org:", "example.org:0", ":443", "user@example.org:443", ""})
    EXPECT_EQ(decide(TunnelPolicy::Public, host), TunnelTo::Refused) << host;
}

TEST(TunnelRules, NamedHostsMayBeAnywhere) {
  for (const TunnelPolicy policy : {TunnelPolicy::Public, TunnelPolicy::GitHub}) {
    EXPECT_EQ(decide(policy, "Registry.corp.example:8081"), TunnelTo::Named);
    EXPECT_EQ(decide(policy, "a.lan.example:443"), TunnelTo::Named);
    EXPECT_NE(decide(policy, "lan.example:443"), TunnelTo::Named);
    EXPECT_NE(decide(policy, "evil-registry.corp.example:443"), TunnelTo::Named);
  }
}

}  // namespace
}  // namespace ghmesh::proxy
