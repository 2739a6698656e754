// SPDX-License-Identifier: Apache-2.0
// What is kept, for how long, and what may be served beyond that (RFC 9111 §3, §4.2, RFC 5861).

#include <gtest/gtest.h>

#include "test_engine.hpp"

namespace ghmesh::cache {
namespace {

// ---- what is not stored (§3)

TEST_F(Engine, A17_A35_LimitsAndRefusalsAreNotStoredNorHiddenBehindStale) {
  answer(200, {{"Cache-Control", "max-age=1, stale-if-error=600"}, {"ETag", "\"a\""}});
  ask(get());
  clock_.advance(std::chrono::seconds(5));
  for (const int status : {403, 429}) {
    answer(status, {{"Retry-After", "60"}, {"Cache-Control", "max-age=60"}});
    EXPECT_EQ(ask(get()).status, status);
    EXPECT_EQ(ask(get()).status, status);
    EXPECT_FALSE(from_cache());
  }
  answer(304, {{"ETag", "\"a\""}});
  EXPECT_EQ(ask(get()).status, 200) << "the entry survived the limit";
}

TEST_F(Engine, StorabilityTable) {
  struct Row {
    const char* method;
    int status;
    Fields fields;
    bool stored;
  };
  const Row rows[] = {
      {"GET", 200, {{"Cache-Control", "max-age=60"}}, true},
      {"GET", 200, {{"ETag", "\"a\""}}, true},
      {"GET", 200, {}, false},
      {"GET", 200, {{"Cache-Control", "no-store, max-age=60"}}, false},
      {"GET", 200, {{"Cache-Control", "no-store, must-understand, max-age=60"}}, true},
      {"GET", 599, {{"Cache-Control", "no-store, must-understand, max-age=60"}}, false},
      {"GET", 599, {{"Cache-Control", "must-understand, max-age=60"}}, false},
      {"GET", 599, {{"Cache-Control", "max-age=60"}}, true},
      {"GET", 206, {{"Cache-Control", "max-age=60"}}, false},
      {"GET", 401, {{"Cache-Control", "max-age=60"}}, false},
      {"GET", 404, {{"Cache-Control", "max-age=60"}}, true},
      {"GET", 202, {{"ETag", "\"a\""}}, false},
      {"GET", 200, {{"Cache-Control", "max-age=60"}, {"Vary", "*"}}, false},
      {"GET", 200, {{"Cache-Control", "max-age=60"}, {"Retry-After", "1"}}, false},
      {"GET", 200, {{"Cache-Control", "max-age=60"}, {"Set-Cookie", "a=b"}}, true},
      {"GET", 200, {{"Last-Modified", "Wed, 01 Jan 2025 00:00:00 GMT"}, {"Set-Cookie", "a=b"}}, false},
      {"GET", 200, {{"Cache-Control", "no-cache"}}, false},
      {"GET", 200, {{"Cache-Control", "no-cache"}, {"ETag", "\"a\""}}, true},
      {"POST", 200, {{"Cache-Control", "max-age=60"}, {"ETag", "\"a\""}}, false},
      {"QUERY", 200, {{"Cache-Control", "max-age=60"}}, false},
  };
  for (const Row& row : rows) {
    answer(row.status, row.fields);
    make_cache(http_policy(Partition::Anonymous), http_policy(Partition::Credential));
    ask({row.method, "/x", {}});
    EXPECT_EQ(cache_.entries(), row.stored ? 1u : 0u) << row.method << row.status << row.fields.joined("Cache-Control");
  }
}

TEST_F(Engine, FieldsNamedByDirectivesAreLeftOut) {
  answer(
      200,
      {{"Cache-Control", "max-age=60, no-cache=\"X-A\", private=\"X-B\""}, {"X-A", "1"}, {"X-B", "2"}, {"X-C", "3"}});
  ask(get());
  ask(get({{"Authorization", "t"}}));
  const Message anonymous = ask(get());
  EXPECT_TRUE(from_cache());
  EXPECT_FALSE(anonymous.fields.has("X-A"));
  EXPECT_FALSE(anonymous.fields.has("X-B"));
  EXPECT_TRUE(anonymous.fields.has("X-C"));
  EXPECT_TRUE(ask(get({{"Authorization", "t"}})).fields.has("X-B"));
}

TEST_F(Engine, RequestsWithABodyOrNoStorePassBy) {
  answer(200, {{"Cache-Control", "max-age=60"}});
  ask(get({{"Content-Length", "3"}}));
  ask(get({{"Cache-Control", "no-store"}}));
  EXPECT_EQ(cache_.entries(), 0u);
}

// ---- staleness (§4.2.4, RFC 5861)

TEST_F(Engine, StaleIfErrorAsTheResponseAllows) {
  answer(200, {{"Cache-Control", "max-age=1, stale-if-error=60"}, {"ETag", "\"a\""}});
  ask(get());
  clock_.advance(std::chrono::seconds(30));
  answer(503, {}, "down");
  const Message stale = ask(get());
  EXPECT_EQ(stale.status, 200);
  EXPECT_EQ(stale.fields.joined("Cache-Status"), "ghmesh; hit; detail=stale; fwd=stale");
  EXPECT_EQ(stale.fields.joined("Age"), "30");
  // The client's own bound holds for stale answers too.
  EXPECT_EQ(ask(get({{"Cache-Control", "max-age=5"}})).status, 503);
  EXPECT_EQ(ask(get({{"Cache-Control", "no-cache"}})).status, 503);
  clock_.advance(std::chrono::seconds(32));
  EXPECT_EQ(ask(get()).status, 503);
}

TEST_F(Engine, DisconnectionServesStaleUnlessForbidden) {
  struct Row {
    const char* control;
    int status;
  };
  for (const Row& row :
       {Row{"max-age=2", 200}, Row{"max-age=2, must-revalidate", 502}, Row{"max-age=2, proxy-revalidate", 502},
        Row{"max-age=2, s-maxage=2", 502}, Row{"max-age=2, no-cache", 502}}) {
    make_cache(http_policy(Partition::Anonymous), http_policy(Partition::Credential));
    answer(200, {{"Cache-Control", row.control}, {"ETag", "\"a\""}});
    ask(get());
    clock_.advance(std::chrono::seconds(10));
    unreachable();
    EXPECT_EQ(ask(get()).status, row.status) << row.control;
  }
}

TEST_F(Engine, TheOperatorAllowsStaleToo) {
  FreshnessPolicy policy;
  policy.stale_on_error = std::chrono::seconds(100);
  make_cache(policy, policy);
  answer(200, {{"Cache-Control", "max-age=1"}, {"ETag", "\"a\""}});
  ask(get());
  clock_.advance(std::chrono::seconds(50));
  answer(502, {});
  EXPECT_EQ(ask(get()).status, 200);
  clock_.advance(std::chrono::seconds(52));
  EXPECT_EQ(ask(get()).status, 502);
}

TEST_F(Engine, StaleWhileRevalidateServesAndAsksBehind) {
  answer(200, {{"Cache-Control", "max-age=1, stale-while-revalidate=10"}, {"ETag", "\"a\""}}, "old");
  ask(get());
  clock_.advance(std::chrono::seconds(5));
  answer(200, {{"Cache-Control", "max-age=1, stale-while-revalidate=10"}, {"ETag", "\"b\""}}, "new");
  EXPECT_EQ(ask(get({{"If-None-Match", "\"x\""}})).body, "old");
  EXPECT_EQ(sent("If-None-Match"), "\"a\"");
  EXPECT_EQ(ask(get()).body, "new");
  EXPECT_TRUE(from_cache());
  clock_.advance(std::chrono::seconds(12));
  answer(200, {{"Cache-Control", "max-age=1"}}, "newer");
  EXPECT_EQ(ask(get()).body, "newer") << "the window is over";
}

// ---- lifetimes of other policies

TEST_F(Engine, PoliciesSetLifetimesButNotProhibitions) {
  FreshnessPolicy policy;
  policy.lifetime.kind = Lifetime::Kind::Forever;
  make_cache(policy, policy);
  answer(200, {{"Cache-Control", "max-age=1"}, {"ETag", "\"a\""}});
  ask(get());
  clock_.advance(std::chrono::hours(24 * 365));
  ask(get());
  EXPECT_TRUE(from_cache());
  answer(200, {{"Cache-Control", "no-cache"}, {"ETag", "\"a\""}});
  ask(get({}, "/b"));
  ask(get({}, "/b"));
  EXPECT_FALSE(from_cache());

  policy.lifetime.kind = Lifetime::Kind::AlwaysValidate;
  make_cache(policy, policy);
  answer(200, {{"Cache-Control", "max-age=60, stale-while-revalidate=60"}, {"ETag", "\"a\""}});
  ask(get());
  answer(304, {{"ETag", "\"a\""}});
  EXPECT_EQ(ask(get()).status, 200);
  EXPECT_FALSE(from_cache());

  policy.lifetime = {Lifetime::Kind::Fixed, std::chrono::seconds(300)};
  make_cache(policy, policy);
  answer(200, {{"ETag", "\"a\""}});
  ask(get());
  clock_.advance(std::chrono::seconds(299));
  ask(get());
  EXPECT_TRUE(from_cache());
}

TEST_F(Engine, HeuristicsAndTargetedFieldsAreSwitches) {
  const HttpSwitches off{false, false, std::chrono::seconds(0)};
  const Fields dated{{"Last-Modified", "Wed, 01 Jan 2025 00:00:00 GMT"}};
  const Fields targeted{{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "max-age=60"}};
  for (const bool on : {true, false}) {
    const FreshnessPolicy policy = on ? http_policy(Partition::Anonymous) : http_policy(Partition::Anonymous, off);
    make_cache(policy, policy);
    answer(200, dated);
    ask(get());
    ask(get());
    EXPECT_EQ(from_cache(), on);
    answer(200, targeted);
    ask(get({}, "/b"));
    ask(get({}, "/b"));
    EXPECT_EQ(from_cache(), on);
  }
}

// ---- Age (§4.2.3)

TEST_F(Engine, AgeAddsUpOverChainedCaches) {
  answer(200, {{"Cache-Control", "max-age=100"}, {"Age", "40"}});
  ask(get());
  clock_.advance(std::chrono::seconds(20));
  const Message inner = ask(get());
  EXPECT_EQ(inner.fields.joined("Age"), "60");
  // A second node behind the first: what it stores is 60 seconds old already.
  ManualClock& clock = clock_;
  ModelCache outer(http_policy(Partition::Anonymous), http_policy(Partition::Credential), clock,
                   [&](const Request&) { return inner; });
  outer.request(get());
  clock_.advance(std::chrono::seconds(30));
  EXPECT_EQ(outer.request(get()).fields.joined("Age"), "90");
  EXPECT_EQ(outer.request(get()).fields.joined("Cache-Status"),
            "ghmesh; hit; detail=memory, ghmesh; hit; detail=memory");
  clock_.advance(std::chrono::seconds(11));
  outer.request(get());
  EXPECT_FALSE(outer.last_decision().serves());
}

TEST_F(Engine, AgeOfTheExampleCalculation) {
  // §4.2.3: apparent_age = 3, age_value 1 + response_delay 4 = 5; the larger is the initial age.
  const WallTime received = clock_.wall_now();
  const Fields fields{{"Date", http::format_http_date(received - std::chrono::seconds(3))}, {"Age", "1"}};
  EXPECT_EQ(initial_age(fields, received - std::chrono::seconds(4), received), std::chrono::seconds(5));
  EXPECT_EQ(initial_age(fields, received, received), std::chrono::seconds(3));
}

TEST_F(Engine, A34_ClockStepsNeverRevive) {
  answer(200, {{"Cache-Control", "max-age=60"}});
  ask(get());
  clock_.advance(std::chrono::seconds(61));
  clock_.step_wall(-std::chrono::hours(2));
  ask(get());
  EXPECT_FALSE(from_cache());
  answer(200, {{"Cache-Control", "max-age=60"}, {"Date", http::format_http_date(clock_.wall_now())}});
  ask(get({}, "/b"));
  clock_.step_wall(std::chrono::hours(1));  // a machine that slept
  ask(get({}, "/b"));
  EXPECT_FALSE(from_cache());
}

}  // namespace
}  // namespace ghmesh::cache
