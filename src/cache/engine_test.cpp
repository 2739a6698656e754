// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cache/limits.hpp"
#include "cache/model_cache.hpp"
#include "cache/storing.hpp"
#include "cache/target.hpp"
#include "http/message/date.hpp"

namespace ghmesh::cache {
namespace {

using http::Fields;
using http::Request;

// A cache, an origin whose next answers the test lays out, and a clock that it moves.
class Engine : public testing::Test {
 protected:
  Request get(Fields fields = {}, std::string target = "/repos/o/r") {
    return {"GET", std::move(target), std::move(fields)};
  }

  void answer(int status, Fields fields, std::string body = "body") {
    next_ = Message{status, std::move(fields), std::move(body)};
    if (!next_->fields.has("Date")) next_->fields.add("Date", http::format_http_date(clock_.wall_now()));
  }
  void unreachable() { next_.reset(); }

  // The answer, and whether the origin was asked for it.
  Message ask(const Request& request) {
    const int before = asked_;
    Message message = cache_.request(request);
    forwarded_ = asked_ - before;
    return message;
  }
  bool from_cache() const { return forwarded_ == 0; }
  std::string sent(std::string_view name) const { return last_request_.fields.joined(name); }

  void make_cache(FreshnessPolicy anonymous, FreshnessPolicy credential) {
    cache_ = ModelCache(anonymous, credential, clock_, origin_);
  }

  ManualClock clock_;
  std::optional<Message> next_ = std::nullopt;
  Request last_request_;
  int asked_ = 0;
  int forwarded_ = 0;
  ModelCache::Origin origin_ = [this](const Request& request) {
    ++asked_;
    last_request_ = request;
    return next_;
  };
  ModelCache cache_{http_policy(Partition::Anonymous), http_policy(Partition::Credential), clock_, origin_};
};

// ---- the credential partition (RFC 9111 §3.5, §5.2.2.7)

TEST_F(Engine, PrivateIsReusedForTheSameTokenNeverForAnotherNeverAnonymously) {
  const Fields github{{"Cache-Control", "private, max-age=60, s-maxage=60"},
                      {"Vary", "Accept, Authorization, Cookie, X-GitHub-OTP"},
                      {"Vary", "Accept-Encoding, Accept, X-Requested-With"},
                      {"ETag", "W/\"a\""}};
  answer(200, github);
  ask(get({{"Authorization", "token A"}}));
  ask(get({{"Authorization", "token A"}}));
  EXPECT_TRUE(from_cache());
  ask(get({{"Authorization", "token B"}}));
  EXPECT_FALSE(from_cache());
  ask(get());
  EXPECT_FALSE(from_cache());
  ask(get());
  EXPECT_FALSE(from_cache()) << "the anonymous partition must not keep a private answer";
  clock_.advance(std::chrono::seconds(61));
  ask(get({{"Authorization", "token A"}}));
  EXPECT_FALSE(from_cache());
  EXPECT_EQ(sent("If-None-Match"), "W/\"a\"");
}

TEST_F(Engine, CredentialBytesDoNotEnterTheEntry) {
  const Fields fields{{"Authorization", "token SECRET"}, {"Accept", "x"}};
  const Request request = get(fields);
  const Fields response{{"Cache-Control", "max-age=60"}, {"Vary", "Authorization, Accept"}, {"Date", "x"}};
  const auto entry = make_storable(request.view(), {200, response}, {Now::of(clock_), Now::of(clock_)},
                                   http_policy(Partition::Credential));
  ASSERT_TRUE(entry);
  EXPECT_EQ(to_text(entry->encode()).find("SECRET"), std::string::npos);
}

TEST_F(Engine, AuthorizationInTheAnonymousPartitionPassesThrough) {
  const Fields fields{{"Authorization", "x"}};
  const Request request = get(fields);
  const Decision decision = decide(request.view(), {}, http_policy(Partition::Anonymous), Now::of(clock_));
  EXPECT_EQ(decision.action, Action::Pass);
  const Fields response{{"Cache-Control", "max-age=60"}};
  EXPECT_FALSE(make_storable(request.view(), {200, response}, {Now::of(clock_), Now::of(clock_)},
                             http_policy(Partition::Anonymous)));
}

// ---- Vary

TEST_F(Engine, VariantsOfAcceptAndApiVersionLiveSideBySide) {
  const Fields varied{{"Cache-Control", "max-age=60"}, {"Vary", "Accept, X-GitHub-Api-Version"}};
  answer(200, varied, "json");
  ask(get({{"Accept", "application/json"}}));
  answer(200, varied, "diff");
  ask(get({{"Accept", "application/vnd.github.diff"}}));
  answer(200, varied, "new");
  ask(get({{"Accept", "application/json"}, {"X-GitHub-Api-Version", "2026-01-01"}}));
  EXPECT_EQ(ask(get({{"Accept", "application/json"}})).body, "json");
  EXPECT_TRUE(from_cache());
  EXPECT_EQ(ask(get({{"Accept", " application/vnd.github.diff "}})).body, "diff");
  EXPECT_TRUE(from_cache());
  EXPECT_EQ(ask(get({{"X-GitHub-Api-Version", "2026-01-01"}, {"Accept", "application/json"}})).body, "new");
  EXPECT_TRUE(from_cache());
}

TEST_F(Engine, A304MayNameTheVariantThatAnswers) {
  answer(200, {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}, {"ETag", "\"a\""}}, "one");
  ask(get({{"Accept", "x"}}));
  answer(200, {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}, {"ETag", "\"b\""}}, "two");
  ask(get({{"Accept", "y"}}));
  answer(304, {{"ETag", "\"b\""}});
  EXPECT_EQ(ask(get({{"Accept", "z"}})).body, "two");
  EXPECT_EQ(sent("If-None-Match"), "\"a\", \"b\"");
  EXPECT_EQ(ask(get({{"Accept", "z"}})).body, "two");
  EXPECT_TRUE(from_cache());
  EXPECT_EQ(ask(get({{"Accept", "x"}})).body, "one");
  EXPECT_TRUE(from_cache());
}

TEST_F(Engine, AStrong304FreshensEveryVariantWithThatTag) {
  for (const char* accept : {"x", "y"}) {
    answer(200, {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}, {"ETag", "\"a\""}});
    ask(get({{"Accept", accept}}));
  }
  clock_.advance(std::chrono::seconds(61));
  answer(304, {{"ETag", "\"a\""}});
  ask(get({{"Accept", "x"}}));
  EXPECT_FALSE(from_cache());
  ask(get({{"Accept", "y"}}));
  EXPECT_TRUE(from_cache());
}

TEST_F(Engine, VariantsAreBounded) {
  for (int i = 0; i < 40; ++i) {
    answer(200, {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}});
    ask(get({{"Accept", std::to_string(i)}}));
    clock_.advance(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(cache_.entries(), Limits::kVariants);
  ask(get({{"Accept", "39"}}));
  EXPECT_TRUE(from_cache());
}

// ---- validation (§4.3)

TEST_F(Engine, GzipAndIdentityTagsAreOneTagWhenCompared) {
  answer(200, {{"Cache-Control", "max-age=60"}, {"ETag", "W/\"a\""}});
  ask(get());
  EXPECT_EQ(ask(get({{"If-None-Match", "\"a\""}})).status, 304);
  clock_.advance(std::chrono::seconds(61));
  // GitHub answers with the strong form; the stored bytes do not become strong by it.
  answer(304, {{"ETag", "\"a\""}, {"Cache-Control", "max-age=60"}});
  const Message refreshed = ask(get());
  EXPECT_EQ(refreshed.status, 200);
  EXPECT_EQ(refreshed.fields.joined("ETag"), "W/\"a\"");
}

TEST_F(Engine, A304RefreshesFieldsButNotTheLength) {
  answer(
      200,
      {{"Cache-Control", "max-age=1"}, {"ETag", "\"a\""}, {"X-RateLimit-Remaining", "10"}, {"X-A", "1"}, {"X-B", "1"}});
  ask(get());
  clock_.advance(std::chrono::seconds(5));
  answer(304, {{"ETag", "\"a\""},
               {"X-RateLimit-Remaining", "9"},
               {"X-A", "2"},
               {"X-A", "3"},
               {"Content-Length", "7"},
               {"Connection", "X-C"},
               {"X-C", "1"}});
  for (int i = 0; i < 2; ++i) {
    const Message message = ask(get());
    EXPECT_EQ(message.fields.joined("X-RateLimit-Remaining"), "9");
    EXPECT_EQ(message.fields.joined("X-A"), "2, 3");
    EXPECT_EQ(message.fields.joined("X-B"), "1");
    EXPECT_EQ(message.fields.joined("Content-Length"), "4");
    EXPECT_FALSE(message.fields.has("X-C"));
    EXPECT_EQ(message.fields.joined("Age"), "0");
  }
  EXPECT_TRUE(from_cache());
}

TEST_F(Engine, TheClientsOwnTagsStayInTheQuestion) {
  answer(200, {{"Cache-Control", "max-age=1"}, {"ETag", "\"old\""}});
  ask(get());
  clock_.advance(std::chrono::seconds(5));
  answer(304, {{"ETag", "\"new\""}}, "");
  EXPECT_EQ(ask(get({{"If-None-Match", "W/\"new\""}})).status, 304);
  EXPECT_EQ(sent("If-None-Match"), "\"old\", W/\"new\"");
  // What this node held is history.
  EXPECT_EQ(cache_.entries(), 0u);
}

TEST_F(Engine, A304ThatNamesNobodyIsAskedAgainWithoutConditions) {
  answer(200, {{"Cache-Control", "max-age=1"}, {"ETag", "\"old\""}});
  ask(get());
  clock_.advance(std::chrono::seconds(5));
  answer(304, {}, "");
  ask(get({{"If-None-Match", "\"other\""}}));
  EXPECT_EQ(forwarded_, 2);
  EXPECT_EQ(sent("If-None-Match"), "");
  EXPECT_EQ(ask(get({{"If-None-Match", "\"other\""}})).status, 304) << "an origin that only says 304 is passed on";
}

TEST_F(Engine, A304WithoutATagAboutSeveralVariantsNamesNobody) {
  for (const char* tag : {"\"a\"", "\"b\""}) {
    answer(200, {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}, {"ETag", tag}});
    ask(get({{"Accept", tag}}));
  }
  answer(304, {}, "");
  ask(get({{"Accept", "z"}}));
  EXPECT_EQ(forwarded_, 2);
}

TEST_F(Engine, A304WithoutADateIsAsYoungAsItsArrival) {
  answer(200, {{"Cache-Control", "max-age=10"}, {"ETag", "\"a\""}, {"Age", "3"}});
  ask(get());
  clock_.advance(std::chrono::seconds(100));
  next_ = Message{304, {{"ETag", "\"a\""}}, ""};
  EXPECT_EQ(ask(get()).fields.joined("Age"), "0");
  ask(get());
  EXPECT_TRUE(from_cache());
}

TEST_F(Engine, WithoutAStoredAnswerTheClientsConditionsGoUp) {
  answer(304, {{"ETag", "\"a\""}}, "");
  EXPECT_EQ(ask(get({{"If-None-Match", "\"a\""}, {"If-Modified-Since", "x"}})).status, 304);
  EXPECT_EQ(sent("If-None-Match"), "\"a\"");
  EXPECT_EQ(sent("If-Modified-Since"), "x");
  EXPECT_EQ(cache_.entries(), 0u);
}

TEST_F(Engine, ADateIsAskedOnlyWhereThereIsNoTag) {
  const std::string modified = "Wed, 01 Jan 2025 00:00:00 GMT";
  answer(200, {{"Cache-Control", "max-age=1"}, {"Last-Modified", modified}});
  ask(get({}, "/a"));
  answer(200, {{"Cache-Control", "max-age=1"}, {"Last-Modified", modified}, {"ETag", "\"a\""}});
  ask(get({}, "/b"));
  clock_.advance(std::chrono::seconds(5));
  answer(304, {});
  ask(get({}, "/a"));
  EXPECT_EQ(sent("If-Modified-Since"), modified);
  ask(get({}, "/b"));
  EXPECT_EQ(sent("If-Modified-Since"), "");
  EXPECT_EQ(sent("If-None-Match"), "\"a\"");
}

// ---- client's conditions and ranges on a stored answer

TEST_F(Engine, ConditionsAndRangesAreAnsweredHere) {
  const std::string modified = "Wed, 01 Jan 2025 00:00:00 GMT";
  answer(
      200,
      {{"Cache-Control", "max-age=60"}, {"ETag", "\"a\""}, {"Last-Modified", modified}, {"Content-Type", "text/plain"}},
      "0123456789");
  ask(get());
  struct Row {
    Fields fields;
    int status;
    const char* body;
  };
  const Row rows[] = {
      {{{"If-None-Match", "*"}}, 304, ""},
      {{{"If-None-Match", "\"b\""}, {"If-Modified-Since", modified}}, 200, "0123456789"},
      {{{"If-Modified-Since", modified}}, 304, ""},
      {{{"If-Modified-Since", "Tue, 31 Dec 2024 23:59:59 GMT"}}, 200, "0123456789"},
      {{{"If-Modified-Since", "nonsense"}}, 200, "0123456789"},
      {{{"Range", "bytes=2-3"}}, 206, "23"},
      {{{"Range", "bytes=2-3"}, {"If-Range", "\"a\""}}, 206, "23"},
      {{{"Range", "bytes=2-3"}, {"If-Range", "W/\"a\""}}, 200, "0123456789"},
      {{{"Range", "bytes=2-3"}, {"If-Range", "\"b\""}}, 200, "0123456789"},
      {{{"Range", "bytes=2-3"}, {"If-Range", modified}}, 206, "23"},
      {{{"Range", "bytes=20-"}}, 416, ""},
      {{{"Range", "bytes=0-1,3-4"}}, 200, "0123456789"},
  };
  for (const Row& row : rows) {
    const Message message = ask(get(row.fields));
    EXPECT_TRUE(from_cache());
    EXPECT_EQ(message.status, row.status);
    EXPECT_EQ(message.body, row.body);
    if (row.status == 304) {
      EXPECT_EQ(message.fields.joined("ETag"), "\"a\"");
      EXPECT_FALSE(message.fields.has("Content-Length"));
      EXPECT_FALSE(message.fields.has("Content-Type"));
    }
    if (row.status == 206) {
      EXPECT_EQ(message.fields.joined("Content-Range"), "bytes 2-3/10");
      EXPECT_EQ(message.fields.joined("Content-Length"), "2");
    }
    if (row.status == 416) {
      EXPECT_EQ(message.fields.joined("Content-Range"), "bytes */10");
    }
  }
}

TEST_F(Engine, RecodingForTheClientWeakensTheTag) {
  answer(200, {{"Cache-Control", "max-age=60"}, {"ETag", "\"a\""}, {"Date", "x"}});
  const Request request = get();
  const auto entry = make_storable(request.view(), {200, next_->fields}, {Now::of(clock_), Now::of(clock_)},
                                   http_policy(Partition::Anonymous));
  ASSERT_TRUE(entry);
  HitFields hit;
  hit.coding = "gzip";
  hit.coded_size = 20;
  std::string head;
  append_head(head, *entry, {}, hit);
  EXPECT_NE(head.find("ETag: W/\"a\"\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("Content-Encoding: gzip\r\nContent-Length: 20\r\n"), std::string::npos) << head;
  // The weakened tag comes back and matches, but not for a range.
  Request again = get({{"If-None-Match", "W/\"a\""}});
  EXPECT_EQ(answer_from(again.view(), *entry).form, Form::NotModified);
  again = get({{"Range", "bytes=0-0"}, {"If-Range", "W/\"a\""}});
  EXPECT_EQ(answer_from(again.view(), *entry).form, Form::Full);
}

TEST_F(Engine, IfMatchIsTheOriginsToJudge) {
  answer(200, {{"Cache-Control", "max-age=60"}, {"ETag", "\"a\""}});
  ask(get());
  ask(get({{"If-Match", "\"b\""}}));
  EXPECT_FALSE(from_cache());
  EXPECT_EQ(sent("If-Match"), "\"b\"");
}

// ---- HEAD (§4.3.5)

TEST_F(Engine, HeadIsAnsweredFromGetAndUpdatesIt) {
  answer(200, {{"Cache-Control", "max-age=10"}, {"ETag", "\"a\""}, {"X-A", "1"}});
  ask(get());
  const Message head = ask({"HEAD", "/repos/o/r", {}});
  EXPECT_TRUE(from_cache());
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.fields.joined("Content-Length"), "4");
  clock_.advance(std::chrono::seconds(11));
  answer(200, {{"Cache-Control", "max-age=10"}, {"ETag", "\"a\""}, {"X-A", "2"}, {"Content-Length", "4"}}, "");
  ask({"HEAD", "/repos/o/r", {}});
  EXPECT_EQ(ask(get()).fields.joined("X-A"), "2");
  EXPECT_TRUE(from_cache());
  clock_.advance(std::chrono::seconds(11));
  answer(200, {{"Cache-Control", "max-age=10"}, {"ETag", "\"b\""}, {"Content-Length", "9"}}, "");
  ask({"HEAD", "/repos/o/r", {}});
  EXPECT_EQ(cache_.entries(), 0u) << "the origin has another body now";
}

TEST_F(Engine, HeadAloneStoresNothing) {
  answer(200, {{"Cache-Control", "max-age=10"}, {"Content-Length", "4"}}, "");
  ask({"HEAD", "/repos/o/r", {}});
  EXPECT_EQ(cache_.entries(), 0u);
}

// ---- request directives (§5.2.1)

TEST_F(Engine, ClientsBoundWhatTheyGet) {
  answer(200, {{"Cache-Control", "max-age=100"}, {"ETag", "\"a\""}});
  ask(get());
  clock_.advance(std::chrono::seconds(10));
  answer(200, {{"Cache-Control", "no-store"}});
  struct Row {
    const char* directive;
    Action action;
  };
  const auto action_of = [&](const char* directive) {
    const Fields fields{{"Cache-Control", directive}};
    const Request request = get(fields);
    const Fields response{{"Cache-Control", "max-age=100"}, {"ETag", "\"a\""}};
    Now then = Now::of(clock_);
    then.steady -= std::chrono::seconds(10), then.wall -= std::chrono::seconds(10);
    const auto entry = make_storable(get().view(), {200, response}, {then, then}, http_policy(Partition::Anonymous));
    const Entry* candidate = &*entry;
    return decide(request.view(), std::span(&candidate, 1), http_policy(Partition::Anonymous), Now::of(clock_)).action;
  };
  for (const Row& row :
       {Row{"max-age=10", Action::Serve}, Row{"max-age=9", Action::Validate}, Row{"max-age=0", Action::Validate},
        Row{"min-fresh=90", Action::Serve}, Row{"min-fresh=91", Action::Validate}, Row{"no-cache", Action::Validate},
        Row{"no-store", Action::Pass}, Row{"only-if-cached", Action::Serve}, Row{"unknown", Action::Serve},
        Row{"only-if-cached, max-age=1", Action::GatewayTimeout}, Row{"max-age=x", Action::Validate}})
    EXPECT_EQ(action_of(row.directive), row.action) << row.directive;
}

TEST_F(Engine, OnlyIfCachedWithoutAnAnswerIs504) {
  EXPECT_EQ(ask(get({{"Cache-Control", "only-if-cached"}})).status, 504);
  EXPECT_TRUE(from_cache());
}

TEST_F(Engine, MaxStaleIsTheClientsToGiveUnlessTheOriginForbids) {
  answer(200, {{"Cache-Control", "max-age=10"}});
  ask(get({}, "/a"));
  answer(200, {{"Cache-Control", "max-age=10, must-revalidate"}});
  ask(get({}, "/b"));
  clock_.advance(std::chrono::seconds(20));
  ask(get({{"Cache-Control", "max-stale=10"}}, "/a"));
  EXPECT_TRUE(from_cache());
  ask(get({{"Cache-Control", "max-stale"}}, "/b"));
  EXPECT_FALSE(from_cache());
  clock_.advance(std::chrono::seconds(1));
  answer(200, {{"Cache-Control", "max-age=10"}});
  ask(get({{"Cache-Control", "max-stale=10"}}, "/a"));
  EXPECT_FALSE(from_cache());
}

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

// ---- invalidation (§4.4)

TEST_F(Engine, PatchInvalidatesAsEveryUnsafeMethodDoes) {
  for (const char* method : {"PATCH", "POST", "PUT", "DELETE", "M-SEARCH", "get"}) {
    answer(200, {{"Cache-Control", "max-age=60"}});
    ask(get());
    answer(500, {});
    ask({method, "/repos/o/r", {}});
    ask(get());
    EXPECT_TRUE(from_cache()) << method;
    answer(200, {{"Cache-Control", "max-age=60"}});
    ask({method, "/repos/o/r", {}});
    ask(get());
    EXPECT_FALSE(from_cache()) << method;
  }
  for (const char* method : {"OPTIONS", "TRACE"}) {
    ask({method, "/repos/o/r", {}});
    ask(get());
    EXPECT_TRUE(from_cache()) << method;
  }
}

TEST_F(Engine, LocationsOnThisHostAreInvalidatedAndNoOthers) {
  const auto invalidated = [&](const char* location, const char* content_location) {
    const Request request{"POST", "/repos/o/r/issues?x=1", {}};
    Exchange exchange;
    exchange.request = request.view();
    exchange.authority = "api.github.com";
    exchange.decision = decide(exchange.request, {}, {}, Now::of(clock_));
    const Fields fields{{"Location", location}, {"Content-Location", content_location}};
    return on_response(exchange, {201, fields}, {}, Now::of(clock_)).invalidate;
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(invalidated("https://api.github.com/repos/o/r/issues/7", "7"),
            (List{"/repos/o/r/issues?x=1", "/repos/o/r/issues/7", "/repos/o/r/7"}));
  EXPECT_EQ(invalidated("https://evil.example/repos/o/r", "//evil.example/x"), (List{"/repos/o/r/issues?x=1"}));
}

TEST(Target, ReferencesResolveAsRfc3986) {
  const auto resolve = [](std::string_view reference) {
    return resolve_target("a", "/b/c/d;p?q", reference).value_or("-");
  };
  struct Row {
    const char *reference, *target;
  };
  for (const Row& row :
       {Row{"g", "/b/c/g"},       Row{"./g", "/b/c/g"},      Row{"g/", "/b/c/g/"},        Row{"/g", "/g"},
        Row{"//g", "-"},          Row{"?y", "/b/c/d;p?y"},   Row{"g?y", "/b/c/g?y"},      Row{"#s", "/b/c/d;p?q"},
        Row{"g#s", "/b/c/g"},     Row{"", "/b/c/d;p?q"},     Row{".", "/b/c/"},           Row{"..", "/b/"},
        Row{"../g", "/b/g"},      Row{"../../../g", "/g"},   Row{"/./g", "/g"},           Row{"/../g", "/g"},
        Row{"g.", "/b/c/g."},     Row{"./g/../h", "/b/c/h"}, Row{"http://A:80/x", "/x"},  Row{"https://a", "/"},
        Row{"http://a?x", "/?x"}, Row{"mailto:x", "-"},      Row{"http://a:8080/x", "-"}, Row{"http://ab/x", "-"},
        Row{"http://u@a/x", "-"}})
    EXPECT_EQ(resolve(row.reference), row.target) << row.reference;
}

// ---- keys

TEST_F(Engine, TargetsThatDifferInAnyByteAreDifferent) {
  answer(200, {{"Cache-Control", "max-age=60"}});
  for (const char* target : {"/a", "/A", "/a?", "/%61", "/a?x=1&y=2", "/a?y=2&x=1", "/a?x=1&x=1", "//a", "/a/"}) {
    ask(get({}, target));
    EXPECT_FALSE(from_cache()) << target;
  }
}

}  // namespace
}  // namespace ghmesh::cache
