// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "command.hpp"
#include "node/config/ready_file.hpp"
#include "process.hpp"

// A node of one's own: `ghmesh serve` as a child process on free ports, with its socket and ready file in a private
// directory. Ends with this object, and should this process be killed.

namespace ghmesh::cli {

struct PrivateNodeOptions {
  std::string program;                     // of ghmesh
  std::string directory;                   // for the socket and the ready file
  std::vector<std::string> settings = {};  // flags of serve, after the private ones
  std::map<std::string, std::string, std::less<>> environment = {};
  sigset_t mask{};
};

class PrivateNode {
 public:
  // Returns when every listener is bound. An error says that the node ended; its own line is on standard error.
  static Result<PrivateNode> start(const PrivateNodeOptions& options);

  const node::config::Ready& ready() const { return ready_; }
  const std::string& ready_file() const { return ready_file_; }
  std::string url() const;
  // /api/stats as JSON.
  Result<std::string> stats() const;
  void ask_to_stop() { process_.signal(SIGTERM); }
  // SIGKILL; it gets to say nothing.
  void kill();
  // Lets it finish; kills it if that takes longer than it promises.
  void stop();

 private:
  PrivateNode(Process process, node::config::Ready ready, std::string ready_file)
      : process_(std::move(process)), ready_(std::move(ready)), ready_file_(std::move(ready_file)) {}
  Process process_;
  node::config::Ready ready_;
  std::string ready_file_;
};

}  // namespace ghmesh::cli
