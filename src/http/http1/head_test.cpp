// SPDX-License-Identifier: Apache-2.0
#include "http/http1/head.hpp"

#include <gtest/gtest.h>

#include "http/http1/write.hpp"

namespace ghmesh::http::http1 {
namespace {

struct Read {
  ParseState state;
  RequestHead head;
  HeadError error;
  std::array<Field, 128> fields;

  explicit Read(std::string_view text) {
    RequestParser parser;
    state = parser.parse(text, fields);
    head = parser.head();
    error = parser.error();
  }
};

int status_of(std::string_view text) {
  const Read read(text);
  return read.state == ParseState::Done ? 0 : read.state == ParseState::NeedMore ? -1 : read.error.status;
}

std::string get(std::string_view fields) { return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n"; }
std::string post(std::string_view fields) { return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n"; }

TEST(RequestHead, PartsOfAnOrdinaryRequest) {
  const std::string_view text =
      "GET /repos/a/b?x=1 HTTP/1.1\r\nHost: api.github.com\r\nAccept:  text/plain\t\r\nX-Empty:\r\n\r\nnext";
  const Read read(text);
  ASSERT_EQ(read.state, ParseState::Done) << read.error.what;
  EXPECT_EQ(read.head.view.method, "GET");
  EXPECT_EQ(read.head.origin_target, "/repos/a/b?x=1");
  EXPECT_EQ(read.head.authority, "api.github.com");
  ASSERT_EQ(read.head.view.fields.size(), 3u);
  EXPECT_EQ(read.head.view.fields.first("accept"), "text/plain");
  EXPECT_EQ(read.head.view.fields.first("x-empty"), "");
  EXPECT_TRUE(read.head.keep_alive);
  EXPECT_TRUE(read.head.body.empty());
  EXPECT_EQ(text.substr(read.head.size), "next");
}

TEST(RequestHead, ArrivingOctetByOctetGivesTheSame) {
  const std::string text = "\r\n" + post("Content-Length: 5\r\nExpect: 100-continue\r\n");
  RequestParser parser;
  std::array<Field, 64> fields;
  for (std::size_t i = 0; i < text.size(); ++i)
    ASSERT_EQ(parser.parse(std::string_view(text).substr(0, i), fields), ParseState::NeedMore) << i;
  ASSERT_EQ(parser.parse(text, fields), ParseState::Done);
  EXPECT_EQ(parser.head().size, text.size());
  EXPECT_EQ(parser.head().body.length, 5u);
  EXPECT_TRUE(parser.head().expect_continue);
}

TEST(RequestHead, TargetForms) {
  const Read absolute("GET http://Api.GitHub.com/a?b HTTP/1.1\r\nHost: api.github.com:80\r\n\r\n");
  ASSERT_EQ(absolute.state, ParseState::Done);
  EXPECT_EQ(absolute.head.form, TargetForm::Absolute);
  EXPECT_EQ(absolute.head.authority, "Api.GitHub.com");
  EXPECT_EQ(absolute.head.origin_target, "/a?b");
  const Read bare("GET https://a HTTP/1.1\r\nHost: a:443\r\n\r\n");
  EXPECT_EQ(bare.head.origin_target, "/");
  EXPECT_TRUE(bare.head.secure);
  const Read connect("CONNECT api.github.com:443 HTTP/1.1\r\nHost: api.github.com\r\n\r\n");
  EXPECT_EQ(connect.head.form, TargetForm::Authority);
  EXPECT_EQ(connect.head.authority, "api.github.com:443");
  for (const char* proxy : {"127.0.0.1:8418", "[::1]:8418", "localhost:8418", "172.17.0.1:8418"}) {
    const std::string text = "CONNECT api.github.com:443 HTTP/1.1\r\nHost: " + std::string(proxy) + "\r\n\r\n";
    const Read undici(text);
    EXPECT_EQ(undici.head.authority, "api.github.com:443") << proxy;
  }
  EXPECT_EQ(status_of("GET http://a/ HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"), 400) << "CONNECT alone";
  EXPECT_EQ(Read("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").head.form, TargetForm::Asterisk);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
}

// Attack A15: one effective authority.
TEST(RequestHead, A15_HostMustAgreeWithTheTarget) {
  for (const char* text :
       {"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", "GET http://a/ HTTP/1.1\r\nHost: a:8080\r\n\r\n",
        "GET https://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n", "CONNECT a:443 HTTP/1.1\r\nHost: b:443\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nHost: a:80\r\n\r\n", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET a/b HTTP/1.1\r\nHost: a\r\n\r\n", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"})
    EXPECT_EQ(status_of(text), 400) << text;
}

// Attack A13: framing and syntax that two programs read in two ways.
TEST(RequestHead, A13_AmbiguousSyntaxIs400) {
  for (const char* text : {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
                           "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
                           "GET / http/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n",
                           "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET /\r\n\r\n____", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
                           "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n",
                           "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"})
    EXPECT_EQ(status_of(text), 400) << text;
  for (const char* field :
       {"A : b\r\n", " A: b\r\n", "A: b\r\n c\r\n", "A: b\r\n\tc\r\n", "A\r\n", ": b\r\n", "A: b\rc\r\n",
        "A: b\x01\r\n", "A: b\x7f\r\n", "A b: c\r\n", "A\xc3: b\r\n", "A: b\n", "A: 12345678\x0b\r\n", "\rA: b\r\n"})
    EXPECT_EQ(status_of(get(field)), 400) << field;
  EXPECT_EQ(status_of(get(std::string_view("A: b\0c\r\n", 8))), 400);
}

TEST(RequestHead, A13_AmbiguousFramingIs400) {
  for (const char* fields : {"Content-Length: +5\r\n",
                             "Content-Length: -5\r\n",
                             "Content-Length: 0x5\r\n",
                             "Content-Length: 5 5\r\n",
                             "Content-Length:\r\n",
                             "Content-Length: 5,5\r\n",
                             "Content-Length: 5\r\nContent-Length: 5\r\n",
                             "Content-Length: 5\r\nContent-Length: 6\r\n",
                             "Content-Length: 9223372036854775808\r\n",
                             "Content-Length: 99999999999999999999\r\n",
                             "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                             "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
                             "Transfer-Encoding: chunked, chunked\r\n",
                             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                             "Transfer-Encoding: chunked, identity\r\n",
                             "Transfer-Encoding: ,chunked\r\n",
                             "Transfer-Encoding: chunked\t\r\n",
                             "Content-Length:\t5\r\n",
                             "Transfer-Encoding: chunked,\r\n",
                             "Transfer-Encoding:\r\n"})
    EXPECT_EQ(status_of(post(fields)), 400) << fields;
  for (const char* fields : {"Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
                             "Transfer-Encoding: identity\r\n", "Transfer-Encoding: \"chunked\"\r\n"})
    EXPECT_EQ(status_of(post(fields)), 501) << fields;
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(Read(post("Transfer-Encoding: Chunked\r\n")).head.body.kind, BodyKind::Chunked);
  EXPECT_EQ(Read(post("Content-Length: 9223372036854775807\r\n")).head.body.length, 9223372036854775807u);
}

// Attack A16: a hop must not be told to drop what the request depends on.
TEST(RequestHead, A16_ConnectionMayNotNameEssentialFields) {
  for (const char* name : {"authorization", "Host", "COOKIE", "content-length", "cache-control", "if-none-match",
                           "transfer-encoding", "X-GitHub-Api-Version"})
    EXPECT_EQ(status_of(get("Connection: keep-alive, " + std::string(name) + "\r\n")), 400) << name;
  EXPECT_EQ(status_of(get("Connection: te, X-Mine\r\nTE: trailers\r\n")), 0);
}

TEST(RequestHead, ConnectionOptions) {
  EXPECT_FALSE(Read(get("Connection: Close\r\n")).head.keep_alive);
  EXPECT_FALSE(Read(get("Connection: keep-alive\r\nConnection: x, close\r\n")).head.keep_alive);
  EXPECT_FALSE(Read("GET / HTTP/1.0\r\n\r\n").head.keep_alive);
  EXPECT_TRUE(Read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").head.keep_alive);
  EXPECT_EQ(Read(get("Connection: Upgrade\r\nUpgrade: websocket\r\n")).head.upgrade, "websocket");
  EXPECT_EQ(Read(get("Upgrade: websocket\r\n")).head.upgrade, "");
  EXPECT_EQ(status_of(post("Content-Length: 1\r\nExpect: more\r\n")), 417);
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
}

TEST(RequestHead, LimitsAreReachedAndJustNot) {
  const auto fields = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "X: y\r\n";
    return text;
  };
  EXPECT_EQ(status_of(get(fields(63))), 0);
  EXPECT_EQ(status_of(get(fields(64))), 431);
  const auto line = [](std::size_t size) { return "X: " + std::string(size - 5, 'y') + "\r\n"; };
  EXPECT_EQ(status_of(get(line(16 * 1024))), 0);
  EXPECT_EQ(status_of(get(line(16 * 1024 + 1))), 431);
  const std::string three = line(8 * 1024) + line(8 * 1024) + line(8 * 1024);
  const std::size_t rest = 32 * 1024 - get(three).size();
  EXPECT_EQ(status_of(get(three + line(rest))), 0);
  EXPECT_EQ(status_of(get(three + line(rest + 1))), 431);
  EXPECT_EQ(status_of("GET /" + std::string(16 * 1024, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
  // Without an end in sight, too.
  EXPECT_EQ(status_of("GET /" + std::string(17 * 1024, 'a')), 414);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nX: " + std::string(17 * 1024, 'a')), 431);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n" + three + line(8 * 1024)), 431);
}

struct ReadResponse {
  ParseState state;
  ResponseHead head;
  HeadError error;
  std::array<Field, 128> fields;

  explicit ReadResponse(std::string_view text, RequestKind kind = RequestKind::Other) {
    ResponseParser parser;
    state = parser.parse(text, fields, kind);
    head = parser.head();
    error = parser.error();
  }
};

TEST(ResponseHead, FramingByStatusAndMethod) {
  const auto kind = [](std::string_view text, RequestKind request = RequestKind::Other) {
    const ReadResponse read(text, request);
    EXPECT_EQ(read.state, ParseState::Done) << text << read.error.what;
    return read.head.body.kind;
  };
  EXPECT_EQ(kind("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"), BodyKind::Length);
  EXPECT_EQ(kind("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n"), BodyKind::Chunked);
  EXPECT_EQ(kind("HTTP/1.1 200 \r\n\r\n"), BodyKind::UntilClose);
  EXPECT_EQ(kind("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", RequestKind::Head), BodyKind::None);
  EXPECT_EQ(kind("HTTP/1.1 304 x\r\nContent-Length: 3\r\n\r\n"), BodyKind::None);
  EXPECT_EQ(kind("HTTP/1.1 204 x\r\n\r\n"), BodyKind::None);
  EXPECT_EQ(kind("HTTP/1.1 103 x\r\nLink: <a>\r\n\r\n"), BodyKind::None);
  EXPECT_EQ(kind("HTTP/1.1 200 x\r\n\r\n", RequestKind::Connect), BodyKind::None);
  EXPECT_EQ(kind("HTTP/1.1 403 x\r\nContent-Length: 3\r\n\r\n", RequestKind::Connect), BodyKind::Length);
  EXPECT_EQ(kind("HTTP/1.1 200 x\r\nContent-Length: 3, 3\r\nContent-Length: 3\r\n\r\n"), BodyKind::Length);
  EXPECT_FALSE(ReadResponse("HTTP/1.1 200 OK\r\n\r\n").head.keep_alive);
  EXPECT_FALSE(ReadResponse("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").head.keep_alive);
  EXPECT_TRUE(ReadResponse("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").head.keep_alive);
}

TEST(ResponseHead, A13_WhatCannotBeTrustedIs502) {
  for (const char* text :
       {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: nonsense\r\n\r\n",
        "HTTP/1.1 304 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n", "HTTP/1.1 200 O\x01K\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n"}) {
    const ReadResponse read(text);
    EXPECT_EQ(read.state, ParseState::Error) << text;
    EXPECT_EQ(read.error.status, 502) << text;
  }
}

TEST(ResponseHead, ArrivingOctetByOctetGivesTheSame) {
  const std::string_view text = "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\n";
  ResponseParser parser;
  std::array<Field, 64> fields;
  for (std::size_t i = 0; i < text.size(); ++i)
    ASSERT_EQ(parser.parse(text.substr(0, i), fields, RequestKind::Other), ParseState::NeedMore) << i;
  ASSERT_EQ(parser.parse(text, fields, RequestKind::Other), ParseState::Done);
  EXPECT_EQ(parser.head().reason, "Fine");
  EXPECT_EQ(parser.head().view.fields.first("etag"), "\"a\"");
}

TEST(ResponseHead, A20_HeaderFloodIsRefused) {
  std::string text = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 129; ++i) text += "A: b\r\n";
  EXPECT_EQ(ReadResponse(text + "\r\n").state, ParseState::Error);
  EXPECT_EQ(ReadResponse("HTTP/1.1 200 OK\r\nA: " + std::string(70'000, 'x')).state, ParseState::Error);
}

TEST(Write, HeadsAreWrittenFromPartsAndNothingElse) {
  std::string out;
  ASSERT_TRUE(format_request_head(out, "GET", "/a?b", Fields{{"Host", "a"}, {"X", ""}}));
  EXPECT_EQ(out, "GET /a?b HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n");
  out.clear();
  ASSERT_TRUE(format_response_head(out, 404, Fields{{"A", "b"}}));
  EXPECT_EQ(out, "HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n");
  EXPECT_FALSE(format_response_head(out, 200, Fields{{"A", "b\r\nSet-Cookie: c"}}));
  EXPECT_FALSE(format_response_head(out, 200, Fields{{"A b", "c"}}));
  EXPECT_FALSE(format_response_head(out, 99, Fields{}));
  EXPECT_FALSE(format_request_head(out, "GET", "/a b", Fields{}));
  EXPECT_FALSE(format_request_head(out, "GET /", "/a", Fields{}));
  EXPECT_EQ(out, "HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n");
}

}  // namespace
}  // namespace ghmesh::http::http1
