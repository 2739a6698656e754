// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "crypto/hash.hpp"
#include "standin/coding.hpp"
#include "standin/recordings.hpp"
#include "test_bench.hpp"

namespace ghmesh::standin {
namespace {

std::string sha256_hex(std::string_view text) { return to_hex(crypto::sha256(as_bytes(text))); }

class Conditional : public Bench {};

TEST_F(Conditional, TagIsTheHashOfAcceptAuthorizationAndBody) {
  const Response r = get(kPublic);
  ASSERT_EQ(r.status, 200);
  EXPECT_EQ(field(r, "ETag"),
            "\"" + sha256_hex("application/vnd.github+json:" + std::string(kAlice) + ":" + r.body) + "\"");
}

TEST_F(Conditional, CookieCountsAndAbsentFieldsDoNot) {
  Request r;
  r.target = std::string(kPublic);
  r.fields.add("User-Agent", "test");
  const Response bare = send(r);
  EXPECT_EQ(field(bare, "ETag"), "\"" + sha256_hex(bare.body) + "\"");
  r.fields.add("Cookie", "a=b");
  EXPECT_EQ(field(send(r), "ETag"), "\"" + sha256_hex("a=b:" + bare.body) + "\"");
}

TEST_F(Conditional, AnonymousFormIsAsRecorded) {
  Request r;
  r.target = std::string(kPublic);
  r.fields.add("User-Agent", "test");
  r.fields.add("Accept", "*/*");
  const Response answer = send(r);
  EXPECT_EQ(field(answer, "ETag"), "\"" + sha256_hex("*/*:" + answer.body) + "\"");
}

TEST_F(Conditional, SpellingOfTheSchemeGivesAnotherTag) {
  const std::string token = field(get(kPublic, "token alice-secret"), "ETag");
  const std::string bearer = field(get(kPublic, "Bearer alice-secret"), "ETag");
  EXPECT_NE(token, bearer);
  EXPECT_EQ(get_if(kPublic, token, "Bearer alice-secret").status, 200);
  EXPECT_EQ(get_if(kPublic, bearer, "Bearer alice-secret").status, 304);
}

TEST_F(Conditional, GzipMakesTheTagWeakAndKeepsTheHash) {
  Request r = ask("GET", kPublic, kAlice);
  r.fields.add("Accept-Encoding", "gzip");
  const Response packed = send(r);
  const Response plain = get(kPublic);
  EXPECT_EQ(field(packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(field(packed, "ETag"), "W/" + field(plain, "ETag"));
  EXPECT_EQ(gunzip(packed.body), plain.body);
  EXPECT_EQ(get_if(kPublic, field(packed, "ETag")).status, 304);
}

TEST_F(Conditional, ComparesAnyOfTheListWeakly) {
  const std::string tag = field(get(kPublic), "ETag");
  EXPECT_EQ(get_if(kPublic, "\"x\", W/" + tag).status, 304);
  EXPECT_EQ(get_if(kPublic, "*").status, 304);
  EXPECT_EQ(get_if(kPublic, "\"x\"").status, 200);
}

TEST_F(Conditional, AuthorisedIsFreeAnonymousIsCharged) {
  const std::string mine = field(get(kPublic), "ETag");
  EXPECT_EQ(field(get_if(kPublic, mine), "X-RateLimit-Used"), "1");
  const std::string anyone = field(get(kPublic, ""), "ETag");
  EXPECT_EQ(field(get_if(kPublic, anyone, ""), "X-RateLimit-Used"), "2");
  EXPECT_EQ(model.journal.total().free_304, 1u);
  EXPECT_EQ(model.journal.total().charged_304, 1u);
}

TEST_F(Conditional, NotModifiedCarriesASubsetOfFields) {
  const Response r = get_if(kPublic, field(get(kPublic), "ETag"));
  ASSERT_EQ(r.status, 304);
  for (const char* present : {"ETag", "Vary", "Cache-Control", "Last-Modified", "X-RateLimit-Limit",
                              "X-RateLimit-Remaining", "X-RateLimit-Used", "X-RateLimit-Reset", "X-RateLimit-Resource"})
    EXPECT_TRUE(r.fields.has(present)) << present;
  for (const char* absent :
       {"Content-Type", "Content-Length", "Link", "X-GitHub-Media-Type", "X-OAuth-Scopes", "X-Accepted-OAuth-Scopes"})
    EXPECT_FALSE(r.fields.has(absent)) << absent;
  EXPECT_TRUE(r.body.empty());
}

TEST_F(Conditional, AuthorisationComesBeforeThePrecondition) {
  const Response mine = get(kPrivate);
  Request bob = ask("GET", kPrivate, kBob);
  bob.fields.add("If-None-Match", "*");
  EXPECT_EQ(send(bob).status, 404);
  // Even the right tag for that token opens nothing.
  const std::string tag = compute_tag(TagFormula::Measured, bob.fields.view(), mine.body);
  EXPECT_EQ(get_if(kPrivate, "\"" + tag + "\"", kBob).status, 404);
}

TEST_F(Conditional, HolderOfTheBodyComputesTheTagOfAnotherToken) {
  const Response mine = get(kPrivate);
  Request job = ask("GET", kPrivate, kJob);
  job.fields.add("If-None-Match", "\"" + compute_tag(TagFormula::Measured, job.fields.view(), mine.body) + "\"");
  const Response proof = send(job);
  EXPECT_EQ(proof.status, 304);
  EXPECT_EQ(field(proof, "X-RateLimit-Used"), "0");
}

TEST_F(Conditional, VaryHasTwoLinesAndDependsOnTheCaller) {
  const Response mine = get(kPublic);
  EXPECT_EQ(mine.fields.view().count("Vary"), 2u);
  EXPECT_EQ(mine.fields.joined("Vary"),
            "Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding, Accept, X-Requested-With");
  EXPECT_EQ(field(mine, "Cache-Control"), "private, max-age=60, s-maxage=60");
  const Response anyone = get(kPublic, "");
  EXPECT_EQ(anyone.fields.joined("Vary"), "Accept, Accept-Encoding, Accept, X-Requested-With");
  EXPECT_EQ(field(anyone, "Cache-Control"), "public, max-age=60, s-maxage=60");
}

TEST_F(Conditional, ModifiedSinceIsHonouredWhereThereIsNoTag) {
  Request r = ask("GET", kPublic, kAlice);
  r.fields.add("If-Modified-Since", http_date(now));
  EXPECT_EQ(send(r).status, 304);
  now += 10s;
  model.world.touch(kPublic, now);
  EXPECT_EQ(send(r).status, 200);
}

TEST_F(Conditional, SearchAndRateLimitHaveNoTag) {
  for (const char* path : {"/search/issues?q=Issue", "/rate_limit"}) {
    const Response r = get(path);
    EXPECT_EQ(r.status, 200) << path;
    EXPECT_EQ(field(r, "Cache-Control"), "no-cache") << path;
    EXPECT_FALSE(r.fields.has("ETag")) << path;
  }
}

TEST_F(Conditional, DriftOfEachKindBreaksWhatItShould) {
  const std::string tag = field(get(kPublic), "ETag");
  for (const TagFormula formula : {TagFormula::Salted, TagFormula::Truncated}) {
    model.settings.formula = formula;
    EXPECT_EQ(get_if(kPublic, tag).status, 200);
  }
  model.settings.formula = TagFormula::MatchAnything;
  EXPECT_EQ(get_if(kPublic, "\"anything\"").status, 304);
  model.settings.formula = TagFormula::PrefixOnly;
  const std::string file = at(kPublic, "/contents/data/file-1.txt");
  const std::string before = field(get(file), "ETag");
  const std::string body = model.world.find(file)->body;
  model.world.find(file)->body = body.substr(0, body.size() - 2) + " }";
  EXPECT_EQ(field(get(file), "ETag"), before);
}

TEST_F(Conditional, PrettyAgentsGetTheCompactBodysTag) {
  Request r = ask("GET", kPublic, kAlice);
  r.fields.set("User-Agent", "curl/8.0");
  const Response pretty = send(r);
  const Response compact = get(kPublic);
  EXPECT_EQ(field(pretty, "ETag"), field(compact, "ETag"));
  EXPECT_EQ(to_compact(parse_json(pretty.body)), compact.body);
  EXPECT_EQ(pretty.body.substr(0, 8), "{\n  \"id\"");
  EXPECT_NE(pretty.body.find("\"topics\": [\n\n  ],"), std::string::npos);
}

TEST_F(Conditional, HeadHasTheFieldsOfGet) {
  const Response full = get(kPublic);
  const Response head = send(ask("HEAD", kPublic, kAlice));
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.body.empty());
  EXPECT_EQ(field(head, "Content-Length"), std::to_string(full.body.size()));
  EXPECT_EQ(field(head, "ETag"), field(full, "ETag"));
}

TEST_F(Conditional, EveryRecordedBodyIsServedByteForByteUnderItsTag) {
  std::size_t checked = 0;
  model.quota.rules.secondary = false;
  model.quota.rules.user_core = 1'000'000;
  const std::vector<std::string> mounted = mount_recordings(model.world);
  for (const std::string& path : mounted) {
    const Response r = get(path);
    const Document* d = model.world.find(path);
    if (r.status != 200 || d->is_list || !d->variants.empty()) continue;
    EXPECT_EQ(r.body, d->body) << path;
    if (r.fields.has("ETag") && d->type.starts_with("application/json")) {
      EXPECT_EQ(field(r, "ETag"),
                "\"" + sha256_hex("application/vnd.github+json:" + std::string(kAlice) + ":" + r.body) + "\"");
    }
    ++checked;
  }
  EXPECT_GT(checked, 300u);
}

TEST(Recordings, AreThereAndParse) {
  std::set<std::string> bodies;
  for (const Recording& r : recordings()) {
    EXPECT_TRUE(r.path.starts_with('/')) << r.path;
    bodies.insert(r.body);
    if (r.type.starts_with("application/json")) {
      EXPECT_FALSE(parse_json(r.body).is_discarded()) << r.path;
    }
  }
  EXPECT_GE(bodies.size(), 613u);
}

}  // namespace
}  // namespace ghmesh::standin
