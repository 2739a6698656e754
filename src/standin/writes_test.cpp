// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "test_bench.hpp"

namespace ghmesh::standin {
namespace {

class Writes : public Bench {};

TEST_F(Writes, EditedIssueChangesItsListToo) {
  const std::string issue = at(kPublic, "/issues/3");
  const std::string tag = field(get(issue), "ETag");
  now += 5s;
  ASSERT_EQ(write("PATCH", issue, R"({"title":"New title","state":"closed"})").status, 200);
  EXPECT_EQ(get_if(issue, tag).status, 200);
  EXPECT_EQ(text_of(json(get(issue)), "title"), "New title");
  EXPECT_EQ(json(get(at(kPublic, "/issues?per_page=100"))).size(), 34u);
  EXPECT_EQ(json(get(at(kPublic, "/issues?per_page=100&state=all"))).size(), 35u);
  EXPECT_EQ(text_of(json(get(at(kPublic, "/issues?state=closed")))[0], "title"), "New title");
}

TEST_F(Writes, CreatedIssueIsFirstOfTheList) {
  const Response made = write("POST", at(kPublic, "/issues"), R"({"title":"Fresh","labels":["bug"]})");
  EXPECT_EQ(made.status, 201);
  const std::string number = std::to_string(json(made).value("number", 0));
  EXPECT_EQ(number, "40");
  EXPECT_EQ(field(made, "Location"), "https://api.github.com" + at(kPublic, "/issues/" + number));
  EXPECT_EQ(text_of(json(get(at(kPublic, "/issues")))[0], "title"), "Fresh");
  EXPECT_EQ(text_of(json(get(at(kPublic, "/issues/" + number)))["labels"][0], "name"), "bug");
}

TEST_F(Writes, CommentsCountOnTheirIssue) {
  const Response made = write("POST", at(kPublic, "/issues/2/comments"), R"({"body":"hello"})");
  ASSERT_EQ(made.status, 201);
  EXPECT_EQ(json(get(at(kPublic, "/issues/2")))["comments"], 1);
  EXPECT_EQ(json(get(at(kPublic, "/issues/2/comments"))).size(), 1u);
  const std::string comment = at(kPublic, "/issues/comments/" + std::to_string(json(made)["id"].get<std::uint64_t>()));
  ASSERT_EQ(write("PATCH", comment, R"({"body":"changed"})").status, 200);
  EXPECT_EQ(text_of(json(get(at(kPublic, "/issues/2/comments")))[0], "body"), "changed");
  ASSERT_EQ(write("DELETE", comment, "").status, 204);
  EXPECT_EQ(get(at(kPublic, "/issues/2/comments")).body, "[]");
}

TEST_F(Writes, LabelsOfAnIssueAndOfTheRepository) {
  const std::string labels = at(kPublic, "/issues/4/labels");
  EXPECT_EQ(json(write("POST", labels, R"({"labels":["bug"]})")).size(), 1u);
  EXPECT_EQ(json(write("POST", labels, R"(["enhancement"])")).size(), 2u);
  EXPECT_EQ(json(write("DELETE", labels + "/bug", "")).size(), 1u);
  EXPECT_EQ(json(write("PUT", labels, R"({"labels":[]})")).size(), 0u);
  EXPECT_EQ(write("POST", at(kPublic, "/labels"), R"({"name":"urgent","color":"ff0000"})").status, 201);
  EXPECT_EQ(json(get(at(kPublic, "/labels"))).size(), 4u);
  EXPECT_EQ(write("DELETE", at(kPublic, "/labels/urgent"), "").status, 204);
  EXPECT_EQ(json(get(at(kPublic, "/labels"))).size(), 3u);
}

TEST_F(Writes, FilesMoveTheBranch) {
  const std::string file = at(kPublic, "/contents/new.txt");
  const std::string head = text_of(json(get(at(kPublic, "/branches/main")))["commit"], "sha");
  const Response made = write("PUT", file, R"({"message":"add","content":")" + to_base64(as_bytes("hello")) + "\"}");
  ASSERT_EQ(made.status, 201);
  EXPECT_NE(text_of(json(get(at(kPublic, "/branches/main")))["commit"], "sha"), head);
  EXPECT_EQ(text_of(json(get(at(kPublic, "/git/ref/heads/main")))["object"], "sha"),
            text_of(json(made)["commit"], "sha"));
  EXPECT_EQ(json(get(at(kPublic, "/commits"))).size(), 6u);
  EXPECT_EQ(write("PUT", file, R"({"message":"again","content":"eA=="})").status, 409);
  const std::string sha = text_of(json(made)["content"], "sha");
  EXPECT_EQ(write("PUT", file, R"({"message":"again","content":"eA==","sha":")" + sha + "\"}").status, 200);
  EXPECT_EQ(write("DELETE", file, R"({"message":"gone","sha":")" + text_of(json(get(file)), "sha") + "\"}").status,
            200);
  EXPECT_EQ(get(file).status, 404);
}

TEST_F(Writes, ReferencesAppearAndGo) {
  const std::string sha(40, 'a');
  EXPECT_EQ(get(at(kPublic, "/git/ref/heads/topic")).status, 404);
  EXPECT_EQ(write("POST", at(kPublic, "/git/refs"), R"({"ref":"refs/heads/topic","sha":")" + sha + "\"}").status, 201);
  EXPECT_EQ(write("POST", at(kPublic, "/git/refs"), R"({"ref":"refs/heads/topic","sha":")" + sha + "\"}").status, 422);
  EXPECT_EQ(get(at(kPublic, "/git/ref/heads/topic")).status, 200);
  EXPECT_EQ(json(get(at(kPublic, "/git/refs"))).size(), 2u);
  EXPECT_EQ(write("PATCH", at(kPublic, "/git/refs/heads/topic"), R"({"sha":")" + std::string(40, 'b') + "\"}").status,
            200);
  EXPECT_EQ(write("DELETE", at(kPublic, "/git/refs/heads/topic"), "").status, 204);
  EXPECT_EQ(get(at(kPublic, "/git/ref/heads/topic")).status, 404);
  EXPECT_EQ(json(get(at(kPublic, "/git/refs"))).size(), 1u);
}

TEST_F(Writes, RunsAreCancelledRerunAndDispatched) {
  const std::string run =
      at(kPublic,
         "/actions/runs/" +
             std::to_string(json(get(at(kPublic, "/actions/runs")))["workflow_runs"][0]["id"].get<std::uint64_t>()));
  EXPECT_EQ(write("POST", run + "/cancel", "").status, 202);
  EXPECT_EQ(text_of(json(get(run)), "conclusion"), "cancelled");
  EXPECT_EQ(json(get(at(kPublic, "/actions/runs?status=cancelled")))["total_count"], 1);
  EXPECT_EQ(write("POST", run + "/cancel", "").status, 409);
  EXPECT_EQ(write("POST", run + "/rerun", "").status, 201);
  EXPECT_EQ(text_of(json(get(run)), "status"), "queued");
  EXPECT_EQ(write("POST", at(kPublic, "/actions/workflows/159038/dispatches"), R"({"ref":"main"})").status, 204);
  EXPECT_EQ(json(get(at(kPublic, "/actions/runs")))["total_count"], 13);
}

TEST_F(Writes, PullsAreReviewedAndMerged) {
  const std::string pull = at(kPublic, "/pulls/36");
  EXPECT_EQ(write("POST", pull + "/reviews", R"({"event":"APPROVE","body":"good"})").status, 200);
  EXPECT_EQ(json(get(pull + "/reviews")).size(), 1u);
  EXPECT_EQ(write("PUT", pull + "/merge", "{}").status, 200);
  EXPECT_EQ(json(get(pull))["merged"], true);
  EXPECT_EQ(json(get(at(kPublic, "/pulls"))).size(), 3u);
  EXPECT_EQ(write("PUT", pull + "/merge", "{}").status, 405);
}

TEST_F(Writes, StatusesAndReleases) {
  const std::string sha = text_of(json(get(at(kPublic, "/branches/main")))["commit"], "sha");
  EXPECT_EQ(write("POST", at(kPublic, "/statuses/" + sha), R"({"state":"success","context":"ci"})").status, 201);
  EXPECT_EQ(text_of(json(get(at(kPublic, "/commits/" + sha + "/statuses")))[0], "state"), "success");
  EXPECT_EQ(write("POST", at(kPublic, "/releases"), R"({"tag_name":"v2"})").status, 201);
  EXPECT_EQ(json(get(at(kPublic, "/releases"))).size(), 2u);
}

TEST_F(Writes, NeedAccess) {
  EXPECT_EQ(write("PATCH", at(kPublic, "/issues/1"), "{}", kBob).status, 403);
  EXPECT_EQ(write("POST", at(kPublic, "/issues/1/comments"), R"({"body":"me too"})", kBob).status, 201);
  EXPECT_EQ(write("PATCH", at(kPrivate, "/issues/1"), "{}", kBob).status, 404);
  EXPECT_EQ(write("PATCH", at(kPublic, "/issues/1"), "{}", "").status, 401);
  EXPECT_EQ(write("PATCH", at(kPublic, "/issues/1"), "{}", kJob).status, 403);
  EXPECT_EQ(write("POST", at(kPublic, "/issues"), "not json").status, 400);
  EXPECT_EQ(write("POST", at(kPublic, "/issues"), "{}").status, 422);
}

}  // namespace
}  // namespace ghmesh::standin
