// SPDX-License-Identifier: Apache-2.0
// simulate: a fleet of many members in virtual time, in this process; no socket is opened.
#include <unistd.h>

#include <array>
#include <charconv>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "command.hpp"
#include "simulate/simulator.hpp"

namespace ghmesh::cli {

namespace {

using simulate::FleetPlan;
using simulate::FleetReport;

// A row of the flags that take a number.
struct Bounded {
  std::string_view flag;
  std::uint64_t fallback, min, max;
};
constexpr Bounded kNodes{"nodes", 50, 2, 1000};
constexpr Bounded kKeys{"keys", 1000, 1, 100'000};
// What comes before is not counted, so a run is longer than that.
constexpr Bounded kMinutes{"minutes", 20, 4, 240};
constexpr Bounded kTokens{"tokens", 1, 1, 1000};
constexpr Bounded kLife{"life", 1200, 10, 86'400};
constexpr Bounded kSeed{"seed", 1, 0, ~std::uint64_t{0}};

Result<std::uint64_t> number(const Arguments& arguments, const Bounded& bounds) {
  const std::optional<std::string> text = arguments.get(bounds.flag);
  if (!text) return bounds.fallback;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || value < bounds.min || value > bounds.max)
    return fail(ErrorCode::Malformed, "--" + std::string(bounds.flag) + ": '" + *text + "' is not a number from " +
                                          std::to_string(bounds.min) + " to " + std::to_string(bounds.max));
  return value;
}

Result<FleetPlan> plan_of(const Arguments& arguments) {
  FleetPlan plan;
  std::array<std::uint64_t, 6> values{};
  constexpr std::array kRows{kNodes, kKeys, kMinutes, kTokens, kLife, kSeed};
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    const Result<std::uint64_t> value = number(arguments, kRows[i]);
    if (!value) return std::unexpected(value.error());
    values[i] = *value;
  }
  plan.nodes = values[0];
  plan.keys = static_cast<std::uint32_t>(values[1]);
  plan.time = std::chrono::minutes(values[2]);
  plan.tokens = static_cast<std::uint32_t>(values[3]);
  plan.longest_life = std::chrono::seconds(values[4]);
  plan.seed = values[5];
  plan.churn = !arguments.has("no-churn");
  return plan;
}

// On a terminal one line that is written over, elsewhere a line every ten seconds; nothing in the first two.
class Progress {
 public:
  explicit Progress(std::ostream& err) : err_(err), live_(::isatty(STDERR_FILENO) == 1) {}

  void show(const FleetPlan& plan, Duration done) {
    const TimePoint now = clock_.now();
    if (now < next_) return;
    next_ = now + (live_ ? Duration(200ms) : Duration(10s));
    const double share = 100 * std::chrono::duration<double>(done) / std::chrono::duration<double>(plan.time);
    err_ << (live_ ? "\r" : "") << "ghmesh: simulate: " << std::fixed << std::setprecision(0) << share << " % of "
         << plan.nodes << " members' " << std::chrono::duration_cast<std::chrono::minutes>(plan.time).count()
         << " minutes" << (live_ ? "" : "\n") << std::flush;
    shown_ = true;
  }
  void clear() {
    if (live_ && shown_) err_ << "\r\x1b[K" << std::flush;
  }

 private:
  std::ostream& err_;
  const bool live_;
  SystemClock clock_;
  TimePoint next_ = clock_.now() + 2s;
  bool shown_ = false;
};

void print_text(std::ostream& out, const FleetReport& report) {
  const simulate::Totals& totals = report.totals;
  const auto minutes = [](Duration time) { return std::chrono::duration_cast<std::chrono::minutes>(time).count(); };
  const auto line = [&](std::string_view name, std::string_view rest) {
    out << "  " << std::left << std::setw(20) << name << rest << '\n';
  };
  const auto fixed = [](double value, int digits) {
    std::ostringstream text;
    text << std::fixed << std::setprecision(digits) << value;
    return text.str();
  };
  const auto count = [](std::uint64_t value) { return std::to_string(value); };
  out << report.plan.nodes << " members, " << report.plan.keys << " keys, " << minutes(report.plan.time)
      << " minutes of virtual time, the first " << minutes(report.plan.warm_up) << " not counted, "
      << (report.plan.churn
              ? "lives of up to " + count(static_cast<std::uint64_t>(report.plan.longest_life / 1s)) + " s"
              : "without churn")
      << ", seed " << report.plan.seed << '\n';
  line("requests", count(totals.requests) + ": " + count(totals.local) + " fresh here, " + count(totals.from_peers) +
                       " from peers, " + count(totals.upstream) + " to GitHub, " + count(totals.refused) +
                       " refused (over 30 s to their turn), the rest waited for another");
  line("charged", count(totals.charged) + ", ideal " + count(totals.ideal) + ": " + fixed(report.charged_per_ideal, 3) +
                      " times the ideal; " + count(totals.again) + " for what had been paid for before");
  line("messages a request", fixed(report.messages_per_request, 2));
  line("bytes a member", fixed(report.kilobytes_per_second, 2) + " KB/s, " + fixed(100 * report.membership_share(), 0) +
                             " % of it membership");
  line("latency", "p50 " + fixed(report.p50_ms, 2) + " ms, p99 " + fixed(report.p99_ms, 1) + " ms");
  line("wrong bytes", count(totals.wrong));
}

void print_json(std::ostream& out, const FleetReport& report) {
  const simulate::Totals& totals = report.totals;
  const auto seconds = [](Duration time) { return std::chrono::duration_cast<std::chrono::seconds>(time).count(); };
  const nlohmann::ordered_json json{{"nodes", report.plan.nodes},
                                    {"keys", report.plan.keys},
                                    {"tokens", report.plan.tokens},
                                    {"seed", report.plan.seed},
                                    {"churn", report.plan.churn},
                                    {"longest_life_seconds", seconds(report.plan.longest_life)},
                                    {"seconds", seconds(report.plan.time)},
                                    {"seconds_not_counted", seconds(report.plan.warm_up)},
                                    {"requests", totals.requests},
                                    {"fresh_here", totals.local},
                                    {"from_peers", totals.from_peers},
                                    {"upstream", totals.upstream},
                                    {"refused", totals.refused},
                                    {"charged", totals.charged},
                                    {"charged_again", totals.again},
                                    {"ideal", totals.ideal},
                                    {"charged_per_ideal", report.charged_per_ideal},
                                    {"messages_per_request", report.messages_per_request},
                                    {"messages_by_type", report.messages_by_type},
                                    {"kilobytes_per_second", report.kilobytes_per_second},
                                    {"membership_share", report.membership_share()},
                                    {"p50_ms", report.p50_ms},
                                    {"p99_ms", report.p99_ms},
                                    {"wrong_bytes", totals.wrong}};
  out << json.dump(1) << '\n';
}

}  // namespace

int simulate(const Arguments& arguments, Context& context) {
  const Result<FleetPlan> plan = plan_of(arguments);
  if (!plan) return complain(context, kUsage, "simulate: " + plan.error().message);
  Progress progress(context.err);
  const FleetReport report = simulate::simulate_fleet(*plan, [&](Duration done) { progress.show(*plan, done); });
  progress.clear();
  if (arguments.has("json")) {
    print_json(context.out, report);
  } else {
    print_text(context.out, report);
  }
  if (report.totals.wrong > 0)
    return complain(context, kFailed, "simulate: members answered wrong bytes; this should not happen");
  return kDone;
}

}  // namespace ghmesh::cli
