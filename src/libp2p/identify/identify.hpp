// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>

#include "libp2p/identify/message.hpp"
#include "libp2p/swarm/swarm.hpp"

// `/ipfs/id/1.0.0` and `/ipfs/id/push/1.0.0`: every connection is asked who it is, every change of ours is pushed. What
// a peer signed about itself goes to the peer store as certified; what it says only about itself and only on its own
// connection. One loop; swarm and key outlive it.

namespace ghmesh::libp2p::identify {

inline constexpr std::string_view kProtocol = "/ipfs/id/1.0.0";
inline constexpr std::string_view kPushProtocol = "/ipfs/id/push/1.0.0";

struct Options {
  std::string agent_version = "ghmesh";
  std::string protocol_version = "ipfs/0.1.0";
  // Told to peers besides the addresses of the listeners.
  std::vector<multiformats::Multiaddr> announce;
  bool announce_listeners = true;
  Limits limits;
  AcceptKeys accept_keys;
};

class Identify {
 public:
  Identify(Swarm& swarm, Peerstore& peerstore, const PrivateKey& key, Options options);
  ~Identify();
  Identify(const Identify&) = delete;
  Identify& operator=(const Identify&) = delete;

  // Asks the peer of a connection; done by itself for each new one. Who asks while an answer is awaited shares it,
  // since a peer serves one such stream at a time.
  io::Task<Result<>> ask(std::shared_ptr<PeerConnection> connection);
  // Called after a peer's information has changed.
  void on_identified(std::function<void(const std::shared_ptr<PeerConnection>&)> listener) {
    identified_.push_back(std::move(listener));
  }
  // Where at least Limits::observers peers of different addresses see us.
  std::vector<multiformats::Multiaddr> observed_addresses() const;
  // What we tell about ourselves.
  std::vector<multiformats::Multiaddr> own_addresses() const;

 private:
  Bytes make_message(const PeerConnection& to) const;
  io::Task<void> answer(PeerStream stream);
  io::Task<void> receive_push(PeerStream stream);
  io::Task<void> push_all();
  io::Task<void> push_one(std::shared_ptr<PeerConnection> connection);
  io::Task<Result<Message>> read_message(PeerStream& stream);
  io::Task<Result<>> ask_once(std::shared_ptr<PeerConnection> connection);
  Result<> learn(PeerConnection& connection, Message message, bool push);
  void note_observed(const PeerConnection& connection, const multiformats::Multiaddr& address);
  bool take_push(const PeerId& peer);
  struct Bucket {
    double tokens;
    TimePoint at;
  };
  bool take(Bucket& bucket);

  Swarm& swarm_;
  Peerstore& peerstore_;
  const PrivateKey& key_;
  const Options options_;
  std::vector<std::function<void(const std::shared_ptr<PeerConnection>&)>> identified_;
  std::map<multiformats::Multiaddr, std::set<PeerId>> observed_;
  std::map<PeerId, Bucket> pushes_;
  Bucket own_pushes_;
  struct Asking {
    explicit Asking(io::Loop& loop) : done(loop) {}
    io::Event done;
    std::optional<Result<>> result;
  };
  // Shared with the tasks that ask, which may be others'.
  using AskingTable = std::map<const PeerConnection*, std::shared_ptr<Asking>>;
  const std::shared_ptr<AskingTable> asking_ = std::make_shared<AskingTable>();
  bool push_planned_ = false;
  mutable std::uint64_t sequence_ = 0;
  io::TaskGroup tasks_;
};

}  // namespace ghmesh::libp2p::identify
