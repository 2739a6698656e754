// SPDX-License-Identifier: Apache-2.0
// A client's conditions, ranges, HEAD and directives on what is held (RFC 9110 §13 and §14, RFC 9111 §5.2.1).
#include <gtest/gtest.h>

#include "cache/storing.hpp"
#include "test_engine.hpp"

namespace ghmesh::cache {
namespace {

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

}  // namespace
}  // namespace ghmesh::cache
