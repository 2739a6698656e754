// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.hpp"
#include "github/etag.hpp"
#include "github/scanner.hpp"
#include "stage.hpp"

// The numbered rules of the proof, and the cases that were thought through against it, each on the whole path.

namespace ghmesh::scenario {
namespace {

class Rule : public Stage {
 protected:
  // Alice holds it, and its class is proven.
  Got held(Node& n, const std::string& target, http::Fields more = {}) {
    Got got = get(n, target, kAlice, std::move(more));
    EXPECT_EQ(got.status, 200);
    origin.seen.clear();
    newly_charged();
    return got;
  }
  std::string sent(std::string_view name) const {
    return origin.seen.empty() ? "nothing" : origin.seen.back().fields.joined(name);
  }
  std::string list_of(std::size_t count) {
    std::string body = "[";
    for (std::size_t i = 1; i <= count; ++i) body += (i > 1 ? "," : "") + milestone(i);
    const std::string path = root + "/milestones";
    github.world.put_json(path, body + "]", loop.wall_now());
    return path;
  }
  static std::string milestone(std::size_t i) { return "{\"number\":" + std::to_string(i) + "}"; }
};

TEST_F(Rule, R01_TheTagIsComputedFromTheBytesAboutToBeServed) {
  Node& n = node();
  const Got first = held(n, root);
  // The stored record keeps GitHub's true tag; its bytes are others.
  ASSERT_TRUE(n.forge({"GET", root, kAlice}, R"({"full_name":"octo-org/other"})"));
  EXPECT_EQ(get(n, root, kAlice).body, first.body);
  EXPECT_NE(origin.seen.front().fields.joined("If-None-Match"), first.field("ETag"));
}

TEST_F(Rule, R02_OneValidatorAndTheClientsOwnAreAnsweredHere) {
  Node& n = node();
  const Got first = held(n, root);
  const Got same = get(n, root, kAlice, {{"If-None-Match", first.field("ETag")}});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  const Got other = get(n, root, kAlice, {{"If-None-Match", "\"one\", \"two\""}});
  EXPECT_EQ(other.status, 200);
  EXPECT_EQ(other.body, first.body);
  const Got since = get(n, root, kAlice,
                        {{"If-Modified-Since", std::string(first.field("Last-Modified"))}, {"If-None-Match", "\"x\""}});
  EXPECT_EQ(since.status, 200);  // RFC 9110 §13.1.3: If-None-Match takes precedence
  for (const standin::Request& request : origin.seen) {
    EXPECT_EQ(request.fields.view().count("If-None-Match"), 1u);
    EXPECT_EQ(request.fields.joined("If-None-Match").find(','), std::string::npos);
    EXPECT_FALSE(request.fields.has("If-Modified-Since"));
  }
  EXPECT_EQ(newly_charged(), 0u);
}

TEST_F(Rule, R02_AClientsValidatorProvesNothingForAnother) {
  Node& n = node();
  // The tag that GitHub matches is the client's own, for a body that nobody here holds: free here as it is there.
  const standin::Response whole = direct({"GET", root, kAlice});
  const std::string tag(*whole.fields.first("ETag"));
  for (int round = 0; round < 2; ++round) {
    const Got got = get(n, root, kAlice, {{"If-None-Match", tag}});
    EXPECT_EQ(got.status, 304);
    EXPECT_EQ(got.body, "");
    EXPECT_EQ(got.field("ETag"), tag);
    EXPECT_TRUE(got.from("fwd=miss; fwd-status=304")) << got.field("Cache-Status");
    EXPECT_EQ(sent("If-None-Match"), tag);
    EXPECT_EQ(newly_charged(), 0u);
  }
  // Nothing came of it but this: neither its own token nor another one is better off.
  EXPECT_FALSE(n.holds({"GET", root, kAlice}));
  EXPECT_EQ(get(n, root, kCarol).body, direct({"GET", root, kCarol}).body);
  EXPECT_NE(sent("If-None-Match"), tag);
  EXPECT_EQ(newly_charged(), 1u);
  EXPECT_EQ(get(n, root, kAlice).body, whole.body);  // proved, by the bytes that Carol has paid for
  EXPECT_EQ(n.stats.direct_calls.value(), 2u);  // of four: a client at GitHub's own door pays for whole answers alone
}

TEST_F(Rule, R02_AClientsTagThatIsOldOrOneOfSeveralBringsTheWhole) {
  const std::string tag(*direct({"GET", root, kAlice}).fields.first("ETag"));
  for (const std::string& field : {std::string("\"old\""), tag + ", \"old\"", std::string("*"), std::string("junk")}) {
    Node& n = node();
    origin.seen.clear();
    newly_charged();
    const Got got = get(n, root, kAlice, {{"If-None-Match", field}});
    EXPECT_EQ(got.status, field.starts_with(tag) || field == "*" ? 304 : 200) << field;
    EXPECT_EQ(sent("If-None-Match") == field, field == "\"old\"") << field;
    EXPECT_TRUE(n.holds({"GET", root, kAlice})) << field;
    EXPECT_EQ(newly_charged(), 1u) << field;
  }
}

TEST_F(Rule, R02_WhoWaitedForTheOneWithATagOfItsOwnPaysAsIfItHadNotBeenThere) {
  Node& n = node();
  held(n, root + "/labels");  // its class is proven
  const std::string tag(*direct({"GET", root, kAlice}).fields.first("ETag"));
  std::vector<std::shared_ptr<Got>> gots;
  for (int i = 0; i < 3; ++i) gots.push_back(n.start({"GET", root, kAlice, {{"If-None-Match", tag}}}));
  for (int i = 0; i < 20; ++i) gots.push_back(n.start({"GET", root, i % 2 == 0 ? kAlice : kCarol}));
  ASSERT_TRUE(run_all(gots));
  for (std::size_t i = 0; i < gots.size(); ++i) EXPECT_EQ(gots[i]->status, i < 3 ? 304 : 200);
  EXPECT_EQ(newly_charged(), 1u);
}

TEST_F(Rule, R02_AClientsTagYieldsToBytesThatAreHeld) {
  Node& n = node();
  held(n, root);
  const std::string tag(*direct({"GET", root, kCarol}).fields.first("ETag"));
  const Got got = get(n, root, kCarol, {{"If-None-Match", tag}});
  EXPECT_EQ(got.status, 304);
  EXPECT_TRUE(got.from("detail=proof")) << got.field("Cache-Status");
  EXPECT_TRUE(n.holds({"GET", root, kCarol}));
  EXPECT_EQ(newly_charged(), 0u);
}

TEST_F(Rule, R03_WhatGithubSeesIsCanonical) {
  Node& n = node();
  held(n, root);
  const Got got = get(n, root, "token alice-secret",
                      {{"Accept", "-"}, {"User-Agent", "curl/8.5"}, {"X-Request-Id", "7"}, {"Accept-Language", "de"}});
  EXPECT_EQ(got.status, 200);
  const http::Fields& seen = origin.seen.back().fields;
  EXPECT_EQ(seen.view().count("Accept"), 1u);
  EXPECT_EQ(seen.joined("Accept"), "application/vnd.github+json");
  EXPECT_EQ(seen.view().count("Authorization"), 1u);
  EXPECT_EQ(seen.joined("Authorization"), kAlice);
  EXPECT_EQ(seen.joined("User-Agent"), "ghmesh");
  for (const char* name : {"Cookie", "X-Request-Id", "Accept-Language"}) EXPECT_FALSE(seen.has(name)) << name;
  // "token X" and "Bearer X" are one token.
  EXPECT_EQ(newly_charged(), 0u);
}

TEST_F(Rule, R03_AnEmptyAcceptWorks) {
  Node& n = node();
  held(n, root);
  const Got got = get(n, root, kAlice, {{"Accept", ""}});
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(sent("Accept"), "application/vnd.github+json");
  EXPECT_EQ(newly_charged(), 0u);
}

TEST_F(Rule, R03_SeveralAcceptLinesBecomeOne) {
  Node& n = node();
  const Got got = get(n, root, kAlice, {{"Accept", "application/vnd.github+json"}, {"Accept", "application/json"}});
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(origin.seen.back().fields.view().count("Accept"), 1u);
}

TEST_F(Rule, R03_ACookieGoesPastTheCache) {
  Node& n = node();
  held(n, root);
  const Got got = get(n, root, kAlice, {{"Cookie", "a=b"}});
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.from("fwd=bypass")) << got.field("Cache-Status");
  EXPECT_EQ(sent("If-None-Match"), "");
}

TEST_F(Rule, R03_ThoseWhomGithubPrintsForGetWhatItWouldPrint) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  for (const char* agent : {"curl/8.5.0", "Wget/1.21", "Mozilla/5.0 Safari/605", "Mozilla/5.0 Firefox/130"}) {
    const http::Fields as{{"User-Agent", agent}};
    for (const std::string& target : {root, root + "/labels", root + "/issues/2/comments", root + "/no-such"}) {
      const std::string want = direct({"GET", target, kAlice, as}).body;
      EXPECT_EQ(get(n, target, kAlice, as).body, want) << agent << target;  // fetched, or hit
      EXPECT_EQ(get(n, target, kCarol, as).body, want) << agent << target;  // proved
      http::Fields fresh(as);
      fresh.add("Cache-Control", "no-cache");
      EXPECT_EQ(get(n, target, kAlice, fresh).body, want) << agent << target;  // proved, its own
    }
  }
}

TEST_F(Rule, R04_HeadTakesNoPart) {
  Node& n = node();
  const Got first = held(n, root);
  const Got got = ask(n, {"HEAD", root, kCarol});
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "");
  EXPECT_EQ(sent("If-None-Match"), "");
  // A HEAD from what is held has the length that a GET would have.
  const Got own = ask(n, {"HEAD", root, kAlice});
  EXPECT_EQ(own.status, 200);
  EXPECT_EQ(get(n, root, kAlice).body, first.body);
}

TEST_F(Rule, R04_RangesRawMediaAndRateLimitTakeNoPart) {
  Node& n = node();
  held(n, root + "/readme");
  EXPECT_EQ(get(n, root + "/readme", kCarol, {{"Range", "bytes=0-9"}}).status, 200);
  EXPECT_EQ(sent("If-None-Match"), "");
  const http::Fields raw{{"Accept", "application/vnd.github.raw+json"}};
  const Got text = get(n, root + "/readme", kCarol, raw);
  EXPECT_EQ(text.body, direct({"GET", root + "/readme", kCarol, raw}).body);
  EXPECT_EQ(sent("If-None-Match"), "");
  EXPECT_EQ(get(n, "/rate_limit", kAlice).status, 200);
  EXPECT_EQ(sent("If-None-Match"), "");
  const std::uint64_t asked = upstream();
  get(n, "/rate_limit", kAlice);
  EXPECT_EQ(upstream(), asked + 1);
}

TEST_F(Rule, R05_AProofSaysNoCache) {
  Node& n = node();
  held(n, root);
  EXPECT_TRUE(get(n, root, kCarol).from("detail=proof"));
  EXPECT_EQ(sent("Cache-Control"), "no-cache");
}

TEST_F(Rule, R05_A304FromACacheInBetweenIsNoProof) {
  for (const auto& [name, value] : {std::pair{"Age", "5"}, {"Via", "1.1 proxy"}}) {
    Node& n = node();
    held(n, root);
    origin.middle = [&](const standin::Request&, standin::Response& response) {
      if (response.status == 304) response.fields.add(name, value);
    };
    const Got got = get(n, root, kCarol);
    EXPECT_EQ(got.status, 200) << name;
    EXPECT_FALSE(got.from("detail=proof")) << name;
    EXPECT_EQ(sent("If-None-Match"), "") << name;
    origin.middle = nullptr;
  }
}

TEST_F(Rule, R05_A304WithAnotherTagIsNoProof) {
  Node& n = node();
  held(n, root);
  origin.middle = [&](const standin::Request&, standin::Response& response) {
    if (response.status == 304) response.fields.set("ETag", "\"" + std::string(64, 'a') + "\"");
  };
  const Got got = get(n, root, kCarol);
  EXPECT_EQ(got.body, direct({"GET", root, kCarol}).body);
  EXPECT_FALSE(got.from("detail=proof"));
}

TEST_F(Rule, R05_A304WithoutATagIsNoProof) {
  Node& n = node();
  held(n, root);
  origin.middle = [&](const standin::Request&, standin::Response& response) {
    if (response.status == 304) response.fields.remove("ETag");
  };
  for (const std::string& token : {kCarol, kAlice}) {
    const Got got = get(n, root, token);
    EXPECT_EQ(got.body, direct({"GET", root, token}).body);
    EXPECT_FALSE(got.from("detail=proof"));
    EXPECT_EQ(sent("If-None-Match"), "");  // asked again, without a validator
  }
}

TEST_F(Rule, R05_AWeakTagIsComparedWeakly) {
  Node& n = node();
  held(n, root);
  origin.middle = [&](const standin::Request&, standin::Response& response) {
    if (response.status == 304) response.fields.set("ETag", "W/" + std::string(*response.fields.first("ETag")));
  };
  EXPECT_TRUE(get(n, root, kCarol).from("detail=proof"));
}

TEST_F(Rule, R05_WithoutATrustedOriginNothingIsProved) {
  NodeOptions options = quick();
  options.trusted_origin = false;
  Node& n = node(options);
  held(n, root);
  EXPECT_FALSE(get(n, root, kCarol).from("detail=proof"));
  EXPECT_EQ(newly_charged(), 1u);
}

TEST_F(Rule, R06_WhatIsNotOneJsonValueIsNeverOffered) {
  Node& n = node();
  const Got first = held(n, root);
  for (const std::string& bytes : {"*/*:" + first.body, first.body + first.body, std::string("{"), std::string()}) {
    n.forge({"GET", root, kAlice}, bytes);
    origin.seen.clear();
    const Got got = get(n, root, kCarol, no_cache());
    EXPECT_EQ(got.body, first.body);
    n.store->remove(n.plan({"GET", root, kCarol}).key);
    const std::string offered = github::quoted_etag(
        github::etag_of(github::etag_prefix(n.plan({"GET", root, kCarol}).request), as_bytes(bytes)));
    for (const standin::Request& request : origin.seen) EXPECT_NE(request.fields.joined("If-None-Match"), offered);
  }
}

TEST_F(Rule, R07_ApiVersionMediaTypeAndTimeZoneAreOtherThings) {
  Node& n = node();
  const Got first = held(n, root);
  const http::Fields later{{"X-GitHub-Api-Version", "2026-03-10"}};
  const Got newer = get(n, root, kAlice, later);
  EXPECT_NE(newer.body, first.body);
  EXPECT_EQ(newer.body, direct({"GET", root, kAlice, later}).body);
  EXPECT_EQ(get(n, root, kCarol, later).body, newer.body);
  EXPECT_EQ(get(n, root, kCarol).body, first.body);
  EXPECT_NE(n.plan({"GET", root, kAlice, {{"Time-Zone", "Europe/Berlin"}}}).key, n.plan({"GET", root, kAlice}).key);
  EXPECT_NE(n.plan({"GET", root, kAlice, {{"Accept", "application/json"}}}).key, n.plan({"GET", root, kAlice}).key);
}

TEST_F(Rule, R08_FieldsAreTheTokensOwnAndOfThisMoment) {
  Node& n = node();
  for (int i = 1; i <= 5; ++i) get(n, root + "/issues/" + std::to_string(i), kAlice);
  const Got first = held(n, root);
  loop.advance(10s);
  const Got got = get(n, root, kCarol);
  ASSERT_TRUE(got.from("detail=proof"));
  EXPECT_EQ(first.field("X-RateLimit-Remaining"), "4994");
  EXPECT_EQ(got.field("X-RateLimit-Remaining"), "5000");
  EXPECT_NE(got.field("X-GitHub-Request-Id"), first.field("X-GitHub-Request-Id"));
  EXPECT_NE(got.field("Date"), first.field("Date"));
  EXPECT_EQ(got.field("Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(got.fields.view().count("X-RateLimit-Remaining"), 1u);
  // The tag is what GitHub gives Carol for these bytes.
  EXPECT_EQ(got.field("ETag"), *direct({"GET", root, kCarol}).fields.first("ETag"));
  EXPECT_FALSE(got.fields.has("X-OAuth-Scopes"));
}

TEST_F(Rule, R09_AListThatGainsItsThirtyFirstElementShowsIt) {
  Node& n = node();
  held(n, root);
  const std::string list = list_of(30);
  EXPECT_EQ(held(n, list).field("Link"), "");
  const Got still = get(n, list, kAlice);
  EXPECT_EQ(still.field("Link").find("next"), std::string::npos);
  EXPECT_EQ(newly_charged(), 0u);  // the probe for a page that is not there is free
  github.world.append(list, milestone(31));
  const Got grown = get(n, list, kAlice);
  EXPECT_EQ(grown.body, still.body);
  EXPECT_NE(grown.field("Link").find("rel=\"next\""), std::string::npos) << grown.field("Link");
  EXPECT_EQ(newly_charged(), 1u);
  const Got carol = get(n, list, kCarol);
  EXPECT_NE(carol.field("Link").find("rel=\"next\""), std::string::npos);
  EXPECT_EQ(get(n, list + "?page=2", kCarol).body, "[" + milestone(31) + "]");
  EXPECT_EQ(newly_charged(), 0u);
  github.world.append(list, milestone(32));
  EXPECT_NE(get(n, list, kCarol).field("Link").find("rel=\"next\""), std::string::npos);
  EXPECT_EQ(get(n, list + "?page=2", kCarol).body, "[" + milestone(31) + "," + milestone(32) + "]");
}

TEST_F(Rule, R09_PagingByProofsGivesWhatGithubGives) {
  Node& n = node();
  held(n, root);
  const std::string list = list_of(75);
  for (const std::string& token : {kAlice, kCarol})
    for (int page = 1; page <= 4; ++page) {
      const std::string target = list + "?page=" + std::to_string(page);
      const Got got = get(n, target, token);
      const standin::Response want = direct({"GET", target, token});
      EXPECT_EQ(got.body, want.body) << target;
      const bool more = want.fields.joined("Link").find("rel=\"next\"") != std::string::npos;
      EXPECT_EQ(got.field("Link").find("rel=\"next\"") != std::string::npos, more) << target << got.field("Link");
    }
  EXPECT_LE(newly_charged(), 3u);
}

TEST_F(Rule, R10_AnEmptyListCostsNothing) {
  Node& n = node();
  held(n, root);
  const Got got = get(n, root + "/issues/2/comments", kCarol);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "[]");
  EXPECT_EQ(got.field("Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(newly_charged(), 0u);
}

TEST_F(Rule, R11_WhoLosesAccessGetsGithubsAnswerAndItsEntryGoes) {
  Node& n = node();
  held(n, secret);
  ASSERT_EQ(get(n, secret, kCarol).status, 200);
  github.tokens.add_user("carol-secret", "carol");
  const Got lost = get(n, secret, kCarol);
  EXPECT_EQ(lost.status, 404);
  EXPECT_EQ(lost.body, direct({"GET", secret, kCarol}).body);
  github.tokens.remove("carol-secret");
  EXPECT_EQ(get(n, secret, kCarol, no_cache()).status, 401);
  EXPECT_EQ(get(n, secret, kAlice).status, 200);
}

TEST_F(Rule, R11_ARefusalIsNeverAnothersAnswer) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  EXPECT_EQ(get(n, secret, kBob).status, 404);
  EXPECT_EQ(get(n, secret, kAlice).status, 200);
  EXPECT_EQ(get(n, secret, "Bearer nobody").status, 401);
  EXPECT_EQ(get(n, secret, kCarol).status, 200);
  EXPECT_EQ(get(n, secret, "").status, 404);
}

// ---- cases beside the rules

TEST_F(Rule, EqualBodiesAtTwoAddressesShareNoFields) {
  Node& n = node();
  const std::string a = root + "/milestones/1/labels";
  const std::string b = root + "/issues/1/labels";
  std::string body = "[";
  for (int i = 0; i < 45; ++i) body += (i > 0 ? "," : "") + milestone(static_cast<std::size_t>(i));
  for (const std::string& path : {a, b}) github.world.put_json(path, body + "]", loop.wall_now());
  held(n, a);
  const Got got = get(n, b, kCarol);
  EXPECT_NE(got.field("Link").find("issues/1/labels"), std::string::npos) << got.field("Link");
  EXPECT_EQ(got.field("Link").find("milestones"), std::string::npos);
}

TEST_F(Rule, WhoHoldsAnOlderBodyPaysOneOrdinaryAnswer) {
  Node& n = node();
  held(n, root);
  github.world.touch(root, loop.wall_now() + 1h);
  EXPECT_EQ(get(n, root, kCarol).body, direct({"GET", root, kCarol}).body);
  EXPECT_EQ(newly_charged(), 1u);
  EXPECT_EQ(get(n, root, kCarol).body, direct({"GET", root, kCarol}).body);
  EXPECT_EQ(newly_charged(), 0u);
}

TEST_F(Rule, AnonymousRequestsAreSharedByTimeAndNeverProved) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  held(n, root);
  EXPECT_EQ(get(n, root, "").status, 200);
  EXPECT_EQ(sent("If-None-Match"), "");
  EXPECT_EQ(newly_charged(), 1u);
  EXPECT_TRUE(get(n, root, "").from("hit"));
  EXPECT_EQ(newly_charged(), 0u);
}

// What FIPS 180-4 appends to so many octets.
std::string padding_of(std::size_t octets) {
  std::string out(1, '\x80');
  while ((octets + out.size()) % 64 != 56) out += '\0';
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>((octets * 8) >> shift);
  return out;
}

// Who knows the tag of a body knows that of the body, padding and anything more: a body that GitHub never sends.
TEST_F(Rule, LengthExtensionOfATagProvesNothing) {
  Node& n = node();
  const Got first = held(n, root);
  const github::Canonical request = n.plan({"GET", root, kCarol}).request;
  const std::size_t prefix = request.accept.size() + 1 + request.authorization.expose().size() + 1;
  const std::string longer = first.body + padding_of(prefix + first.body.size()) + R"({"admin":true})";
  // Rule 6 keeps it from being offered at all.
  EXPECT_FALSE(github::is_usable_candidate(as_bytes(longer)));
  ASSERT_TRUE(n.forge({"GET", root, kAlice}, longer));
  const std::string extended = github::quoted_etag(github::etag_of(github::etag_prefix(request), as_bytes(longer)));
  EXPECT_EQ(get(n, root, kCarol).body, first.body);
  for (const standin::Request& seen : origin.seen) EXPECT_NE(seen.fields.joined("If-None-Match"), extended);
  // Offered all the same, GitHub would not say 304: its own body is shorter.
  const standin::Response refused = direct({"GET", root, kCarol, {{"If-None-Match", extended}}});
  EXPECT_EQ(refused.status, 200);
}

// A tag is a function of the token: whoever has it can test guesses of a weak credential, and link a token's requests.
TEST_F(Rule, ATokensTagsAreShownToNobodyElse) {
  Node& n = node();
  const Got alice = held(n, root);
  const Got carol = get(n, root, kCarol);
  ASSERT_TRUE(carol.from("detail=proof"));
  const std::string own = alice.field("ETag");
  const std::string hex = own.substr(own.find('"') + 1, 64);
  ASSERT_EQ(hex.size(), 64u);
  for (const http::Field& field : carol.fields.view())
    EXPECT_EQ(field.value.find(hex), std::string::npos) << field.name;
  const Got anonymous = get(n, root, "");
  for (const http::Field& field : anonymous.fields.view())
    EXPECT_EQ(field.value.find(hex), std::string::npos) << field.name;
  for (const standin::Request& seen : origin.seen)
    for (const http::Field& field : seen.fields.view())
      EXPECT_EQ(field.value.find(hex), std::string::npos) << field.name;
  // Nor is an unsalted hash of the token itself among what anybody gets: the audit log's hashed_token is one.
  for (const std::string_view token : {"alice-secret", "carol-secret", "Bearer alice-secret", "Bearer carol-secret"}) {
    const std::string hash = to_hex(crypto::sha256(token));
    for (const Got* got : {&alice, &carol, &anonymous})
      for (const http::Field& field : got->fields.view())
        EXPECT_EQ(field.value.find(hash), std::string::npos) << field.name;
  }
}

// Rule 12 on this node: Alice's body holds a credential. It may be tried with Carol's token, since only GitHub's 304
// would let it pass, and that would mean that GitHub shows Carol the same credential.
TEST_F(Rule, R12_ABodyWithACredentialReachesNoOtherToken) {
  Node& n = node();
  held(n, root);
  const std::string path = root + "/labels/clone";
  const std::string mine = R"({"name":"clone","temp_clone_token":"AAAABBBBCCCCDDDDEEEE"})";
  ASSERT_EQ(github::scan_body(as_bytes(mine)), github::Finding::Credential);
  github.world.put_json(path, mine, loop.wall_now());
  EXPECT_EQ(get(n, path, kAlice).body, mine);
  const std::string others = R"({"name":"clone","temp_clone_token":""})";
  github.world.put_json(path, others, loop.wall_now());
  const Got carol = get(n, path, kCarol);
  EXPECT_EQ(carol.body, others);
  EXPECT_FALSE(carol.from("proof"));
  EXPECT_EQ(get(n, path, "").body, others);
}

}  // namespace
}  // namespace ghmesh::scenario
