// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

struct sockaddr;
struct sockaddr_storage;

namespace ghmesh::io {

// An IPv4 or IPv6 address. IPv4 sits in the first four octets.
struct IpAddress {
  std::array<std::uint8_t, 16> octets{};
  bool v6 = false;
  std::uint32_t scope = 0;  // interface of a link-local IPv6 address

  auto operator<=>(const IpAddress&) const = default;
  ByteView bytes() const { return ByteView(octets).first(v6 ? 16 : 4); }

  static IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d);
  static IpAddress loopback() { return v4(127, 0, 0, 1); }
  // "127.0.0.1", "::1", "fe80::1%eth0"; nothing else (no leading zeros, no decimal or hexadecimal forms of IPv4).
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_loopback() const;
  bool is_unspecified() const;
  bool is_multicast() const;
  // Not to be reached through a proxy: loopback, private, link-local (metadata services), unique-local, unspecified,
  // multicast, shared and reserved ranges, also when written as an IPv4-mapped or NAT64 IPv6 address.
  bool is_internal() const;
};
std::string to_string(const IpAddress& address);

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;
  // "127.0.0.1:80", "[::1]:80"; the port is required, 0 to 65535.
  static std::optional<Endpoint> parse(std::string_view text);
  static std::optional<Endpoint> from_sockaddr(const sockaddr_storage& storage);
  // Returns the length of what was written.
  std::uint32_t to_sockaddr(sockaddr_storage& storage) const;
};
std::string to_string(const Endpoint& endpoint);

}  // namespace ghmesh::io
