// SPDX-License-Identifier: Apache-2.0
#include "github/canonical.hpp"

#include <gtest/gtest.h>

#include <string>

#include "github/limits.hpp"

namespace ghmesh::github {
namespace {

using http::Fields;

Canonical of(const Fields& fields) { return canonicalise("GET", fields); }

struct ClientSet {
  const char* client;
  Fields fields;
  const char* accept;
  bool pretty;
};

// What these clients send on a GET, in their own spelling.
std::vector<ClientSet> real_clients() {
  std::vector<ClientSet> sets;
  sets.push_back({"gh 2.23 api, empty Accept",
                  Fields{{"Host", "api.github.com"},
                         {"User-Agent", "GitHub CLI 2.23.0"},
                         {"Accept", ""},
                         {"Authorization", "token t"},
                         {"Content-Type", "application/json; charset=utf-8"},
                         {"Time-Zone", "Europe/Vienna"},
                         {"Accept-Encoding", "gzip"},
                         {"Connection", "close"}},
                  "application/vnd.github+json", false});
  sets.push_back({"gh run list --cache",
                  Fields{{"Host", "api.github.com"},
                         {"User-Agent", "GitHub CLI 2.63.0"},
                         {"Accept", "*/*"},
                         {"Authorization", "token t"},
                         {"X-GH-CACHE-TTL", "1h0m0s"},
                         {"X-GitHub-Api-Version", "2022-11-28"},
                         {"Accept-Encoding", "gzip"}},
                  "*/*", false});
  sets.push_back({"Octokit 20 on Node's fetch",
                  Fields{{"host", "api.github.com"},
                         {"connection", "keep-alive"},
                         {"accept", "application/vnd.github.v3+json"},
                         {"authorization", "token t"},
                         {"user-agent", "octokit-rest.js/20.0.2 octokit-core.js/5.0.1 Node.js/20 (linux; x64)"},
                         {"accept-language", "*"},
                         {"sec-fetch-mode", "cors"},
                         {"accept-encoding", "gzip, deflate"}},
                  "application/vnd.github.v3+json", false});
  sets.push_back({"@actions/github on its http client",
                  Fields{{"accept", "application/vnd.github.v3+json"},
                         {"user-agent", "actions/github-script octokit-core.js/3.6.0 Node.js/20.8.1 (linux; x64)"},
                         {"authorization", "token t"},
                         {"Accept-Encoding", "gzip,deflate"},
                         {"Connection", "close"},
                         {"Host", "api.github.com"}},
                  "application/vnd.github.v3+json", false});
  sets.push_back(
      {"curl", Fields{{"Host", "api.github.com"}, {"User-Agent", "curl/7.88.1"}, {"Accept", "*/*"}}, "*/*", true});
  sets.push_back({"Python's urllib",
                  Fields{{"Accept-Encoding", "identity"},
                         {"Host", "api.github.com"},
                         {"User-Agent", "Python-urllib/3.11"},
                         {"Authorization", "Bearer t"},
                         {"Connection", "close"}},
                  "application/vnd.github+json", false});
  sets.push_back({"requests",
                  Fields{{"Host", "api.github.com"},
                         {"User-Agent", "python-requests/2.31.0"},
                         {"Accept-Encoding", "gzip, deflate, br"},
                         {"Accept", "*/*"},
                         {"Connection", "keep-alive"}},
                  "*/*", false});
  sets.push_back({"PyGithub",
                  Fields{{"Authorization", "token t"},
                         {"User-Agent", "PyGithub/Python"},
                         {"X-GitHub-Api-Version", "2022-11-28"},
                         {"Accept", "*/*"},
                         {"Accept-Encoding", "gzip, deflate"}},
                  "*/*", false});
  sets.push_back({"go-github 60",
                  Fields{{"Host", "api.github.com"},
                         {"User-Agent", "go-github/v60.0.0"},
                         {"Accept", "application/vnd.github.v3+json"},
                         {"Authorization", "Bearer t"},
                         {"X-Github-Api-Version", "2022-11-28"},
                         {"Accept-Encoding", "gzip"}},
                  "application/vnd.github.v3+json", false});
  sets.push_back({"a tracing client",
                  Fields{{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
                         {"accept", "application/json"},
                         {"x-request-id", "1"}},
                  "application/json", false});
  sets.push_back({"wget",
                  Fields{{"Host", "api.github.com"},
                         {"User-Agent", "Wget/1.21.3"},
                         {"Accept", "*/*"},
                         {"Accept-Encoding", "identity"},
                         {"Connection", "Keep-Alive"}},
                  "*/*", true});
  return sets;
}

TEST(Canonical, RealClientsAreCacheable) {
  for (const ClientSet& set : real_clients()) {
    const Canonical request = of(set.fields);
    EXPECT_TRUE(request.cacheable()) << set.client << ": " << request.offending_field;
    EXPECT_EQ(request.accept, set.accept) << set.client;
    EXPECT_EQ(request.pretty, set.pretty) << set.client;
  }
}

TEST(ProofRule3, TheOriginSeesOneAcceptOneAuthorizationNoCookieAndAFixedAgent) {
  for (const ClientSet& set : real_clients()) {
    const Fields upstream = upstream_fields(of(set.fields));
    EXPECT_EQ(upstream.view().count("accept"), 1u) << set.client;
    EXPECT_LE(upstream.view().count("authorization"), 1u) << set.client;
    EXPECT_FALSE(upstream.has("cookie")) << set.client;
    EXPECT_EQ(upstream.first("user-agent"), kUserAgent) << set.client;
    EXPECT_FALSE(upstream.has("if-none-match") || upstream.has("if-modified-since")) << set.client;
    for (const http::Field& field : upstream)
      EXPECT_TRUE(http::iequals(field.name, "accept") || http::iequals(field.name, "authorization") ||
                  http::iequals(field.name, "user-agent") || http::iequals(field.name, "time-zone") ||
                  http::iequals(field.name, "x-github-api-version"))
          << field.name;
  }
  for (const char* printed : {"curl", "Wget", "Safari", "Firefox"})
    EXPECT_EQ(kUserAgent.find(printed), std::string_view::npos);
}

TEST(ProofRule3, SchemesOfOneCredentialShare) {
  for (const char* spelling : {"token X", "Token X", "Bearer X", "bearer X", "BEARER  X"})
    EXPECT_EQ(canonical_authorization(spelling), "Bearer X") << spelling;
  EXPECT_EQ(canonical_authorization("basic dTpw"), "Basic dTpw");
  for (const char* bad : {"", "X", "Bearer", "Bearer ", "Digest a=b", "Bearer a b", "Bearer \x01"})
    EXPECT_EQ(canonical_authorization(bad), "") << bad;
  EXPECT_EQ(of(Fields{{"Authorization", "token X"}}).authorization.expose(),
            of(Fields{{"authorization", "Bearer X"}}).authorization.expose());
  const std::string jwt = "Bearer ghs_" + std::string(9000, 'a');
  EXPECT_EQ(canonical_authorization(jwt), jwt);
  EXPECT_EQ(canonical_authorization("Bearer " + std::string(kLimits.max_authorization, 'a')), "");
}

TEST(ProofRule3, AcceptIsMergedToOneLineAndNeverEmpty) {
  EXPECT_EQ(of(Fields{}).accept, kDefaultAccept);
  EXPECT_EQ(of(Fields{{"Accept", ""}}).accept, kDefaultAccept);
  EXPECT_EQ(of(Fields{{"Accept", "a/b"}, {"accept", "c/d"}}).accept, "a/b, c/d");
  EXPECT_EQ(of(Fields{{"Accept", std::string(kLimits.max_accept + 1, 'a')}}).bypass, BypassReason::Accept);
  EXPECT_EQ(of(Fields{{"Accept", "\xff"}}).bypass, BypassReason::Accept);
}

TEST(Canonical, A16_WhatIsNotOnTheListBypasses) {
  const auto reason = [](std::string_view name, std::string_view value) {
    return of(Fields{{name, value}, {"Accept", "*/*"}}).bypass;
  };
  for (const char* name :
       {"X-HTTP-Method-Override", "X-Method-Override", "X-Requested-With", "X-GitHub-OTP", "Prefer", "Origin",
        "X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL", "Sec-Fetch-Site", "X-GitHub-Next-Global-ID",
        "GraphQL-Features", "X-GitHub-Request-Id", "Upgrade", "Date", "Front-End-Https", "X-Anything"})
    EXPECT_EQ(reason(name, "1"), BypassReason::UnknownField) << name;
  EXPECT_EQ(reason("Cookie", "a=b"), BypassReason::Cookie);
  EXPECT_EQ(reason("Range", "bytes=0-1"), BypassReason::Range);
  EXPECT_EQ(reason("If-Range", "\"x\""), BypassReason::Range);
  EXPECT_EQ(reason("If-Match", "*"), BypassReason::Precondition);
  EXPECT_EQ(reason("Transfer-Encoding", "chunked"), BypassReason::Body);
  EXPECT_EQ(reason("Content-Length", "5"), BypassReason::Body);
  EXPECT_EQ(reason("Content-Length", "0"), BypassReason::None);
  EXPECT_EQ(reason("Authorization", "Digest x"), BypassReason::Authorization);
  EXPECT_EQ(of(Fields{{"Authorization", "Bearer a"}, {"Authorization", "Bearer b"}}).bypass,
            BypassReason::Authorization);
  EXPECT_EQ(of(Fields{{"Time-Zone", "A"}, {"Time-Zone", "B"}}).bypass, BypassReason::UnknownField);
  EXPECT_EQ(canonicalise("POST", Fields{}).bypass, BypassReason::Method);
  EXPECT_EQ(canonicalise("HEAD", Fields{}).bypass, BypassReason::None);
}

TEST(Canonical, MediaTypes) {
  EXPECT_TRUE(is_json_media_type("application/json; charset=utf-8"));
  EXPECT_TRUE(is_json_media_type("application/scim+json"));
  EXPECT_FALSE(is_json_media_type("text/plain"));
  EXPECT_FALSE(is_json_media_type("application/vnd.github.diff; charset=utf-8"));
  for (const char* accept :
       {"*/*", "application/json", "application/vnd.github+json", "application/vnd.github.v3+json",
        "application/vnd.github.full+json", "application/vnd.github.v3.text+json, application/json",
        "application/vnd.github.merge-info-preview+json, application/vnd.github.nebula-preview"})
    EXPECT_TRUE(accepts_plain_json(accept)) << accept;
  for (const char* accept :
       {"", "application/vnd.github.raw", "application/vnd.github.raw+json", "application/vnd.github.diff",
        "application/vnd.github.v3.patch", "application/vnd.github.sha", "application/octet-stream", "text/html",
        "application/vnd.github.html"})
    EXPECT_FALSE(accepts_plain_json(accept)) << accept;
  EXPECT_EQ(github_media_type("application/vnd.github+json"), "github.v3; format=json");
  EXPECT_EQ(github_media_type("*/*"), "github.v3; format=json");
  EXPECT_EQ(github_media_type("application/vnd.github.v3.full+json"), "github.v3; param=full; format=json");
  EXPECT_EQ(github_media_type("application/vnd.github.star+json"), "github.v3; param=star; format=json");
}

TEST(ProofRule8, OnlyFieldsAboutTheBodyMayBeKept) {
  for (const char* name : {"Content-Type", "ETag", "Last-Modified", "Link", "X-GitHub-Media-Type", "Vary"})
    EXPECT_TRUE(is_body_field(name)) << name;
  for (const char* name :
       {"x-ratelimit-remaining", "x-ratelimit-reset", "date", "x-github-request-id", "x-oauth-scopes",
        "x-accepted-oauth-scopes", "x-accepted-github-permissions", "x-github-sso", "set-cookie",
        "github-authentication-token-expiration", "x-oauth-client-id", "x-poll-interval", "location"})
    EXPECT_FALSE(is_body_field(name)) << name;
}

}  // namespace
}  // namespace ghmesh::github
