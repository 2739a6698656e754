// SPDX-License-Identifier: Apache-2.0
#include "private_node.hpp"

#include <unistd.h>

#include <ctime>

#include "node/config/config.hpp"
#include "node_client.hpp"

namespace ghmesh::cli {

namespace {

// Opening a store of the largest size takes well under a second; a machine under load takes longer.
constexpr Duration kStart = std::chrono::seconds(20);
// The node's own drain is bounded by 10 s.
constexpr Duration kStop = std::chrono::seconds(15);

}  // namespace

Result<PrivateNode> PrivateNode::start(const PrivateNodeOptions& options) {
  const std::string ready_file = options.directory + "/ready.json";
  Launch launch;
  launch.words = {options.program, "serve",       "--listen", "127.0.0.1:0",
                  "--admin",       "127.0.0.1:0", "--socket", options.directory + "/gh.sock",
                  "--ready-file",  ready_file};
  launch.words.insert(launch.words.end(), options.settings.begin(), options.settings.end());
  launch.environment = options.environment;
  launch.mask = options.mask;
  launch.background = true;
  launch.quiet = true;
  Result<Process> process = Process::start(launch);
  if (!process) return std::unexpected(std::move(process.error()));
  const SystemClock clock;
  const TimePoint until = clock.now() + kStart;
  while (clock.now() < until) {
    if (const auto status = process->wait_for(std::chrono::milliseconds(1)))
      return fail(ErrorCode::Closed, "the node ended at once with exit status " + std::to_string(*status));
    // The file appears whole, by a rename.
    if (::access(ready_file.c_str(), R_OK) != 0) continue;
    const Result<std::string> text = node::config::read_small_file(ready_file);
    if (!text) return std::unexpected(text.error());
    Result<node::config::Ready> ready = node::config::parse_ready(*text);
    if (!ready) return std::unexpected(std::move(ready.error()));
    if (!ready->listen) return fail(ErrorCode::Internal, "the node names no HTTP listener");
    return PrivateNode(std::move(*process), std::move(*ready), ready_file);
  }
  return fail(ErrorCode::Timeout, "the node was not ready within 20 s");
}

std::string PrivateNode::url() const { return "http://" + io::to_string(*ready_.listen); }

Result<std::string> PrivateNode::stats() const {
  if (!ready_.admin) return fail(ErrorCode::NotFound, "the admin listener is off");
  Result<WholeReply> reply = ask(*ready_.admin, {.target = "/api/stats", .fields = {}, .body = {}});
  if (!reply) return std::unexpected(std::move(reply.error()));
  if (reply->status != 200) return fail(ErrorCode::Io, "the node says " + std::to_string(reply->status));
  return std::move(reply->body);
}

void PrivateNode::kill() {
  process_.signal(SIGKILL);
  process_.wait_for(kStop);
}

void PrivateNode::stop() {
  process_.signal(SIGTERM);
  if (!process_.wait_for(kStop)) {
    process_.signal(SIGKILL);
    process_.wait_for(kStop);
  }
}

}  // namespace ghmesh::cli
