// SPDX-License-Identifier: Apache-2.0
#include "mesh_stage.hpp"

// Several nodes of one mesh in one process: real handshakes, real sealing, the real request path, GitHub as the
// stand-in plays it, and a clock that only the test moves. Peers may lie; clients must not notice.

namespace ghmesh::scenario {
namespace {

TEST_F(MeshStage, OneTokenOnManyNodesPaysOnceAlsoInTheSameInstant) {
  for (int i = 0; i < 4; ++i) join();
  settle();
  std::vector<std::string> targets;
  for (int i = 1; i <= 10; ++i) targets.push_back(root + "/issues/" + std::to_string(i));
  std::vector<std::shared_ptr<Got>> gots;
  for (const auto& member : members_)
    for (const std::string& target : targets) gots.push_back(member->node->start({"GET", target, kAlice}));
  ASSERT_TRUE(run_all(gots));
  EXPECT_EQ(newly_charged(), 10u);
  EXPECT_EQ(newly_asked(), 10u);
  for (std::size_t i = 0; i < gots.size(); ++i) {
    EXPECT_EQ(gots[i]->body, direct({"GET", targets[i % targets.size()], kAlice}).body);
    EXPECT_TRUE(gots[i]->from("fwd=miss")) << gots[i]->field("Cache-Status");
  }
  std::uint64_t collapsed = 0;
  for (const auto& member : members_) collapsed += member->node->answers(proxy::AnswerKind::Collapsed);
  EXPECT_EQ(collapsed, 30u);
  // Later it is a peer's fresh answer, or one's own.
  Member& late = join();
  settle();
  const Got got = get(*late.node, targets[0], kAlice);
  EXPECT_EQ(got.field("Cache-Status"), "ghmesh; hit; detail=peer");
  EXPECT_EQ(newly_asked(), 0u);
}

TEST_F(MeshStage, AFleetThatHasJustStartedSharesAtOnce) {
  for (int i = 0; i < 3; ++i) join();
  loop.advance(1s);  // younger than the age at which a late member owns keys
  for (const auto& member : members_) EXPECT_EQ(get(*member->node, root + "/labels", kAlice).status, 200);
  EXPECT_EQ(newly_charged(), 1u);
}

TEST_F(MeshStage, WhatMustAlwaysBeProvedIsProvedByEachForNothing) {
  for (int i = 0; i < 3; ++i) join(quick());
  settle();
  for (const auto& member : members_) EXPECT_EQ(get(*member->node, root + "/branches", kAlice).status, 200);
  EXPECT_EQ(newly_charged(), 1u);
  EXPECT_EQ(newly_asked(), 3u);
  EXPECT_EQ(members_[2]->node->answers(proxy::AnswerKind::PeerProof), 1u);
}

TEST_F(MeshStage, AnotherTokenProvesAPeersBytes) {
  join();
  join();
  settle();
  const Got first = get(*members_[0]->node, root + "/labels", kAlice);
  const Got other = get(*members_[1]->node, root + "/labels", kBob);
  EXPECT_EQ(other.field("Cache-Status"), "ghmesh; hit; detail=peer-proof");
  EXPECT_EQ(other.body, first.body);
  EXPECT_NE(other.field("ETag"), first.field("ETag"));
  EXPECT_EQ(other.field("ETag"), direct({"GET", root + "/labels", kBob}).fields.first("ETag"));
  EXPECT_EQ(newly_charged(), 1u);
}

TEST_F(MeshStage, A4_ATokenWithoutTheRightGetsNoByteOfIt) {
  join();
  join();
  settle();
  const std::string target = secret + "/issues/1";
  ASSERT_EQ(get(*members_[0]->node, target, kAlice).status, 200);
  for (const std::string& token : {kBob, std::string()}) {
    const Got refused = get(*members_[1]->node, target, token);
    EXPECT_EQ(refused.status, 404);
    EXPECT_EQ(refused.body, direct({"GET", target, token}).body);
  }
  // Who is refused takes nobody else's right away.
  newly_charged();
  EXPECT_TRUE(get(*members_[1]->node, target, kCarol).from("detail=peer-proof"));
  EXPECT_EQ(newly_charged(), 0u);
}

TEST_F(MeshStage, A1_AForgedBodyCostsOneOrdinaryFetchAndReachesNobody) {
  Member& honest = join();
  Member& liar = speaker();
  settle();
  const std::string target = root + "/labels";
  ASSERT_EQ(get(*honest.node, root + "/issues/7", kBob).status, 200);  // the class is proven here
  newly_charged();
  lie(liar, shared_key(honest, target, kAlice), R"([{"name":"forged"}])", claim(mesh::TokenTag{9}, loop.wall_now()));
  const Got got = get(*honest.node, target, kAlice);
  EXPECT_EQ(got.body, direct({"GET", target, kAlice}).body);
  EXPECT_EQ(newly_charged(), 1u);
  EXPECT_LT(honest.link->mesh().peers(loop.now())[0].score, 1);
}

TEST_F(MeshStage, A37_APeersFieldsReachNobodyWithItsProvedBytes) {
  Member& honest = join();
  Member& liar = speaker();
  settle();
  const std::string target = root + "/labels";
  ASSERT_EQ(get(*honest.node, root + "/issues/7", kBob).status, 200);  // the class is proven here
  newly_charged();
  lie(liar, shared_key(honest, target, kAlice), direct({"GET", target, kAlice}).body,
      claim(mesh::TokenTag{9}, loop.wall_now()),
      {{"Content-Type", "text/html"},
       {"Vary", "*"},
       {"Link", "<https://evil.example/>; rel=\"next\""},
       {"Content-Security-Policy", "default-src *"},
       {"Set-Cookie", "a=b"}});
  const Got got = get(*honest.node, target, kAlice);
  ASSERT_EQ(got.field("Cache-Status"), "ghmesh; hit; detail=peer-proof");
  const standin::Response want = direct({"GET", target, kAlice});
  for (const char* name : {"Content-Type", "Vary", "Link", "Content-Security-Policy", "Set-Cookie", "ETag"})
    EXPECT_EQ(got.field(name), want.fields.first(name).value_or("")) << name;
}

TEST_F(MeshStage, WhoeverClaimsFreshnessWithoutTheTokenIsNotBelieved) {
  Member& honest = join();
  Member& liar = speaker();
  settle();
  const std::string target = root + "/labels";
  lie(liar, shared_key(honest, target, kAlice), R"([{"name":"forged"}])", claim(tag_of(kAlice), loop.wall_now()));
  const Got got = get(*honest.node, target, kAlice);
  EXPECT_EQ(got.body, direct({"GET", target, kAlice}).body);
  EXPECT_EQ(honest.sharing->counts().bad_seals, 1u);
  EXPECT_EQ(newly_charged(), 1u);
}

TEST_F(MeshStage, A6_AnOldAnswerReplayedAsFreshIsProvedFirst) {
  Member& one = join();
  Member& liar = speaker();
  settle();
  const std::string target = root + "/issues/1";
  ASSERT_EQ(get(*one.node, target, kAlice).status, 200);
  // The liar keeps what a token's holder sealed a moment ago…
  const store::Key key = shared_key(one, target, kAlice);
  const FindResult sealed = run(liar.link->find(key, tag_of(kAlice), {}));
  ASSERT_EQ(sealed.kind, FindResult::Kind::Fresh);
  ASSERT_TRUE(sealed.item);
  // …until it is long out of date, and offers it as good for another minute.
  ASSERT_EQ(
      ask(*one.node, {"PATCH", target, kAlice, {{"Content-Type", "application/json"}}, R"({"title":"new"})"}).status,
      200);
  loop.advance(5min);
  const FindResult lease = run(liar.link->find(key, mesh::TokenTag{9}, {}));
  mesh::Freshness fresh = sealed.fresh;
  fresh.left_ms = fresh.fresh_ms;
  if (lease.kind != FindResult::Kind::Fresh) liar.link->put(lease.find, sealed.item, fresh);
  loop.advance(50ms);
  Member& late = join();
  settle();
  for (Member* member : {&one, &late}) {
    const Got got = get(*member->node, target, kAlice);
    EXPECT_EQ(got.body, direct({"GET", target, kAlice}).body) << got.field("Cache-Status");
  }
}

TEST_F(MeshStage, WhatIsOneUsersOrHoldsACredentialNeverLeaves) {
  Member& one = join();
  Member& two = join();
  settle();
  for (const char* target : {"/user", "/notifications", "/user/repos"}) get(*one.node, target, kAlice);
  for (const char* below : {"/hooks", "/keys", "/collaborators", "/actions/secrets"})
    get(*one.node, secret + below, kAlice);
  EXPECT_EQ(one.link->mesh().stats().searches, 0u);
  origin.middle = [](const standin::Request& request, standin::Response& response) {
    if (request.target.find("/labels") != std::string::npos)
      answer_with(response, R"([{"temp_clone_token":"AABBCC"}])");
  };
  const Got got = get(*one.node, secret + "/labels", kAlice);
  EXPECT_EQ(got.status, 200) << got.body << got.problem;
  EXPECT_EQ(one.sharing->counts().kept_back, 1u);
  EXPECT_EQ(one.link->mesh().stats().shelf_entries + two.link->mesh().stats().shelf_entries, 0u);
}

TEST_F(MeshStage, A4_SharePublicTellsOnlyWhatWasSeenToBePublic) {
  Member& one = join(quick(github::FreshnessPolicy::GitHub), true);
  Member& two = join();
  settle();
  ASSERT_EQ(get(*one.node, secret + "/labels", kAlice).status, 200);
  ASSERT_EQ(get(*one.node, root + "/labels", kAlice).status, 200);
  EXPECT_EQ(two.link->mesh().stats().shelf_entries, 0u) << "nobody has seen that one of them is public";
  ASSERT_EQ(get(*one.node, root, kAlice).status, 200);
  ASSERT_EQ(get(*one.node, root + "/issues/7", kAlice).status, 200);
  ASSERT_EQ(get(*one.node, secret + "/issues/7", kAlice).status, 200);
  loop.advance(100ms);
  newly_charged();
  EXPECT_TRUE(get(*two.node, root + "/issues/7", kAlice).from("detail=peer"));
  EXPECT_EQ(newly_charged(), 0u);
  EXPECT_TRUE(get(*two.node, secret + "/issues/7", kAlice).from("fwd=miss"));
}

TEST_F(MeshStage, AWriteIsKnownEverywhereBeforeItsAnswer) {
  net.set_latency([](const auto&, const auto&) { return 1ms; });
  for (int i = 0; i < 3; ++i) join(quick(github::FreshnessPolicy::Relaxed));
  settle();
  const std::string target = root + "/issues/1";
  for (const auto& member : members_) ASSERT_EQ(get(*member->node, target, kAlice).status, 200);
  ASSERT_EQ(
      ask(*members_[1]->node, {"PATCH", target, kAlice, {{"Content-Type", "application/json"}}, R"({"title":"new"})"})
          .status,
      200);
  for (const auto& member : members_) {
    const Got got = get(*member->node, target, kAlice);
    EXPECT_EQ(got.body, direct({"GET", target, kAlice}).body) << got.field("Cache-Status");
  }
  EXPECT_EQ(members_[1]->sharing->counts().unconfirmed, 0u);
}

TEST_F(MeshStage, AMutationIsKnownEverywhereToo) {
  for (int i = 0; i < 2; ++i) join(quick(github::FreshnessPolicy::Relaxed));
  settle();
  const std::string target = root + "/issues/1";
  for (const auto& member : members_) ASSERT_EQ(get(*member->node, target, kAlice).status, 200);
  newly_asked();
  ask(*members_[0]->node, {"POST",
                           "/graphql",
                           kAlice,
                           {{"Content-Type", "application/json"}},
                           R"({"query":"mutation { closeIssue(input: {issueId: \"I_1\"}) { clientMutationId } }"})"});
  newly_asked();
  get(*members_[1]->node, target, kAlice);
  EXPECT_EQ(newly_asked(), 1u) << "asked again, for nothing";
}

TEST_F(MeshStage, ADeadMemberDelaysAWriteByATenthOfASecondAtMost) {
  Member& one = join();
  Member& two = join();
  settle();
  net.set_cut(one.address, two.address, true);
  const Got written = ask(
      *one.node, {"PATCH", root + "/issues/1", kAlice, {{"Content-Type", "application/json"}}, R"({"title":"new"})"});
  EXPECT_EQ(written.status, 200);
  EXPECT_LE(written.took, 150ms);
}

TEST_F(MeshStage, WithoutAnyPeerLeftTheAnswersAreTheSame) {
  for (int i = 0; i < 3; ++i) join();
  settle();
  net.kill(members_[1]->address);
  net.kill(members_[2]->address);
  for (int i = 1; i <= 10; ++i) {
    const std::string target = root + "/issues/" + std::to_string(i);
    const Got got = get(*members_[0]->node, target, kAlice);
    EXPECT_EQ(got.body, direct({"GET", target, kAlice}).body);
    EXPECT_LE(got.took, origin.latency + 60ms) << target;
  }
}

TEST_F(MeshStage, ARefusalPausesTheTokenOnEveryNode) {
  Member& one = join();
  Member& two = join();
  settle();
  origin.middle = [&](const standin::Request&, standin::Response& response) {
    response.status = 429;
    response.body = R"({"message":"You have exceeded a secondary rate limit."})";
    response.fields = http::Fields{{"Retry-After", "40"}, {"Content-Type", "application/json"}};
  };
  EXPECT_EQ(get(*one.node, root + "/labels", kAlice).status, 429);
  origin.middle = nullptr;
  newly_asked();
  const std::shared_ptr<Got> waiting = two.node->start({"GET", root + "/issues/7", kAlice});
  const std::shared_ptr<Got> other = two.node->start({"GET", root + "/issues/7", kCarol});
  loop.advance(10s);
  EXPECT_TRUE(other->done) << "another token is not stopped";
  EXPECT_EQ(newly_asked(), 1u);
  loop.run_until([&] { return waiting->done; });
  EXPECT_TRUE(waiting->done);
}

TEST_F(MeshStage, ARotationLosesNoRequestAndNoEntry) {
  for (int i = 0; i < 3; ++i) join();
  settle();
  for (const auto& member : members_) ASSERT_EQ(get(*member->node, root + "/labels", kAlice).status, 200);
  // First everybody accepts the new one, then everybody uses it, node by node, while clients go on.
  const auto rotate = [&](std::uint8_t current, std::uint8_t also) {
    for (const auto& member : members_) {
      member->sharing->set_lookup_key(keys(current).lookup.clone());
      member->link->set_keys({.current = keys(current), .also_accept = keys(also)});
      member->node->proxy->doubt_all();
      for (const auto& each : members_) EXPECT_EQ(get(*each->node, root + "/labels", kAlice).status, 200);
    }
  };
  newly_charged();
  rotate(1, 2);
  rotate(2, 1);
  EXPECT_EQ(newly_charged(), 0u) << "what is held is proved under any name";
  for (const auto& member : members_) EXPECT_EQ(member->link->mesh().stats().members, 2u);
  EXPECT_EQ(get(*members_[0]->node, root + "/issues/7", kAlice).status, 200);
  newly_asked();
  EXPECT_TRUE(get(*members_[1]->node, root + "/issues/7", kAlice).from("detail=peer"));
  EXPECT_EQ(newly_asked(), 0u);
}

}  // namespace
}  // namespace ghmesh::scenario
