// SPDX-License-Identifier: Apache-2.0
#include "github/proof.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "github/scanner.hpp"

namespace ghmesh::github {
namespace {

using http::Fields;
constexpr std::string_view kHost = "api.github.com";

SharedBody shared(std::string_view text) { return std::make_shared<const Bytes>(to_bytes(text)); }

std::string array_of(std::size_t n, int seed = 0) {
  std::string out = "[";
  for (std::size_t i = 0; i < n; ++i) out += (i > 0 ? "," : "") + std::to_string(static_cast<int>(i) + seed);
  return out + "]";
}

// GitHub in one function: the tag over the request's own values, Link outside of it, 304s without Link.
struct Origin {
  std::map<std::string, std::string> bodies;
  std::map<std::string, std::string> links;
  std::map<std::string, int> statuses;
  std::string salt;
  bool says_304_to_anything = false;
  bool etag_on_304 = true;
  std::string wrong_304_etag;
  std::string age, via;
  int requests = 0, charged = 0;
  std::vector<Step> log;

  struct Reply {
    int status = 0;
    Fields fields;
    std::string body;
  };

  Reply handle(const Step& step, const Canonical& request) {
    ++requests;
    log.push_back(step);
    Reply reply;
    const int status = statuses.contains(step.target) ? statuses[step.target]
                       : bodies.contains(step.target) ? 200
                                                      : 404;
    if (!age.empty()) reply.fields.add("age", age);
    if (!via.empty()) reply.fields.add("via", via);
    reply.fields.add("x-ratelimit-remaining", "7");
    if (status != 200) {
      ++charged;
      reply.status = status;
      return reply;
    }
    const std::string& body = bodies[step.target];
    const std::string tag = quoted_etag(etag_of(etag_prefix(request), as_bytes(salt + body)));
    if (!step.if_none_match.empty() && (says_304_to_anything || step.if_none_match == tag)) {
      reply.status = 304;
      if (etag_on_304) reply.fields.add("etag", wrong_304_etag.empty() ? step.if_none_match : wrong_304_etag);
      if (request.anonymous) ++charged;
      return reply;
    }
    ++charged;
    reply.status = 200;
    reply.fields.add("content-type", "application/json; charset=utf-8");
    reply.fields.add("etag", "W/" + tag);
    if (links.contains(step.target)) reply.fields.add("link", links[step.target]);
    reply.body = body;
    return reply;
  }
};

class ProofTest : public ::testing::Test {
 protected:
  static CalibrationOptions never_canary() {
    CalibrationOptions options;
    options.cold_canary_one_in = 1u << 30;
    options.peer_canary_one_in = 1u << 30;
    return options;
  }

  void SetUp() override { origin.bodies["/repos/o/r"] = R"({"id":1,"name":"r"})"; }

  void prove(std::string_view path = "/repos/o/r") {
    const Resource of_path = classify("GET", path);
    calibration->on_canary(kHost, of_path, request.accept, false, clock.now());
    for (int i = 0; i < 20; ++i) calibration->on_self_check(kHost, of_path, request.accept, true, clock.now());
  }
  void as_token(std::string_view token) { request = canonicalise("GET", Fields{{"Authorization", token}}); }

  // Climbs the ladder against the origin to its end.
  Outcome run(const std::string& target, std::optional<OwnEntry> own = {}, std::vector<Candidate> candidates = {}) {
    prefix = etag_prefix(request);
    resource = classify("GET", parse_target(target).target.path);
    target_text = target;
    Ladder::Input input;
    input.calibration = calibration.get();
    input.prefix = &prefix;
    input.host = kHost;
    input.url_prefix = "https://api.github.com";
    input.target = parse_target(target_text).target;
    input.resource = &resource;
    input.request = &request;
    input.gate = gate;
    input.method = method;
    input.own = std::move(own);
    ladder.emplace(std::move(input));
    if (ladder->wants_candidates(clock.now())) {
      ++asked_source;
      ladder->set_candidates(std::move(candidates));
    }
    for (int i = 0; i < 6; ++i) {
      const Step step = ladder->next(clock.now());
      last = origin.handle(step, request);
      const Outcome outcome =
          ladder->on_answer({last.status, last.fields.view(), as_bytes(last.body), false}, clock.now());
      if (outcome.serve != Serve::Continue) return outcome;
    }
    ADD_FAILURE() << "the ladder has no end";
    return {};
  }
  std::string served() const { return ladder->body() ? to_text(*ladder->body()) : last.body; }

  ManualClock clock;
  SeededRandom random{1};
  std::unique_ptr<Calibration> calibration = std::make_unique<Calibration>(random, never_canary());
  Origin origin;
  Canonical request = canonicalise("GET", Fields{{"Authorization", "token A"}});
  ProofGate gate;
  std::string_view method = "GET";
  crypto::Sha256 prefix;
  Resource resource;
  std::string target_text;
  std::optional<Ladder> ladder;
  Origin::Reply last;
  int asked_source = 0;
};

TEST_F(ProofTest, ABodyHeldForOneTokenServesAnotherAtNoCharge) {
  prove();
  const Outcome out = run("/repos/o/r", {}, {{shared(origin.bodies["/repos/o/r"]), Candidate::From::Peer}});
  EXPECT_EQ(out.serve, Serve::Candidate);
  EXPECT_EQ(served(), origin.bodies["/repos/o/r"]);
  EXPECT_EQ(origin.charged, 0);
  EXPECT_FALSE(out.charged);
  EXPECT_EQ(ladder->proved_from(), Candidate::From::Peer);
}

TEST_F(ProofTest, Rule1_A2_AStoredTagIsNeverSentForAnothersBytes) {
  // Attack A2: the holder knows the true tag of another body. What is sent comes from the bytes, so it cannot match.
  prove();
  const Outcome out = run("/repos/o/r", {}, {{shared(R"({"id":1,"name":"forged"})"), Candidate::From::Peer}});
  EXPECT_EQ(out.serve, Serve::Answer);
  EXPECT_EQ(served(), origin.bodies["/repos/o/r"]);
  EXPECT_EQ(origin.charged, 1);  // one ordinary fetch, as without a candidate
  EXPECT_EQ(origin.requests, 1);
  EXPECT_EQ(origin.log[0].if_none_match, quoted_etag(etag_of(prefix, as_bytes(R"({"id":1,"name":"forged"})"))));
}

TEST_F(ProofTest, Rule1OwnBytesAreHashedToo) {
  prove();
  const Outcome out =
      run("/repos/o/r", OwnEntry{shared(R"({"id":1,"name":"flipped"})"),
                                 quoted_etag(etag_of(etag_prefix(request), as_bytes(origin.bodies["/repos/o/r"])))});
  EXPECT_EQ(out.serve, Serve::Answer);
  EXPECT_EQ(served(), origin.bodies["/repos/o/r"]);
}

TEST_F(ProofTest, Rule2OneValidatorPerRequest) {
  prove();
  run("/repos/o/r", {}, {{shared("{\"a\":1}"), Candidate::From::Node}, {shared("{\"a\":2}"), Candidate::From::Peer}});
  for (const Step& step : origin.log) EXPECT_EQ(step.if_none_match.find(','), std::string::npos);
  EXPECT_EQ(origin.requests, 1);
}

TEST_F(ProofTest, Rule4WhatDoesNotTakePart) {
  const Resource repo = classify("GET", "/repos/o/r");
  EXPECT_TRUE(takes_part({}, "GET", repo, request));
  EXPECT_FALSE(takes_part({}, "HEAD", repo, request));
  EXPECT_FALSE(takes_part({}, "GET", classify("GET", "/rate_limit"), request));
  EXPECT_FALSE(takes_part({}, "GET", classify("GET", "/search/code"), request));
  EXPECT_FALSE(takes_part({}, "GET", classify("GET", "/repos/o/r/tarball/x"), request));
  EXPECT_FALSE(takes_part({}, "GET", repo, canonicalise("GET", Fields{{"Range", "bytes=0-1"}})));
  EXPECT_FALSE(takes_part({}, "GET", repo, canonicalise("GET", Fields{{"Accept", "application/vnd.github.diff"}})));
  EXPECT_FALSE(is_usable_candidate({}));
  prove();
  EXPECT_EQ(run("/repos/o/r", {}, {{shared(""), Candidate::From::Peer}}).serve, Serve::Answer);
  EXPECT_EQ(origin.log[0].validator, Validator::None);
}

TEST_F(ProofTest, Rule5NeedsTheOriginItself) {
  prove();
  gate.trusted_origin = false;
  run("/repos/o/r", {}, {{shared(origin.bodies["/repos/o/r"]), Candidate::From::Node}});
  EXPECT_EQ(origin.charged, 1);
  EXPECT_EQ(asked_source, 0);
}

TEST_F(ProofTest, Rule5_A21_A304FromACacheIsNoProof) {
  for (const char* which : {"age", "via"}) {
    prove();
    origin.requests = 0;
    origin.age = std::string_view(which) == "age" ? "3" : "";
    origin.via = std::string_view(which) == "via" ? "1.1 box" : "";
    const Outcome out = run("/repos/o/r", {}, {{shared(origin.bodies["/repos/o/r"]), Candidate::From::Node}});
    EXPECT_EQ(out.serve, Serve::Answer) << which;
    EXPECT_EQ(origin.requests, 2) << which;
    EXPECT_EQ(origin.log.back().validator, Validator::None) << which;
  }
}

TEST_F(ProofTest, Rule5The304sTagMustBeOurs) {
  prove();
  origin.wrong_304_etag = "\"" + std::string(64, '0') + "\"";
  const Outcome out = run("/repos/o/r", {}, {{shared(origin.bodies["/repos/o/r"]), Candidate::From::Node}});
  EXPECT_EQ(out.serve, Serve::Answer);
  EXPECT_EQ(origin.charged, 1);
  // Weakness does not matter.
  origin.wrong_304_etag = "W/" + quoted_etag(etag_of(prefix, as_bytes(origin.bodies["/repos/o/r"])));
  EXPECT_EQ(run("/repos/o/r", {}, {{shared(origin.bodies["/repos/o/r"]), Candidate::From::Node}}).serve,
            Serve::Candidate);
}

TEST_F(ProofTest, Rule5A304WithoutATagIsNoProofAndCountsAgainstTheFormula) {
  prove();
  origin.etag_on_304 = false;
  const Outcome out = run("/repos/o/r", {}, {{shared(origin.bodies["/repos/o/r"]), Candidate::From::Node}});
  EXPECT_EQ(out.serve, Serve::Answer);
  EXPECT_EQ(origin.charged, 1);
  run("/repos/o/r", {}, {{shared(origin.bodies["/repos/o/r"]), Candidate::From::Node}});
  EXPECT_EQ(calibration->phase(kHost, resource, request.accept, clock.now()), ProofPhase::Tripped);
}

TEST_F(ProofTest, Rule6APrefixSmuggledIntoTheBodyIsNoCandidate) {
  prove();
  run("/repos/o/r", {},
      {{shared("application/vnd.github+json:" + origin.bodies["/repos/o/r"]), Candidate::From::Peer}});
  EXPECT_EQ(origin.log[0].validator, Validator::None);
}

TEST_F(ProofTest, Rule8HeadersAreRebuiltFromTheLive304) {
  const Fields live{{"x-ratelimit-remaining", "41"},
                    {"date", "now"},
                    {"x-github-request-id", "R"},
                    {"x-oauth-scopes", "repo"},
                    {"content-length", "0"},
                    {"set-cookie", "a=b"},
                    {"etag", "\"h\""},
                    {"link", "<x>; rel=\"next\""},
                    {"cache-control", "private, max-age=60"}};
  const Fields out = proved_fields(live, request, "abc", "<y>; rel=\"next\"");
  EXPECT_EQ(out.first("content-type"), kJsonContentType);
  EXPECT_EQ(out.first("x-ratelimit-remaining"), "41");
  EXPECT_EQ(out.first("x-oauth-scopes"), "repo");
  EXPECT_EQ(out.first("etag"), "\"abc\"");
  EXPECT_EQ(out.joined("link"), "<y>; rel=\"next\"");
  EXPECT_FALSE(out.has("content-length") || out.has("set-cookie"));
  EXPECT_EQ(out.first("x-github-media-type"), "github.v3; format=json");
  EXPECT_FALSE(proved_fields(live, request, "abc", "").has("link"));
  EXPECT_EQ(proved_fields(live, request, "", "", "text/plain").first("content-type"), "text/plain");
}

TEST_F(ProofTest, Rule9AnUnchangedFullPageThatIsStillTheLastCostsNothing) {
  prove("/repos/o/r/labels");
  origin.bodies["/repos/o/r/labels"] = array_of(30);
  origin.bodies["/repos/o/r/labels?page=2"] = "[]";
  const Outcome out = run("/repos/o/r/labels", {}, {{shared(array_of(30)), Candidate::From::Node}});
  EXPECT_EQ(out.serve, Serve::Candidate);
  EXPECT_EQ(out.link, "");
  EXPECT_EQ(origin.requests, 2);
  EXPECT_EQ(origin.charged, 0);
}

TEST_F(ProofTest, Rule9AListThatGainsA31stElementShowsIt) {
  prove("/repos/o/r/labels");
  origin.bodies["/repos/o/r/labels"] = array_of(30);
  origin.bodies["/repos/o/r/labels?page=2"] = array_of(1, 30);
  const Outcome out = run("/repos/o/r/labels", OwnEntry{shared(array_of(30)), ""});
  EXPECT_EQ(out.serve, Serve::Own);
  EXPECT_EQ(out.link, "<https://api.github.com/repos/o/r/labels?page=2>; rel=\"next\"");
  EXPECT_EQ(origin.charged, 1);
  EXPECT_TRUE(out.store_probe);
  EXPECT_EQ(served(), array_of(30));
  EXPECT_EQ(last.body, array_of(1, 30));
}

TEST_F(ProofTest, Rule9WithoutTheFormulaTheNextPageIsFetched) {
  origin.bodies["/repos/o/r/labels"] = array_of(30);
  origin.bodies["/repos/o/r/labels?page=2"] = "[]";
  const std::string tag = quoted_etag(etag_of(etag_prefix(request), as_bytes(array_of(30))));
  const Outcome out = run("/repos/o/r/labels", OwnEntry{shared(array_of(30)), tag});
  EXPECT_EQ(out.serve, Serve::Own);
  EXPECT_EQ(origin.log[0].validator, Validator::Stored);
  EXPECT_EQ(origin.log[1].validator, Validator::None);
  EXPECT_EQ(origin.charged, 1);
  EXPECT_EQ(out.link, "");
}

TEST_F(ProofTest, Rule9CursorListsAreFetchedAgain) {
  prove("/repos/o/r/activity");
  origin.bodies["/repos/o/r/activity"] = array_of(3);
  const Outcome out = run("/repos/o/r/activity", OwnEntry{shared(array_of(3)), ""});
  EXPECT_EQ(out.serve, Serve::Answer);
  EXPECT_EQ(origin.charged, 1);
}

TEST_F(ProofTest, Rule9AFailedProbeFetchesThePage) {
  prove("/repos/o/r/labels");
  origin.bodies["/repos/o/r/labels"] = array_of(30);
  origin.statuses["/repos/o/r/labels?page=2"] = 502;
  const Outcome out = run("/repos/o/r/labels", OwnEntry{shared(array_of(30)), ""});
  EXPECT_EQ(out.serve, Serve::Answer);
  EXPECT_EQ(origin.log.back().target, "/repos/o/r/labels");
  EXPECT_EQ(origin.log.back().validator, Validator::None);
}

TEST_F(ProofTest, Rule9APathThatIgnoresPageHasNoNextOne) {
  prove("/repos/o/r/labels");
  origin.bodies["/repos/o/r/labels"] = array_of(30);
  origin.bodies["/repos/o/r/labels?page=2"] = array_of(30);
  EXPECT_EQ(run("/repos/o/r/labels", OwnEntry{shared(array_of(30)), ""}).link, "");
}

TEST_F(ProofTest, Rule10AnEmptyListCostsNothingEvenCold) {
  prove("/repos/o/r/labels");
  origin.bodies["/repos/o/r/labels"] = "[]";
  const Outcome out = run("/repos/o/r/labels");
  EXPECT_EQ(out.serve, Serve::Empty);
  EXPECT_EQ(served(), "[]");
  EXPECT_EQ(origin.charged, 0);
  // And a wrong guess costs what not guessing would have cost.
  origin.bodies["/repos/o/r/labels"] = "[1]";
  EXPECT_EQ(run("/repos/o/r/labels").serve, Serve::Answer);
  EXPECT_EQ(origin.charged, 1);
  // Not for objects.
  run("/repos/o/r");
  EXPECT_EQ(origin.log.back().validator, Validator::None);
}

TEST_F(ProofTest, Rule11RefusalsPassAndTakeTheRightAway) {
  prove();
  for (const int status : {401, 403, 404, 410, 451}) {
    origin.statuses["/repos/o/r"] = status;
    const Outcome out = run("/repos/o/r", OwnEntry{shared(origin.bodies["/repos/o/r"]), ""});
    EXPECT_EQ(out.serve, Serve::Answer) << status;
    EXPECT_TRUE(out.drop_own) << status;
    EXPECT_EQ(ladder->body(), nullptr) << status;
  }
  origin.statuses["/repos/o/r"] = 503;
  EXPECT_FALSE(run("/repos/o/r", OwnEntry{shared(origin.bodies["/repos/o/r"]), ""}).drop_own);
}

TEST_F(ProofTest, Rule11ARateLimitIsNoLossOfRights) {
  prove();
  run("/repos/o/r");
  Ladder::Input input;
  input.calibration = calibration.get();
  input.prefix = &prefix;
  input.host = kHost;
  input.target = parse_target("/repos/o/r").target;
  input.resource = &resource;
  input.request = &request;
  input.own = OwnEntry{shared("{}"), ""};
  Ladder limited(std::move(input));
  limited.next(clock.now());
  const Outcome out = limited.on_answer({403, {}, {}, true}, clock.now());
  EXPECT_FALSE(out.drop_own);
  EXPECT_FALSE(out.charged);
}

TEST_F(ProofTest, OthersBytesOnlyInProven) {
  const std::vector<Candidate> held = {{shared(origin.bodies["/repos/o/r"]), Candidate::From::Node}};
  EXPECT_EQ(run("/repos/o/r", {}, held).serve, Serve::Answer);
  EXPECT_EQ(asked_source, 0);
  prove();
  EXPECT_EQ(run("/repos/o/r", {}, held).serve, Serve::Candidate);
  gate.enabled = false;  // --proof off
  EXPECT_EQ(run("/repos/o/r", {}, held).serve, Serve::Answer);
}

TEST_F(ProofTest, OutsideOfProvenTheOwnStoredTagServes) {
  const std::string own_tag = "W/\"" + std::string(32, 'f') + "\"";
  run("/repos/o/r", OwnEntry{shared("{}"), own_tag});
  EXPECT_EQ(origin.log.back().validator, Validator::Stored);
  EXPECT_EQ(origin.log.back().if_none_match, own_tag);
}

TEST_F(ProofTest, AnonymousRequestsAreNotProvedAcrossTokens) {
  prove();
  request = canonicalise("GET", Fields{});
  run("/repos/o/r", {}, {{shared(origin.bodies["/repos/o/r"]), Candidate::From::Node}});
  EXPECT_EQ(asked_source, 0);
  EXPECT_EQ(origin.log.back().validator, Validator::None);
}

TEST_F(ProofTest, PrivateAndUnknownPathsAreNotProvedAcrossTokens) {
  for (const char* path : {"/user", "/brand/new", "/repos/o/r/actions/secrets"}) {
    prove(path);
    origin.bodies[path] = "{}";
    run(path, {}, {{shared("{}"), Candidate::From::Node}});
    EXPECT_EQ(origin.log.back().validator, Validator::None) << path;
  }
  EXPECT_EQ(asked_source, 0);
}

TEST_F(ProofTest, OrdinaryAnswersTeachTheFormulaAtNoExtraCost) {
  for (int i = 0; i < 20; ++i) run("/repos/o/r");
  EXPECT_EQ(origin.charged, 20);
  EXPECT_EQ(origin.log[0].validator, Validator::Canary);  // it rode on a GET that was needed anyway
  EXPECT_EQ(origin.log[1].validator, Validator::None);
  EXPECT_EQ(calibration->phase(kHost, resource, request.accept, clock.now()), ProofPhase::Proven);
}

TEST_F(ProofTest, DriftBySaltNeverServesAWrongByteAndTrips) {
  prove();
  origin.salt = "pepper";
  for (int i = 0; i < 3; ++i) {
    const Outcome out = run("/repos/o/r", {}, {{shared(R"({"id":1,"name":"old"})"), Candidate::From::Node}});
    EXPECT_EQ(out.serve, Serve::Answer);
    EXPECT_EQ(served(), origin.bodies["/repos/o/r"]);
  }
  EXPECT_EQ(calibration->phase(kHost, resource, request.accept, clock.now()), ProofPhase::Tripped);
  EXPECT_EQ(origin.charged, 3);
}

TEST_F(ProofTest, DriftTo304ToAnythingIsCaughtByTheFirstCanaryBeforeAnyProof) {
  origin.says_304_to_anything = true;
  const Outcome out = run("/repos/o/r", {}, {{shared("{\"forged\":1}"), Candidate::From::Peer}});
  EXPECT_EQ(out.serve, Serve::Answer);
  EXPECT_EQ(served(), origin.bodies["/repos/o/r"]);
  EXPECT_EQ(calibration->phase(kHost, resource, request.accept, clock.now()), ProofPhase::Tripped);
}

TEST_F(ProofTest, ACanaryInPlaceOfAPeerProof) {
  CalibrationOptions always;
  always.peer_canary_one_in = 1;
  calibration = std::make_unique<Calibration>(random, always);
  prove();
  // An honest origin: the canary is answered by the resource itself, charged once.
  const Outcome out = run("/repos/o/r", {}, {{shared(origin.bodies["/repos/o/r"]), Candidate::From::Peer}});
  EXPECT_EQ(out.serve, Serve::Answer);
  EXPECT_EQ(origin.charged, 1);
  EXPECT_EQ(origin.log.back().validator, Validator::Canary);
  // One that says 304 to anything: caught, and the client gets a fetched answer.
  origin.says_304_to_anything = true;
  const Outcome caught = run("/repos/o/r", {}, {{shared("{\"forged\":1}"), Candidate::From::Peer}});
  EXPECT_EQ(caught.serve, Serve::Answer);
  EXPECT_EQ(served(), origin.bodies["/repos/o/r"]);
  EXPECT_EQ(calibration->phase(kHost, resource, request.accept, clock.now()), ProofPhase::Tripped);
}

TEST_F(ProofTest, SpellingsOfOneTokenProveAlike) {
  prove();
  for (const char* spelling : {"token A", "Bearer A", "bearer A"}) {
    as_token(spelling);
    EXPECT_EQ(run("/repos/o/r", {}, {{shared(origin.bodies["/repos/o/r"]), Candidate::From::Node}}).serve,
              Serve::Candidate);
  }
  EXPECT_EQ(origin.charged, 0);
}

TEST_F(ProofTest, ATokenWithoutAccessGetsTheRefusalAndNoByte) {
  prove();
  origin.statuses["/repos/o/r"] = 404;
  const Outcome out = run("/repos/o/r", {}, {{shared(R"({"id":1,"name":"r"})"), Candidate::From::Node}});
  EXPECT_EQ(out.serve, Serve::Answer);
  EXPECT_EQ(last.status, 404);
  EXPECT_EQ(ladder->body(), nullptr);
}

TEST_F(ProofTest, AnUnasked304FailsVisibly) {
  origin.statuses["/repos/o/r"] = 304;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run("/repos/o/r").serve, Serve::Failed);
}

TEST_F(ProofTest, HeadIsRevalidatedByTheStoredTagOnly) {
  prove();
  method = "HEAD";
  run("/repos/o/r", OwnEntry{shared("{}"), "\"x\""});
  EXPECT_EQ(origin.log.back().validator, Validator::Stored);
}

TEST_F(ProofTest, FiveTokensAndAHundredResourcesCostAHundred) {
  std::map<std::string, SharedBody> held;
  calibration->vouch(kHost);
  for (int i = 0; i < 100; ++i) {
    const std::string path = "/repos/o/r" + std::to_string(i) +
                             (i % 3 == 0   ? "/actions/runs"
                              : i % 3 == 1 ? ""
                                           : "/languages");
    origin.bodies[path] = "{\"n\":" + std::to_string(i) + "}";
  }
  origin.bodies.erase("/repos/o/r");
  for (const char* token : {"token A", "token B", "token C", "token D", "token E"}) {
    as_token(token);
    for (const auto& [path, body] : std::map<std::string, std::string>(origin.bodies)) {
      std::vector<Candidate> candidates;
      if (held.contains(path)) candidates.push_back({held[path], Candidate::From::Node});
      run(path, {}, candidates);
      EXPECT_EQ(served(), body);
      held[path] = shared(body);
    }
  }
  EXPECT_EQ(origin.charged, 100);
  EXPECT_EQ(origin.requests, 500);
}

}  // namespace
}  // namespace ghmesh::github
