// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "json.hpp"
#include "standin/model.hpp"
#include "standin/world_builder.hpp"

// What the tests of this room share: one public and one private repository, a user with access to both, a user with
// none, and jobs of the private one.

namespace ghmesh::standin {

inline constexpr std::string_view kAlice = "token alice-secret";
inline constexpr std::string_view kBob = "token bob-secret";
inline constexpr std::string_view kJob = "Bearer ghs_job-one";
inline constexpr std::string_view kPublic = "/repos/octo-org/repo-1";
inline constexpr std::string_view kPrivate = "/repos/octo-org/repo-2";

class Bench : public ::testing::Test {
 protected:
  Bench() {
    model.world = built();
    model.tokens.add_user("alice-secret", "alice", {"octo-org/repo-1", "octo-org/repo-2"});
    model.tokens.add_user("bob-secret", "bob");
    model.tokens.add_job("ghs_job-one", "octo-org/repo-2");
    model.tokens.add_job("ghs_job-two", "octo-org/repo-2");
  }

  // Building takes longer than copying, and every test starts from the same.
  static const World& built() {
    static const World world = [] {
      World w;
      SyntheticPlan plan;
      plan.repositories = 2;
      plan.private_repositories = 1;
      plan.files = 2;
      build_synthetic(w, plan, kNow);
      return w;
    }();
    return world;
  }

  static Request ask(std::string_view method, std::string_view target, std::string_view authorization = {},
                     std::string_view body = {}) {
    Request r;
    r.method = std::string(method);
    r.target = std::string(target);
    r.fields.add("User-Agent", "test");
    r.fields.add("Accept", "application/vnd.github+json");
    if (!authorization.empty()) r.fields.add("Authorization", authorization);
    r.body = std::string(body);
    return r;
  }
  Response send(const Request& request) { return model.handle(request, now); }
  Response get(std::string_view target, std::string_view authorization = kAlice) {
    return send(ask("GET", target, authorization));
  }
  Response get_if(std::string_view target, std::string_view tag, std::string_view authorization = kAlice) {
    Request r = ask("GET", target, authorization);
    r.fields.add("If-None-Match", tag);
    return send(r);
  }
  Response write(std::string_view method, std::string_view target, std::string_view body,
                 std::string_view authorization = kAlice) {
    return send(ask(method, target, authorization, body));
  }
  static std::string field(const Response& response, std::string_view name) {
    return std::string(response.fields.first(name).value_or(""));
  }
  static Json json(const Response& response) { return parse_json(response.body); }
  static std::string at(std::string_view root, std::string_view rest) { return std::string(root) + std::string(rest); }

  GithubModel model;
  static constexpr WallTime kNow{std::chrono::seconds(1767225600)};
  WallTime now = kNow;
};

}  // namespace ghmesh::standin
