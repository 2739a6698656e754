// SPDX-License-Identifier: Apache-2.0
#include "proxy/authority.hpp"

#include <gtest/gtest.h>

namespace ghmesh::proxy {
namespace {

AuthorityRules rules(const char* upstream = "https://api.github.com") {
  AuthorityRules out(*http::parse_url(upstream));
  out.add_own({io::IpAddress::loopback(), 8418});
  return out;
}

TEST(Authority, TheUpstreamHasSeveralNames) {
  const AuthorityRules r = rules("https://ghes.example.test:8443/api/v3");
  for (const char* name : {"", "api.github.com", "API.GitHub.com", "api.github.com:443", "ghes.example.test:8443",
                           "127.0.0.1:8418", "localhost:8418", "[::1]:8418"})
    EXPECT_EQ(r.decide(name, "/api/v3/repos/o/r"), Destination::Upstream) << name;
}

TEST(Authority, GitHubsOwnHostsAreStreamedAndNobodyElses) {
  const AuthorityRules r = rules();
  for (const char* name : {"codeload.github.com", "objects.githubusercontent.com", "Uploads.GitHub.com",
                           "github.com:443", "productionresultssa1.blob.core.windows.net"})
    EXPECT_EQ(r.decide(name, "/repos/o/r"), Destination::Allowed) << name;
  for (const char* name : {"example.com", "github.com.evil.test", "evilgithubusercontent.com", "githubusercontent.com",
                           "github.com:80", "169.254.169.254", "127.0.0.1:9999", "localhost", "[::1]",
                           "user@github.com", "github.com:", "api.github.com.", "api.github.com:80"})
    EXPECT_EQ(r.decide(name, "/repos/o/r"), Destination::Refused) << name;
}

TEST(Authority, AnEnterprisesOwnNamesAreStreamed) {
  const AuthorityRules tenant = rules("https://api.acme.ghe.com");
  for (const char* name : {"uploads.acme.ghe.com", "acme.ghe.com:443", "codeload.ACME.ghe.com"}) {
    EXPECT_EQ(tenant.decide(name, "/repos/o/r"), Destination::Allowed) << name;
    EXPECT_TRUE(tenant.is_of_tenant(std::string_view(name).substr(0, std::string_view(name).find(':')))) << name;
  }
  EXPECT_EQ(tenant.decide("api.acme.ghe.com", "/repos/o/r"), Destination::Upstream);
  const AuthorityRules server = rules("https://ghes.example.test/api/v3");
  EXPECT_EQ(server.decide("codeload.ghes.example.test", "/repos/o/r"), Destination::Allowed);
  EXPECT_EQ(server.decide("ghes.example.test", "/api/v3/repos/o/r"), Destination::Upstream);
  for (const char* name : {"uploads.other.ghe.com", "ghe.com", "xacme.ghe.com", "acme.ghe.com.evil.test",
                           "uploads.acme.ghe.com:8443", "evilghes.example.test"}) {
    EXPECT_EQ(tenant.decide(name, "/repos/o/r"), Destination::Refused) << name;
    EXPECT_EQ(server.decide(name, "/repos/o/r"), Destination::Refused) << name;
    EXPECT_FALSE(tenant.is_of_tenant(name)) << name;
  }
  EXPECT_FALSE(rules().is_of_tenant("uploads.github.com"));
  EXPECT_EQ(rules("http://127.0.0.1:7").decide("x.127.0.0.1", "/repos/o/r"), Destination::Refused);
}

TEST(Authority, AnEnterpriseServersHostIsMoreThanItsApi) {
  for (const char* upstream : {"https://ghes.example.test/api/v3", "https://ghes.example.test"}) {
    const AuthorityRules r = rules(upstream);
    for (const char* name : {"ghes.example.test", "GHES.example.test:443"}) {
      for (const char* target : {"/api/v3/repos/o/r", "/api/v3?x", "/api/graphql", "/api/uploads/repos/o/r"})
        EXPECT_EQ(r.decide(name, target), Destination::Upstream) << name << target;
      for (const char* target : {"/", "/o/r.git/info/refs?service=git-upload-pack", "/api", "/api/v33/x", "/repos/o/r",
                                 "/x?/api/v3/y", "*", ""})
        EXPECT_EQ(r.decide(name, target), Destination::Beside) << name << target;
    }
    // Whoever did not say that name takes this for an API alone.
    for (const char* name : {"", "api.github.com", "127.0.0.1:8418"})
      EXPECT_EQ(r.decide(name, "/repos/o/r"), Destination::Upstream) << name;
  }
  for (const char* upstream : {"https://api.acme.ghe.com", "https://api.github.com", "http://127.0.0.1:7"})
    EXPECT_EQ(rules(upstream).decide(http::parse_url(upstream)->authority(), "/x"), Destination::Upstream) << upstream;
  AuthorityRules plain = rules("https://origin.example.test");
  plain.cache_all_of_the_host();
  EXPECT_EQ(plain.decide("origin.example.test", "/x"), Destination::Upstream);
}

TEST(Authority, AClientWithABaseUrlIsToldFromOneThatIsRedirectedHere) {
  const AuthorityRules r = rules();
  EXPECT_TRUE(r.is_own("localhost:8418"));
  EXPECT_FALSE(r.is_own("api.github.com"));
}

TEST(Authority, A22_TunnelsNeedThePortSaidAndAPublicName) {
  const AuthorityRules r = rules();
  EXPECT_EQ(r.decide_tunnel("api.github.com:443"), Destination::Upstream);
  EXPECT_EQ(r.decide_tunnel("github.com:443"), Destination::Allowed);
  for (const char* name : {"github.com", "github.com:22", "api.github.com:80", "169.254.169.254:443", "2852039166:443",
                           "[::ffff:169.254.169.254]:443", "metadata.google.internal:443", "127.0.0.1:443"})
    EXPECT_EQ(r.decide_tunnel(name), Destination::Refused) << name;
}

}  // namespace
}  // namespace ghmesh::proxy
