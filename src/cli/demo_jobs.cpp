// SPDX-License-Identifier: Apache-2.0
#include "demo_jobs.hpp"

#include <unistd.h>

#include <iomanip>
#include <sstream>

#include "demo_play.hpp"
#include "private_node.hpp"

namespace ghmesh::cli {

namespace {

constexpr std::size_t kJobs = 200;
constexpr std::size_t kQuestions = 20;
constexpr Duration kLatency = std::chrono::milliseconds(10);
constexpr Duration kRoundLimit = std::chrono::minutes(5);
// As in the first story.
constexpr std::uint64_t kMostLearning = 5;

void print_table(std::ostream& out, const Round& direct, const Round& first, const Round& second) {
  const auto row = [&](std::string_view name, const std::function<std::uint64_t(const Round&)>& read) {
    out << "  " << std::left << std::setw(28) << name << std::right << std::setw(12) << read(direct) << std::setw(16)
        << read(first) << std::setw(18) << read(second) << '\n';
  };
  out << "\n  " << std::left << std::setw(28) << "" << std::right << std::setw(12) << "directly" << std::setw(16)
      << "through ghmesh" << std::setw(18) << "and once more" << '\n';
  row("requests of the clients", [](const Round& r) { return r.asked; });
  row("  charged", [](const Round& r) { return r.spent.charged; });
  row("  refused for want of quota", [](const Round& r) { return r.spent.refused; });
  row("clients' errors", [](const Round& r) { return r.failed; });
}

Result<PrivateNode> start_node(const Context& context, const std::string& directory, const io::Endpoint& upstream) {
  PrivateNodeOptions options{.program = context.program,
                             .directory = directory,
                             .settings = {"--cache-dir", directory + "/cache", "--log-level", "warn", "--p2p", "off",
                                          "--upstream", "http://" + io::to_string(upstream)},
                             .environment = {{"HOME", directory}, {"PATH", "/usr/bin:/bin"}},
                             .mask = {}};
  ::sigemptyset(&options.mask);
  return PrivateNode::start(options);
}

}  // namespace

int tell_jobs(Context& context, DemoGithub& github) {
  Result<TemporaryDirectory> directory = TemporaryDirectory::make({"/tmp"});
  if (!directory) return complain(context, kFailed, "demo: " + directory.error().message);
  Result<PrivateNode> node = start_node(context, directory->path(), github.endpoint());
  if (!node) return complain(context, kFailed, "demo: " + node.error().message);
  github.set_latency(kLatency);
  Play play(github, kRoundLimit);
  Plan plan{.at = {}, .tokens = {}, .paths = github.job_paths(kQuestions), .expected = {}, .staggered = false};
  const auto jobs_ask = [&](const io::Endpoint& at, std::size_t jobs) {
    plan.at.assign(jobs, at);
    plan.tokens.clear();
    for (std::size_t i = 0; i < jobs; ++i)
      plan.tokens.push_back("ghs_demo" + std::to_string(::getpid()) + "x" + std::to_string(i));
    return play.run(plan);
  };
  plan.expected = jobs_ask(github.endpoint(), 1).bodies;

  context.out << '\n'
              << kJobs << " jobs of one repository start at the same instant, a token each, and ask the same "
              << plan.paths.size() << " questions; their budget is 1,000." << std::endl;
  const Round direct = jobs_ask(github.endpoint(), kJobs);
  const Round first = jobs_ask(*node->ready().listen, kJobs);
  const Round second = jobs_ask(*node->ready().listen, kJobs);
  node->stop();

  print_table(context.out, direct, first, second);
  const bool equal = first.different + second.different == 0;
  context.out << "\n  every answer byte for byte GitHub's own: " << (equal ? "yes" : "NO") << '\n';
  if (!equal || first.failed + second.failed > 0)
    return complain(context, kFailed, "demo: jobs got wrong answers or none; this should not happen");
  if (first.spent.charged > plan.paths.size() + kMostLearning || second.spent.charged > kMostLearning)
    return complain(context, kFailed,
                    "demo: the jobs were charged more than once per question; this should not happen");
  return kDone;
}

}  // namespace ghmesh::cli
