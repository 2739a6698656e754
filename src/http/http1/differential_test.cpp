// SPDX-License-Identifier: Apache-2.0
// Holds the parser against http-parser 2.9, the ancestor of llhttp: whatever is accepted here must be accepted there
// and mean the same (method, target, fields, decoded body, and where the message ends). The reverse need not hold: this
// parser refuses more. Messages come from a table and from seeded mutations of it.

#include "differential.hpp"

#include <gtest/gtest.h>
#include <http_parser.h>

#include <cstdlib>

namespace ghmesh::http::http1 {
namespace {

using namespace differential;  // NOLINT: its other half

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
    const auto ours = read_ours(text, type == HTTP_REQUEST, our_method);
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
