// SPDX-License-Identifier: Apache-2.0
#include "standin/coding.hpp"
#include "test_bench.hpp"

namespace ghmesh::standin {
namespace {

class Reads : public Bench {};

TEST_F(Reads, PagesHaveLinksByRepositoryNumber) {
  const std::string issues = at(kPublic, "/issues");
  const std::string base = "https://api.github.com/repositories/" +
                           std::to_string(model.world.repository("octo-org/repo-1")->id) + "/issues?";
  const Response first = get(issues);
  EXPECT_EQ(json(first).size(), 30u);
  EXPECT_EQ(field(first, "Link"), "<" + base + "page=2>; rel=\"next\", <" + base + "page=2>; rel=\"last\"");
  const Response middle = get(issues + "?per_page=10&page=2");
  EXPECT_EQ(json(middle).size(), 10u);
  const std::string link = field(middle, "Link");
  for (const char* rel :
       {"page=1>; rel=\"prev\"", "page=3>; rel=\"next\"", "page=4>; rel=\"last\"", "page=1>; rel=\"first\""})
    EXPECT_NE(link.find(std::string("per_page=10&") + rel), std::string::npos) << rel;
  EXPECT_EQ(json(get(issues + "?per_page=10&page=4")).size(), 5u);
  EXPECT_EQ(get(issues + "?per_page=10&page=5").body, "[]");
  EXPECT_EQ(json(get(issues + "?per_page=100")).size(), 35u);
}

TEST_F(Reads, LinkIsOutsideTheTag) {
  const std::string page = at(kPublic, "/issues?per_page=35");
  const Response before = get(page);
  EXPECT_FALSE(before.fields.has("Link"));
  ASSERT_TRUE(model.world.append(at(kPublic, "/issues"), R"({"number":0,"state":"open"})"));
  const Response after = get_if(page, field(before, "ETag"));
  EXPECT_EQ(after.status, 304);
  EXPECT_FALSE(after.fields.has("Link"));
  EXPECT_TRUE(get(page).fields.has("Link"));
  // The free probe: the page after the last was [], and no longer is.
  EXPECT_EQ(get(at(kPublic, "/issues?per_page=35&page=3")).body, "[]");
  EXPECT_NE(get(at(kPublic, "/issues?per_page=35&page=2")).body, "[]");
}

TEST_F(Reads, WrappedListsCountThemselves) {
  const Response all = get(at(kPublic, "/actions/runs?per_page=5"));
  EXPECT_EQ(json(all)["total_count"], 12);
  EXPECT_EQ(json(all)["workflow_runs"].size(), 5u);
  const Response topic = get(at(kPublic, "/actions/runs?branch=topic"));
  EXPECT_EQ(json(topic)["total_count"], 4);
  EXPECT_EQ(json(get(at(kPublic, "/actions/runs?status=in_progress")))["total_count"], 1);
}

TEST_F(Reads, NumberIsAnotherNameOfTheRepository) {
  const std::string alias = "/repositories/" + std::to_string(model.world.repository("octo-org/repo-1")->id);
  EXPECT_EQ(get(alias).body, get(kPublic).body);
  EXPECT_EQ(field(get(alias + "/issues"), "ETag"), field(get(at(kPublic, "/issues")), "ETag"));
  EXPECT_EQ(get("/REPOS/octo-org/repo-1").status, 404);
  EXPECT_EQ(get("/repos/Octo-Org/Repo-1").body, get(kPublic).body);
}

TEST_F(Reads, RenamedRepositoryRedirects) {
  const std::uint64_t id = model.world.repository("octo-org/repo-1")->id;
  ASSERT_EQ(write("PATCH", kPublic, R"({"name":"renamed"})").status, 200);
  const Response old = get(at(kPublic, "/issues/1?x=y"));
  EXPECT_EQ(old.status, 301);
  EXPECT_EQ(field(old, "Location"), "https://api.github.com/repositories/" + std::to_string(id) + "/issues/1?x=y");
  EXPECT_EQ(get("/repos/octo-org/renamed/issues/1").status, 200);
  EXPECT_EQ(write("PATCH", kPublic, "{}").status, 307);
}

TEST_F(Reads, PrivateRepositoryDoesNotExistForOthers) {
  EXPECT_EQ(get(kPrivate).status, 200);
  EXPECT_EQ(get(kPrivate, kJob).status, 200);
  const Response denied = get(kPrivate, kBob);
  EXPECT_EQ(denied.status, 404);
  EXPECT_EQ(denied.body, get("/repos/octo-org/never-was", kBob).body);
  EXPECT_EQ(get(kPrivate, "").status, 404);
  EXPECT_EQ(get(at(kPrivate, "/issues"), kBob).status, 404);
}

TEST_F(Reads, StatisticsAreAcceptedFirst) {
  const std::string statistics = at(kPublic, "/stats/contributors");
  const Response early = get(statistics);
  EXPECT_EQ(early.status, 202);
  EXPECT_EQ(early.body, "{}");
  EXPECT_FALSE(early.fields.has("ETag"));
  EXPECT_EQ(get(statistics).status, 200);
}

TEST_F(Reads, DownloadsRedirectToSignedUrlsThatExpire) {
  model.settings.storage_base = "http://127.0.0.1:9";
  Request asset =
      ask("GET", at(kPublic, "/releases/assets/" + std::to_string(model.world.repository("octo-org/repo-1")->id * 10)),
          kAlice);
  EXPECT_EQ(send(asset).status, 200);
  asset.fields.set("Accept", "application/octet-stream");
  const Response moved = send(asset);
  EXPECT_EQ(moved.status, 302);
  EXPECT_FALSE(moved.fields.has("ETag"));
  const std::string location = field(moved, "Location");
  ASSERT_TRUE(location.starts_with("http://127.0.0.1:9/_blobs/"));
  Request blob = ask("GET", location);
  EXPECT_EQ(send(blob).body.size(), 4096u);
  blob.fields.add("Authorization", kAlice);
  EXPECT_EQ(send(blob).status, 400);
  blob.fields.remove("Authorization");
  now += 10min;
  EXPECT_EQ(send(blob).status, 403);
  for (const char* path : {"/tarball/main", "/zipball/main"}) EXPECT_EQ(get(at(kPublic, path)).status, 302);
}

TEST_F(Reads, MediaTypesGiveOtherForms) {
  Request r = ask("GET", at(kPublic, "/pulls/36"), kAlice);
  r.fields.set("Accept", "application/vnd.github.diff");
  const Response diff = send(r);
  EXPECT_TRUE(diff.body.starts_with("diff --git"));
  EXPECT_EQ(field(diff, "Content-Type"), "application/vnd.github.diff; charset=utf-8");
  EXPECT_EQ(field(diff, "X-GitHub-Media-Type"), "github.v3; param=diff");
  EXPECT_EQ(field(diff, "ETag").size(), 42u);
  r.target = at(kPublic, "/readme");
  r.fields.set("Accept", "application/vnd.github.raw");
  EXPECT_TRUE(send(r).body.starts_with("# octo-org"));
}

TEST_F(Reads, ApiVersionsDifferInBodyNotInVary) {
  Request r = ask("GET", kPublic, kAlice);
  r.fields.add("X-GitHub-Api-Version", "2026-03-10");
  const Response later = send(r);
  EXPECT_NE(later.body, get(kPublic).body);
  EXPECT_EQ(later.fields.joined("Vary"), get(kPublic).fields.joined("Vary"));
  EXPECT_EQ(field(later, "X-GitHub-Api-Version-Selected"), "2026-03-10");
}

TEST_F(Reads, RecordedPagesMakeOneList) {
  mount_recordings(model.world);
  const Response r = get("/repos/octokit-fixture-org/paginate-issues/issues?per_page=3");
  EXPECT_EQ(json(r).size(), 3u);
  EXPECT_EQ(field(r, "Link"),
            "<https://api.github.com/repositories/1000/issues?per_page=3&page=2>; rel=\"next\", "
            "<https://api.github.com/repositories/1000/issues?per_page=3&page=5>; rel=\"last\"");
  EXPECT_EQ(get("/user/emails", "").status, 401);
}

TEST_F(Reads, EnterprisePathsAndAbsoluteFormMeanTheSame) {
  EXPECT_EQ(get("/api/v3" + std::string(kPublic)).body, get(kPublic).body);
  EXPECT_EQ(get("https://api.github.com" + std::string(kPublic)).body, get(kPublic).body);
}

TEST_F(Reads, SyntheticFilesSpanTheSizesAndRepeat) {
  World again;
  SyntheticPlan plan;
  plan.files = 5;
  const std::vector<std::string> listed = build_synthetic(again, plan, now);
  World third;
  build_synthetic(third, plan, now);
  for (const std::string& path : listed) EXPECT_EQ(again.find(path)->body, third.find(path)->body);
  EXPECT_LT(again.find(at(kPublic, "/contents/data/file-0.txt"))->body.size(), 2048u);
  const std::size_t largest = again.find(at(kPublic, "/contents/data/file-4.txt"))->body.size();
  EXPECT_GT(largest, 190u * 1024);
  EXPECT_LT(largest, 210u * 1024);
}

TEST(Coding, PrettyPrinting) {
  EXPECT_EQ(pretty_json(R"({"a":[],"b":{},"c":[1,"x\"]"],"d":{"e":null}})"),
            "{\n  \"a\": [\n\n  ],\n  \"b\": {\n\n  },\n  \"c\": [\n    1,\n    \"x\\\"]\"\n  ],\n  \"d\": {\n    "
            "\"e\": null\n  }\n}\n");
  EXPECT_FALSE(gunzip("\x1f\x8b\x08 broken"));
  EXPECT_EQ(gunzip(gzip("")), "");
}

}  // namespace
}  // namespace ghmesh::standin
