// SPDX-License-Identifier: Apache-2.0
#include "graphql_parser.hpp"
#include "test_bench.hpp"

namespace ghmesh::standin {
namespace {

class Graphql : public Bench {
 protected:
  Json run(std::string_view query, const Json& variables = Json::object(), std::string_view authorization = kAlice) {
    const Response r = write("POST", "/graphql",
                             to_compact(Json{{"query", std::string(query)}, {"variables", variables}}), authorization);
    EXPECT_EQ(r.status, 200);
    EXPECT_FALSE(r.fields.has("ETag"));
    return json(r);
  }
  const Json here{{"owner", "octo-org"}, {"repo", "repo-1"}, {"name", "repo-1"}, {"limit", 3}};
};

TEST_F(Graphql, ViewerAndRateLimit) {
  const Json out = run("{viewer{login} rateLimit{limit remaining cost}}");
  EXPECT_EQ(out["data"]["viewer"]["login"], "alice");
  EXPECT_EQ(out["data"]["rateLimit"]["limit"], 5000);
  const Response job = write("POST", "/graphql", R"({"query":"{rateLimit{limit}}"})", kJob);
  EXPECT_EQ(field(job, "X-RateLimit-Limit"), "1000");
  EXPECT_EQ(field(job, "X-RateLimit-Resource"), "graphql");
}

TEST_F(Graphql, RepositoryThroughFragmentsAndVariables) {
  const Json out =
      run("fragment repo on Repository { id, name, owner{login}, hasIssuesEnabled, description }"
          "query RepositoryInfo($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { ...repo, "
          "stars: stargazerCount, defaultBranchRef{name} } }",
          here);
  const Json r = out["data"]["repository"];
  EXPECT_EQ(r["name"], "repo-1");
  EXPECT_EQ(r["owner"]["login"], "octo-org");
  EXPECT_EQ(r["stars"], 80);
  EXPECT_EQ(r["defaultBranchRef"]["name"], "main");
  EXPECT_EQ(r.size(), 7u);
}

TEST_F(Graphql, PullListPagesByCursor) {
  const std::string query =
      "query PullRequestList($owner: String!, $repo: String!, $limit: Int!, $endCursor: String, $state: "
      "[PullRequestState!] = OPEN) {"
      " repository(owner: $owner, name: $repo) { pullRequests(states: $state, first: $limit, after: $endCursor, "
      "orderBy: {field: CREATED_AT, direction: DESC}) {"
      " totalCount nodes { number title state headRefName headRepositoryOwner{id,login,...on User{name}} "
      "isCrossRepository isDraft } pageInfo { hasNextPage endCursor } } } }";
  const Json first = run(query, here)["data"]["repository"]["pullRequests"];
  EXPECT_EQ(first["totalCount"], 4);
  EXPECT_EQ(first["nodes"].size(), 3u);
  EXPECT_EQ(first["pageInfo"]["hasNextPage"], true);
  Json more = here;
  more["endCursor"] = first["pageInfo"]["endCursor"];
  const Json second = run(query, more)["data"]["repository"]["pullRequests"];
  EXPECT_EQ(second["nodes"].size(), 1u);
  EXPECT_EQ(second["pageInfo"]["hasNextPage"], false);
}

TEST_F(Graphql, IssueListAndOneIssue) {
  const Json list = run(
      "query IssueList($owner:String!,$repo:String!,$limit:Int){repository(owner:$owner,name:$repo){hasIssuesEnabled "
      "issues(first:$limit,states:[OPEN],filterBy:{assignee:null}){totalCount nodes{number title "
      "labels(first:100){nodes{name} totalCount}}}}}",
      here);
  EXPECT_EQ(list["data"]["repository"]["issues"]["totalCount"], 35);
  const Json one =
      run("query($owner:String!,$repo:String!){repository(owner:$owner,name:$repo){issue:issueOrPullRequest(number:1){_"
          "_typename ...on Issue{number comments(last:1){nodes{body author{login}} totalCount}} ...on "
          "PullRequest{headRefName}}}}",
          here);
  EXPECT_EQ(one["data"]["repository"]["issue"]["__typename"], "Issue");
  EXPECT_EQ(one["data"]["repository"]["issue"]["comments"]["totalCount"], 3);
  EXPECT_EQ(one["data"]["repository"]["issue"]["comments"]["nodes"].size(), 1u);
}

TEST_F(Graphql, ReleaseByTagAndTypesByName) {
  const Json out =
      run("query($owner:String!,$repo:String!){repository(owner:$owner,name:$repo){release(tagName:\"v1.0.0\"){"
          "databaseId tagName}}"
          " PullRequest:__type(name:\"PullRequest\"){fields(includeDeprecated:true){name}}}",
          here);
  EXPECT_EQ(out["data"]["repository"]["release"]["tagName"], "v1.0.0");
  EXPECT_GT(out["data"]["PullRequest"]["fields"].size(), 20u);
}

TEST_F(Graphql, DirectivesSkipAndInclude) {
  const Json out = run("query($yes:Boolean!){viewer{login @include(if:$yes) id @skip(if:$yes)}}", Json{{"yes", true}});
  EXPECT_EQ(out["data"]["viewer"].size(), 1u);
  EXPECT_TRUE(out["data"]["viewer"].contains("login"));
}

TEST_F(Graphql, ErrorsComeAs200) {
  const Json unknown = run("{viewer{shoeSize}}");
  EXPECT_FALSE(unknown.contains("data"));
  EXPECT_EQ(unknown["errors"][0]["message"], "Field 'shoeSize' doesn't exist on type 'User'");
  const Json hidden = run("{repository(owner:\"octo-org\",name:\"repo-2\"){name}}", Json::object(), kBob);
  EXPECT_TRUE(hidden["data"]["repository"].is_null());
  EXPECT_EQ(hidden["errors"][0]["type"], "NOT_FOUND");
  EXPECT_TRUE(run("{viewer{").contains("errors"));
  EXPECT_EQ(write("POST", "/graphql", R"({"query":"{viewer{login}}"})", "").status, 401);
}

TEST_F(Graphql, ArgumentsOfAWrongTypeAreTheClientsMistake) {
  EXPECT_EQ(write("POST", "/graphql", R"({"query":"{repository(owner:7){name}}"})").status, 422);
  EXPECT_EQ(write("PATCH", at(kPublic, "/issues/1"), R"({"number":"seven"})").status, 200);
  EXPECT_EQ(write("POST", "/graphql",
                  R"({"query":"{repository(owner:\"octo-org\",name:\"repo-1\"){issues{nodes{number}}}}"})")
                .status,
            422);
}

TEST_F(Graphql, ExhaustedBudgetIsAnErrorIn200) {
  model.quota.rules.user_graphql = 1;
  run("{viewer{login}}");
  const Json limited = run("{viewer{login}}");
  EXPECT_EQ(limited["errors"][0]["type"], "RATE_LIMITED");
  EXPECT_EQ(get(kPublic).status, 200);
}

TEST_F(Graphql, MutationsChangeWhatRestShows) {
  const std::string repository = text_of(json(get(kPublic)), "node_id");
  const Json made =
      run("mutation IssueCreate($input: CreateIssueInput!) { createIssue(input: $input) { issue { id url number } } }",
          Json{{"input", Json{{"repositoryId", repository}, {"title", "From GraphQL"}, {"body", "text"}}}});
  const Json issue = made["data"]["createIssue"]["issue"];
  ASSERT_EQ(issue["number"], 40) << made.dump();
  EXPECT_EQ(text_of(json(get(at(kPublic, "/issues")))[0], "title"), "From GraphQL");
  run("mutation($id:ID!){closeIssue(input:{issueId:$id}){issue{id}}}", Json{{"id", issue["id"]}});
  EXPECT_EQ(text_of(json(get(at(kPublic, "/issues/40"))), "state"), "closed");
  const Json comment = run("mutation($id:ID!){addComment(input:{subjectId:$id,body:\"hi\"}){commentEdge{node{url}}}}",
                           Json{{"id", issue["id"]}});
  EXPECT_TRUE(comment["data"]["addComment"]["commentEdge"]["node"]["url"].is_string());
  EXPECT_EQ(json(get(at(kPublic, "/issues/40/comments"))).size(), 1u);
}

TEST(GraphqlParser, RefusesWhatIsNoDocument) {
  for (const char* bad : {"", "{", "{a", "query(", "{a(b:)}", "fragment x on", "{a(b:\"x)}", "mutation{a(b:[1,}", "}{"})
    EXPECT_FALSE(parse_graphql(bad)) << bad;
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "{a";
  EXPECT_FALSE(parse_graphql(deep));
  const auto good = parse_graphql(
      "# comment\nquery Q($a:[Int!]!=[1,-2],$b:I={x:\"\\u0041\",y:E}) @d(x:1) { z:a(b:$b c:\"\"\"block \" text\"\"\") "
      "...on T{b} ...F ...@skip(if:true){c} } fragment F on T {d}");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->operations[0].selections.size(), 4u);
  EXPECT_EQ(good->operations[0].defaults["b"]["x"], "A");
}

}  // namespace
}  // namespace ghmesh::standin
