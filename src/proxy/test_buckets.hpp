// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "io/manual_loop.hpp"
#include "proxy/repository_buckets.hpp"

// Tokens of one node and what GitHub tells them, for the tests of RepositoryBuckets. What members of a mesh make of it
// is in tests/scenario/job_tokens_test.cpp.

namespace ghmesh::proxy {

using namespace std::chrono_literals;

// What the ledger would say of each token.
struct Readings final : LiveFields {
  struct Told {
    github::Partition token;
    std::string teller;
    mesh::RateRow row;
    bool certain = false;
  };
  std::string_view lines(const Plan&) override { return {}; }
  std::optional<github::RateReading> latest(const Plan& plan, std::string_view resource) override {
    const auto found = hints.find({plan.partition, std::string(resource)});
    return found == hints.end() ? std::nullopt : std::optional(found->second);
  }
  bool may_spend(const Plan&, const Draw&, int) override { return true; }
  bool observe(const Plan&, std::string_view, int, http::FieldsView) override { return false; }
  std::vector<mesh::RateRow> rates(const github::Partition& token) override { return rows[token]; }
  void told(const github::Partition&, const mesh::RateRow&) override {}
  bool take_shown(const github::Partition&) override { return false; }
  std::optional<github::QuotaLedger::Own> own(const github::Partition& token, std::string_view resource) override {
    const auto found = owns.find({token, std::string(resource)});
    return found == owns.end() ? std::nullopt : std::optional(github::QuotaLedger::Own{found->second, 0, {}});
  }
  void told_of_bucket(const github::Partition& token, const std::string& teller, const mesh::RateRow& row,
                      bool certain) override {
    of_bucket.push_back({token, teller, row, certain});
  }
  bool doubts_bucket(const github::Partition& token, std::string_view) override { return doubters.contains(token); }

  std::map<std::pair<github::Partition, std::string>, github::RateReading> owns, hints;
  std::map<github::Partition, std::vector<mesh::RateRow>> rows;
  std::set<github::Partition> doubters;
  std::vector<Told> of_bucket;
};

class RepositoryBucketsTest : public testing::Test {
 protected:
  static github::Partition token(std::size_t n) {
    github::Partition out{};
    store_be(out.data(), static_cast<std::uint64_t>(n + 1));
    return out;
  }
  // repository: "OWNER/REPO", which must outlive the plan; "": of none.
  static Plan request(std::size_t n, std::string_view repository = "o/one") {
    Plan plan;
    plan.partition = token(n);
    plan.request.anonymous = false;
    plan.request.authorization = crypto::SecretText("Bearer ghs_" + std::to_string(n));
    if (const std::size_t slash = repository.find('/'); slash != std::string_view::npos) {
      plan.resource.owner = repository.substr(0, slash);
      plan.resource.repo = repository.substr(slash + 1);
    }
    return plan;
  }
  void asks(std::size_t n, std::string_view repository = "o/one", int times = 1) {
    for (int i = 0; i < times; ++i) buckets_->asks(request(n, repository));
  }
  // GitHub tells it so much itself.
  void reads(std::size_t n, github::UnixSeconds reset, std::int64_t remaining = 100, std::int64_t limit = 1000,
             const std::string& resource = "core") {
    live_.owns[{token(n), resource}] = {resource, limit, remaining, limit - remaining, reset};
  }
  // Nothing is left, for so long.
  void empties(std::size_t n, github::UnixSeconds reset, Duration pause, std::int64_t limit = 1000) {
    reads(n, reset, 0, limit);
    buckets_->answered(request(n), "core", pause);
  }
  // How long it still waits; 0: not at all.
  Duration waits(std::size_t n, std::string_view resource = "core") {
    const auto until = buckets_->paused_until(request(n), resource);
    return until ? *until - loop_.now() : Duration::zero();
  }
  void start(const JobOfNode& job = {}) {
    buckets_ = std::make_unique<RepositoryBuckets>(loop_, live_, nullptr, "api.github.com", job);
  }
  github::UnixSeconds in(std::chrono::seconds from_now) {
    return github::unix_seconds(loop_.wall_now()) + from_now.count();
  }

  io::ManualLoop loop_;
  Readings live_;
  std::unique_ptr<RepositoryBuckets> buckets_;
};

}  // namespace ghmesh::proxy
