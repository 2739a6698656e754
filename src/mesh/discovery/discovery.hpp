// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "contacts.hpp"
#include "io/epoll_loop.hpp"
#include "io/task.hpp"
#include "io/work_pool.hpp"
#include "libp2p/host/host.hpp"
#include "mesh/registry/registry.hpp"

// How a node finds the others, in this order: the operator's list, the registry directory, mDNS, DNS (design: one
// contact is enough, the rest is gossip). What is heard is dialled; whether a peer belongs to the mesh is decided after
// that, by admission. Registers this node where others look: a record in the directory, renewed every third of its
// life, withdrawn at the end. One loop; what it is given outlives it.

namespace ghmesh::mesh {

struct DiscoveryOptions {
  std::vector<multiformats::Multiaddr> bootstrap;  // names among them are asked again and again
  std::shared_ptr<const Registry> registry;        // null: none
  std::shared_ptr<const Registry> also_read;       // with the other secret of a rotation; null: none
  std::string runner_name;
  std::map<std::string, std::string> metadata;  // for people who read the directory
  // mDNS; null: off. If none are named: on all interfaces' IPv4 and link-local IPv6 addresses, on loopback without any.
  io::EpollLoop* multicast = nullptr;
  std::vector<io::IpAddress> multicast_on;
  std::uint16_t multicast_port = 5353;
  std::function<bool(const libp2p::PeerId&)> is_member;
  DiscoveryLimits limits;
  log::Logger log;
};

struct DiscoveryStats {
  std::uint64_t heard = 0;  // contacts, each when it was new
  std::uint64_t dials = 0;
  std::uint64_t failed_dials = 0;
  bool registered = false;
  std::optional<Error> registry_error;  // of the last look at the directory, or of the last heartbeat
  std::size_t registry_records = 0;     // at the last look: others' fresh ones
  std::size_t registry_stale = 0;
  std::size_t registry_foreign = 0;
  std::size_t registry_hostile = 0;
  std::uint64_t registry_cleaned = 0;
  std::size_t multicast_interfaces = 0;
};

class Discovery {
 public:
  Discovery(libp2p::Host& host, Random& random, io::Network& network, io::WorkPool& pool, DiscoveryOptions options);
  ~Discovery();
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

  void start();
  // Takes our record out of the directory and stops looking. Without it the record stays until it is stale.
  io::Task<void> leave();

  // After a secret was read anew: what is published and read from now on.
  void set_registry(std::shared_ptr<const Registry> registry, std::shared_ptr<const Registry> also_read);

  // Whether everything has been looked into once, and everybody heard of is a member or cannot be had.
  bool settled() const;

  const DiscoveryStats& stats() const;
  std::vector<Contact> contacts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ghmesh::mesh
