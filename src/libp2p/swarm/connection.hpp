// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/resource/manager.hpp"
#include "libp2p/upgrader/upgrader.hpp"
#include "libp2p/yamux/connection.hpp"
#include "multiformats/multiaddr.hpp"

namespace ghmesh::libp2p {

class PeerConnection;

// A stream whose protocol is agreed (or proposed, for one we opened), with its place in the resource manager's scopes.
struct PeerStream {
  std::unique_ptr<io::Stream> stream;
  std::string protocol;
  PeerId peer;
  std::shared_ptr<PeerConnection> connection;
  resource::StreamPermit permit;

  io::Stream* operator->() const { return stream.get(); }
  io::Stream& operator*() const { return *stream; }
};

// What identify has learned of the other side.
struct RemoteInfo {
  std::string protocol_version;
  std::string agent_version;
  std::vector<std::string> protocols;
  std::optional<multiformats::Multiaddr> observed_address;  // of us, as the peer sees it
  bool certified = false;                                   // it sent a peer record that holds
  bool same_kind = false;  // its agent has our name, so it copes with what we cope with
};

// One proven, multiplexed connection. Shared by the swarm and whoever has streams on it; ended() once it is gone. One
// loop.
class PeerConnection : public std::enable_shared_from_this<PeerConnection> {
 public:
  const PeerId& peer() const { return peer_; }
  const PublicKey& peer_key() const { return peer_key_; }
  Direction direction() const { return direction_; }
  const std::string& security() const { return security_; }
  bool early_muxer() const { return early_muxer_; }
  // The same on both sides, on this connection only: what application secrets are bound to.
  ByteView channel_binding() const { return channel_binding_; }
  const std::optional<multiformats::Multiaddr>& remote_address() const { return remote_address_; }
  const std::optional<multiformats::Multiaddr>& local_address() const { return local_address_; }
  TimePoint opened() const { return opened_; }
  Duration handshake_time() const { return handshake_time_; }
  bool ended() const { return mux_ == nullptr; }
  std::optional<Duration> round_trip() const;

  // Opens a stream and proposes protocol with its first octets; a refusal shows when it is read. Limit, Closed.
  Result<PeerStream> open(std::string_view protocol);
  // As open, but waits for the agreement; for protocols that the peer may not speak.
  io::Task<Result<PeerStream>> open_agreed(std::vector<std::string> protocols);

  RemoteInfo& info() { return info_; }
  // Keeps an idle connection open.
  void set_protected(bool yes) { protected_ = yes; }
  std::size_t streams() const { return mux_ ? mux_->streams_held() : 0; }
  std::uint64_t bytes_in() const { return mux_ ? mux_->bytes_in() : 0; }
  std::uint64_t bytes_out() const { return mux_ ? mux_->bytes_out() : 0; }

 private:
  friend class Swarm;
  PeerConnection(UpgradedConnection upgraded, Direction direction, TimePoint now);
  Result<PeerStream> open_raw();

  PeerId peer_;
  PublicKey peer_key_;
  Direction direction_;
  std::string security_;
  bool early_muxer_;
  Bytes channel_binding_;
  std::optional<multiformats::Multiaddr> remote_address_;
  std::optional<multiformats::Multiaddr> local_address_;
  TimePoint opened_;
  TimePoint used_;
  Duration handshake_time_;
  bool protected_ = false;
  bool draining_ = false;
  struct {
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t streams_out = 0;
    std::uint64_t resets_in = 0;
    std::uint64_t resets_out = 0;
  } counted_;  // what the swarm's counters have already
  RemoteInfo info_;
  std::shared_ptr<resource::ConnectionPermit> permit_;
  std::unique_ptr<io::Stream> secured_;  // until the muxer takes it
  std::unique_ptr<yamux::Connection> mux_;
};

}  // namespace ghmesh::libp2p
