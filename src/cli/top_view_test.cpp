// SPDX-License-Identifier: Apache-2.0
#include "top_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ghmesh::cli {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

constexpr WallTime kNow(std::chrono::seconds(1767225600));

std::string stats(double uptime, int requests, int local) {
  return R"({"peer_id":"12D3KooWAbCdEfGhIjKlMnOpQrSt","uptime_seconds":)" + std::to_string(uptime) + R"(,"requests":)" +
         std::to_string(requests) + R"(,"local_hits":)" + std::to_string(local) +
         R"(,"misses":10,"charged_calls":10,"calls_saved":1990,"hit_rate":0.95,"connected_peers":2,"quota":[
           {"token":"ab12","resource":"core","limit":5000,"remaining":4980,"reset":1767228130},
           {"token":"ab12","resource":"search","limit":30,"remaining":1,"reset":1767225630}]})";
}
constexpr std::string_view kPeers = R"({"peers":[
  {"peer_id":"12D3KooWaaaaaaaaaa","address":"/ip4/10.0.0.1/tcp/9100","role":"owner","rtt_ms":5.5,"bytes_in":100,"bytes_out":2048},
  {"peer_id":"12D3KooWbbbbbbbbbb","address":"/ip4/10.0.0.2/tcp/9100","role":"owner","rtt_ms":0.25,"bytes_in":3000,"bytes_out":1}]})";

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

TopModel full() {
  TopModel model;
  model.where = "127.0.0.1:8418";
  EXPECT_TRUE(model.take_stats(stats(10, 1000, 900)));
  EXPECT_TRUE(model.take_stats(stats(20, 2000, 1900)));
  EXPECT_TRUE(model.take_peers(kPeers));
  return model;
}

TEST(TopView, ShowsRatesAnswersQuotasAndPeers) {
  const std::string screen = joined(full().draw(80, 24, false, kNow));
  EXPECT_THAT(screen, HasSubstr("2,000 requests  100.0/s   charged 10   saved 1,990   hit rate 95.0 %"));
  EXPECT_THAT(screen, ContainsRegex("memory, disk +1,900 +100.0/s  #+\\.* +95 %"));
  EXPECT_THAT(screen, ContainsRegex("ab12 +core +#+\\.* +4,980 of 5,000 +reset 42:10"));
  // The limit that is nearest to its end comes first.
  EXPECT_LT(screen.find("search"), screen.find("core"));
  EXPECT_LT(screen.find("bbbb"), screen.find("aaaa"));
  EXPECT_THAT(screen, ContainsRegex("aaaaaaaa +/ip4/10.0.0.1/tcp/9100 +owner +5.50 +100 B +2.0 KiB"));
}

TEST(TopView, FitsEveryTerminal) {
  TopModel model = full();
  for (int i = 0; i < 300; ++i)
    model.take_event(
        "request",
        R"({"at":1767225600000,"status":200,"answer":"memory","seconds":0.0002,"method":"GET","path":"/repos/)" +
            std::string(200, 'x') + "\"}");
  for (const int columns : {20, 40, 79, 80, 81, 132, 300}) {
    for (const int rows : {1, 2, 5, 10, 24, 50}) {
      const auto lines = model.draw(columns, rows, false, kNow);
      EXPECT_EQ(lines.size(), static_cast<std::size_t>(rows));
      for (const std::string& line : lines) EXPECT_LE(line.size(), static_cast<std::size_t>(columns)) << line;
    }
  }
  // At 80 by 24 each part shows.
  const std::string screen = joined(model.draw(80, 24, false, kNow));
  for (const char* part : {"ANSWERS FROM", "QUOTA", "PEERS by rtt", "NOW", "GET /repos/", "q quit"})
    EXPECT_THAT(screen, HasSubstr(part));
}

TEST(TopView, SortsAndReverses) {
  TopModel model = full();
  model.order = PeerOrder::Out;
  std::string screen = joined(model.draw(80, 24, false, kNow));
  EXPECT_THAT(screen, HasSubstr("PEERS by out"));
  EXPECT_LT(screen.find("aaaa"), screen.find("bbbb"));
  model.reversed = true;
  screen = joined(model.draw(80, 24, false, kNow));
  EXPECT_LT(screen.find("bbbb"), screen.find("aaaa"));
}

TEST(TopView, ColoursOnlyWhenAskedFor) {
  EXPECT_EQ(joined(full().draw(80, 24, false, kNow)).find('\x1b'), std::string::npos);
  const std::string coloured = joined(full().draw(80, 24, true, kNow));
  EXPECT_THAT(coloured, HasSubstr("\x1b[31m"));  // 1 of 30 left
  EXPECT_THAT(coloured, HasSubstr("\x1b[32m"));
}

TEST(TopView, ANodeStartedAnewHasNoRate) {
  TopModel model = full();
  EXPECT_TRUE(model.take_stats(stats(1, 5, 5)));
  EXPECT_THAT(joined(model.draw(80, 24, false, kNow)), HasSubstr("5 requests  0.0/s"));
}

TEST(TopView, WhatANodeSaysCannotSteerTheTerminal) {
  TopModel model = full();
  model.take_event("peer", "{\"at\":0,\"peer\":\"\\u001b[2Jx\",\"state\":\"joined\"}");
  model.take_event("unknown", "{}");
  model.take_event("request", "not json");
  EXPECT_EQ(joined(model.draw(80, 24, false, kNow)).find('\x1b'), std::string::npos);
  EXPECT_FALSE(model.take_stats("[]"));
  EXPECT_FALSE(model.take_peers("{\"peers\":3}"));
  EXPECT_TRUE(model.take_stats(R"({"requests":"many","quota":[1,{"limit":"x"}],"uptime_seconds":null})"));
}

TEST(TopView, TroubleAndNoMeshAreSaid) {
  TopModel model;
  model.trouble = "no node answers: refused";
  EXPECT_THAT(joined(model.draw(80, 24, false, kNow)), HasSubstr("no node answers: refused"));
  model.take_peers(R"({"peers":[],"why_none":"no secret"})");
  EXPECT_THAT(joined(model.draw(80, 24, false, kNow)), HasSubstr("no mesh: no secret"));
}

}  // namespace
}  // namespace ghmesh::cli
