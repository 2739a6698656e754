// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

// Child processes of a command. Main thread only, before any other thread is started.

namespace ghmesh::cli {

struct Launch {
  std::vector<std::string> words;  // words[0] is looked up in PATH unless it has a slash
  std::map<std::string, std::string, std::less<>> environment;
  sigset_t mask{};          // what the child starts with
  bool background = false;  // a process group of its own, and SIGTERM should this process die
  bool quiet = false;       // standard input and output are /dev/null
  bool detached = false;    // a session of its own, no descriptor of ours but those named here; outlives us
  std::string log;          // standard output and error are appended to this file (0600)
  // Listening sockets for the child, as sd_listen_fds(3) hands them over, and their names.
  std::vector<std::pair<int, std::string>> sockets;
};

// Of a child that is destroyed unfinished nothing is left: SIGKILL, then reaped.
class Process {
 public:
  // NotFound or Refused if words[0] cannot be run.
  static Result<Process> start(const Launch& launch);
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  // Lets it live on by itself; a detached one.
  pid_t release() { return std::exchange(pid_, -1); }
  void signal(int number) const;
  // The exit status as a shell says it (128 + signal), once it has ended.
  std::optional<int> poll();
  // Waits that long at most.
  std::optional<int> wait_for(Duration limit);

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_;
  std::optional<int> status_;
};

// Blocks the signals that a command forwards to its child, and SIGCHLD, for as long as it lives.
class ForwardedSignals {
 public:
  ForwardedSignals();
  ~ForwardedSignals();
  ForwardedSignals(const ForwardedSignals&) = delete;
  ForwardedSignals& operator=(const ForwardedSignals&) = delete;

  const sigset_t& original_mask() const { return original_; }
  // Forwards what arrives until the child has ended; returns its status. What the terminal sent to the whole group is
  // not sent twice.
  int run(Process& child);

 private:
  sigset_t blocked_{};
  sigset_t original_{};
};

// A directory of mode 0700 under XDG_RUNTIME_DIR, TMPDIR or the system's, removed with all it holds.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> make(const std::vector<std::string>& candidates);
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace ghmesh::cli
