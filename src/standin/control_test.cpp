// SPDX-License-Identifier: Apache-2.0
#include "standin/coding.hpp"
#include "test_bench.hpp"

namespace ghmesh::standin {
namespace {

class Control : public Bench {
 protected:
  int tell(std::string_view command, const Json& body) {
    return write("POST", "/_model/" + std::string(command), to_compact(body), "").status;
  }
};

TEST_F(Control, FaultsHitByPatternAndCount) {
  ASSERT_EQ(tell("fault", Json{{"path", "/repos/*/issues*"}, {"status", 503}, {"skip", 1}, {"count", 2}}), 200);
  EXPECT_EQ(get(at(kPublic, "/issues/1")).status, 200);
  EXPECT_EQ(get(kPublic).status, 200);
  EXPECT_EQ(get(at(kPublic, "/issues/1")).status, 503);
  EXPECT_EQ(get(at(kPublic, "/issues")).status, 503);
  EXPECT_EQ(get(at(kPublic, "/issues")).status, 200);
  EXPECT_EQ(model.faults.size(), 0u);
}

TEST_F(Control, DeliveryIsHandedToTheDriver) {
  ASSERT_EQ(
      tell("fault",
           Json{{"delay_ms", 250}, {"cut_after", 10}, {"informational", 3}, {"slow_chunk", 5}, {"slow_gap_ms", 7}}),
      200);
  const Response r = get(kPublic);
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.delivery.delay, 250ms);
  EXPECT_EQ(r.delivery.cut_after, 10u);
  EXPECT_EQ(r.delivery.informational, 3u);
  EXPECT_EQ(r.delivery.slow_chunk, 5u);
  EXPECT_EQ(r.delivery.slow_gap, 7ms);
  EXPECT_TRUE(get(kPublic).delivery.plain());
  ASSERT_EQ(tell("fault", Json{{"reset", true}}), 200);
  EXPECT_TRUE(get(kPublic).delivery.reset);
  ASSERT_EQ(tell("fault", Json{{"hang", true}, {"method", "DELETE"}}), 200);
  EXPECT_FALSE(get(kPublic).delivery.hang);
}

TEST_F(Control, WrongGzipCannotBeInflated) {
  tell("fault", Json{{"wrong_gzip", true}});
  const Response r = get(kPublic);
  EXPECT_EQ(field(r, "Content-Encoding"), "gzip");
  EXPECT_FALSE(gunzip(r.body));
}

TEST_F(Control, MisspeltFaultsAreRefused) {
  EXPECT_EQ(tell("fault", Json{{"stauts", 500}}), 400);
  EXPECT_EQ(tell("fault", Json{{"status", "500"}}), 400);
  EXPECT_EQ(tell("fault", Json{{"status", 999}}), 400);
  EXPECT_EQ(tell("nothing", Json::object()), 400);
  EXPECT_EQ(write("POST", "/_model/fault", "[", "").status, 400);
  EXPECT_EQ(tell("token", Json{{"value", "x"}, {"revoke", "yes"}}), 400);
}

TEST_F(Control, WorldChangesFromOutside) {
  const std::string path = at(kPublic, "/issues/5");
  const std::string tag = field(get(path), "ETag");
  EXPECT_EQ(get_if(path, tag).status, 304);
  now += 1s;
  EXPECT_EQ(tell("touch", Json{{"path", path}}), 200);
  EXPECT_EQ(get_if(path, tag).status, 200);
  EXPECT_EQ(tell("set", Json{{"path", "/repos/octo-org/repo-1/x"}, {"body", Json{{"a", 1}}}}), 200);
  EXPECT_EQ(get(at(kPublic, "/x")).body, R"({"a":1})");
  EXPECT_EQ(tell("append", Json{{"path", at(kPublic, "/labels")}, {"item", Json{{"name", "z"}}}}), 200);
  EXPECT_EQ(json(get(at(kPublic, "/labels"))).size(), 4u);
  EXPECT_EQ(tell("remove", Json{{"path", path}}), 200);
  EXPECT_EQ(get(path).status, 404);
  EXPECT_EQ(tell("rename", Json{{"from", "octo-org/repo-1"}, {"to", "octo-org/other"}}), 200);
  EXPECT_EQ(get(kPublic).status, 301);
  EXPECT_EQ(tell("repository", Json{{"name", "a/b"}, {"private", true}}), 200);
  EXPECT_EQ(tell("formula", Json{{"name", "salted"}}), 200);
  EXPECT_EQ(tell("formula", Json{{"name", "sweet"}}), 400);
}

TEST_F(Control, TokensComeAndGo) {
  EXPECT_EQ(
      tell("token", Json{{"value", "new"}, {"login", "carol"}, {"repositories", Json::array({"octo-org/repo-2"})}}),
      200);
  EXPECT_EQ(get(kPrivate, "Bearer new").status, 200);
  EXPECT_EQ(tell("token", Json{{"value", "new"}, {"revoke", true}}), 200);
  EXPECT_EQ(get(kPrivate, "Bearer new").status, 401);
  EXPECT_EQ(tell("token", Json{{"value", "ghs_x"}, {"job", "octo-org/repo-2"}}), 200);
  EXPECT_EQ(get(kPrivate, "Bearer ghs_x").status, 200);
  model.tokens.open_door("octo-org/repo-2");
  EXPECT_EQ(get(kPrivate, "Bearer ghs_unheard-of").status, 200);
  EXPECT_EQ(get(kPrivate, "Bearer gho_unheard-of").status, 404);
  EXPECT_EQ(get(kPublic, "Basic eDphbGljZS1zZWNyZXQ=").status, 200);
}

TEST_F(Control, LogAndCountersAreReadable) {
  get(kPublic);
  get(kPublic);
  const Json log = json(write("GET", "/_model/log?after=1", "", ""));
  ASSERT_EQ(log["entries"].size(), 1u);
  EXPECT_EQ(log["entries"][0]["status"], 200);
  EXPECT_EQ(log["entries"][0]["number"], 2);
  const Json counters = json(write("GET", "/_model/counters", "", ""));
  EXPECT_EQ(counters["total"]["charged"], 2);
  EXPECT_EQ(counters["tokens"][TokenTable::fingerprint_of("alice-secret")]["total"], 2);
  EXPECT_EQ(tell("quota", Json{{"user_core", 1}}), 200);
  EXPECT_EQ(get(kPublic).status, 403);
  EXPECT_EQ(tell("reset", Json::object()), 200);
  EXPECT_EQ(json(write("GET", "/_model/counters", "", ""))["total"]["total"], 0);
  EXPECT_EQ(get(kPublic).status, 200);
}

TEST(Patterns, StarsMatchAnything) {
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("/a*c", "/abbbc"));
  EXPECT_TRUE(matches_pattern("/a*b*c", "/aXbYbZc"));
  EXPECT_FALSE(matches_pattern("/a*c", "/abbb"));
  EXPECT_FALSE(matches_pattern("", "x"));
}

}  // namespace
}  // namespace ghmesh::standin
