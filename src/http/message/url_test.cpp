// SPDX-License-Identifier: Apache-2.0
#include "http/message/url.hpp"

#include <gtest/gtest.h>

namespace ghmesh::http {
namespace {

TEST(Url, PartsAndDefaults) {
  const auto url = parse_url("HTTPS://API.GitHub.com?q=1");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "api.github.com");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->target, "/?q=1");
  EXPECT_EQ(url->text(), "https://api.github.com/?q=1");
  EXPECT_EQ(parse_url("http://127.0.0.1:8080/a/../b%2f")->text(), "http://127.0.0.1:8080/a/../b%2f");
  EXPECT_EQ(parse_url("http://[::1]:80")->authority(), "[::1]");
}

TEST(Url, WhatTwoProgramsCouldReadInTwoWaysIsRefused) {
  for (const char* text : {"",
                           "http",
                           "http://",
                           "http:///x",
                           "ftp://a/",
                           "http://u@a/",
                           "http://a:b@c/",
                           "http://a:/",
                           "http://a:0/",
                           "http://a:65536/",
                           "http://a:+80/",
                           "http://a:80:80/",
                           "http://a b/",
                           "http://a/ b",
                           "http://a/#f",
                           "http://a%2e/",
                           "http://[::1/",
                           "http://[]/",
                           "http://[::1]x/",
                           "http://[g::]/",
                           "http://a\\b/",
                           "//a/",
                           "http://a/\x80"})
    EXPECT_FALSE(parse_url(text)) << text;
}

TEST(Authority, HostAndPort) {
  EXPECT_EQ(parse_authority("a.b:1")->port, 1);
  EXPECT_FALSE(parse_authority("a.b")->port);
  EXPECT_FALSE(parse_authority("a, b"));
  EXPECT_FALSE(parse_authority(std::string(254, 'a')));
  EXPECT_FALSE(parse_authority(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace ghmesh::http
