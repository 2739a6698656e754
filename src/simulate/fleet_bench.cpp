// SPDX-License-Identifier: Apache-2.0
// What a fleet of N costs, in virtual time: charged beside the ideal, messages a request, bytes a member; and what one
// member keeps in memory of a fleet of N that it knows (its state machine alone: no sockets, no bodies).
#include <benchmark/benchmark.h>
#include <malloc.h>

#include "simulate/simulator.hpp"
#include "test_news.hpp"

namespace ghmesh::simulate {
namespace {

void fleet(benchmark::State& state) {
  const FleetPlan plan{.nodes = static_cast<std::size_t>(state.range(0)), .time = 8min, .seed = 1};
  FleetReport report;
  for (auto _ : state) report = simulate_fleet(plan);
  state.counters["charged_per_ideal"] = report.charged_per_ideal;
  state.counters["messages_per_request"] = report.messages_per_request;
  state.counters["KB_per_second"] = report.kilobytes_per_second;
  state.counters["membership_share"] = report.membership_share();
  state.counters["p50_ms"] = report.p50_ms;
  state.counters["p99_ms"] = report.p99_ms;
  state.counters["wrong"] = static_cast<double>(report.totals.wrong);
}
BENCHMARK(fleet)->Arg(5)->Arg(50)->Arg(500)->Iterations(1)->Unit(benchmark::kSecond);

void memory(benchmark::State& state) {
  const auto members = static_cast<std::size_t>(state.range(0));
  double bytes = 0;
  for (auto _ : state) {
    Simulator simulator(1);
    const std::size_t before = ::mallinfo2().uordblks;
    for (std::size_t i = 0; i < members; ++i) {
      simulator.join();
      simulator.run_for(10ms);
    }
    simulator.run_for(20s);
    bytes = static_cast<double>(::mallinfo2().uordblks - before);
  }
  const auto n = static_cast<double>(members);
  state.counters["KB_per_node"] = bytes / n / 1000;
  state.counters["bytes_per_member_known"] = bytes / n / n;
}
BENCHMARK(memory)->Arg(5)->Arg(50)->Arg(500)->Iterations(1)->Unit(benchmark::kSecond);

// The bar: 99 % of 1,000 members within 2 s.
void news(benchmark::State& state) {
  NewsTimes times;
  for (auto _ : state) times = measure_news(static_cast<std::size_t>(state.range(0)), 1);
  if (!times.complete) state.SkipWithError("not everybody knew everybody");
  state.counters["joined_ms"] = std::chrono::duration<double, std::milli>(times.joined).count();
  state.counters["left_ms"] = std::chrono::duration<double, std::milli>(times.left).count();
}
BENCHMARK(news)->Arg(50)->Arg(1000)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace ghmesh::simulate
