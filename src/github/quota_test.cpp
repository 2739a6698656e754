// SPDX-License-Identifier: Apache-2.0
#include "github/quota.hpp"

#include <gtest/gtest.h>

#include <string>

#include "github/limits.hpp"

namespace ghmesh::github {
namespace {

using http::Fields;

class QuotaTest : public ::testing::Test {
 protected:
  RateReading reading(std::int64_t remaining, Duration reset_in = 30min, std::int64_t limit = 1000) const {
    RateReading out;
    out.limit = limit;
    out.remaining = remaining;
    out.used = limit - remaining;
    out.reset = unix_seconds(clock.wall_now()) + std::chrono::duration_cast<std::chrono::seconds>(reset_in).count();
    return out;
  }
  void live(const RateReading& r, bool charged = true) {
    ledger.on_answer(token, r, ReadingSource::Live, charged, clock.wall_now());
  }
  std::int64_t remaining() const { return ledger.latest(token, "core", clock.wall_now())->remaining; }

  ManualClock clock;
  QuotaLedger ledger;
  Partition token{1};
};

TEST_F(QuotaTest, ReadsTheFields) {
  const auto found = parse_rate_fields(Fields{{"X-RateLimit-Limit", "5000"},
                                              {"x-ratelimit-remaining", "4990"},
                                              {"x-ratelimit-reset", "1767229200"},
                                              {"x-ratelimit-resource", "search"}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->limit, 5000);
  EXPECT_EQ(found->used, 10);
  EXPECT_EQ(found->resource, "search");
  EXPECT_FALSE(parse_rate_fields(Fields{{"x-ratelimit-limit", "5000"}}));
  EXPECT_FALSE(parse_rate_fields(
      Fields{{"x-ratelimit-limit", "-1"}, {"x-ratelimit-remaining", "1x"}, {"x-ratelimit-reset", "1"}}));
}

TEST_F(QuotaTest, LateAndStaleReadingsNeverRaiseWhatIsLeft) {
  live(reading(900));
  live(reading(950));  // an answer overtaken by a later one
  EXPECT_EQ(remaining(), 900);
  // /rate_limit lags and shows a full bucket, also with a window of its own.
  ledger.on_answer(token, reading(1000), ReadingSource::RateLimitEndpoint, false, clock.wall_now());
  ledger.on_answer(token, reading(1000, 60min), ReadingSource::RateLimitEndpoint, false, clock.wall_now());
  EXPECT_EQ(remaining(), 900);
  live(reading(10));
  EXPECT_EQ(remaining(), 10);
}

TEST_F(QuotaTest, ANewWindowStartsAnew) {
  live(reading(0, 1min));
  EXPECT_FALSE(ledger.may_spend(token, "core", true, 0, clock.wall_now()));
  clock.advance(2min);
  EXPECT_FALSE(ledger.latest(token, "core", clock.wall_now()));
  EXPECT_TRUE(ledger.may_spend(token, "core", false, 50, clock.wall_now()));
  live(reading(999, 60min));
  EXPECT_EQ(remaining(), 999);
}

TEST_F(QuotaTest, ReserveIsForWrites) {
  live(reading(100));
  EXPECT_TRUE(ledger.may_spend(token, "core", false, 9, clock.wall_now()));
  EXPECT_FALSE(ledger.may_spend(token, "core", false, 10, clock.wall_now()));
  EXPECT_TRUE(ledger.may_spend(token, "core", true, 10, clock.wall_now()));
}

TEST_F(QuotaTest, TellsOwnSpendingFromOthersAndLooksAhead) {
  live(reading(1000), false);
  clock.advance(10min);
  for (int i = 1; i <= 100; ++i) live(reading(1000 - 4 * i, 20min));
  const std::vector<QuotaView> view = ledger.view(clock.wall_now());
  ASSERT_EQ(view.size(), 1u);
  EXPECT_EQ(view[0].used, 400);
  EXPECT_EQ(view[0].spent_by_this_node, 100);
  EXPECT_EQ(view[0].spent_by_others, 300);
  EXPECT_EQ(view[0].forecast_remaining, 600 - 400 * 2);  // 400 in ten minutes, twenty to go
  ASSERT_TRUE(view[0].empty_at);
  EXPECT_EQ(*view[0].empty_at - unix_seconds(clock.wall_now()), 900);
  EXPECT_EQ(view[0].token.size(), 16u);
}

TEST_F(QuotaTest, SaysNothingOfTheFutureWhileTooLittleWasSeen) {
  live(reading(1000), false);
  const auto outlook = [&] { return ledger.view(clock.wall_now())[0].forecast_remaining; };
  clock.advance(59s);
  for (int i = 1; i <= 50; ++i) live(reading(1000 - i, 30min - 59s));
  EXPECT_FALSE(outlook()) << "a second of work says nothing of half an hour";
  clock.advance(1s);
  EXPECT_TRUE(outlook());
  token = Partition{2};
  live(reading(1000), false);
  clock.advance(5min);
  for (int i = 1; i <= 9; ++i) live(reading(1000 - i, 25min));
  EXPECT_FALSE(ledger.view(clock.wall_now())[1].forecast_remaining) << "nor do nine calls";
  live(reading(990, 25min));
  EXPECT_TRUE(ledger.view(clock.wall_now())[1].forecast_remaining);
}

TEST_F(QuotaTest, WhatMembersSpentIsKnownByNameAndTheRestIsSomebodyElses) {
  live(reading(900));
  const auto told = [&](const char* member, std::int64_t left, std::int64_t spent) {
    ledger.on_told(token, member, reading(left), spent, clock.wall_now() + 1ms, clock.wall_now());
  };
  told("b", 880, 30);
  told("c", 870, 20);
  told("b", 860, 31);
  QuotaView view = ledger.view(clock.wall_now())[0];
  EXPECT_EQ(view.remaining, 860);
  EXPECT_EQ(view.used, 140);
  EXPECT_EQ(view.spent_by_members, 51);
  EXPECT_EQ(view.spent_by_others, 88);
  EXPECT_EQ(view.spent_by_member.size(), 2u);
  // What one says it spent cannot be more than was used.
  told("c", 860, 900);
  view = ledger.view(clock.wall_now())[0];
  EXPECT_EQ(view.spent_by_members, 139);
  EXPECT_EQ(view.spent_by_others, 0);
  // Another window or limit, one of the past and one of next week are nobody's hint.
  ledger.on_told(token, "d", reading(1, 55min), 0, clock.wall_now() + 1ms, clock.wall_now());
  ledger.on_told(token, "d", reading(1, 30min, 5000), 0, clock.wall_now() + 1ms, clock.wall_now());
  ledger.on_told(token, "d", reading(1, -1min), 0, clock.wall_now() + 1ms, clock.wall_now());
  ledger.on_told(Partition{7}, "d", reading(1, 24h * 7), 0, clock.wall_now() + 1ms, clock.wall_now());
  EXPECT_EQ(remaining(), 860);
  EXPECT_EQ(ledger.size(), 1u);
}

TEST_F(QuotaTest, ALiveAnswerWinsAndWhoWasWrongIsNotHeardAgain) {
  live(reading(900));
  const auto told = [&](std::int64_t left) {
    ledger.on_told(token, "liar", reading(left), 0, clock.wall_now() + 1ms, clock.wall_now());
  };
  told(0);
  EXPECT_EQ(remaining(), 0);
  EXPECT_FALSE(ledger.may_spend(token, "core", false, 0, clock.wall_now()));
  clock.advance(29s);
  told(0);
  EXPECT_FALSE(ledger.may_spend(token, "core", false, 0, clock.wall_now()));
  clock.advance(1s);
  EXPECT_TRUE(ledger.may_spend(token, "core", false, 0, clock.wall_now())) << "one looks for itself";
  EXPECT_FALSE(ledger.may_spend(token, "core", false, 0, clock.wall_now())) << "and the others wait for it";
  live(reading(899, 30min - 30s));
  EXPECT_TRUE(ledger.may_spend(token, "core", false, 0, clock.wall_now()));
  told(0);
  EXPECT_EQ(remaining(), 899);
  clock.advance(10min);
  ledger.on_told(token, "liar", reading(800, 19min + 30s), 0, clock.wall_now() + 1ms, clock.wall_now());
  EXPECT_EQ(remaining(), 800);
  // What was read before this node's own last look says nothing new.
  ledger.on_told(token, "slow", reading(700, 19min + 30s), 0, clock.wall_now() - 11min, clock.wall_now());
  EXPECT_EQ(remaining(), 800);
}

TEST_F(QuotaTest, LocalAnswersCarryTheLatest) {
  live(reading(7));
  Fields out;
  ledger.add_local_fields(out, token, "core", clock.wall_now());
  EXPECT_EQ(out.first("x-ratelimit-remaining"), "7");
  EXPECT_EQ(out.first("x-ratelimit-used"), "993");
  EXPECT_EQ(out.first("x-from-cache"), "1");
  Fields other;
  ledger.add_local_fields(other, Partition{2}, "core", clock.wall_now());
  EXPECT_FALSE(other.has("x-ratelimit-remaining"));
  EXPECT_TRUE(other.has("x-from-cache"));
}

TEST_F(QuotaTest, SpendingIsToldByKindWithinAWindow) {
  const auto spend = [&](std::size_t kind, bool charged) {
    ledger.on_answer(token, reading(900), ReadingSource::Live, charged, clock.wall_now(), kind);
  };
  spend(2, true);
  spend(2, true);
  spend(kSpendingKinds - 1, true);
  spend(3, false);
  QuotaView view = ledger.view(clock.wall_now()).at(0);
  EXPECT_EQ(view.spent_by_this_node, 3);
  EXPECT_EQ(view.spent_by_kind[2], 2u);
  EXPECT_EQ(view.spent_by_kind[3], 0u);
  EXPECT_EQ(view.spent_by_kind[kSpendingKinds - 1], 1u);
  clock.advance(61min);
  ledger.on_answer(token, reading(999), ReadingSource::Live, true, clock.wall_now(), 1);
  view = ledger.view(clock.wall_now()).at(0);
  EXPECT_EQ(view.spent_by_this_node, 1);
  EXPECT_EQ(view.spent_by_kind[1], 1u);
  EXPECT_EQ(view.spent_by_kind[2], 0u) << "of the window before";
}

// What another token of the same bucket read, a while after this one's last look.
class KinTest : public QuotaTest {
 protected:
  void told(const RateReading& r, Kin kin, std::int64_t spent = 0, const std::string& member = "member") {
    ledger.on_told(token, member, r, spent, clock.wall_now(), clock.wall_now(), kin);
  }
  bool knows() const { return ledger.latest(token, "core", clock.wall_now()).has_value(); }
};

TEST_F(KinTest, KnownKinTellWhatIsLeftBeforeThisTokenAsked) {
  told(reading(700), Kin::Known, 20);
  ASSERT_TRUE(knows());
  EXPECT_EQ(remaining(), 700);
  EXPECT_EQ(ledger.view(clock.wall_now()).at(0).spent_by_member.at(0),
            (std::pair<std::string, std::int64_t>("member", 20)));
  live(reading(650, 10min));
  EXPECT_EQ(remaining(), 650) << "what GitHub says itself stands, whatever window that is";
}

TEST_F(KinTest, GuessedKinSayNothingBeforeThisTokenAsked) {
  told(reading(0), Kin::Guessed);
  EXPECT_FALSE(knows());
  EXPECT_TRUE(ledger.may_spend(token, "core", false, 0, clock.wall_now()));
}

TEST_F(KinTest, GuessedKinCountWhereLimitAndWindowAreTheSame) {
  live(reading(900));
  clock.advance(1s);
  told(reading(10, 40min), Kin::Guessed);
  told(reading(10, 29min + 59s, 5000), Kin::Guessed);
  EXPECT_EQ(remaining(), 900);
  told(reading(800, 29min + 59s), Kin::Guessed, 90);
  EXPECT_EQ(remaining(), 800);
  told(reading(850, 29min + 59s), Kin::Guessed, 90);
  EXPECT_EQ(remaining(), 800) << "used only rises";
  const QuotaView view = ledger.view(clock.wall_now()).at(0);
  EXPECT_EQ(view.spent_by_members, 90);
  EXPECT_FALSE(ledger.doubts_kin(token, "core", clock.wall_now()));
}

TEST_F(KinTest, AWrongGuessStopsATokenForHalfAMinuteAndIsFoundOut) {
  live(reading(900));
  clock.advance(1s);
  told(reading(0, 29min + 59s), Kin::Guessed);
  EXPECT_FALSE(ledger.may_spend(token, "core", false, 0, clock.wall_now()));
  clock.advance(30s);
  EXPECT_TRUE(ledger.may_spend(token, "core", false, 0, clock.wall_now()));
  live(reading(899, 29min + 29s));
  EXPECT_TRUE(ledger.doubts_kin(token, "core", clock.wall_now()));
  told(reading(0, 29min + 29s), Kin::Guessed);
  EXPECT_EQ(remaining(), 899);
  EXPECT_TRUE(ledger.may_spend(token, "core", false, 0, clock.wall_now()));
}

TEST_F(KinTest, ALaterReadingThatSaysLessIsOfAnotherBucket) {
  live(reading(300));
  clock.advance(5s);
  told(reading(990, 29min + 55s), Kin::Guessed, 10);
  EXPECT_FALSE(ledger.doubts_kin(token, "core", clock.wall_now())) << "answers of those seconds may have crossed";
  clock.advance(6s);
  told(reading(990, 29min + 49s), Kin::Guessed, 10);
  EXPECT_TRUE(ledger.doubts_kin(token, "core", clock.wall_now()));
  EXPECT_EQ(ledger.view(clock.wall_now()).at(0).spent_by_members, 0);
  EXPECT_EQ(remaining(), 300);
}

TEST_F(KinTest, AMembersSpendingOnThisTokenIsPartOfWhatItSpentOnTheBucket) {
  live(reading(900));
  clock.advance(1s);
  told(reading(850, 29min + 59s), Kin::SameToken, 30);
  told(reading(850, 29min + 59s), Kin::Known, 50);
  EXPECT_EQ(ledger.view(clock.wall_now()).at(0).spent_by_members, 50);
}

TEST_F(KinTest, WhatWasUsedInTheLastWindowIsNotHeldAgainstAMember) {
  live(reading(900, 1min));
  clock.advance(10s);
  told(reading(0, 50s), Kin::SameToken);
  clock.advance(1min);
  told(reading(990), Kin::SameToken);
  clock.advance(1s);
  live(reading(985, 30min - 1s));
  clock.advance(1s);
  told(reading(970, 30min - 2s), Kin::SameToken);
  EXPECT_EQ(remaining(), 970) << "it is believed as before";
}

TEST_F(QuotaTest, ANewcomersWordCountsHoweverManySpokeBefore) {
  live(reading(4000));
  for (std::size_t n = 0; n < kLimits.max_told + 10; ++n)
    ledger.on_told(token, "runner" + std::to_string(n), reading(3999 - static_cast<std::int64_t>(n)), n == 0 ? 5 : 1,
                   clock.wall_now() + 1ms, clock.wall_now());
  EXPECT_EQ(remaining(), 3999 - static_cast<std::int64_t>(kLimits.max_told) - 9);
  const QuotaView view = ledger.view(clock.wall_now())[0];
  EXPECT_EQ(view.spent_by_member.size(), kLimits.max_told);
  EXPECT_EQ(std::ranges::count(view.spent_by_member, std::pair(std::string("runner0"), std::int64_t{5})), 1)
      << "who spent least is forgotten";
}

TEST_F(QuotaTest, IsBounded) {
  for (std::size_t i = 0; i < kLimits.max_ledger_entries + 100; ++i) {
    Partition each{};
    store_be(each.data(), static_cast<std::uint64_t>(i + 1));
    ledger.on_answer(each, reading(5), ReadingSource::Live, true, clock.wall_now());
  }
  EXPECT_EQ(ledger.size(), kLimits.max_ledger_entries);
}

TEST_F(QuotaTest, LimitsAreToldApartAsClientsDo) {
  const auto kind = [&](int status, const Fields& fields, std::string_view body) {
    return classify_limit(status, fields, body, clock.wall_now());
  };
  const std::string reset = std::to_string(unix_seconds(clock.wall_now()) + 600);
  const Fields spent{{"x-ratelimit-limit", "60"}, {"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", reset}};
  const Fields left{{"x-ratelimit-limit", "60"}, {"x-ratelimit-remaining", "9"}, {"x-ratelimit-reset", reset}};
  const auto primary = kind(403, spent, R"({"message":"API rate limit exceeded for installation ID 1."})");
  EXPECT_EQ(primary.kind, LimitKind::Primary);
  EXPECT_EQ(primary.retry_after, Duration(601s));
  EXPECT_EQ(kind(429, spent, "").kind, LimitKind::Primary);
  EXPECT_EQ(kind(403, left, R"({"message":"API rate limit exceeded for 1.2.3.4."})").kind, LimitKind::Primary);
  const auto secondary = kind(403, left, R"({"message":"You have exceeded a secondary rate limit. Please wait"})");
  EXPECT_EQ(secondary.kind, LimitKind::Secondary);
  EXPECT_FALSE(secondary.retry_after);
  EXPECT_EQ(kind(403, left, R"({"message":"x","documentation_url":"https://d/rest#secondary-rate-limits"})").kind,
            LimitKind::Secondary);
  EXPECT_EQ(kind(403, {}, R"({"message":"You have triggered an abuse detection mechanism."})").kind,
            LimitKind::Secondary);
  EXPECT_EQ(kind(429, Fields{{"retry-after", "7"}}, "").retry_after, Duration(7s));
  EXPECT_EQ(kind(429, Fields{{"retry-after", "7"}}, "").kind, LimitKind::Secondary);
  EXPECT_EQ(kind(403, left, R"({"message":"Resource not accessible by integration"})").kind, LimitKind::None);
  EXPECT_EQ(kind(404, spent, R"({"message":"Not Found"})").kind, LimitKind::None);
  EXPECT_EQ(kind(200, spent, R"({"data":null,"errors":[{"type":"RATE_LIMITED","message":"x"}]})").kind,
            LimitKind::Primary);
  EXPECT_EQ(kind(200, spent, R"({"data":{"x":"RATE_LIMITED"}})").kind, LimitKind::None);
}

TEST_F(QuotaTest, LocalRefusalsAreRecognised) {
  const LocalAnswer primary = primary_limit_answer(reading(3));
  EXPECT_EQ(primary.fields.first("x-ratelimit-remaining"), "0");
  EXPECT_EQ(classify_limit(primary.status, primary.fields, primary.body, clock.wall_now()).kind, LimitKind::Primary);
  const LocalAnswer secondary = secondary_limit_answer(30s, reading(3));
  const LimitVerdict verdict = classify_limit(secondary.status, secondary.fields, secondary.body, clock.wall_now());
  EXPECT_EQ(verdict.kind, LimitKind::Secondary);
  EXPECT_EQ(verdict.retry_after, Duration(30s));
  // What go-github and gofri look at, and what Octokit's throttling looks for.
  EXPECT_NE(secondary.body.find("\"message\":\"You have exceeded a secondary rate limit"), std::string::npos);
  EXPECT_NE(secondary.body.find("secondary-rate-limits\""), std::string::npos);
  EXPECT_NE(primary.body.find("\"message\":\"API rate limit exceeded"), std::string::npos);
  EXPECT_FALSE(secondary_limit_answer(30s, reading(0)).fields.has("x-ratelimit-remaining"));
}

TEST_F(QuotaTest, ResourcesByPath) {
  EXPECT_EQ(expected_resource("/repos/o/r"), "core");
  EXPECT_EQ(expected_resource("/search/issues"), "search");
  EXPECT_EQ(expected_resource("/search/code"), "code_search");
  EXPECT_EQ(expected_resource("/graphql"), "graphql");
}

}  // namespace
}  // namespace ghmesh::github
