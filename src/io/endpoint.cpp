// SPDX-License-Identifier: Apache-2.0
#include "io/endpoint.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>

namespace ghmesh::io {
namespace {

bool internal_v4(const std::uint8_t* o) {
  return o[0] == 0 || o[0] == 10 || o[0] == 127 || o[0] >= 224 || (o[0] == 100 && (o[1] & 0xc0) == 64) ||
         (o[0] == 169 && o[1] == 254) || (o[0] == 172 && (o[1] & 0xf0) == 16) || (o[0] == 192 && o[1] == 168) ||
         (o[0] == 192 && o[1] == 0 && (o[2] == 0 || o[2] == 2)) || (o[0] == 198 && (o[1] & 0xfe) == 18) ||
         (o[0] == 198 && o[1] == 51 && o[2] == 100) || (o[0] == 203 && o[1] == 0 && o[2] == 113);
}

}  // namespace

IpAddress IpAddress::v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  IpAddress out;
  out.octets = {a, b, c, d};
  return out;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() > 80) return std::nullopt;
  std::string plain(text);
  IpAddress out;
  if (inet_pton(AF_INET, plain.c_str(), out.octets.data()) == 1) return out;
  if (const std::size_t percent = plain.find('%'); percent != std::string::npos) {
    const std::string zone = plain.substr(percent + 1);
    plain.resize(percent);
    out.scope = if_nametoindex(zone.c_str());
    if (out.scope == 0) {
      const auto [end, error] = std::from_chars(zone.data(), zone.data() + zone.size(), out.scope);
      if (error != std::errc() || end != zone.data() + zone.size() || out.scope == 0) return std::nullopt;
    }
  }
  out.v6 = true;
  if (inet_pton(AF_INET6, plain.c_str(), out.octets.data()) == 1) return out;
  return std::nullopt;
}

bool IpAddress::is_loopback() const {
  if (!v6) return octets[0] == 127;
  for (int i = 0; i < 15; ++i)
    if (octets[static_cast<std::size_t>(i)] != 0) return false;
  return octets[15] == 1;
}

bool IpAddress::is_unspecified() const {
  for (const std::uint8_t octet : bytes())
    if (octet != 0) return false;
  return true;
}

bool IpAddress::is_multicast() const { return v6 ? octets[0] == 0xff : (octets[0] & 0xf0) == 0xe0; }

bool IpAddress::is_internal() const {
  if (!v6) return internal_v4(octets.data());
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  static constexpr std::uint8_t kNat64[12] = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
  if (std::memcmp(octets.data(), kMapped, 12) == 0 || std::memcmp(octets.data(), kNat64, 12) == 0)
    return internal_v4(octets.data() + 12);
  if (octets[0] == 0x20 && octets[1] == 0x02) return internal_v4(octets.data() + 2);  // 6to4
  // Everything outside 2000::/3 is loopback, unspecified, unique-local, link-local, multicast or reserved;
  // 2001:db8::/32 is documentation and 2001::/32 Teredo, which carries an IPv4 address of its own.
  if ((octets[0] & 0xe0) != 0x20) return true;
  return octets[0] == 0x20 && octets[1] == 0x01 &&
         ((octets[2] == 0x0d && octets[3] == 0xb8) || (octets[2] == 0 && octets[3] == 0));
}

std::string to_string(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN];
  if (inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.octets.data(), text, sizeof text) == nullptr) return "?";
  std::string out(text);
  if (address.v6 && address.scope != 0) {
    char name[IF_NAMESIZE];
    out.push_back('%');
    out.append(if_indextoname(address.scope, name) != nullptr ? std::string(name) : std::to_string(address.scope));
  }
  return out;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  Endpoint out;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  if (!address || address->v6 != bracketed) return std::nullopt;
  out.address = *address;
  return out;
}

std::optional<Endpoint> Endpoint::from_sockaddr(const sockaddr_storage& storage) {
  Endpoint out;
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &storage, sizeof v4);
    std::memcpy(out.address.octets.data(), &v4.sin_addr, 4);
    out.port = ntohs(v4.sin_port);
    return out;
  }
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &storage, sizeof v6);
    out.address.v6 = true;
    std::memcpy(out.address.octets.data(), &v6.sin6_addr, 16);
    out.address.scope = v6.sin6_scope_id;
    out.port = ntohs(v6.sin6_port);
    return out;
  }
  return std::nullopt;
}

std::uint32_t Endpoint::to_sockaddr(sockaddr_storage& storage) const {
  std::memset(&storage, 0, sizeof storage);
  if (!address.v6) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.octets.data(), 4);
    std::memcpy(&storage, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_scope_id = address.scope;
  std::memcpy(&v6.sin6_addr, address.octets.data(), 16);
  std::memcpy(&storage, &v6, sizeof v6);
  return sizeof v6;
}

std::string to_string(const Endpoint& endpoint) {
  const std::string host = to_string(endpoint.address);
  return (endpoint.address.v6 ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port);
}

}  // namespace ghmesh::io
