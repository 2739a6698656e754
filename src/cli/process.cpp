// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <filesystem>

#include "base/check.hpp"
#include "io/inherited.hpp"

namespace ghmesh::cli {

namespace {

constexpr int kForwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

int shell_status(int raw) { return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw); }

timespec to_timespec(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((duration - seconds).count())};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// "LISTEN_PID=" and room for a process id, which only the child knows.
constexpr std::string_view kListenPid = "LISTEN_PID=";
constexpr std::size_t kPidDigits = 12;
// Descriptors are first moved out of the way of their final numbers.
constexpr int kOutOfTheWay = 512;

void write_pid(char* at) {
  char digits[kPidDigits];
  std::size_t count = 0;
  for (auto rest = static_cast<unsigned long>(::getpid()); rest > 0; rest /= 10)
    digits[count++] = static_cast<char>('0' + rest % 10);
  while (count > 0) *at++ = digits[--count];
  *at = '\0';
}

// The sockets as 3, 4, …; report is moved behind them, and nothing else stays open. Returns report's new number.
int arrange_descriptors(const Launch& launch, int report) {
  const int count = static_cast<int>(launch.sockets.size());
  int moved[io::kMaxInherited];
  for (int i = 0; i < count; ++i)
    moved[i] = ::fcntl(launch.sockets[static_cast<std::size_t>(i)].first, F_DUPFD, kOutOfTheWay);
  const int out_of_the_way = ::fcntl(report, F_DUPFD, kOutOfTheWay);
  for (int i = 0; i < count; ++i)
    if (moved[i] < 0 || ::dup2(moved[i], io::kFirstInherited + i) < 0) return -1;
  const int last = io::kFirstInherited + count;
  if (out_of_the_way < 0 || ::dup3(out_of_the_way, last, O_CLOEXEC) < 0) return -1;
  if (launch.detached || count > 0) ::syscall(SYS_close_range, static_cast<unsigned>(last) + 1, ~0u, 0);
  return last;
}

// Standard input, output and error as launch wants them.
bool arrange_standard(const Launch& launch) {
  if (launch.quiet) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || ::dup2(null, STDIN_FILENO) < 0 || ::dup2(null, STDOUT_FILENO) < 0) return false;
  }
  if (launch.log.empty()) return true;
  const int log = ::open(launch.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  return log >= 0 && ::dup2(log, STDOUT_FILENO) >= 0 && ::dup2(log, STDERR_FILENO) >= 0;
}

// Between fork and exec: nothing here allocates or locks. The errno of what failed goes through report.
[[noreturn]] void become(const Launch& launch, const char* file, char* const* words, char* const* environment,
                         pid_t parent, int report) {
  const auto give_up = [&report] {
    const int error = errno;
    static_cast<void>(!::write(report, &error, sizeof error));
    ::_exit(127);
  };
  if (launch.background) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    // The parent may have died before prctl.
    if (::getppid() != parent) ::_exit(127);
  }
  if (launch.detached && ::setsid() < 0) give_up();
  if (!arrange_standard(launch)) give_up();
  if (launch.detached || !launch.sockets.empty()) {
    const int moved = arrange_descriptors(launch, report);
    if (moved < 0) give_up();
    report = moved;
  }
  for (char* const* entry = environment; !launch.sockets.empty() && *entry != nullptr; ++entry)
    if (std::string_view(*entry).starts_with(kListenPid)) write_pid(*entry + kListenPid.size());
  ::signal(SIGPIPE, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &launch.mask, nullptr);
  ::execvpe(file, words, environment);
  give_up();
  ::_exit(127);
}

}  // namespace

Result<Process> Process::start(const Launch& launch) {
  std::vector<std::string> words = launch.words;
  // By this name it would be found by nobody who looks for it.
  if (words[0] == "/proc/self/exe") words[0] = "ghmesh";
  std::vector<std::string> entries;
  for (const auto& [name, value] : launch.environment)
    if (!name.starts_with("LISTEN_")) entries.push_back(name + "=" + value);
  if (!launch.sockets.empty()) {
    GHMESH_CHECK(launch.sockets.size() <= static_cast<std::size_t>(io::kMaxInherited));
    std::string names;
    for (const auto& [fd, name] : launch.sockets) names += (names.empty() ? "" : ":") + name;
    entries.push_back("LISTEN_FDS=" + std::to_string(launch.sockets.size()));
    entries.push_back("LISTEN_FDNAMES=" + names);
    entries.push_back(std::string(kListenPid) + std::string(kPidDigits, '0'));
  }
  const std::vector<char*> word_pointers = pointers(words);
  const std::vector<char*> entry_pointers = pointers(entries);
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) return fail_errno(errno, "making a pipe");
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(launch, launch.words[0].c_str(), word_pointers.data(), entry_pointers.data(), parent, report[1]);
  const int fork_error = errno;
  ::close(report[1]);
  int error = 0;
  // Ends without octets once exec has closed the other end.
  ssize_t n = 0;
  if (pid > 0) {
    do n = ::read(report[0], &error, sizeof error);
    while (n < 0 && errno == EINTR);
  }
  ::close(report[0]);
  if (pid < 0) return fail_errno(fork_error, "starting " + launch.words[0]);
  Process process(pid);
  if (n == static_cast<ssize_t>(sizeof error)) {
    process.wait_for(std::chrono::seconds(10));
    return fail_errno(error, launch.words[0]);
  }
  return process;
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}

Process::~Process() {
  if (pid_ <= 0 || status_) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Process::signal(int number) const {
  if (pid_ > 0 && !status_) ::kill(pid_, number);
}

std::optional<int> Process::poll() {
  int raw = 0;
  if (!status_ && ::waitpid(pid_, &raw, WNOHANG) == pid_) status_ = shell_status(raw);
  return status_;
}

std::optional<int> Process::wait_for(Duration limit) {
  // Signal-based waiting would take the caller's signals; ends of processes are rare enough to look for.
  const SystemClock clock;
  const TimePoint until = clock.now() + limit;
  while (!poll() && clock.now() < until) {
    const timespec nap = to_timespec(std::chrono::milliseconds(2));
    ::nanosleep(&nap, nullptr);
  }
  return status_;
}

ForwardedSignals::ForwardedSignals() {
  ::sigemptyset(&blocked_);
  for (const int number : kForwarded) ::sigaddset(&blocked_, number);
  ::sigaddset(&blocked_, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &blocked_, &original_);
}

ForwardedSignals::~ForwardedSignals() { ::sigprocmask(SIG_SETMASK, &original_, nullptr); }

int ForwardedSignals::run(Process& child) {
  // SIGCHLD of a child that has ended already may have been merged with another's: look first, then wait.
  while (true) {
    if (const auto status = child.poll()) return *status;
    siginfo_t info{};
    const int number = ::sigwaitinfo(&blocked_, &info);
    if (number <= 0 || number == SIGCHLD) continue;
    const bool from_terminal = info.si_code == SI_KERNEL && (number == SIGINT || number == SIGQUIT);
    if (!from_terminal) child.signal(number);
  }
}

Result<TemporaryDirectory> TemporaryDirectory::make(const std::vector<std::string>& candidates) {
  int error = ENOENT;
  for (const std::string& base : candidates) {
    if (!base.starts_with('/')) continue;
    std::string path = base + "/ghmesh-XXXXXX";
    if (::mkdtemp(path.data()) != nullptr) return TemporaryDirectory(std::move(path));
    error = errno;
  }
  return fail_errno(error, "making a temporary directory (TMPDIR)");
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace ghmesh::cli
