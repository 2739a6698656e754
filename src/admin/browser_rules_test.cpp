// SPDX-License-Identifier: Apache-2.0
#include "browser_rules.hpp"

#include <gtest/gtest.h>

namespace ghmesh::admin {
namespace {

io::Endpoint at(const char* text) { return io::Endpoint::parse(text).value(); }

TEST(BrowserRules, A25_HostIsAnAddressOrLocalhost) {
  const io::Endpoint loopback = at("127.0.0.1:8417");
  for (const char* ours : {"localhost", "localhost:8417", "LOCALHOST:1", "127.0.0.1:8417", "127.0.0.2", "[::1]:8417"})
    EXPECT_TRUE(is_our_host(ours, loopback)) << ours;
  for (const char* foreign : {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8417", "10.0.0.1",
                              "2130706433", "0x7f.1", "[::2]", "localhost:", "user@localhost", "localhost:80, x"})
    EXPECT_FALSE(is_our_host(foreign, loopback)) << foreign;
}

TEST(BrowserRules, TheConfiguredAddressIsOurs) {
  EXPECT_TRUE(is_our_host("10.0.0.1:8417", at("10.0.0.1:8417")));
  EXPECT_FALSE(is_our_host("10.0.0.2:8417", at("10.0.0.1:8417")));
  EXPECT_TRUE(is_our_host("192.168.7.9:8417", at("0.0.0.0:8417")));
  EXPECT_FALSE(is_our_host("node.example:8417", at("0.0.0.0:8417")));
}

TEST(BrowserRules, A25_OtherSitesAreRefused) {
  const io::Endpoint bound = at("127.0.0.1:8417");
  const auto allowed = [&](http::Fields fields) { return refusal(fields, bound).empty(); };
  EXPECT_TRUE(allowed({{"Host", "localhost:8417"}}));
  EXPECT_TRUE(allowed({{"Host", "localhost:8417"}, {"Origin", "http://localhost:8417"}}));
  EXPECT_TRUE(allowed({{"Host", "localhost:8417"}, {"Sec-Fetch-Site", "same-origin"}}));
  EXPECT_TRUE(allowed({{"Host", "localhost:8417"}, {"Sec-Fetch-Site", "none"}}));
  EXPECT_FALSE(allowed({}));
  for (const char* origin : {"null", "", "https://evil.example", "http://localhost:3000", "http://localhost",
                             "https://localhost:8417", "http://127.0.0.1:8417"})
    EXPECT_FALSE(allowed({{"Host", "localhost:8417"}, {"origin", origin}})) << origin;
  for (const char* site : {"cross-site", "same-site", ""})
    EXPECT_FALSE(allowed({{"Host", "localhost:8417"}, {"sec-fetch-site", site}})) << site;
  EXPECT_FALSE(allowed({{"Host", "localhost"}, {"Origin", "http://localhost"}, {"Origin", "http://evil.example"}}));
}

}  // namespace
}  // namespace ghmesh::admin
