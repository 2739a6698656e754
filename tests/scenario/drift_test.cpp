// SPDX-License-Identifier: Apache-2.0
#include "stage.hpp"

// The day GitHub changes its tag: how soon a node notices, and that nobody gets a wrong byte meanwhile.

namespace ghmesh::scenario {
namespace {

using standin::TagFormula;

class Drift : public Stage {
 protected:
  // Alice holds sixty resources, all classes of theirs proven.
  void prepare(Node& n) {
    for (int i = 1; i <= 30; ++i) targets.push_back(secret + "/issues/" + std::to_string(i));
    for (int i = 0; i < 6; ++i) targets.push_back(secret + "/contents/data/file-" + std::to_string(i) + ".txt");
    for (const char* rest : {"", "/readme", "/languages", "/labels", "/releases/latest"})
      targets.push_back(secret + rest);
    for (const std::string& target : targets) ASSERT_EQ(get(n, target, kAlice).status, 200);
    ASSERT_TRUE(get(n, targets[0], kCarol).from("detail=proof"));
    origin.seen.clear();
  }
  std::uint64_t offers_of_other_bodies() const {
    std::uint64_t count = 0;
    for (const standin::Request& request : origin.seen) count += request.fields.has("If-None-Match");
    return count;
  }
  std::vector<std::string> targets;
};

// Salted and cut tags look alike from here: no tag that is computed matches any more.
class NewFormula : public Drift, public ::testing::WithParamInterface<TagFormula> {};
INSTANTIATE_TEST_SUITE_P(, NewFormula, ::testing::Values(TagFormula::Salted, TagFormula::Truncated));

TEST_P(NewFormula, IsNoticedAfterTwoAnswersAndNeverServesAWrongByte) {
  Node& n = node(NodeOptions{});
  prepare(n);
  github.settings.formula = GetParam();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (i % 2 == 0) github.world.touch(targets[i], loop.wall_now() + 1h);
    const Got got = get(n, targets[i], kCarol);
    ASSERT_EQ(got.status, 200);
    ASSERT_EQ(got.body, direct({"GET", targets[i], kCarol}).body) << targets[i];
  }
  EXPECT_GE(n.proxy->calibration().trips(), 1u);
  // One own revalidation, then per family of paths at most two offers before it, or the class, is set aside.
  EXPECT_LE(offers_of_other_bodies(), 1u + 2u * 4u);
}

TEST_P(NewFormula, InOneClassOverAllItsFamiliesTripsAtTheSecondMismatch) {
  Node& n = node(NodeOptions{});
  prepare(n);
  github.settings.formula = GetParam();
  for (const char* rest : {"/readme", "/languages"}) EXPECT_EQ(get(n, secret + rest, kCarol).status, 200);
  EXPECT_EQ(n.proxy->calibration().trips(), 1u);
  origin.seen.clear();
  EXPECT_EQ(get(n, secret + "/labels", kCarol).status, 200);
  EXPECT_EQ(offers_of_other_bodies(), 0u);
}

TEST_P(NewFormula, TheTokensOwnTagsGoOnServing) {
  Node& n = node(NodeOptions{});
  github.settings.formula = GetParam();
  for (int round = 0; round < 3; ++round)
    for (const char* rest : {"/readme", "/languages", "/labels"})
      EXPECT_EQ(get(n, secret + rest, kAlice).body, direct({"GET", secret + rest, kAlice}).body);
  EXPECT_EQ(charged(), 3u);
  EXPECT_FALSE(get(n, secret + "/readme", kCarol).from("detail=proof"));
}

TEST_F(Drift, A304ToAnythingFromTheStartIsFoundByTheFirstCanary) {
  Node& n = node(NodeOptions{});
  github.settings.formula = TagFormula::MatchAnything;
  for (int i = 1; i <= 30; ++i) {
    const std::string target = secret + "/issues/" + std::to_string(i);
    EXPECT_EQ(get(n, target, kAlice).body, direct({"GET", target, kAlice}).body);
    EXPECT_FALSE(get(n, target, kCarol).from("detail=proof"));
  }
  EXPECT_EQ(n.proxy->calibration().trips(), 1u);
  EXPECT_EQ(origin.seen.front().fields.has("If-None-Match"), true);
}

TEST_F(Drift, A304ToAnythingLaterServesNoWrongByteSinceItsTagTells) {
  Node& n = node(NodeOptions{});
  prepare(n);
  github.settings.formula = TagFormula::MatchAnything;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    github.world.touch(targets[i], loop.wall_now() + 1h);
    for (const std::string& token : {kCarol, kAlice}) {
      const Got got = get(n, targets[i], token);
      ASSERT_EQ(got.status, 200);
      ASSERT_EQ(got.body, direct({"GET", targets[i], token}).body) << i;
    }
  }
  EXPECT_GE(n.proxy->calibration().trips(), 1u);
}

TEST_F(Drift, A304ToAnythingThatHidesItsTagServesNoWrongByteEither) {
  Node& n = node(NodeOptions{});
  prepare(n);
  github.settings.formula = TagFormula::MatchAnything;
  origin.middle = [](const standin::Request&, standin::Response& response) {
    if (response.status == 304) response.fields.remove("ETag");
  };
  for (std::size_t i = 0; i < targets.size(); ++i) {
    github.world.touch(targets[i], loop.wall_now() + 1h);
    for (const std::string& token : {kCarol, kAlice})
      ASSERT_EQ(get(n, targets[i], token).body, direct({"GET", targets[i], token}).body) << i;
  }
  EXPECT_GE(n.proxy->calibration().trips(), 1u);
}

TEST_F(Drift, TagsOfAPrefixAloneAreNoticedOnTheFirstLongBodies) {
  Node& n = node(NodeOptions{});
  prepare(n);
  github.settings.formula = TagFormula::PrefixOnly;
  for (const std::string& target : targets)
    ASSERT_EQ(get(n, target, kCarol).body, direct({"GET", target, kCarol}).body) << target;
  EXPECT_GE(n.proxy->calibration().trips(), 1u);
}

TEST_F(Drift, ATrippedClassComesBackWhenTheFormulaDoes) {
  Node& n = node(NodeOptions{});
  prepare(n);
  github.settings.formula = TagFormula::Salted;
  for (const std::string& target : targets) get(n, target, kCarol);
  ASSERT_GE(n.proxy->calibration().trips(), 1u);
  github.settings.formula = TagFormula::Measured;
  // A family that was set aside alone stays so for a day.
  loop.advance(std::chrono::hours(25));
  github.tokens.add_user("dora-secret", "dora", {"octo-org/repo-2"});
  github.tokens.add_user("emil-secret", "emil", {"octo-org/repo-2"});
  for (const std::string& target : targets) get(n, target, "Bearer dora-secret");
  EXPECT_TRUE(get(n, targets[3], "Bearer emil-secret").from("detail=proof"));
}

TEST_F(Drift, ProofOffSendsNoComputedTagAndSharesNothing) {
  NodeOptions options;
  options.proof = false;
  Node& n = node(options);
  for (int i = 1; i <= 30; ++i) get(n, secret + "/issues/" + std::to_string(i), kAlice);
  newly_charged();
  for (int i = 1; i <= 30; ++i) get(n, secret + "/issues/" + std::to_string(i), kCarol);
  EXPECT_EQ(newly_charged(), 30u);
  EXPECT_EQ(offers_of_other_bodies(), 0u);
}

}  // namespace
}  // namespace ghmesh::scenario
