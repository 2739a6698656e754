// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "node/config/config.hpp"

namespace ghmesh::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr Duration kLockPatience = std::chrono::seconds(30);
// Runner.Worker is two or three processes above a step; an action's node adds one.
constexpr int kMaxAncestors = 32;

struct Stat {
  std::string name;
  char state = 0;
  pid_t parent = 0;
  long threads = 0;
  std::uint64_t start = 0;
};

// /proc/PID/stat: "pid (name) state ppid …"; the name may hold anything, so the last parenthesis ends it.
std::optional<Stat> stat_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text, '\0')) return std::nullopt;
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return std::nullopt;
  Stat out;
  out.name = text.substr(open + 1, close - open - 1);
  std::istringstream fields(text.substr(close + 1));
  fields >> out.state >> out.parent;
  std::string skipped;
  for (int field = 5; field < 20; ++field) fields >> skipped;
  fields >> out.threads >> skipped >> out.start;
  if (!fields) return std::nullopt;
  return out;
}

void nap(Duration duration) {
  const timespec time{0, static_cast<long>(std::chrono::nanoseconds(duration).count())};
  ::nanosleep(&time, nullptr);
}

bool wait_gone(const ProcessId& process, Duration patience) {
  const SystemClock clock;
  const TimePoint until = clock.now() + patience;
  while (process.alive()) {
    if (clock.now() >= until) return false;
    nap(std::chrono::milliseconds(5));
  }
  return true;
}

Json to_json(const ProcessId& process) { return {{"pid", process.pid}, {"start", process.start}}; }

ProcessId process_of(const Json& json) { return {json.at("pid").get<pid_t>(), json.at("start").get<std::uint64_t>()}; }

io::Endpoint endpoint_of(const Json& json) {
  const auto endpoint = io::Endpoint::parse(json.get<std::string>());
  return endpoint.value_or(io::Endpoint{});
}

bool same_file(int fd, const std::string& path) {
  struct stat held{}, named{};
  return ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
         held.st_dev == named.st_dev;
}

}  // namespace

std::optional<ProcessId> ProcessId::of(pid_t pid) {
  const auto stat = stat_of(pid);
  if (!stat) return std::nullopt;
  return ProcessId{pid, stat->start};
}

bool ProcessId::alive() const {
  if (pid <= 0) return false;
  const auto stat = stat_of(pid);
  if (!stat || stat->start != start || stat->state == 'X') return false;
  // The first thread of a killed process may be gone before the others, which still hold its sockets.
  return stat->state != 'Z' || stat->threads > 1;
}

void end_process(const ProcessId& process, Duration patience) {
  if (!process.alive()) return;
  ::kill(process.pid, SIGTERM);
  if (wait_gone(process, patience)) return;
  ::kill(process.pid, SIGKILL);
  wait_gone(process, std::chrono::seconds(5));
}

std::optional<ProcessId> job_process(pid_t self) {
  pid_t pid = self;
  for (int i = 0; i < kMaxAncestors && pid > 1; ++i) {
    const auto stat = stat_of(pid);
    if (!stat) return std::nullopt;
    if (stat->name == "Runner.Worker") return ProcessId{pid, stat->start};
    pid = stat->parent;
  }
  return std::nullopt;
}

std::string format_session(const Session& session) {
  Json variables = Json::object();
  for (const auto& [name, set] : session.variables)
    variables[name] = {{"value", set.value}, {"before", set.before ? Json(*set.before) : Json(nullptr)}};
  const Json out{{"keeper", to_json(session.keeper)},     {"node", to_json(session.node)},
                 {"settings", session.settings},          {"listen", io::to_string(session.listen)},
                 {"admin", io::to_string(session.admin)}, {"socket", session.socket},
                 {"variables", std::move(variables)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Session> parse_session(std::string_view text) {
  // Our own file in a directory of mode 0700: a wrong type is damage, and damage is one kind of error.
  try {
    const Json json = Json::parse(text);
    Session out;
    out.keeper = process_of(json.at("keeper"));
    out.node = process_of(json.at("node"));
    out.settings = json.at("settings").get<std::vector<std::string>>();
    out.listen = endpoint_of(json.at("listen"));
    out.admin = endpoint_of(json.at("admin"));
    out.socket = json.at("socket").get<std::string>();
    for (const auto& [name, set] : json.at("variables").items()) {
      SetVariable one{set.at("value").get<std::string>(), std::nullopt};
      if (!set.at("before").is_null()) one.before = set.at("before").get<std::string>();
      out.variables.emplace(name, std::move(one));
    }
    return out;
  } catch (const Json::exception&) {
    return fail(ErrorCode::Malformed, "session.json is damaged");
  }
}

Result<std::string> state_directory(const std::optional<std::string>& given, const node::config::Variables& variables) {
  if (given) return *given;
  if (const auto named = variables.get("GHMESH_STATE_DIR")) return std::string(*named);
  if (const auto temporary = variables.get("RUNNER_TEMP")) return std::string(*temporary) + "/ghmesh";
  if (const auto runtime = node::config::xdg_runtime_dir(variables)) return *runtime + "/ghmesh";
  if (const auto cache = node::config::xdg_cache_home(variables)) return *cache + "/ghmesh/session";
  return fail(ErrorCode::NotFound, "no place for the session: set --state-dir, RUNNER_TEMP, XDG_RUNTIME_DIR or HOME");
}

Result<StateDirectory> StateDirectory::open(const std::string& path, bool make) {
  const SystemClock clock;
  const TimePoint until = clock.now() + kLockPatience;
  while (true) {
    std::error_code error;
    if (make) std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (make && ::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno(errno, "making " + path);
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return fail_errno(errno, path);
    struct stat info{};
    if (::fstat(fd, &info) != 0 || info.st_uid != ::geteuid()) {
      ::close(fd);
      return fail(ErrorCode::Refused, path + " belongs to somebody else; give --state-dir DIR");
    }
    ::fchmod(fd, 0700);
    while (::flock(fd, LOCK_EX | LOCK_NB) != 0 && clock.now() < until) nap(std::chrono::milliseconds(5));
    // Who held it before us may have removed it.
    if (same_file(fd, path)) {
      if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return StateDirectory(path, fd);
      ::close(fd);
      return fail(ErrorCode::Conflict, path + " is locked by another ghmesh for 30 s");
    }
    ::close(fd);
    if (!make) return fail(ErrorCode::NotFound, path + ": gone meanwhile");
  }
}

StateDirectory::StateDirectory(StateDirectory&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

StateDirectory::~StateDirectory() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<Session> StateDirectory::session() const {
  const Result<std::string> text = node::config::read_small_file(file("session.json"));
  if (!text) return std::nullopt;
  Result<Session> session = parse_session(*text);
  if (!session) return std::nullopt;
  return std::move(*session);
}

Result<> StateDirectory::write(const Session& session) const {
  const std::string text = format_session(session);
  const std::string beside = file("session.json.new");
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return fail_errno(errno, beside);
  const ssize_t n = ::write(fd, text.data(), text.size());
  ::close(fd);
  if (n != static_cast<ssize_t>(text.size())) return fail(ErrorCode::Io, "writing " + beside + ": the disk is full?");
  if (std::rename(beside.c_str(), file("session.json").c_str()) != 0) return fail_errno(errno, "renaming " + beside);
  return {};
}

void StateDirectory::remove() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace ghmesh::cli
