// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/endpoint.hpp"
#include "node/config/variables.hpp"

// What `init` leaves for `stop`, and for the next `init`: one directory (mode 0700) of the job, removed at its end.
//
//   session.json   who runs, where it listens, what was set and what was there before
//   ready.json     the node's ready file          gh.sock   its unix socket
//   gh/            gh's configuration, copied     ca/       the certificate and the bundle
//   node.log       what the node and its keeper have said
//
// Values and blocking calls on small files; main thread of a command.

namespace ghmesh::cli {

// A process as itself and not as its number, which may be given to another one later.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start = 0;  // ticks since the machine's start (/proc/PID/stat, field 22)
  static std::optional<ProcessId> of(pid_t pid);
  bool alive() const;  // a zombie is not
};

// SIGTERM, and SIGKILL should it still be there after patience. Returns once it is gone.
void end_process(const ProcessId& process, Duration patience);

// The process that stands for the whole job: GitHub's Runner.Worker among our ancestors. Nothing outside of a runner,
// and inside of a container, which ends with its job.
std::optional<ProcessId> job_process(pid_t self);

struct SetVariable {
  std::string value;
  std::optional<std::string> before;  // nothing: it was not set
};

struct Session {
  ProcessId keeper;
  ProcessId node;  // the last one seen; replaced ones are in ready.json
  std::vector<std::string> settings;
  io::Endpoint listen, admin;
  std::string socket;
  std::map<std::string, SetVariable, std::less<>> variables;
};

std::string format_session(const Session& session);
Result<Session> parse_session(std::string_view text);

// The directory of this job: --state-dir, GHMESH_STATE_DIR, $RUNNER_TEMP/ghmesh, $XDG_RUNTIME_DIR/ghmesh, or below the
// cache home. NotFound: none of these is set.
Result<std::string> state_directory(const std::optional<std::string>& given, const node::config::Variables& variables);

// The directory, made if make says so, and a lock on it for as long as this lives: init and stop of one job never run
// at the same time. Waits for its turn up to 30 s.
class StateDirectory {
 public:
  static Result<StateDirectory> open(const std::string& path, bool make);
  StateDirectory(StateDirectory&& other) noexcept;
  StateDirectory& operator=(StateDirectory&&) = delete;
  ~StateDirectory();

  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  const std::string& path() const { return path_; }
  // Nothing: there is none, or it is not readable as one.
  std::optional<Session> session() const;
  Result<> write(const Session& session) const;
  void remove();

 private:
  StateDirectory(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;
};

}  // namespace ghmesh::cli
