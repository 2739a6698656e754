// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "simulator.hpp"

namespace ghmesh::simulate {
namespace {

constexpr std::uint32_t kScriptKeys = 20;

class Zipf {
 public:
  Zipf(std::uint32_t n, double exponent) : sums_(n) {
    double sum = 0;
    for (std::uint32_t i = 0; i < n; ++i) sums_[i] = sum += std::pow(i + 1, -exponent);
  }
  std::uint32_t draw(Random& random) const {
    const double at = static_cast<double>(random.next_u64() >> 11) * 0x1.0p-53 * sums_.back();
    return static_cast<std::uint32_t>(std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

Duration between(Random& random, Duration low, Duration high) {
  return low + Duration(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>((high - low).count() + 1))));
}

// Keeps a fleet of steady size busy.
class Fleet {
 public:
  Fleet(const FleetPlan& plan, Simulator& simulator)
      : plan_(plan), simulator_(simulator), random_(plan.seed * 7919 + 1), zipf_(plan.keys, 0.9) {}

  void begin() {
    for (std::uint32_t key = 0; key < plan_.keys; ++key) {
      const std::uint32_t kind = (key * 2654435761u >> 8) % 10;
      simulator_.set_change_interval(key, kind < 2 ? Duration(2min) : kind < 7 ? Duration(30min) : Duration::zero());
    }
    for (std::size_t i = 0; i < plan_.nodes; ++i)
      simulator_.at(between(random_, 0s, 3s),
                    [this] { start_node(between(random_, plan_.longest_life / 40, plan_.longest_life)); });
    simulator_.at(1min, [this] { start_scripts(); });
  }

 private:
  void start_node(Duration life) {
    const NodeIndex node = simulator_.join(static_cast<std::uint32_t>(started_++ % plan_.tokens));
    next_request(node);
    if (!plan_.churn) return;
    simulator_.at(life, [this, node] {
      if (random_.below(2) == 0) {
        simulator_.kill(node, random_.below(2) == 0);
      } else {
        simulator_.stop(node);
      }
      simulator_.at(between(random_, 1s, 5s),
                    [this] { start_node(between(random_, plan_.longest_life / 10, plan_.longest_life)); });
    });
  }
  void next_request(NodeIndex node) {
    // Half a request a second, at independent instants.
    const double wait = -2.0 * std::log(1.0 - static_cast<double>(random_.next_u64() >> 11) * 0x1.0p-53);
    simulator_.at(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(wait)), [this, node] {
      if (!simulator_.alive(node)) return;
      simulator_.request(node, zipf_.draw(random_));
      next_request(node);
    });
  }
  void start_scripts() {
    // Everybody's script of this minute is the same.
    std::vector<std::uint32_t> script;
    for (std::uint32_t i = 0; i < kScriptKeys; ++i)
      script.push_back(static_cast<std::uint32_t>(random_.below(plan_.keys)));
    for (const NodeIndex node : simulator_.live())
      if (random_.below(5) == 0)
        simulator_.at(between(random_, 0s, 2s), [this, node, script] { step(node, script, 0); });
    simulator_.at(1min, [this] { start_scripts(); });
  }
  void step(NodeIndex node, const std::vector<std::uint32_t>& script, std::size_t i) {
    if (i == script.size() || !simulator_.alive(node)) return;
    simulator_.request(node, script[i], [this, node, script, i](const Simulator::Answer&) {
      simulator_.at(1ms, [this, node, script, i] { step(node, script, i + 1); });
    });
  }

  const FleetPlan& plan_;
  Simulator& simulator_;
  SeededRandom random_;
  Zipf zipf_;
  std::uint64_t started_ = 0;
};

}  // namespace

FleetReport simulate_fleet(const FleetPlan& plan, const std::function<void(Duration)>& progress) {
  Simulator simulator(plan.seed);
  Fleet fleet(plan, simulator);
  fleet.begin();
  for (Duration done{}; done < plan.time;) {
    const Duration stop = done < plan.warm_up ? plan.warm_up : plan.time;
    const Duration step = std::min<Duration>(1s, stop - done);
    simulator.run_for(step);
    done += step;
    if (done == plan.warm_up) simulator.reset_totals();
    if (progress) progress(done);
  }
  FleetReport report;
  report.plan = plan;
  report.totals = simulator.totals();
  const Totals& totals = report.totals;
  const auto ratio = [](double a, double b) { return b == 0 ? 0 : a / b; };
  const double seconds = std::chrono::duration<double>(plan.time - plan.warm_up).count();
  report.charged_per_ideal = ratio(static_cast<double>(totals.charged), static_cast<double>(totals.ideal));
  report.messages_per_request = ratio(static_cast<double>(totals.messages), static_cast<double>(totals.requests));
  report.kilobytes_per_second = static_cast<double>(totals.bytes) / 1000 / seconds / static_cast<double>(plan.nodes);
  report.messages_by_type = simulator.messages_by_type();
  report.p50_ms = totals.percentile(0.5);
  report.p99_ms = totals.percentile(0.99);
  return report;
}

double FleetReport::membership_share() const {
  return totals.bytes == 0 ? 0 : static_cast<double>(totals.membership_bytes) / static_cast<double>(totals.bytes);
}

std::string FleetReport::text() const {
  char line[512];
  const auto n = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::snprintf(
      line, sizeof line,
      "N=%zu K=%u seed=%llu: charged %llu (%llu again) / ideal %llu = %.3f; %.2f messages a request; %.2f KB/s a node "
      "(%.0f %% membership); p50 %.2f ms, p99 %.0f ms\n"
      "%llu requests: %llu fresh here, %llu from peers, %llu upstream, %llu alone, %llu refused, %llu wrong\n",
      plan.nodes, plan.keys, n(plan.seed), n(totals.charged), n(totals.again), n(totals.ideal), charged_per_ideal,
      messages_per_request, kilobytes_per_second, 100 * membership_share(), p50_ms, p99_ms, n(totals.requests),
      n(totals.local), n(totals.from_peers), n(totals.upstream), n(totals.alone), n(totals.refused), n(totals.wrong));
  return line;
}

}  // namespace ghmesh::simulate
