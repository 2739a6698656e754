// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/endpoint.hpp"
#include "libp2p/resource/limits.hpp"

// Who may have how much: scopes system, transient, peer, connection, protocol and stream, as go-libp2p's resource
// manager has them. Check first, then spend; what was granted is a permit that gives back when it dies. A refusal says
// which scope was full. One thread; the manager outlives its permits.

namespace ghmesh::libp2p::resource {

enum class Direction { In, Out };

class Manager;

// One stream's place. Starts without a protocol (transient), then belongs to one.
class StreamPermit {
 public:
  StreamPermit() = default;
  StreamPermit(StreamPermit&& other) noexcept { swap(other); }
  StreamPermit& operator=(StreamPermit&& other) noexcept {
    StreamPermit(std::move(other)).swap(*this);
    return *this;
  }
  ~StreamPermit() { release(); }
  // Once. Limit: the protocol has enough streams of this peer.
  Result<> set_protocol(std::string_view protocol);
  void release();

 private:
  friend class ConnectionPermit;
  void swap(StreamPermit& other) noexcept;
  std::shared_ptr<struct ConnectionScope> connection_;
  Direction direction_ = Direction::In;
  std::optional<std::string> protocol_;
};

// One connection's place, and the scope in which its streams and memory are counted.
class ConnectionPermit {
 public:
  ConnectionPermit() = default;
  ConnectionPermit(ConnectionPermit&&) noexcept = default;
  ConnectionPermit& operator=(ConnectionPermit&& other) noexcept;
  ~ConnectionPermit() { release(); }

  // The handshake has proved the peer (key: its id's octets): from transient to its peer's scope. Once. Limit: the peer
  // has enough connections.
  Result<> admit(std::string_view peer);
  Result<StreamPermit> open_stream(Direction direction = Direction::In);
  bool try_reserve(std::size_t bytes);
  void unreserve(std::size_t bytes);
  std::size_t streams() const;
  std::size_t memory() const;
  // Gives all back; streams' permits stay valid and give back to nothing.
  void release();

 private:
  friend class Manager;
  std::shared_ptr<struct ConnectionScope> scope_;
};

struct Usage {
  std::uint32_t connections_in = 0;
  std::uint32_t connections_out = 0;
  std::uint32_t transient_connections = 0;
  std::uint32_t streams = 0;
  std::uint32_t transient_streams = 0;
  std::size_t memory = 0;
  std::uint64_t refused_connections = 0;
  std::uint64_t refused_streams = 0;
  std::uint64_t refused_memory = 0;
};

class Manager {
 public:
  explicit Manager(Limits limits = {});
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // For an inbound connection before anything is read from it, for an outbound one before it is dialled. address is
  // absent where there is none (memory pipes).
  Result<ConnectionPermit> open_connection(Direction direction, const std::optional<io::IpAddress>& address,
                                           TimePoint now);
  const Limits& limits() const { return limits_; }
  const Usage& usage() const { return usage_; }
  // Peers with at least one connection.
  std::size_t peers() const { return peers_.size(); }

 private:
  friend struct ConnectionScope;
  friend class ConnectionPermit;
  friend class StreamPermit;

  // An address cut to the length that is counted: 16 octets, then the length of the prefix.
  using Prefix = std::array<std::uint8_t, 17>;
  struct Peer {
    std::uint32_t connections = 0;
    std::uint32_t streams = 0;
    std::size_t memory = 0;
    std::map<std::string, std::uint32_t, std::less<>> protocols;
  };
  struct Bucket {
    double tokens;
    TimePoint at;
  };
  struct Counted {
    Prefix prefix;
    std::uint32_t limit;
  };

  std::array<std::optional<Counted>, 2> prefixes_of(const io::IpAddress& address) const;
  bool take_token(const io::IpAddress& address, TimePoint now);
  std::unexpected<Error> refuse_connection(const char* scope);

  const Limits limits_;
  Usage usage_;
  std::map<std::string, Peer, std::less<>> peers_;
  std::map<Prefix, std::uint32_t> by_prefix_;
  std::map<Prefix, Bucket> buckets_;
};

}  // namespace ghmesh::libp2p::resource
