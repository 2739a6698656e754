// SPDX-License-Identifier: Apache-2.0
#include "savings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ghmesh::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SavingsPage, ATableAndAPie) {
  const auto page = savings_page(
      R"({"requests":10,"local_hits":4,"peer_hits":2,"proofs":1,"peer_proofs":1,"charged_calls":2,"calls_saved":8,
          "connected_peers":3,"fleet":{"members":5,"charged_calls":20,"calls_saved":80}})");
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, HasSubstr("| requests of this job | 10 |\n"));
  EXPECT_THAT(*page, HasSubstr("| charged by GitHub | 2 |\n"));
  EXPECT_THAT(*page, HasSubstr("| saved by the whole fleet | 80 |\n"));
  EXPECT_THAT(*page, HasSubstr("```mermaid\npie showData title Where the answers came from\n  \"memory\" : 4\n"
                               "  \"peer\" : 2\n  \"proof\" : 2\n  \"charged\" : 2\n```\n"));
}

TEST(SavingsPage, NothingIsNoPie) {
  const auto page = savings_page(R"({"requests":0})");
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, Not(HasSubstr("mermaid")));
  EXPECT_THAT(*page, Not(HasSubstr("fleet")));
  EXPECT_FALSE(savings_page("<html>"));
  EXPECT_FALSE(savings_page("[]"));
}

}  // namespace
}  // namespace ghmesh::cli
