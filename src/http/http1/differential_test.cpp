// SPDX-License-Identifier: Apache-2.0
// Holds the parser against http-parser 2.9, the ancestor of llhttp: whatever is accepted here must be accepted there
// and mean the same (method, target, fields, decoded body, and where the message ends). The reverse need not hold: this
// parser refuses more. Messages come from a table and from seeded mutations of it.

#include <gtest/gtest.h>
#include <http_parser.h>

#include <cstdlib>

#include "base/random.hpp"
#include "http/http1/body.hpp"
#include "http/http1/head.hpp"

namespace ghmesh::http::http1 {
namespace {

struct Message {
  std::string start;  // target, or status
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::size_t size = 0;

  bool operator==(const Message&) const = default;
};

void PrintTo(const Message& message, std::ostream* out) {
  *out << message.start << " size " << message.size << " body '" << message.body << "'";
  for (const auto& [name, value] : message.fields) *out << " [" << name << "=" << value << "]";
}

template <typename Head>
bool take_body(const Head& head, std::string_view text, Message& message) {
  BodyDecoder decoder(head.body);
  message.size = head.size;
  while (true) {
    const auto step = decoder.next(text.substr(message.size));
    message.size += step.consumed;
    message.body.append(step.data);
    if (step.state == BodyDecoder::State::Done) break;
    if (step.state == BodyDecoder::State::Data) continue;
    if (step.state == BodyDecoder::State::NeedMore && decoder.complete_at_end()) break;
    return false;
  }
  for (const Field& field : head.view.fields) message.fields.emplace_back(field.name, field.value);
  return true;
}

std::optional<Message> read_ours(std::string_view text, http_parser_type type, std::string& method) {
  std::array<Field, 128> fields;
  Message message;
  if (type == HTTP_REQUEST) {
    RequestParser parser;
    if (parser.parse(text, fields) != ParseState::Done) return std::nullopt;
    message.start = parser.head().view.target;
    method = parser.head().view.method;
    return take_body(parser.head(), text, message) ? std::optional(message) : std::nullopt;
  }
  ResponseParser parser;
  if (parser.parse(text, fields, RequestKind::Other) != ParseState::Done) return std::nullopt;
  message.start = std::to_string(parser.head().view.status);
  return take_body(parser.head(), text, message) ? std::optional(message) : std::nullopt;
}

struct Theirs {
  Message message;
  bool in_value = false;
  bool in_trailers = false;
  bool complete = false;
};

Theirs& of(http_parser* parser) { return *static_cast<Theirs*>(parser->data); }

std::optional<Message> read_theirs(std::string_view text, http_parser_type type, std::string& method) {
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_url = [](http_parser* p, const char* at, std::size_t size) {
    of(p).message.start.append(at, size);
    return 0;
  };
  settings.on_header_field = [](http_parser* p, const char* at, std::size_t size) {
    Theirs& t = of(p);
    if (t.in_trailers) return 0;
    if (t.in_value || t.message.fields.empty()) t.message.fields.emplace_back();
    t.in_value = false;
    t.message.fields.back().first.append(at, size);
    return 0;
  };
  settings.on_header_value = [](http_parser* p, const char* at, std::size_t size) {
    Theirs& t = of(p);
    if (t.in_trailers) return 0;
    t.in_value = true;
    t.message.fields.back().second.append(at, size);
    return 0;
  };
  settings.on_headers_complete = [](http_parser* p) {
    of(p).in_trailers = true;
    // It leaves it to its caller to know which statuses have no body.
    const unsigned status = p->type == HTTP_RESPONSE ? p->status_code : 200;
    return status < 200 || status == 204 || status == 304 ? 1 : 0;
  };
  settings.on_body = [](http_parser* p, const char* at, std::size_t size) {
    of(p).message.body.append(at, size);
    return 0;
  };
  settings.on_message_complete = [](http_parser* p) {
    of(p).complete = true;
    http_parser_pause(p, 1);
    return 0;
  };
  http_parser parser;
  http_parser_init(&parser, type);
  Theirs theirs;
  parser.data = &theirs;
  const std::size_t used = http_parser_execute(&parser, &settings, text.data(), text.size());
  if (!theirs.complete && parser.http_errno == HPE_OK) http_parser_execute(&parser, &settings, nullptr, 0);
  const auto error = static_cast<http_errno>(parser.http_errno);
  if (!theirs.complete || (error != HPE_OK && error != HPE_PAUSED)) return std::nullopt;
  theirs.message.size = used;
  if (type == HTTP_RESPONSE) theirs.message.start = std::to_string(parser.status_code);
  if (type == HTTP_REQUEST) method = http_method_str(static_cast<http_method>(parser.method));
  // White space after a value is not stripped there.
  for (auto& [name, value] : theirs.message.fields) value = std::string(trim(value));
  return theirs.message;
}

const std::vector<std::string>& requests() {
  static const std::vector<std::string> kAll{
      "GET /repos/a/b?per_page=1 HTTP/1.1\r\nHost: api.github.com\r\nAccept: */*\r\nUser-Agent: x/1 (y; z)\r\n\r\n",
      "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
      "PUT /x HTTP/1.1\r\nHost: a:80\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nT: "
      "v\r\n\r\n",
      "GET http://a/b?c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nA:\r\nB: \t x y\t \r\n\r\n",
      "HEAD / HTTP/1.0\r\n\r\n",
      "\r\nDELETE /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\n\r\n",
      "PATCH /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx"};
  return kAll;
}

const std::vector<std::string>& responses() {
  static const std::vector<std::string> kAll{
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: W/\"a\"\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n00\r\nX: y\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nDate: now\r\n\r\n",
      "HTTP/1.0 404\r\nServer: x\r\n\r\nuntil close",
      "HTTP/1.1 204 \r\nA: \r\n\r\n",
      "HTTP/1.1 301 Moved\r\nLocation: /a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"};
  return kAll;
}

std::string mutate(SeededRandom& random, std::string text) {
  static const std::vector<std::string> kPieces{"\r\n",
                                                "\n",
                                                "\r",
                                                " ",
                                                "\t",
                                                ":",
                                                ",",
                                                ";",
                                                "\0",
                                                "Host: a\r\n",
                                                "Content-Length: 5\r\n",
                                                "Content-Length: +5\r\n",
                                                "Transfer-Encoding: chunked\r\n",
                                                "Transfer-Encoding : chunked\r\n",
                                                "Transfer-Encoding: chunked, identity\r\n",
                                                "Connection: close\r\n",
                                                "\r\n fold",
                                                "0\r\n\r\n",
                                                "-1",
                                                "0x",
                                                "HTTP/1.0",
                                                "HTTP/1.1",
                                                "\x0b",
                                                "\x7f",
                                                "\xff",
                                                "GET / HTTP/1.1\r\n",
                                                "A: b\r\n",
                                                "chunked",
                                                "99999999999999999999",
                                                "FFFFFFFFFFFFFFFFF",
                                                "#",
                                                "%00",
                                                "//",
                                                "@"};
  const std::uint64_t edits = 1 + random.below(3);
  for (std::uint64_t i = 0; i < edits && !text.empty(); ++i) {
    const std::size_t at = random.below(text.size() + 1);
    const std::string& piece = kPieces[random.below(kPieces.size())];
    switch (random.below(5)) {
      case 0: text.insert(at, piece); break;
      case 1: text.erase(at, 1 + random.below(4)); break;
      case 2: text.replace(at, std::min(piece.size(), text.size() - at), piece); break;
      case 3: text.insert(at, text.substr(random.below(text.size()), random.below(30))); break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(random.below(256));
    }
  }
  return text;
}

// Where RFC 9110 and 9112 are with us: any token is a method; a response may repeat an equal length; a name that only
// begins like a framing field is none. Everything else must agree.
bool is_known_difference(const Message& message, const std::string& method) {
  bool known_method = method.empty();
  for (int i = 0; i <= HTTP_SOURCE && !known_method; ++i)
    known_method = method == http_method_str(static_cast<http_method>(i));
  int lengths = 0;
  bool resembles = false;
  for (const auto& [name, value] : message.fields) {
    if (iequals(name, "content-length")) lengths += value.find(',') == std::string::npos ? 1 : 2;
    for (const std::string_view framing : {"transfer-encoding", "content-length"})
      resembles = resembles || (name.size() > framing.size() && iequals(name.substr(0, framing.size()), framing));
  }
  return !known_method || lengths > 1 || resembles;
}

void compare(const std::vector<std::string>& seeds, http_parser_type type, int rounds) {
  SeededRandom random(20260101);
  int accepted = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::string& seed = seeds[random.below(seeds.size())];
    const std::string text =
        static_cast<std::size_t>(round) < seeds.size() ? seeds[static_cast<std::size_t>(round)] : mutate(random, seed);
    std::string our_method;
    const auto ours = read_ours(text, type, our_method);
    if (!ours) {
      EXPECT_GE(static_cast<std::size_t>(round), seeds.size()) << text;
      continue;
    }
    if (is_known_difference(*ours, our_method)) continue;
    std::string their_method;
    const auto theirs = read_theirs(text, type, their_method);
    ASSERT_TRUE(theirs) << "accepted only here: " << ::testing::PrintToString(text);
    ASSERT_EQ(*ours, *theirs) << ::testing::PrintToString(text);
    ASSERT_EQ(our_method, their_method);
    ++accepted;
  }
  EXPECT_GT(accepted, rounds / 10);
}

TEST(Differential, RequestsMeanWhatHttpParserSays) { compare(requests(), HTTP_REQUEST, 200'000); }
TEST(Differential, ResponsesMeanWhatHttpParserSays) { compare(responses(), HTTP_RESPONSE, 200'000); }

}  // namespace
}  // namespace ghmesh::http::http1
