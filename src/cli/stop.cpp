// SPDX-License-Identifier: Apache-2.0
// stop: the end of what init began. Counts what was saved, lets the node finish and hand over, takes back the variables
// that later steps would see, and removes the session's directory: no process, no key, no environment stays.
#include <filesystem>
#include <fstream>

#include "command.hpp"
#include "crypto/random.hpp"
#include "io/sockets.hpp"
#include "job_output.hpp"
#include "keeper.hpp"
#include "node/config/ready_file.hpp"
#include "node_client.hpp"
#include "report.hpp"
#include "restore.hpp"
#include "savings.hpp"
#include "session.hpp"

namespace ghmesh::cli {

namespace {

// What a step's log is still read with.
constexpr std::size_t kShownLines = 200;

std::optional<std::string> stats_of(const Session& session) {
  if (session.admin.port == 0) return std::nullopt;
  Result<WholeReply> reply =
      ask(session.admin, {.target = "/api/stats", .fields = {}, .body = {}, .patience = std::chrono::seconds(2)});
  if (!reply || reply->status != 200) return std::nullopt;
  return std::move(reply->body);
}

void show_log(const StateDirectory& state, std::ostream& out) {
  std::ifstream file(state.file("node.log"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(std::move(line));
    if (lines.size() > 2 * kShownLines) lines.erase(lines.begin(), lines.begin() + kShownLines);
  }
  out << "::group::ghmesh: the node's log\n";
  for (const std::string& line : lines) out << "| " << line << "\n";
  out << "::endgroup::\n";
}

Result<> stop_session(StateDirectory& state, Session session, Context& context, JobOutput& output) {
  const std::optional<std::string> stats = stats_of(session);
  if (const Result<std::string> text = node::config::read_small_file(state.file("ready.json")); text) {
    const auto ready = node::config::parse_ready(*text);
    // A node that replaced another one is not the one that init saw.
    const auto process = ready ? ProcessId::of(static_cast<pid_t>(ready->pid)) : std::nullopt;
    if (process) session.node = *process;
  }
  end_process(session.keeper, kKeeperStop);
  // Only should the keeper have died alone.
  end_process(session.node, kNodeStop);
  if (context.variables.get("RUNNER_DEBUG") && output.in_actions()) show_log(state, context.out);
  Result<> done = restore_variables(session, context.variables, output);
  if (stats) {
    if (const auto page = savings_page(*stats)) {
      if (Result<> written = output.append_summary(*page); !written && done) done = std::move(written);
    }
    if (const auto line = savings_of(*stats)) output.say(*line);
  } else {
    output.say("the node's counts could not be read");
  }
  if (!session.socket.starts_with(state.path())) std::filesystem::remove(session.socket);
  state.remove();
  return done;
}

Result<> run(const Arguments& arguments, Context& context, JobOutput& output) {
  const Result<std::string> place = state_directory(arguments.get("state-dir"), context.variables);
  if (!place) return std::unexpected(place.error());
  const std::string path = std::filesystem::absolute(*place).lexically_normal();
  if (!std::filesystem::exists(path)) {
    output.say("no node to stop: there is no " + path);
    return {};
  }
  Result<StateDirectory> state = StateDirectory::open(path, false);
  if (!state) return std::unexpected(std::move(state.error()));
  std::optional<Session> session = state->session();
  if (!session) {
    // Of an init that was interrupted.
    output.say("no node to stop: " + path + " holds no session");
    return {};
  }
  return stop_session(*state, std::move(*session), context, output);
}

}  // namespace

int stop(const Arguments& arguments, Context& context) {
  crypto::SecureRandom random;
  JobOutput output(context.variables, context.out, context.err, random);
  const Result<> done = run(arguments, context, output);
  if (done) return kDone;
  output.warn("stop: " + done.error().message);
  return arguments.has("strict") || !output.in_actions() ? kFailed : kDone;
}

}  // namespace ghmesh::cli
