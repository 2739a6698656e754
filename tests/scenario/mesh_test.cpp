// SPDX-License-Identifier: Apache-2.0
#include "crypto/random.hpp"
#include "io/memory_network.hpp"
#include "mesh/link/link.hpp"
#include "proxy/shared_head.hpp"
#include "proxy/sharing.hpp"
#include "stage.hpp"

// Several nodes of one mesh in one process: real handshakes, real sealing, the real request path, GitHub as the
// stand-in plays it, and a clock that only the test moves. Peers may lie; clients must not notice.

namespace ghmesh::scenario {
namespace {

using mesh::FindResult;
using multiformats::Multiaddr;

mesh::MeshKeys keys(std::uint8_t secret = 1) { return mesh::MeshKeys::derive(Bytes(32, secret)); }

class MeshStage : public Stage {
 protected:
  struct Member {
    io::IpAddress address;
    std::unique_ptr<io::Network> network;
    std::unique_ptr<libp2p::Host> host;
    std::unique_ptr<mesh::Link> link;
    std::unique_ptr<proxy::Sharing> sharing;
    Node* node = nullptr;  // null: a member that only speaks the protocol
  };

  ~MeshStage() override {
    // Requests that a test left behind hold searches in the mesh.
    tasks = std::make_unique<io::TaskGroup>(loop);
  }

  Member& speaker() {
    auto member = std::make_unique<Member>();
    const auto n = static_cast<std::uint8_t>(members_.size() + 1);
    member->address = io::IpAddress::v4(10, 0, 0, n);
    member->network = net.host(member->address);
    libp2p::HostOptions options{.key = libp2p::PrivateKey::generate(random)};
    member->host = std::make_unique<libp2p::Host>(*member->network, random, std::move(options));
    EXPECT_TRUE(member->host->swarm().listen(*Multiaddr::parse("/ip4/10.0.0." + std::to_string(n) + "/tcp/4001")));
    Member* raw = member.get();
    mesh::LinkOptions link{.keys = {.current = keys(), .also_accept = std::nullopt}};
    if (!members_.empty()) link.contacts = {members_[0]->host->addresses()[0]};
    link.find_item = [raw](const mesh::LookupKey& key, const mesh::Version& version) {
      return raw->sharing ? raw->sharing->find_item(key, version) : nullptr;
    };
    member->link = std::make_unique<mesh::Link>(*member->host, random, std::move(link));
    member->link->start();
    members_.push_back(std::move(member));
    return *members_.back();
  }

  Member& join(NodeOptions options = quick(github::FreshnessPolicy::GitHub), bool public_only = false) {
    Member& member = speaker();
    options.mesh = [&](proxy::Planner& planner) {
      member.sharing = std::make_unique<proxy::Sharing>(loop, *member.link, planner,
                                                        proxy::SharingOptions{keys().lookup.clone(), public_only});
      return member.sharing.get();
    };
    member.node = &node(options);
    member.link->on_invalidated([&member](const mesh::Invalidated& stale) {
      if (!stale.drop) member.node->proxy->invalidate(stale.groups);
    });
    return member;
  }

  // Long enough for everybody to know everybody and own its part.
  void settle() { loop.advance(12s); }

  template <typename T>
  T run(io::Task<T> task) {
    std::optional<T> out;
    tasks->spawn([](io::Task<T> t, std::optional<T>& o) -> io::Task<> { o.emplace(co_await std::move(t)); }(
                                                            std::move(task), out));
    EXPECT_TRUE(loop.run_until([&] { return out.has_value(); }, 60s));
    return std::move(*out);
  }

  store::Key shared_key(const Member& member, const std::string& target, const std::string& token) {
    return member.node->planner->shared_key(member.node->plan({"GET", target, token}));
  }

  // What a liar brings into the mesh under that name: bytes of its own with every mark of a good answer.
  void lie(Member& liar, const store::Key& key, std::string_view bytes, const mesh::Freshness& fresh,
           const http::Fields& fields = {{"Content-Type", "application/json; charset=utf-8"},
                                         {"Cache-Control", "private, max-age=60"}}) {
    const FindResult found = run(liar.link->find(key, mesh::TokenTag{9}, {}));
    auto item = std::make_shared<mesh::Item>();
    item->key = key;
    item->metadata = proxy::encode_shared_head(fields, true);
    item->body = to_bytes(bytes);
    item->version = mesh::version_of(item->metadata, item->body);
    if (found.kind == FindResult::Kind::Fresh) return;
    liar.link->put(found.find, item, fresh);
    loop.advance(50ms);
  }

  static mesh::Freshness claim(const mesh::TokenTag& tag, WallTime now) {
    mesh::Freshness fresh;
    fresh.tag = tag;
    fresh.fetched_at_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    fresh.fresh_ms = fresh.left_ms = 60'000;
    fresh.seal.fill(0x5a);
    return fresh;
  }
  static void answer_with(standin::Response& response, std::string body) {
    for (const char* name : {"Content-Encoding", "Content-Length", "ETag"}) response.fields.remove(name);
    response.body = std::move(body);
  }
  static mesh::TokenTag tag_of(const std::string& authorization) {
    return mesh::TokenSealer(keys().lookup, as_bytes(authorization)).tag();
  }

  io::MemoryNetwork net{loop};
  std::vector<std::unique_ptr<Member>> members_;
};

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
