// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "http/http1/body.hpp"
#include "http/http1/head.hpp"

// For tests: messages from a table and from seeded mutations of it, and what this room's parsers make of them, in a
// form that can be held against other parsers (differential_test.cpp: http-parser; differential_dump.cpp: llhttp).

namespace ghmesh::http::http1::differential {

struct Message {
  std::string start;  // target, or status
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::size_t size = 0;

  bool operator==(const Message&) const = default;
};

inline void PrintTo(const Message& message, std::ostream* out) {
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

inline std::optional<Message> read_ours(std::string_view text, bool is_request, std::string& method) {
  std::array<Field, 128> fields;
  Message message;
  if (is_request) {
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

inline const std::vector<std::string>& requests() {
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

inline const std::vector<std::string>& responses() {
  static const std::vector<std::string> kAll{
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: W/\"a\"\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n00\r\nX: y\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nDate: now\r\n\r\n",
      "HTTP/1.0 404\r\nServer: x\r\n\r\nuntil close",
      "HTTP/1.1 204 \r\nA: \r\n\r\n",
      "HTTP/1.1 301 Moved\r\nLocation: /a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"};
  return kAll;
}

inline std::string mutate(SeededRandom& random, std::string text) {
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

}  // namespace ghmesh::http::http1::differential
