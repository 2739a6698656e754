// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "io/epoll_loop.hpp"
#include "io/inherited.hpp"
#include "io/task.hpp"
#include "node/config/config.hpp"

// One running node: the place where every room is wired to the others, read from top to bottom in node.cpp. Built from
// a Config on a loop; several can live in one process. Loop thread only.

namespace ghmesh::node {

class MeshWing;

class Node {
 public:
  // Opens the store, binds every listener and writes the ready file. Errors name the setting that cannot be had.
  // Inherited sockets stand in for settings: those named admin for --admin, other TCP ones for --listen, other unix
  // ones for --socket.
  static Result<std::unique_ptr<Node>> start(io::EpollLoop& loop, const config::Config& config, log::Logger logger,
                                             std::vector<io::InheritedSocket> inherited = {});
  // Breaks what is still in flight; drain() first for a friendly end.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Stops accepting, finishes what is in flight (10 s at most), writes what is queued for the disk.
  // Members of the mesh get what this node owned.
  io::Task<> drain();

  // Reads the mesh secret again from where it came (SIGHUP). Nothing is said where there is no mesh.
  Result<> reload_secret();
  // The node's half of the mesh; null: a local cache.
  MeshWing* mesh();

  // The real addresses, with the ports that were picked.
  const io::Endpoint& listen_endpoint() const;
  std::optional<io::Endpoint> admin_endpoint() const;

  // The contract's stats object as JSON (one line).
  std::string stats_json() const;
  metrics::Registry& metrics();

 private:
  struct State;
  explicit Node(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ghmesh::node
