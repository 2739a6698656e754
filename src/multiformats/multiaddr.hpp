// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

// Multiaddr (multiformats/multiaddr): a network address that says how to read itself,
// "/ip4/10.0.0.1/tcp/4001/p2p/12D3…". A Multiaddr always holds a valid address in canonical form, so equal addresses
// have equal bytes and equal text. Where implementations differ this one follows go-multiaddr. Every registered
// protocol parses, also those never dialled here: an address is refused only if it is broken. A plain value, ordered by
// its bytes.

namespace ghmesh::multiformats {

// The value is the registered code.
enum class Protocol : std::uint32_t {
  Ip4 = 4,
  Tcp = 6,
  Dccp = 33,
  Ip6 = 41,
  Ip6Zone = 42,
  IpCidr = 43,
  Dns = 53,
  Dns4 = 54,
  Dns6 = 55,
  DnsAddr = 56,
  Sctp = 132,
  Udp = 273,
  P2pWebRtcDirect = 276,
  WebRtcDirect = 280,
  WebRtc = 281,
  P2pCircuit = 290,
  Udt = 301,
  Utp = 302,
  Unix = 400,
  P2p = 421,
  Https = 443,
  Onion = 444,
  Onion3 = 445,
  Garlic64 = 446,
  Garlic32 = 447,
  Tls = 448,
  Sni = 449,
  Noise = 454,
  Quic = 460,
  QuicV1 = 461,
  WebTransport = 465,
  CertHash = 466,
  Ws = 477,
  Wss = 478,
  Http = 480,
  HttpPath = 481,
  Memory = 777,
};

std::string_view to_string(Protocol protocol);  // "ip4"

// One protocol of an address and its value in binary; the view lives as long as the Multiaddr.
struct Component {
  Protocol protocol;
  ByteView value;

  std::string text() const;  // the value alone: "10.0.0.1", "4001", "12D3…"; empty for protocols without one
};

class Multiaddr {
 public:
  // The empty address: what decapsulating everything leaves. Neither parse nor decode gives it.
  Multiaddr() = default;

  // Malformed, Unsupported (an unregistered protocol) or Limit (longer than Limits allows). A trailing slash is taken;
  // "ipfs" reads as p2p.
  static Result<Multiaddr> parse(std::string_view text);
  static Result<Multiaddr> decode(ByteView bytes);

  // One component from its binary value.
  static Result<Multiaddr> make(Protocol protocol, ByteView value = {});
  static Multiaddr ip4(const std::array<std::uint8_t, 4>& address);
  static Multiaddr ip6(const std::array<std::uint8_t, 16>& address);
  static Multiaddr tcp(std::uint16_t port);

  bool empty() const { return bytes_.empty(); }
  ByteView bytes() const { return bytes_; }
  std::string text() const;

  std::vector<Component> components() const;
  // The first component of that protocol.
  std::optional<Component> find(Protocol protocol) const;
  bool has(Protocol protocol) const { return find(protocol).has_value(); }

  // This, then inner. Fails over the limits and behind a unix path, which takes the rest of the text.
  Result<Multiaddr> encapsulate(const Multiaddr& inner) const;
  // Everything before the last occurrence of suffix; the whole if it does not occur.
  Multiaddr decapsulate(const Multiaddr& suffix) const;
  // Everything before the last component of that protocol; the whole if there is none. Takes off a trailing /p2p/….
  Multiaddr decapsulate(Protocol protocol) const;

  friend bool operator==(const Multiaddr&, const Multiaddr&) = default;
  friend auto operator<=>(const Multiaddr&, const Multiaddr&) = default;

 private:
  explicit Multiaddr(Bytes bytes) : bytes_(std::move(bytes)) {}

  Bytes bytes_;
};

}  // namespace ghmesh::multiformats

template <>
struct std::hash<ghmesh::multiformats::Multiaddr> {
  std::size_t operator()(const ghmesh::multiformats::Multiaddr& address) const noexcept {
    return std::hash<std::string_view>()(ghmesh::as_text(address.bytes()));
  }
};
