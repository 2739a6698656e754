// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "base/random.hpp"
#include "io/endpoint.hpp"
#include "io/epoll_loop.hpp"
#include "libp2p/core/peer_id.hpp"
#include "libp2p/mdns/message.hpp"

// mDNS peer discovery on one interface: asks now, soon and then every interval, answers all who ask. What is found is a
// hint and nothing more: whoever is on the network may say anything. One loop.

namespace ghmesh::libp2p::mdns {

struct Options {
  // One of the interface's own addresses: an IPv4 one means 224.0.0.251, an IPv6 one (best its link-local) ff02::fb.
  // Multicast over loopback works too, with IPv4.
  io::IpAddress interface = io::IpAddress::loopback();
  std::uint16_t port = 5353;
  Duration interval = std::chrono::minutes(1);
  Limits limits;
};

class Discovery {
 public:
  using OwnAddresses = std::function<std::vector<multiformats::Multiaddr>()>;  // each with /p2p/<self>
  using OnPeer = std::function<void(const PeerId&, const multiformats::Multiaddr&)>;

  // Io if the port or the group cannot be had, NotFound without an interface. self's own answers are not reported.
  static Result<std::unique_ptr<Discovery>> start(io::EpollLoop& loop, Random& random, PeerId self, OwnAddresses own,
                                                  OnPeer on_peer, Options options = {});
  ~Discovery();
  void query();

 private:
  struct State;
  explicit Discovery(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ghmesh::libp2p::mdns
