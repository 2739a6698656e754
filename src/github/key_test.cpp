// SPDX-License-Identifier: Apache-2.0
#include "github/key.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "github/limits.hpp"

namespace ghmesh::github {
namespace {

using http::Fields;

KeyMaker maker() { return KeyMaker(as_bytes("lookup secret of the mesh"), as_bytes("partition secret of the node")); }
Canonical request(const Fields& fields = {}) { return canonicalise("GET", fields); }

enum class Verdict { Same, Different, Bypass };
struct Pair {
  std::string a, b;
  Verdict verdict;
};

// Reliability row A15: two targets share a key only where they are one to GitHub; whatever some front end could read
// in a second way has no key at all (the second of the pair is the suspect).
std::vector<Pair> pairs() {
  using enum Verdict;
  const std::string sha(40, 'a');
  std::vector<Pair> out = {
      {"/meta", "/meta", Same},
      {"/repos/o/r", "/repos/o/r", Same},
      {"/repos/o/r/issues?state=open&page=2", "/repos/o/r/issues?state=open&page=2", Same},
      {"/", "/", Same},
      {"/a%20b", "/a%20b", Same},
      // Raw bytes count: what GitHub folds costs us an entry, what it does not would cost a wrong answer.
      {"/meta", "/Meta", Different},
      {"/meta", "/meta/", Different},
      {"/meta", "/meta?", Different},
      {"/meta?", "/meta?a", Different},
      {"/meta?a", "/meta?a=", Different},
      {"/meta?a=1&b=2", "/meta?b=2&a=1", Different},
      {"/meta?a=1", "/meta?a=1&", Different},
      {"/meta?a=1", "/meta?a=1&a=1", Different},
      {"/meta?a=%2f", "/meta?a=%2F", Different},
      {"/meta?a=/", "/meta?a=%2F", Different},
      {"/meta?a=b+c", "/meta?a=b%20c", Different},
      {"/a%20b", "/a+b", Different},
      {"/a%7eb", "/a~b", Different},
      {"/a%41", "/aA", Different},
      {"/repos/o/r", "/repos/o/r2", Different},
      {"/repos/o/r", "/repos/or/", Different},
      {"/repos/o/r/issues", "/repos/o/r/issues?per_page=30", Different},
      {"/repos/o/r/issues?page=1", "/repos/o/r/issues?page=11", Different},
      {"/repos/O/r", "/repos/o/r", Different},
      {"/repos/o/r/git/blobs/" + sha, "/repos/o/r/git/blobs/" + std::string(40, 'A'), Different},
      {"/repos/o/r;x", "/repos/o/r", Different},
      {"/repos/o/r.json", "/repos/o/r", Different},
      {"/repos/o/r/contents/a.css", "/repos/o/r/contents/a", Different},
      {"/x?path=/a", "/x/a?path=", Different},
      {"/x?y", "/xy", Different},
      {"/x?y?z", "/x?y%3fz", Different},
      {"/x%3fy", "/x?y", Different},
      {"/a:b", "/a%3ab", Different},
      {"/a@b", "/a%40b", Different},
      {"/a,b", "/a%2cb", Different},
      {"/a=b", "/a%3db", Different},
      {"/a&b", "/a%26b", Different},
      {"/a'b", "/a%27b", Different},
      {"/...", "/....", Different},
      {"/.github", "/github", Different},
  };
  const char* suspects[] = {"/repos/o/./r",
                            "/repos/o/../r",
                            "/..",
                            "/.",
                            "/repos/..",
                            "/repos/o/r/..",
                            "/repos/o/r/.",
                            "/../meta",
                            "/%2e",
                            "/%2E%2E/meta",
                            "/.%2e/meta",
                            "/%2e./meta",
                            "/a/%2e%2E",
                            "/repos/o/r%2fissues",
                            "/repos%2Fo/r",
                            "/repos/o/r%5cissues",
                            "/repos/o/r%5C",
                            "/repos/o\\r",
                            "//meta",
                            "/repos//o/r",
                            "/repos/o/r//",
                            "///",
                            "/meta#x",
                            "/meta?a#b",
                            "/#",
                            "/meta%",
                            "/meta%4",
                            "/meta%4g",
                            "/meta?%",
                            "/meta?a=%zz",
                            "/meta%00",
                            "/meta?a=%00",
                            "/me ta",
                            "/meta\t",
                            "/meta\r\nX: y",
                            "/meta\n",
                            "/meta?a=b c",
                            "/m\x7f",
                            "/\xc3\xa9",
                            "/meta?q=\xe2\x82\xac",
                            "/\xff",
                            "/a\"b",
                            "/a<b",
                            "/a>b",
                            "/a^b",
                            "/a`b",
                            "/a{b",
                            "/a|b",
                            "/a}b",
                            "meta",
                            "",
                            "*",
                            "?a=b",
                            "http://api.github.com/meta",
                            "https://api.github.com/meta",
                            "https://u:p@api.github.com/meta",
                            "api.github.com:443",
                            "//api.github.com/meta",
                            "/meta?a=\"b\"",
                            "/meta?<script>"};
  for (const char* suspect : suspects) out.push_back({"/meta", suspect, Bypass});
  out.push_back({"/meta", "/" + std::string(kLimits.max_target, 'a'), Bypass});
  return out;
}

TEST(Key, A15_TargetsShareAKeyOnlyWhereTheyAreOne) {
  const KeyMaker keys = maker();
  const Canonical canonical = request();
  std::size_t count = 0;
  for (const Pair& pair : pairs()) {
    ++count;
    const ParsedTarget b = parse_target(pair.b);
    ASSERT_EQ(b.problem != TargetProblem::None, pair.verdict == Verdict::Bypass) << pair.b;
    if (pair.verdict == Verdict::Bypass) continue;
    const ParsedTarget a = parse_target(pair.a);
    ASSERT_EQ(a.problem, TargetProblem::None) << pair.a;
    const bool same = keys.candidate_key("api.github.com", a.target, canonical) ==
                      keys.candidate_key("api.github.com", b.target, canonical);
    EXPECT_EQ(same, pair.verdict == Verdict::Same) << pair.a << " " << pair.b;
  }
  EXPECT_GE(count, 100u);
}

TEST(Key, NeighbouringFieldsDoNotRunIntoEachOther) {
  const KeyMaker keys = maker();
  const ParsedTarget target = parse_target("/repos/o/r");
  ASSERT_EQ(target.problem, TargetProblem::None);
  Canonical one = request();
  Canonical other = request();
  one.accept = "application/json";
  one.api_version = "2022-11-28";
  other.accept = "application/json2022-";
  other.api_version = "11-28";
  EXPECT_NE(keys.candidate_key("api.github.com", target.target, one),
            keys.candidate_key("api.github.com", target.target, other));
  EXPECT_NE(keys.graphql_key("api.github.com", "ab", "c", one), keys.graphql_key("api.github.com", "a", "bc", one));
}

TEST(ProofRule7, MediaTypeApiVersionAndTimeZoneAreInTheKey) {
  const KeyMaker keys = maker();
  const Target target = parse_target("/repos/o/r").target;
  std::set<Key> seen;
  const auto add = [&](const Fields& fields, std::string_view authority = "api.github.com") {
    EXPECT_TRUE(seen.insert(keys.candidate_key(authority, target, request(fields))).second);
  };
  add({});
  add({}, "api.github.com:8443");
  add({}, "github.corp.example");
  add(Fields{{"Accept", "*/*"}});
  add(Fields{{"Accept", "application/vnd.github.full+json"}});
  add(Fields{{"X-GitHub-Api-Version", "2022-11-28"}});
  add(Fields{{"X-GitHub-Api-Version", "2026-03-10"}});
  add(Fields{{"Time-Zone", "Europe/Vienna"}});
  // A value that moves from one field to its neighbour is another request.
  add(Fields{{"Time-Zone", "2022-11-28"}});
  // What GitHub's answer does not depend on is not in the key.
  EXPECT_FALSE(seen.insert(keys.candidate_key("api.github.com", target,
                                              request(Fields{{"User-Agent", "curl/8"}, {"Accept-Encoding", "br"}})))
                   .second);
}

TEST(Key, TokensPartitionEntriesAndNotCandidates) {
  const KeyMaker keys = maker();
  const Target target = parse_target("/repos/o/r").target;
  const Canonical a = request(Fields{{"Authorization", "token A"}});
  const Canonical also_a = request(Fields{{"Authorization", "Bearer A"}});
  const Canonical b = request(Fields{{"Authorization", "token B"}});
  const Key candidate = keys.candidate_key("api.github.com", target, a);
  EXPECT_EQ(candidate, keys.candidate_key("api.github.com", target, b));
  EXPECT_EQ(keys.partition(a), keys.partition(also_a));
  EXPECT_NE(keys.partition(a), keys.partition(b));
  EXPECT_EQ(keys.partition(request()), kAnonymousPartition);
  EXPECT_NE(keys.entry_key(candidate, keys.partition(a)), keys.entry_key(candidate, keys.partition(b)));
  EXPECT_NE(keys.entry_key(candidate, kAnonymousPartition), candidate);
  EXPECT_EQ(KeyMaker::fingerprint(keys.partition(a)).size(), 16u);
  EXPECT_EQ(KeyMaker::fingerprint(kAnonymousPartition), "anonymous");
}

TEST(Key, A5_OtherSecretsGiveUnlinkableKeys) {
  const KeyMaker one = maker();
  const KeyMaker two(as_bytes("another mesh"), as_bytes("partition secret of the node"));
  const Target target = parse_target("/repos/o/r").target;
  EXPECT_NE(one.candidate_key("api.github.com", target, request()),
            two.candidate_key("api.github.com", target, request()));
  EXPECT_NE(one.group_key("api.github.com", "o/r"), two.group_key("api.github.com", "o/r"));
}

TEST(Key, GraphQlKeysAreTheirOwnKind) {
  const KeyMaker keys = maker();
  EXPECT_NE(keys.graphql_key("api.github.com", "{a}", "", request()),
            keys.graphql_key("api.github.com", "{a}", "x", request()));
  EXPECT_NE(keys.graphql_key("api.github.com", "{a}", "", request()),
            keys.graphql_key("api.github.com", "{b}", "", request()));
}

}  // namespace
}  // namespace ghmesh::github
