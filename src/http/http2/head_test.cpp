// SPDX-License-Identifier: Apache-2.0
#include "head.hpp"

#include <gtest/gtest.h>

namespace ghmesh::http::http2 {
namespace {

using List = std::vector<std::pair<std::string, std::string>>;

RequestText text_of(const List& list) {
  RequestText out;
  for (const auto& [name, value] : list) out.add(name, value, http1::kRequestHeadLimits);
  return out;
}

const List kGet{
    {":method", "GET"}, {":scheme", "https"}, {":path", "/repos/o/r?a=1"}, {":authority", "api.github.com"}};

List with(List list, const List& more) {
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

TEST(RequestText, IsTheHeadThatMeansTheSame) {
  EXPECT_EQ(
      text_of(with(kGet, {{"accept", "*/*"}, {"te", "trailers"}, {"cookie", "a=1"}, {"cookie", "b=2"}})).finish(false),
      "GET /repos/o/r?a=1 HTTP/1.1\r\nhost: api.github.com\r\naccept: */*\r\ncookie: a=1; b=2\r\n\r\n");
}

TEST(RequestText, ABodyHasAFraming) {
  EXPECT_TRUE(text_of(kGet).finish(true).ends_with("\r\ntransfer-encoding: chunked\r\n\r\n"));
  EXPECT_TRUE(text_of(with(kGet, {{"content-length", "7"}})).finish(true).ends_with("\r\ncontent-length: 7\r\n\r\n"));
}

TEST(RequestText, HostStandsInForAuthorityAndMustNotContradictIt) {
  List no_authority = kGet;
  no_authority.pop_back();
  EXPECT_EQ(text_of(with(no_authority, {{"host", "a.example"}})).finish(false),
            "GET /repos/o/r?a=1 HTTP/1.1\r\nhost: a.example\r\n\r\n");
  EXPECT_EQ(text_of(with(kGet, {{"host", "api.github.com"}})).finish(false).find("host", 50), std::string::npos);
  // Two hosts: the parser refuses that.
  const std::string two = text_of(with(kGet, {{"host", "evil.example"}})).finish(false);
  std::array<Field, 8> fields;
  http1::RequestParser parser;
  EXPECT_EQ(parser.parse(two, fields), http1::ParseState::Error);
  EXPECT_EQ(parser.error().status, 400);
}

TEST(RequestText, IsBounded) {
  const http1::HeadLimits& limits = http1::kRequestHeadLimits;
  RequestText many = text_of(kGet);
  for (std::size_t i = 0; i < limits.fields - 2; ++i) EXPECT_TRUE(many.add("a", "b", limits)) << i;
  EXPECT_FALSE(many.add("a", "b", limits));
  RequestText wide = text_of(kGet);
  EXPECT_TRUE(wide.add("a", std::string(limits.line_bytes - 100, 'x'), limits));
  EXPECT_FALSE(wide.add("a", std::string(limits.line_bytes, 'x'), limits));
  RequestText long_head = text_of(kGet);
  EXPECT_TRUE(long_head.add("a", std::string(15'000, 'x'), limits));
  EXPECT_TRUE(long_head.add("b", std::string(15'000, 'x'), limits));
  EXPECT_FALSE(long_head.add("c", std::string(15'000, 'x'), limits));
  EXPECT_TRUE(long_head.too_large());
  // Once too large it stays so: nothing of the rest is kept.
  EXPECT_FALSE(long_head.add("d", "1", limits));
}

TEST(ResponseFields, AreLowerCaseAndWithoutTheConnectionsOwn) {
  std::string_view head = "HTTP/1.1 304 Not Modified\r\nETag: W/\"Ab\"\r\nConnection: close\r\nContent-Length: 3\r\n";
  const int status = split_status_line(head);
  EXPECT_EQ(status, 304);
  ResponseFields fields(status);
  ASSERT_TRUE(fields.add_lines(head));
  std::string seen;
  for (const nghttp2_nv& pair : fields.pairs())
    seen += std::string(reinterpret_cast<const char*>(pair.name), pair.namelen) + "=" +
            std::string(reinterpret_cast<const char*>(pair.value), pair.valuelen) + ";";
  EXPECT_EQ(seen, ":status=304;etag=W/\"Ab\";content-length=3;");
  EXPECT_FALSE(fields.add("x", "a\r\nb: c"));
  EXPECT_FALSE(fields.add("x y", "a"));
  EXPECT_FALSE(fields.add_lines("no field\r\n"));
}

}  // namespace
}  // namespace ghmesh::http::http2
