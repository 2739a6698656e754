// SPDX-License-Identifier: Apache-2.0
#include "cache/entry.hpp"

#include <gtest/gtest.h>

#include "cache/response_head.hpp"
#include "http/message/date.hpp"

namespace ghmesh::cache {
namespace {

using http::Fields;

constexpr std::uint64_t kAfterRestart = 2;  // process_run() is odd

class StoredEntry : public testing::Test {
 protected:
  Entry make(const Fields& fields, int status = 200) {
    const Now now = Now::of(clock_);
    const Selecting selecting[] = {{"accept", "x"}, {"cookie", ""}};
    Entry entry = Entry::make(status, fields, selecting, {now, now}, policy_);
    entry.set_body_size(1234);
    return entry;
  }

  ManualClock clock_;
  FreshnessPolicy policy_ = http_policy(Partition::Anonymous);
};

TEST_F(StoredEntry, HeadLiesReadyAndOnlyTheTailIsWritten) {
  const Entry entry = make({{"ETag", "W/\"a\""},
                            {"Content-Length", "99"},
                            {"Age", "5"},
                            {"X-RateLimit-Remaining", "7"},
                            {"X-From-Cache", "1"},
                            {"Date", http::format_http_date(clock_.wall_now())}});
  EXPECT_EQ(entry.head(), "HTTP/1.1 200 OK\r\nETag: W/\"a\"\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n");
  HitFields hit;
  hit.age = entry.age(Now::of(clock_));
  hit.status.hit = true;
  hit.status.detail = "memory";
  std::string tail;
  append_tail(tail, entry, hit);
  EXPECT_EQ(
      tail,
      "Content-Length: 1234\r\nAge: 5\r\nCache-Status: ghmesh; hit; detail=memory\r\nX-RateLimit-Remaining: 7\r\n\r\n");
  hit.live = "X-RateLimit-Remaining: 3\r\n";
  hit.from_cache = true;
  tail.clear();
  append_tail(tail, entry, hit);
  EXPECT_NE(tail.find("X-RateLimit-Remaining: 3\r\nX-From-Cache: 1\r\n\r\n"), std::string::npos);
}

TEST_F(StoredEntry, AnAnswerWithoutDateGetsOne) { EXPECT_EQ(make({}).field("date"), "Thu, 01 Jan 2026 00:00:00 GMT"); }

TEST_F(StoredEntry, NoContentHasNoLength) {
  std::string tail;
  append_tail(tail, make({}, 204), {});
  EXPECT_EQ(tail.find("Content-Length"), std::string::npos);
}

TEST_F(StoredEntry, SurvivesARestart) {
  Entry entry = make({{"ETag", "\"a\""},
                      {"Cache-Control", "max-age=60"},
                      {"Age", "10"},
                      {"X-RateLimit-Used", "1"},
                      {"Vary", "Accept, Cookie"}});
  entry.set_recoded(true);
  const auto again = Entry::decode(entry.encode(), policy_);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->head(), entry.head());
  EXPECT_EQ(again->live(), entry.live());
  EXPECT_EQ(again->selecting(), entry.selecting());
  EXPECT_EQ(again->body_size(), 1234u);
  EXPECT_TRUE(again->recoded());
  EXPECT_EQ(again->etag()->to_string(), "\"a\"");
  EXPECT_EQ(again->freshness().lifetime, std::chrono::seconds(60));
  EXPECT_EQ(again->encode(), entry.encode());
  clock_.advance(std::chrono::seconds(20));
  EXPECT_EQ(again->age(Now::of(clock_, kAfterRestart)), std::chrono::seconds(30));
}

TEST_F(StoredEntry, FromTheFutureAfterARestartIsOlderThanAnyLifetime) {
  const Entry entry = make({{"Cache-Control", "max-age=99999999999"}});
  const auto again = Entry::decode(entry.encode(), policy_);
  ASSERT_TRUE(again);
  clock_.step_wall(-std::chrono::hours(1));
  EXPECT_GE(again->age(Now::of(clock_, kAfterRestart)), again->lifetime(policy_));
  // The same entry in the process that received it: the monotonic clock still knows.
  EXPECT_LT(entry.age(Now::of(clock_)), std::chrono::seconds(1));
}

TEST_F(StoredEntry, MonotonicTimeCountsInTheRunThatMadeTheRecord) {
  const Now now = Now::of(clock_, 7);
  const Entry entry = Entry::make(200, Fields{{"Cache-Control", "max-age=60"}}, {}, {now, now}, policy_);
  const auto again = Entry::decode(entry.encode(), policy_);
  ASSERT_TRUE(again);
  clock_.advance(std::chrono::seconds(61));
  clock_.step_wall(-std::chrono::seconds(50));
  EXPECT_EQ(again->age(Now::of(clock_, 7)), std::chrono::seconds(61));
  EXPECT_EQ(again->age(Now::of(clock_, 8)), std::chrono::seconds(11));
  EXPECT_EQ(again->age(Now::of(clock_)), std::chrono::seconds(11));
}

TEST_F(StoredEntry, EveryCutAndEveryFlippedVersionIsRefused) {
  const Bytes whole = make({{"ETag", "\"a\""}, {"Vary", "Accept"}}).encode();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(Entry::decode(ByteView(whole).first(size), policy_)) << size;
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(Entry::decode(longer, policy_));
  Bytes other = whole;
  other[0] = 2;
  EXPECT_EQ(Entry::decode(other, policy_).error().code, ErrorCode::Unsupported);
}

TEST_F(StoredEntry, LinesThatCouldSplitAnAnswerAreRefused) {
  const Bytes whole = make({{"X-Field", "abcd"}}).encode();
  for (const char* evil : {"a\r\nb", "a\nbc", "a\rbc"}) {
    std::string text = to_text(whole);
    text.replace(text.find("abcd"), 4, evil, 4);
    EXPECT_FALSE(Entry::decode(as_bytes(text), policy_));
  }
}

}  // namespace
}  // namespace ghmesh::cache
