// SPDX-License-Identifier: Apache-2.0
// demo: the main job on one machine, without the network. A fleet of node processes and its clients ask the stand-in
// for GitHub the same questions: directly, through ghmesh, all at one instant, with a token each, and with a runner
// dying in the middle. What GitHub charged is counted at the stand-in; every answer is compared with GitHub's own.
#include <unistd.h>

#include <charconv>
#include <iomanip>
#include <set>
#include <sstream>

#include "command.hpp"
#include "demo_fleet.hpp"
#include "demo_github.hpp"
#include "demo_jobs.hpp"
#include "demo_live.hpp"
#include "demo_play.hpp"
#include "github/pagination.hpp"
#include "github/resource.hpp"
#include "github/scanner.hpp"

namespace ghmesh::cli {

namespace {

constexpr unsigned kNodes = 5;
constexpr unsigned kMostNodes = 50;
constexpr unsigned kKeys = 100;
// GitHub's API answers a CI runner in some 50 to 150 ms.
constexpr unsigned kLatencyMs = 50;
constexpr unsigned kMaxLatencyMs = 1000;
constexpr Duration kRoundLimit = std::chrono::minutes(5);
// Rounds that need questions nobody asked before: the first two share theirs.
constexpr std::size_t kSets = 4;

struct Row {
  std::string name;
  Round round;
  std::uint64_t most_charges = 0;  // beside canaries; more is a failure
  std::uint64_t canaries = 0;
};

struct Questions {
  std::vector<std::string> paths;
  std::vector<std::string> bodies;  // what GitHub itself says
};

std::string seconds(Duration time) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(2) << std::chrono::duration<double>(time).count() << " s";
  return out.str();
}

void print_table(std::ostream& out, const std::vector<Row>& rows) {
  const auto line = [&](std::string_view name, const std::vector<std::string>& cells) {
    out << "  " << std::left << std::setw(44) << name << std::right;
    for (const std::string& cell : cells) out << std::setw(12) << cell;
    out << '\n';
  };
  out << '\n';
  line("", {"requests", "charged", "canaries", "free 304s", "from peers", "wrong bytes", "time"});
  for (const Row& row : rows) {
    const Round& r = row.round;
    line(row.name, {std::to_string(r.asked), std::to_string(r.spent.charged), std::to_string(row.canaries),
                    std::to_string(r.spent.free_304s), std::to_string(r.from_peers), std::to_string(r.different),
                    seconds(r.time)});
  }
  out << "  canaries, of those charged: one in 256 of the peers' bytes gives way to a random tag, to see that GitHub "
         "still\n"
         "  tells tags apart\n"
      << std::endl;
}

// gh through a node's socket, if it is installed: byte by byte what a direct question gave.
std::optional<bool> ask_with_gh(const Context& context, const PrivateNode& node, const std::string& directory,
                                const std::string& token, const std::string& path, const std::string& wanted) {
  const std::string out = directory + "/gh.out";
  Launch launch;
  launch.words = {
      "sh",
      "-c",
      "command -v gh >/dev/null || exit 125; gh config set http_unix_socket \"$1\" && gh api \"$2\" >\"$3\"",
      "demo",
      node.ready().socket.value_or(""),
      path,
      out};
  launch.environment = context.variables.all();
  launch.environment["GH_CONFIG_DIR"] = directory + "/gh";
  launch.environment["GH_TOKEN"] = token;
  launch.environment.erase("GH_HOST");
  ::sigemptyset(&launch.mask);
  launch.quiet = true;
  Result<Process> gh = Process::start(launch);
  if (!gh) return std::nullopt;
  const std::optional<int> status = gh->wait_for(std::chrono::seconds(20));
  if (status == 125) return std::nullopt;
  return status == 0 && node::config::read_small_file(out).value_or("") == wanted;
}

std::optional<unsigned> number(const Arguments& arguments, std::string_view flag, unsigned fallback, unsigned min,
                               unsigned max) {
  const std::string text = arguments.get(flag).value_or(std::to_string(fallback));
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max) return std::nullopt;
  return value;
}

// Disjoint sets of questions with answers of their own that may leave a node: one with a credential inside may not,
// equal bodies would prove each other and cost less than one charge each, and so would empty lists. A list that goes by
// cursors may not either: no 304 can say whether it has got a next page, so every renewal is a charge.
std::vector<Questions> gather_questions(DemoGithub& github, const std::string& token, std::size_t keys) {
  Plan plan{.at = {github.endpoint()}, .tokens = {token}, .paths = github.paths(), .expected = {}};
  const Round direct = Play(github, kRoundLimit).run(plan);
  std::vector<Questions> sets(1);
  std::set<std::string> seen{"", "[]"};
  for (std::size_t i = 0; i < plan.paths.size() && sets.size() <= kSets; ++i) {
    if (github::scan_body(as_bytes(direct.bodies[i])) != github::Finding::Clean) continue;
    // Behind a full page a node looks whether there is a next one, which may cost a charge of its own.
    const std::string_view path = plan.paths[i];
    const std::size_t question = path.find('?');
    const std::string_view query = question == path.npos ? std::string_view() : path.substr(question + 1);
    const auto shape = github::json_shape(as_bytes(direct.bodies[i]));
    if (!shape || github::need_next_page_probe(github::classify("GET", path.substr(0, question)), query,
                                               shape->array_length, false))
      continue;
    if (!seen.insert(direct.bodies[i]).second) continue;
    sets.back().paths.push_back(plan.paths[i]);
    sets.back().bodies.push_back(direct.bodies[i]);
    if (sets.back().paths.size() == keys) sets.emplace_back();
  }
  sets.resize(kSets);
  return sets;
}

struct Story {
  Context& context;
  DemoGithub& github;
  LiveView& live;
  DemoFleet& fleet;
  std::vector<std::string> tokens;  // one per runner
  std::vector<Row> rows;

  Plan plan_for(const Questions& questions, std::vector<io::Endpoint> at, bool own_tokens, bool staggered) const {
    Plan plan{.at = std::move(at),
              .tokens = tokens,
              .paths = questions.paths,
              .expected = questions.bodies,
              .staggered = staggered};
    if (!own_tokens) std::ranges::fill(plan.tokens, tokens[0]);
    return plan;
  }
  void play(std::string name, const Plan& plan, std::uint64_t most_charges, const Play::OnAnswer& on_answer = {}) {
    Row row{std::move(name), {}, most_charges, 0};
    const std::uint64_t before = fleet.canaries();
    row.round = Play(github, kRoundLimit).run(plan, [&](Round& round) {
      live.show(row.name, plan, round, github);
      if (on_answer) on_answer(round);
    });
    live.clear();
    row.canaries = fleet.canaries() - before;
    rows.push_back(std::move(row));
  }
};

void play_all(Story& story, const std::vector<Questions>& sets) {
  DemoFleet& fleet = story.fleet;
  const std::size_t runners = fleet.size();
  const std::size_t keys = sets[0].paths.size();
  std::vector<io::Endpoint> nodes;
  for (std::size_t i = 0; i < runners; ++i) nodes.push_back(*fleet.node(i).ready().listen);
  const std::vector<io::Endpoint> github(runners, story.github.endpoint());
  story.play("without ghmesh", story.plan_for(sets[0], github, false, true), runners * keys);
  story.play("with ghmesh", story.plan_for(sets[0], nodes, false, true), keys);
  story.play("others, all at the same instant", story.plan_for(sets[1], nodes, false, false), keys);
  story.play("others, with a token per runner", story.plan_for(sets[2], nodes, true, false), keys);
  // The last runner and its client go in the middle; what it was fetching may be paid for once more.
  const std::size_t victim = runners - 1;
  bool killed = false;
  story.play("others, one runner killed (-9) in the middle", story.plan_for(sets[3], nodes, false, true), keys + 1,
             [&](Round& round) {
               if (killed || round.asked < runners * keys / 2) return;
               killed = true;
               fleet.kill(victim);
               round.clients[victim].gone = true;
             });
}

std::string complaint(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    if (row.round.failed + row.round.different > 0) return row.name + ": " + row.round.first_error;
    if (row.round.spent.charged > row.most_charges + row.canaries)
      return row.name + ": " + std::to_string(row.round.spent.charged) + " charged, " +
             std::to_string(row.most_charges + row.canaries) + " at most were due";
  }
  return {};
}

int tell_fleet(Context& context, DemoGithub& github, const std::vector<std::string>& tokens, unsigned keys,
               unsigned latency) {
  Result<TemporaryDirectory> directory = TemporaryDirectory::make({"/tmp"});
  if (!directory) return complain(context, kFailed, "demo: " + directory.error().message);
  LiveView live(context.err, ::isatty(STDERR_FILENO) == 1);
  github.set_latency(Duration::zero());
  const std::vector<Questions> sets = gather_questions(github, tokens[0], keys);
  if (sets.back().paths.size() != keys)
    return complain(context, kFailed, "demo: the stand-in has not enough answers; this should not happen");
  github.set_latency(std::chrono::milliseconds(latency));

  context.out << tokens.size() << " runners, each with a node of its own, ask the same " << keys
              << " questions of a stand-in for GitHub, " << latency << " ms away." << std::endl;
  Result<DemoFleet> fleet = DemoFleet::start(
      context, directory->path(), github.endpoint(), tokens.size(), [&](std::size_t joined, std::size_t of) {
        live.say("the nodes find each other through a directory: " + std::to_string(joined) + " of " +
                 std::to_string(of) + " acquaintances");
      });
  live.clear();
  if (!fleet) return complain(context, kFailed, "demo: " + fleet.error().message);
  Story story{context, github, live, *fleet, tokens, {}};
  play_all(story, sets);
  const auto gh =
      ask_with_gh(context, fleet->node(0), directory->path(), tokens[0], sets[0].paths[0], sets[0].bodies[0]);
  fleet->stop();

  print_table(context.out, story.rows);
  const std::string wrong = complaint(story.rows);
  context.out << "  every answer byte for byte GitHub's own: " << (wrong.empty() ? "yes" : "NO") << '\n';
  if (gh) context.out << "  and gh's, through a node's unix socket: " << (*gh ? "yes" : "NO") << '\n';
  if (!wrong.empty()) return complain(context, kFailed, "demo: " + wrong + "; this should not happen");
  if (gh == false) return complain(context, kFailed, "demo: gh got another answer; this should not happen");
  const auto saved = [&](const Row& row) {
    return 100.0 * (1.0 - static_cast<double>(row.round.spent.charged) /
                              static_cast<double>(std::max<std::uint64_t>(1, story.rows[0].round.spent.charged)));
  };
  context.out << "  of the quota, saved: " << std::fixed << std::setprecision(0) << saved(story.rows[1]) << " %\n";
  return kDone;
}

}  // namespace

int demo(const Arguments& arguments, Context& context) {
  const std::optional<unsigned> latency = number(arguments, "latency", kLatencyMs, 0, kMaxLatencyMs);
  const std::optional<unsigned> keys = number(arguments, "keys", kKeys, 1, kKeys);
  const std::optional<unsigned> nodes = number(arguments, "nodes", kNodes, 2, kMostNodes);
  if (!latency) return complain(context, kUsage, "demo: --latency: not a number from 0 to 1000");
  if (!keys) return complain(context, kUsage, "demo: --keys: not a number from 1 to 100");
  if (!nodes) return complain(context, kUsage, "demo: --nodes: not a number from 2 to 50");
  std::vector<std::string> tokens;
  for (unsigned i = 0; i < *nodes; ++i)
    tokens.push_back("gho_demo" + std::to_string(::getpid()) + "x" + std::to_string(i));
  Result<std::unique_ptr<DemoGithub>> github = DemoGithub::start(std::chrono::milliseconds(*latency), tokens);
  if (!github) return complain(context, kFailed, "demo: the stand-in for GitHub: " + github.error().message);
  const int told = tell_fleet(context, **github, tokens, *keys, *latency);
  return told == kDone ? tell_jobs(context, **github) : told;
}

}  // namespace ghmesh::cli
