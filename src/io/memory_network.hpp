// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "io/network.hpp"
#include "io/pipe.hpp"

namespace ghmesh::io {

// A network in memory that many nodes of one process share: each node has one address and sees it through a Network of
// its own. Latency, cut links and dead hosts are the test's to set. One loop.
class MemoryNetwork {
 public:
  explicit MemoryNetwork(Loop& loop) : loop_(loop) {}

  // The network as the host of that address sees it.
  std::unique_ptr<Network> host(const IpAddress& address);

  // One-way latency between two hosts; by default the same small one for all.
  void set_latency(std::function<Duration(const IpAddress& from, const IpAddress& to)> latency) {
    latency_ = std::move(latency);
  }
  // Of connections made from now on: so many bytes a second each way, and as many on the way before writing blocks.
  void set_line(std::size_t rate, std::size_t capacity) { rate_ = rate, capacity_ = capacity; }
  // Cuts or heals a pair: new connections time out (after 3 s), existing ones are reset.
  void set_cut(const IpAddress& a, const IpAddress& b, bool cut);
  // Cuts a pair as a network that loses packets does: nobody is told, and what is written on the connections that stand
  // never comes, not even after set_cut heals the pair.
  void lose(const IpAddress& a, const IpAddress& b);
  // Ends a host as kill -9 would: its listeners vanish, its connections break.
  void kill(const IpAddress& address);
  void set_name(std::string name, std::vector<IpAddress> addresses) { names_[std::move(name)] = std::move(addresses); }

  void set_text(std::string name, std::vector<std::string> texts) { texts_[std::move(name)] = std::move(texts); }

  std::uint64_t bytes_sent() const { return bytes_sent_; }
  std::uint64_t connections_made() const { return connections_made_; }

 private:
  class Host;
  class MemoryListener;
  class MemoryStream;

  bool is_cut(const IpAddress& a, const IpAddress& b) const;
  std::vector<MemoryStream*> streams_between(const IpAddress& a, const IpAddress& b) const;

  Loop& loop_;
  std::function<Duration(const IpAddress&, const IpAddress&)> latency_;
  std::size_t rate_ = 0;
  std::size_t capacity_ = 256 * 1024;
  std::map<Endpoint, MemoryListener*> listeners_;
  std::set<MemoryStream*> streams_;
  std::set<std::pair<IpAddress, IpAddress>> cuts_;
  std::map<std::string, std::vector<IpAddress>> names_;
  std::map<std::string, std::vector<std::string>> texts_;
  std::uint16_t next_port_ = 40000;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t connections_made_ = 0;
};

}  // namespace ghmesh::io
