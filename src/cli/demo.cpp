// SPDX-License-Identifier: Apache-2.0
// demo: the main job on one machine, without the network. Three clients ask the stand-in for GitHub the same questions,
// first directly, then through a node; what GitHub charged and how long it took is measured at the stand-in and here.
#include <unistd.h>

#include <iomanip>
#include <sstream>

#include "command.hpp"
#include "demo_github.hpp"
#include "http/client/pool.hpp"
#include "io/sockets.hpp"
#include "io/task_group.hpp"
#include "private_node.hpp"

namespace ghmesh::cli {

namespace {

constexpr std::size_t kClients = 3;
constexpr unsigned kResources = 100;
// GitHub's API answers a CI runner in some 50 to 150 ms.
constexpr unsigned kLatencyMs = 50;
constexpr unsigned kMaxLatencyMs = 1000;
constexpr std::size_t kMaxBody = 16u << 20;

// The second story: a matrix of jobs that start at the same instant, each with a token of its own.
constexpr std::size_t kJobs = 200;
constexpr std::size_t kQuestions = 20;
constexpr unsigned kJobLatencyMs = 10;
// Charges beyond one per question: checks of the formula by which GitHub proves answers, before it is relied on.
constexpr std::size_t kMostLearning = 5;

struct Round {
  std::size_t done = 0;
  std::size_t failed = 0;
  std::size_t different = 0;  // from what was expected
  Duration time{0};
  Spent spent;
  std::vector<std::vector<std::string>> bodies;  // by client, by resource; empty where something is expected
};

class Progress {
 public:
  Progress(std::ostream& out, std::string_view name, std::size_t total)
      : out_(out), name_(name), total_(total), live_(::isatty(STDERR_FILENO) == 1) {}
  void show(std::size_t done) {
    if (live_ && (done % (total_ / 60 + 1) == 0 || done == total_))
      out_ << '\r' << name_ << ' ' << done << '/' << total_ << std::flush;
  }
  ~Progress() {
    if (live_) out_ << "\r\x1b[K" << std::flush;
  }

 private:
  std::ostream& out_;
  std::string name_;
  const std::size_t total_;
  const bool live_;
};

struct Plan {
  io::Endpoint at;
  std::vector<std::string> tokens;  // one per client
  std::vector<std::string> paths;
  bool staggered = true;              // each client begins at another question
  std::vector<std::string> expected;  // bodies by resource, to compare with instead of keeping all
};

// One client: its questions one after the other.
io::Task<> ask_all(io::Network& network, const Plan& plan, std::size_t client, Round& round, Progress& progress) {
  http::client::Pool pool(network.loop(), {"api.github.com", false, [&] { return network.dial(plan.at); }});
  const http::Fields fields{{"Authorization", "token " + plan.tokens[client]},
                            {"Accept", "application/vnd.github+json"},
                            {"User-Agent", "ghmesh-demo"}};
  const std::size_t count = plan.paths.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = (i + (plan.staggered ? client * count / plan.tokens.size() : 0)) % count;
    auto reply = co_await pool.send({.method = "GET", .target = plan.paths[at], .fields = fields.view()});
    Result<std::string> body = reply && (*reply)->status() == 200 ? co_await (*reply)->read_all(kMaxBody)
                                                                  : Result<std::string>(fail(ErrorCode::Io, "no 200"));
    if (!body) {
      ++round.failed;
    } else if (plan.expected.empty()) {
      round.bodies[client][at] = std::move(*body);
    } else {
      round.different += *body == plan.expected[at] ? 0 : 1;
    }
    progress.show(++round.done);
  }
}

Round play(const Plan& plan, DemoGithub& github, std::ostream& err, std::string_view name) {
  io::EpollLoop loop;
  io::WorkPool pool(1, "resolve");
  io::SocketNetwork network(loop, pool);
  Round round;
  const std::size_t count = plan.tokens.size();
  if (plan.expected.empty()) round.bodies.assign(count, std::vector<std::string>(plan.paths.size()));
  Progress progress(err, name, count * plan.paths.size());
  github.take_spent();
  const TimePoint began = loop.now();
  {
    io::TaskGroup clients(loop);
    for (std::size_t i = 0; i < count; ++i) clients.spawn(ask_all(network, plan, i, round, progress));
    loop.run_until([&] { return clients.size() == 0; }, std::chrono::minutes(5));
  }
  round.time = loop.now() - began;
  round.spent = github.take_spent();
  return round;
}

std::string seconds(Duration time) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(2) << std::chrono::duration<double>(time).count() << " s";
  return out.str();
}

void print_row(std::ostream& out, std::string_view name, const std::string& a, const std::string& b,
               const std::string& c) {
  out << "  " << std::left << std::setw(28) << name << std::right << std::setw(12) << a << std::setw(16) << b
      << std::setw(18) << c << '\n';
}

void print_table(std::ostream& out, const Round& direct, const Round& first, const Round& second) {
  const auto row = [&](std::string_view name, const std::function<std::string(const Round&)>& read) {
    print_row(out, name, read(direct), read(first), read(second));
  };
  out << '\n';
  print_row(out, "", "directly", "through ghmesh", "and once more");
  row("requests of the clients", [](const Round& r) { return std::to_string(r.done); });
  row("requests GitHub saw", [](const Round& r) { return std::to_string(r.spent.requests); });
  row("  charged", [](const Round& r) { return std::to_string(r.spent.charged); });
  row("  free 304s", [](const Round& r) { return std::to_string(r.spent.free_304s); });
  row("  refused for want of quota", [](const Round& r) { return std::to_string(r.spent.refused); });
  row("clients' errors", [](const Round& r) { return std::to_string(r.failed); });
  row("time", [](const Round& r) { return seconds(r.time); });
}

// gh through the node's socket, if it is installed: byte by byte what a direct question gave.
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

std::string fresh_token() { return "gho_demo" + std::to_string(::getpid()); }

Result<PrivateNode> start_node(const Context& context, const std::string& directory, const io::Endpoint& upstream) {
  PrivateNodeOptions options{.program = context.program,
                             .directory = directory,
                             .settings = {"--cache-dir", directory + "/cache", "--log-level", "warn", "--upstream",
                                          "http://" + io::to_string(upstream)},
                             .environment = {{"HOME", directory}, {"PATH", "/usr/bin:/bin"}},
                             .mask = {}};
  ::sigemptyset(&options.mask);
  return PrivateNode::start(options);
}

// 200 jobs, 20 questions, a budget of 1,000 that they share: directly most are refused, through a node none.
int play_jobs(Context& context, DemoGithub& github) {
  Result<TemporaryDirectory> directory = TemporaryDirectory::make({"/tmp"});
  if (!directory) return complain(context, kFailed, "demo: " + directory.error().message);
  Result<PrivateNode> node = start_node(context, directory->path(), github.endpoint());
  if (!node) return complain(context, kFailed, "demo: " + node.error().message);
  github.set_latency(std::chrono::milliseconds(kJobLatencyMs));
  Plan plan{github.endpoint(), {fresh_token()}, github.job_paths(kQuestions), false, {}};
  plan.expected = std::move(play(plan, github, context.err, "questions").bodies[0]);
  plan.tokens.clear();
  for (std::size_t i = 0; i < kJobs; ++i)
    plan.tokens.push_back("ghs_demo" + std::to_string(::getpid()) + "x" + std::to_string(i));

  context.out << '\n'
              << kJobs << " jobs of one repository start at the same instant, a token each, and ask the same "
              << plan.paths.size() << " questions; their budget is 1,000." << std::endl;
  const Round direct = play(plan, github, context.err, "directly");
  plan.at = *node->ready().listen;
  const Round first = play(plan, github, context.err, "through ghmesh");
  const Round second = play(plan, github, context.err, "once more");
  node->stop();

  print_table(context.out, direct, first, second);
  const bool equal = first.different + second.different == 0;
  context.out << "\n  every answer byte for byte the direct one: " << (equal ? "yes" : "NO") << '\n';
  if (!equal || first.failed + second.failed > 0)
    return complain(context, kFailed, "demo: jobs got wrong answers or none; this should not happen");
  if (first.spent.charged > plan.paths.size() + kMostLearning || second.spent.charged > kMostLearning)
    return complain(context, kFailed,
                    "demo: the jobs were charged more than once per question; this should not happen");
  return kDone;
}

}  // namespace

int demo(const Arguments& arguments, Context& context) {
  const std::optional<unsigned> latency = number(arguments, "latency", kLatencyMs, 0, kMaxLatencyMs);
  const std::optional<unsigned> resources = number(arguments, "resources", kResources, 1, kResources);
  if (!latency) return complain(context, kUsage, "demo: --latency: not a number from 0 to 1000");
  if (!resources) return complain(context, kUsage, "demo: --resources: not a number from 1 to 100");
  Result<TemporaryDirectory> directory = TemporaryDirectory::make({"/tmp"});
  if (!directory) return complain(context, kFailed, "demo: " + directory.error().message);
  const std::string token = fresh_token();
  Result<std::unique_ptr<DemoGithub>> github = DemoGithub::start(std::chrono::milliseconds(*latency), token);
  if (!github) return complain(context, kFailed, "demo: the stand-in for GitHub: " + github.error().message);
  Plan plan{(*github)->endpoint(), std::vector(kClients, token), (*github)->paths(*resources), true, {}};
  const std::string first_path = plan.paths.front();
  Result<PrivateNode> node = start_node(context, directory->path(), plan.at);
  if (!node) return complain(context, kFailed, "demo: " + node.error().message);

  context.out << kClients << " clients ask for the same " << plan.paths.size()
              << " resources of a stand-in for GitHub, " << *latency << " ms away." << std::endl;
  const Round direct = play(plan, **github, context.err, "directly");
  plan.at = *node->ready().listen;
  const Round first = play(plan, **github, context.err, "through ghmesh");
  const Round second = play(plan, **github, context.err, "once more");
  const auto gh = ask_with_gh(context, *node, directory->path(), token, first_path, direct.bodies[0][0]);
  node->stop();

  print_table(context.out, direct, first, second);
  const bool equal = first.bodies == direct.bodies && second.bodies == direct.bodies;
  const bool complete = direct.failed + first.failed + second.failed == 0;
  context.out << "\n  every answer byte for byte the direct one: " << (equal && complete ? "yes" : "NO") << '\n';
  if (gh) context.out << "  and gh's, through the unix socket: " << (*gh ? "yes" : "NO") << '\n';
  if (!equal || !complete || gh == false)
    return complain(context, kFailed, "demo: answers differed or failed; this should not happen");
  const double saved = 100.0 * (1.0 - static_cast<double>(first.spent.charged + second.spent.charged) /
                                          static_cast<double>(2 * std::max<std::uint64_t>(1, direct.spent.charged)));
  context.out << "  of the quota that two rounds cost directly, saved: " << std::fixed << std::setprecision(0) << saved
              << " %\n";
  return play_jobs(context, **github);
}

}  // namespace ghmesh::cli
