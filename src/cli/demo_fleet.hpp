// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "private_node.hpp"

// A fleet on one machine: node processes that share a secret and find each other through a registry directory, as
// runners do that share one.

namespace ghmesh::cli {

class DemoFleet {
 public:
  // Starts count nodes before upstream, all files below directory. on_joined hears how many pairs know each other, of
  // how many; returns when all do and the keys are divided among them.
  static Result<DemoFleet> start(const Context& context, const std::string& directory, const io::Endpoint& upstream,
                                 std::size_t count, const std::function<void(std::size_t, std::size_t)>& on_joined);

  std::size_t size() const { return nodes_.size(); }
  const PrivateNode& node(std::size_t i) const { return nodes_[i]; }
  // Charged so far because a random tag took the place of a peer's bytes; of a node that was killed, until then.
  std::uint64_t canaries();
  // As a power cut does it.
  void kill(std::size_t i);
  void stop();

 private:
  std::vector<PrivateNode> nodes_;
  std::vector<std::uint64_t> canaries_;  // of each, as it last said
};

}  // namespace ghmesh::cli
