// SPDX-License-Identifier: Apache-2.0
#include "admin/source.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ghmesh::admin {
namespace {

using nlohmann::ordered_json;

TEST(Source, StatsHaveTheContractsMembers) {
  Stats stats;
  stats.requests = 8;
  stats.local_hits = 2;
  stats.proofs = 2;
  stats.calls_saved = -3;
  stats.quota.push_back(
      {"ab", "core", 5000, 4999, 1, 1767229200, 3, 0, 0, 4990, std::nullopt, {{"default", 2}, {"write", 1}}});
  const std::string text = to_json(stats);
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const ordered_json value = ordered_json::parse(text);
  for (const char* name :
       {"peer_id",     "listen_addrs",     "connected_peers", "uptime_seconds", "requests",     "local_hits",
        "peer_hits",   "proofs",           "peer_proofs",     "collapsed",      "stale_served", "misses",
        "bypassed",    "upstream_calls",   "charged_calls",   "free_304s",      "calls_saved",  "hit_rate",
        "entries",     "bytes_from_peers", "bytes_to_peers",  "memory_bytes",   "disk_bytes",   "evictions",
        "expirations", "invalidations",    "errors",          "quota",          "fleet",        "proof_state"})
    EXPECT_TRUE(value.contains(name)) << name;
  EXPECT_EQ(value["hit_rate"], 0.5);
  EXPECT_EQ(value["calls_saved"], -3);
  EXPECT_EQ(value["quota"][0]["remaining"], 4999);
  EXPECT_EQ(value["quota"][0]["spent_by_class"].dump(), R"({"default":2,"write":1})");
  EXPECT_TRUE(value["fleet"].is_null());
  EXPECT_TRUE(value["peer_id"].is_null());
}

TEST(Source, NothingCountedIsNoHitRate) { EXPECT_EQ(Stats{}.hit_rate(), 0); }

TEST(Source, ExplanationsKeepTheirOrderAndAnyText) {
  EXPECT_EQ(to_json(Explanation{{"b", "1\"2"}, {"a", "\xff"}}), "{\"b\":\"1\\\"2\",\"a\":\"\xEF\xBF\xBD\"}\n");
}

}  // namespace
}  // namespace ghmesh::admin
