// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/client/pool.hpp"
#include "http/server/server.hpp"
#include "io/manual_loop.hpp"
#include "io/task_group.hpp"
#include "proxy/activity.hpp"
#include "proxy/proxy.hpp"
#include "proxy/quota_book.hpp"
#include "standin/model.hpp"
#include "standin/world_builder.hpp"

// A stage for scenarios: GitHub as the stand-in plays it, nodes with the real request path behind a real server, and
// clients that speak HTTP to them through pipes in memory. One loop whose clock only the test moves, seeded randomness:
// every run is the same. No sockets, no files, no threads.

namespace ghmesh::scenario {

struct Ask {
  std::string method = "GET";
  std::string target;
  std::string authorization = {};  // "" for an anonymous request
  http::Fields more = {};
  std::string body = {};
};

struct Got {
  bool done = false;
  bool whole = false;  // the answer came, and its body to the end
  int status = 0;      // 0: no answer
  http::Fields fields;
  std::string body;
  std::string problem;
  Duration took{};

  std::string field(std::string_view name) const { return std::string(fields.first(name).value_or("")); }
  bool from(std::string_view detail) const { return field("Cache-Status").find(detail) != std::string::npos; }
};

// GitHub at the end of a wire: latency, faults as the model asks for them, and eyes on what a node really sends.
class ModelOrigin final : public proxy::Origin {
 public:
  ModelOrigin(io::Loop& loop, standin::GithubModel& model) : loop_(loop), model_(model) {}

  io::Task<Result<std::unique_ptr<proxy::OriginAnswer>>> call(http::Request request,
                                                              std::optional<proxy::RequestBody> body,
                                                              proxy::OnInterim on_interim) override;

  Duration latency{10ms};  // there and back
  bool record = true;
  std::vector<standin::Request> seen;
  // What stands between the node and GitHub, if anything does.
  std::function<void(const standin::Request&, standin::Response&)> middle;
  std::uint32_t most_in_flight = 0;  // of one token

 private:
  io::Loop& loop_;
  standin::GithubModel& model_;
  std::map<std::string, std::uint32_t> in_flight_;
};

struct NodeOptions {
  github::FreshnessPolicy freshness = github::FreshnessPolicy::Strict;
  std::optional<std::chrono::seconds> ttl = {};
  std::chrono::seconds stale_if_error{0};
  bool proof = true;
  bool trusted_origin = true;
  int reserve_percent = 0;
  bool vouched = false;
  github::CalibrationOptions calibration = {};
  github::PacingOptions pacing = {};
  // The node's door to a mesh, for its planner; none: no mesh.
  std::function<proxy::Sharing*(proxy::Planner&)> mesh = {};
  // The job that started it: OWNER/REPO and its Authorization.
  std::string job_repository = {};
  std::string job_authorization = {};
};

// One match proves a class: for scenarios that are about something else than learning.
NodeOptions quick();
NodeOptions quick(github::FreshnessPolicy freshness);

class Stage;

class Node {
 public:
  Node(Stage& stage, const NodeOptions& options);

  // In a group of its own a client can be made to go away.
  std::shared_ptr<Got> start(Ask ask, io::TaskGroup* group = nullptr);
  proxy::Plan plan(const Ask& ask) const;
  std::uint64_t answers(proxy::AnswerKind kind) const { return stats.answers(kind); }
  // Replaces the bytes that lie under a token's entry, leaving everything else as it is: what a liar would offer.
  bool forge(const Ask& whose, std::string_view bytes);
  bool holds(const Ask& whose);

  Stage& stage;
  metrics::Registry registry;
  std::unique_ptr<store::TieredStore> store;
  std::unique_ptr<proxy::Planner> planner;
  proxy::AuthorityRules authorities;
  proxy::Stats stats;
  proxy::Activity activity;
  proxy::QuotaBook quota;
  std::unique_ptr<proxy::Proxy> proxy;
  std::unique_ptr<http::server::Server> server;
  std::unique_ptr<http::client::Pool> clients;

 private:
  io::Task<> run(Ask ask, std::shared_ptr<Got> got);
};

class Stage : public ::testing::Test {
 protected:
  Stage();
  ~Stage() override;

 public:
  Node& node(const NodeOptions& options = quick());

  // Starts a request and runs until it is answered.
  Got ask(Node& node, Ask what);
  Got get(Node& node, std::string_view target, std::string_view authorization, http::Fields more = {});
  bool run_all(const std::vector<std::shared_ptr<Got>>& gots, Duration limit = std::chrono::minutes(10));
  // What GitHub itself answers, without counting it.
  standin::Response direct(const Ask& what);

  std::uint64_t charged() const { return github.journal.total().charged; }
  std::uint64_t upstream() const { return github.journal.total().total; }
  // Charged requests since the last call.
  std::uint64_t newly_charged();
  std::uint64_t newly_asked();

  io::ManualLoop loop;
  SeededRandom random{20260101};
  standin::GithubModel github;
  ModelOrigin origin{loop, github};
  std::unique_ptr<io::TaskGroup> tasks;
  std::vector<std::string> paths;                 // of the synthetic world, all of its repositories
  std::string root = "/repos/octo-org/repo-1";    // public
  std::string secret = "/repos/octo-org/repo-2";  // private

 private:
  std::vector<std::unique_ptr<Node>> nodes_;
  std::uint64_t charged_before_ = 0;
  std::uint64_t asked_before_ = 0;
};

inline const std::string kAlice = "Bearer alice-secret";
inline const std::string kBob = "Bearer bob-secret";  // sees only what is public
inline const std::string kCarol = "Bearer carol-secret";
inline http::Fields no_cache() { return http::Fields{{"Cache-Control", "no-cache"}}; }

}  // namespace ghmesh::scenario
