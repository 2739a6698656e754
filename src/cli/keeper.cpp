// SPDX-License-Identifier: Apache-2.0
// keep: the process between a job and its node. `init` starts it in a session of its own with the listening sockets
// open; it starts the node with the same sockets and replaces it when it dies. Since the sockets stay open meanwhile,
// who connects then waits some milliseconds for the next node instead of being refused: HTTPS_PROXY never names a dead
// port. The keeper itself is small, parses nothing from outside and allocates next to nothing, so that there is little
// it could die of.
//
//   init ──► keeper ──► node (serve)          sockets: listen, admin, socket
//              │  watches: the node, the job's process, whether anybody asks
//
// It ends with SIGTERM (stop), with the job's process, after --idle-limit without a request, or when the node cannot
// be had at all. A job that ends without `stop` leaves nothing either: the session's directory goes with it.
#include "keeper.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "command.hpp"
#include "io/inherited.hpp"
#include "node/config/ready_file.hpp"
#include "node_client.hpp"
#include "process.hpp"
#include "session.hpp"
#include "shelter.hpp"

namespace ghmesh::cli {

namespace {

// How often the job's process is looked at.
constexpr Duration kTick = std::chrono::seconds(1);
// A node that lived shorter than this died of its start.
constexpr Duration kYoung = std::chrono::seconds(5);
// After so many young deaths in a row the node is started plain: in memory, without peers. What it died of may be in
// its cache or come from outside.
constexpr int kBeforePlain = 3;
// After so many in a row there is no node to be had, and waiting would only hold the clients up.
constexpr int kBeforeEnd = 8;
constexpr Duration kLongestPause = std::chrono::seconds(1);
// A log that a job's step can still be shown.
constexpr std::int64_t kMaxLog = 16 << 20;

constexpr int kWatched[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

std::uint64_t number_of(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

class Keeper {
 public:
  Keeper(const Arguments& arguments, Context& context, std::vector<io::InheritedSocket> sockets)
      : context_(context),
        directory_(arguments.get("state-dir").value_or("")),
        job_{static_cast<pid_t>(number_of(arguments.get("job-pid"))), number_of(arguments.get("job-start"))},
        idle_limit_(std::chrono::seconds(number_of(arguments.get("idle-limit")))),
        settings_(arguments.operands),
        sockets_(std::move(sockets)),
        logger_(log::Logger::to_stderr(log::Level::Info, log::Format::Text)) {
    ::sigemptyset(&watched_);
    for (const int number : kWatched) ::sigaddset(&watched_, number);
    ::sigprocmask(SIG_BLOCK, &watched_, &original_);
    last_asked_ = last_look_ = clock_.now();
  }

  int run() {
    if (const Result<> first = start_node(); !first) return complain(context_, kFailed, first.error().message);
    while (true) {
      timespec tick{std::chrono::duration_cast<std::chrono::seconds>(kTick).count(), 0};
      siginfo_t info{};
      const int number = ::sigtimedwait(&watched_, &info, &tick);
      if (number == SIGTERM || number == SIGINT) return end("told to", false);
      if (node_->poll()) {
        if (const auto status = replace_node()) return *status;
      }
      if (job_.pid > 0 && !job_.alive()) return end("the job has ended", true);
      if (idle()) return end("nobody has asked for long", true);
      bound_log();
    }
  }

 private:
  Result<> start_node() {
    Launch launch;
    launch.words = {context_.program, "serve"};
    launch.words.insert(launch.words.end(), settings_.begin(), settings_.end());
    // Later flags win.
    if (young_deaths_ >= kBeforePlain) launch.words.insert(launch.words.end(), {"--cache-dir", "none", "--p2p", "off"});
    launch.environment = context_.variables.all();
    launch.mask = original_;
    for (const io::InheritedSocket& one : sockets_) launch.sockets.emplace_back(one.fd, one.name);
    Result<Process> process = Process::start(launch);
    if (!process) return std::unexpected(std::move(process.error()));
    node_.emplace(std::move(*process));
    started_ = clock_.now();
    return {};
  }

  bool was_ready() const {
    const Result<std::string> text = node::config::read_small_file(directory_ + "/ready.json");
    if (!text) return ever_ready_;
    const Result<node::config::Ready> ready = node::config::parse_ready(*text);
    return ever_ready_ || (ready && ready->pid == node_->pid());
  }

  // A status: the end of the keeper.
  std::optional<int> replace_node() {
    const int status = *node_->poll();
    // Nobody has seen it yet: `init` waits, and says what the node said.
    ever_ready_ = was_ready();
    if (!ever_ready_) return kFailed;
    // Told by somebody else, it has ended in order.
    if (status == 0) return end("the node was told to stop", true);
    young_deaths_ = clock_.now() - started_ < kYoung ? young_deaths_ + 1 : 0;
    logger_.warn("the node died and is replaced", {{"status", status}, {"deaths_in_a_row", young_deaths_}});
    if (young_deaths_ >= kBeforeEnd) return end("the node dies at every start", false);
    if (young_deaths_ > 1) {
      const Duration pause = std::min<Duration>(std::chrono::milliseconds(50) * (1 << young_deaths_), kLongestPause);
      const timespec time{pause == kLongestPause ? 1 : 0,
                          pause == kLongestPause ? 0 : static_cast<long>(std::chrono::nanoseconds(pause).count())};
      // A stop that comes meanwhile stays pending until the next look.
      ::nanosleep(&time, nullptr);
    }
    if (const Result<> again = start_node(); !again) {
      logger_.error("the node cannot be started", {{"why", again.error().message}});
      return kFailed;
    }
    return std::nullopt;
  }

  bool idle() {
    if (idle_limit_ <= Duration::zero()) return false;
    const Duration between = std::clamp<Duration>(idle_limit_ / 4, std::chrono::seconds(1), std::chrono::minutes(1));
    if (clock_.now() - last_look_ < between) return false;
    last_look_ = clock_.now();
    const std::uint64_t requests = requests_so_far();
    if (requests != requests_) last_asked_ = clock_.now();
    requests_ = requests;
    return clock_.now() - last_asked_ >= idle_limit_;
  }

  // Of this node; another figure than last time, also after a replacement, is a sign of life.
  std::uint64_t requests_so_far() const {
    const auto admin =
        std::find_if(sockets_.begin(), sockets_.end(), [](const auto& one) { return one.name == "admin"; });
    if (admin == sockets_.end() || !admin->endpoint) return requests_;
    const Result<WholeReply> reply =
        ask(*admin->endpoint, {.target = "/api/stats", .fields = {}, .body = {}, .patience = std::chrono::seconds(2)});
    if (!reply || reply->status != 200) return requests_;
    const auto json = nlohmann::json::parse(reply->body, nullptr, false);
    if (!json.is_object() || !json.contains("requests") || !json["requests"].is_number_unsigned()) return requests_;
    return json["requests"].get<std::uint64_t>();
  }

  void bound_log() const {
    struct stat info{};
    if (::fstat(STDERR_FILENO, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > kMaxLog)
      static_cast<void>(!::ftruncate(STDERR_FILENO, 0));
  }

  // clean: nobody else will remove the session's directory.
  int end(std::string_view why, bool clean) {
    logger_.info("the keeper ends", {{"why", why}});
    if (node_ && !node_->poll()) {
      node_->signal(SIGTERM);
      if (!node_->wait_for(kNodeStop)) {
        node_->signal(SIGKILL);
        node_->wait_for(std::chrono::seconds(5));
      }
    }
    std::error_code ignored;
    if (clean && !directory_.empty()) std::filesystem::remove_all(directory_, ignored);
    return kDone;
  }

  Context& context_;
  SystemClock clock_;
  std::string directory_;
  ProcessId job_;
  Duration idle_limit_;
  std::vector<std::string> settings_;
  std::vector<io::InheritedSocket> sockets_;
  log::Logger logger_;
  sigset_t watched_{}, original_{};
  std::optional<Process> node_;
  TimePoint started_{}, last_asked_{}, last_look_{};
  int young_deaths_ = 0;
  bool ever_ready_ = false;
  std::uint64_t requests_ = 0;
};

}  // namespace

int keep(const Arguments& arguments, Context& context) {
  shelter_process(context.variables);
  const auto& variables = context.variables;
  Result<std::vector<io::InheritedSocket>> sockets = io::take_inherited(
      ::getpid(), variables.get("LISTEN_PID"), variables.get("LISTEN_FDS"), variables.get("LISTEN_FDNAMES"));
  if (!sockets) return complain(context, kUsage, "keep: " + sockets.error().message);
  if (sockets->empty()) return complain(context, kUsage, "keep: no sockets were handed over; `ghmesh init` does that");
  return Keeper(arguments, context, std::move(*sockets)).run();
}

}  // namespace ghmesh::cli
