// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"

// GitHub's budgets. Primary: so many requests per window for a bucket (a user, a repository's jobs, an address) and a
// resource (core, search, graphql, …). Secondary: so many points a minute per token and endpoint, so many writes that
// create content, so many requests at once; these cannot be asked for. One thread.

namespace ghmesh::standin {

// The documented numbers; a test may shrink them.
struct QuotaRules {
  std::uint32_t user_core = 5000;
  std::uint32_t job_core = 1000;
  std::uint32_t anonymous_core = 60;
  std::uint32_t user_graphql = 5000;
  std::uint32_t job_graphql = 1000;
  std::uint32_t search = 30;
  std::uint32_t anonymous_search = 10;
  std::uint32_t code_search = 10;
  bool secondary = true;
  std::uint32_t concurrent = 100;
  std::uint32_t points_per_minute = 900;
  std::uint32_t graphql_points_per_minute = 2000;
  std::uint32_t content_per_minute = 80;
  std::uint32_t content_per_hour = 500;
  bool points_for_304 = true;  // undocumented; the careful reading
};

enum class Payer { User, Job, Anonymous };

struct Budget {
  std::uint32_t limit = 0;
  std::uint32_t used = 0;
  WallTime reset{};

  std::uint32_t remaining() const { return used >= limit ? 0 : limit - used; }
};

class QuotaBook {
 public:
  QuotaRules rules;

  // The current window; a new one starts with the first request after the reset of the last.
  Budget& budget(std::string_view bucket, Payer payer, std::string_view resource, WallTime now);

  struct Secondary {
    bool refused = false;
    int retry_after = 0;  // seconds
    std::string_view reason;
  };
  // Counts points against the last 60 s of (who, endpoint), and content writes against who's; refuses what would exceed
  // them, or an in_flight (this one included) over the bound. A refused request counts nothing.
  Secondary admit(std::string_view who, std::string_view endpoint, std::uint32_t points, bool creates_content,
                  std::uint32_t in_flight, WallTime now);
  // Takes the last points back: for a request that turned out not to count.
  void refund(std::string_view who, std::string_view endpoint, std::uint32_t points);

  void forget() {
    budgets_.clear();
    meters_.clear();
  }

 private:
  // A sliding sum; entries older than the window fall out.
  struct Meter {
    std::deque<std::pair<WallTime, std::uint32_t>> entries;
    std::uint64_t sum = 0;

    void expire(WallTime now, Duration window);
    void add(WallTime now, std::uint32_t amount);
  };
  Meter& meter(std::string_view who, std::string_view what, WallTime now, Duration window);

  std::map<std::pair<std::string, std::string>, Budget> budgets_;
  std::map<std::pair<std::string, std::string>, Meter> meters_;
};

// The resource that a path draws on, as X-RateLimit-Resource names it.
std::string_view resource_of(std::string_view path);

// A path with its names, numbers and hashes replaced by '*': the endpoint that points count against.
std::string endpoint_of(std::string_view method, std::string_view path);

}  // namespace ghmesh::standin
