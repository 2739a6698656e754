// SPDX-License-Identifier: Apache-2.0
#include "admin/activity_view.hpp"

#include <gtest/gtest.h>

namespace ghmesh::admin {
namespace {

TEST(ActivityView, PathsOnlyWhereTheyMayBeSeen) {
  ActivityView view;
  view.latency_bounds = {0.5, 1};
  view.classes.push_back({"default", {{"memory", 3}, {"miss", 1}}, 4, 0.75, 1, 1, 4, 0.5, {3, 1, 0}});
  view.proofs.push_back({"api.github.com", "default", "application/json", "tripped", 9, 3, 1.5});
  view.slowest.push_back({"GET", "/repos/o/r\"", "miss", "default", 200, 0.25, 1767225600000});
  view.costliest.push_back({"GET", "/repos/o/r", "default", 3, 2, 1});
  EXPECT_EQ(to_json(view, false),
            "{\"latency_bounds\":[0.5,1.0],\"classes\":[{\"class\":\"default\",\"requests\":4,\"hit_rate\":0.75,"
            "\"answers\":{\"memory\":3,\"miss\":1},\"upstream_calls\":1,\"charged_calls\":1,\"calls_saved\":3,"
            "\"latency\":{\"counts\":[3,1,0],\"sum\":0.5}}],"
            "\"proofs\":[{\"host\":\"api.github.com\",\"class\":\"default\",\"media_type\":\"application/json\","
            "\"state\":\"tripped\",\"matches\":9,\"mismatches\":3,\"retry_in_seconds\":1.5}]}\n");
  const std::string with = to_json(view, true);
  EXPECT_NE(
      with.find(
          "\"slowest\":[{\"method\":\"GET\",\"path\":\"/repos/o/r\\\"\",\"class\":\"default\",\"answer\":\"miss\","
          "\"status\":200,\"seconds\":0.25,\"at\":1767225600000}]"),
      std::string::npos)
      << with;
  EXPECT_NE(with.find("\"upstream_requests\":3,\"charged_calls\":2,\"charged_error\":1"), std::string::npos) << with;
}

}  // namespace
}  // namespace ghmesh::admin
