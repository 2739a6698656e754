// SPDX-License-Identifier: Apache-2.0
#include "multiaddr_protocols.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "multiformats/cid.hpp"
#include "multiformats/multibase.hpp"

namespace ghmesh::multiformats {
namespace {

using Parsed = std::optional<Bytes>;

Parsed from_result(Result<Bytes> result) { return result ? Parsed(*std::move(result)) : std::nullopt; }

template <typename Unsigned>
std::optional<Unsigned> parse_number(std::string_view text) {
  Unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <typename Unsigned>
Parsed parse_be(std::string_view text) {
  const auto value = parse_number<Unsigned>(text);
  if (!value) return std::nullopt;
  Bytes out(sizeof(Unsigned));
  store_be(out.data(), *value);
  return out;
}

template <typename Unsigned>
std::string format_be(ByteView value) {
  return std::to_string(load_be<Unsigned>(value.data()));
}

bool any(ByteView) { return true; }

// inet_pton wants a terminated string of bounded length and refuses what is not the strict form.
template <int Family, std::size_t Size>
Parsed parse_ip(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN] = {};
  if (text.size() >= sizeof terminated || text.contains('\0')) return std::nullopt;
  std::ranges::copy(text, terminated);
  Bytes out(Size);
  if (inet_pton(Family, terminated, out.data()) != 1) return std::nullopt;
  return out;
}

template <int Family>
std::string format_ip(ByteView value) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(Family, value.data(), text, sizeof text);
}

// Names: domain names, zones, server names. Printable, since they end up in logs and in the resolver.
constexpr std::size_t kNameBytes = 255;

bool valid_name(ByteView value) {
  return !value.empty() && value.size() <= kNameBytes &&
         std::ranges::none_of(value, [](std::uint8_t c) { return c <= ' ' || c == 0x7f || c == '/'; });
}

bool valid_path(ByteView value) {
  return value.size() >= 2 && value.front() == '/' && value.back() != '/' && std::ranges::find(value, 0) == value.end();
}

Parsed parse_raw(std::string_view text) { return to_bytes(text); }
std::string format_raw(ByteView value) { return to_text(value); }

// A peer id: a multihash, identity or whole sha2-256. Text is base58btc, or a CID of a libp2p key.
bool valid_peer(ByteView value) {
  const auto hash = Multihash::decode(value);
  if (!hash) return false;
  return hash->code() == Multicodec::Identity || (hash->code() == Multicodec::Sha2_256 && hash->digest().size() == 32);
}

Parsed parse_peer(std::string_view text) {
  if (text.starts_with("Qm") || text.starts_with('1')) return from_result(parse_base(Base::Base58Btc, text));
  const auto cid = Cid::parse(text);
  if (!cid || cid->codec() != Multicodec::Libp2pKey) return std::nullopt;
  return cid->hash().encode();
}

std::string format_peer(ByteView value) { return format_base(Base::Base58Btc, value); }

Parsed parse_certhash(std::string_view text) {
  auto decoded = parse_multibase(text);
  if (!decoded) return std::nullopt;
  return std::move(decoded->bytes);
}
std::string format_certhash(ByteView value) { return format_multibase(Base::Base64Url, value); }
bool valid_certhash(ByteView value) { return Multihash::decode(value).has_value(); }

// Tor: base32 of a fixed size, a colon, a port other than 0.
template <std::size_t Host>
Parsed parse_onion(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = parse_base(Base::Base32, text.substr(0, colon));
  const auto port = parse_be<std::uint16_t>(text.substr(colon + 1));
  if (!host || host->size() != Host || !port) return std::nullopt;
  append(*host, ByteView(*port));
  return *std::move(host);
}
template <std::size_t Host>
std::string format_onion(ByteView value) {
  return format_base(Base::Base32, value.first(Host)) + ':' + format_be<std::uint16_t>(value.subspan(Host));
}
template <std::size_t Host>
bool valid_onion(ByteView value) {
  return value.size() == Host + 2 && load_be<std::uint16_t>(value.data() + Host) != 0;
}

// I2P: base64 with ~ for /, padded by itself; base32 without padding.
Parsed parse_garlic64(std::string_view text) {
  if (text.contains('/') || text.contains('+')) return std::nullopt;
  std::string standard(text);
  std::ranges::replace(standard, '-', '+');
  std::ranges::replace(standard, '~', '/');
  return from_result(parse_base(Base::Base64Pad, standard));
}
std::string format_garlic64(ByteView value) {
  std::string text = format_base(Base::Base64Pad, value);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '~');
  return text;
}
bool valid_garlic64(ByteView value) { return value.size() >= 386; }

// Addresses in the wild have bits set behind the last whole byte; they mean nothing and are cleared.
Parsed parse_garlic32(std::string_view text) {
  static constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
  std::string cleared(text);
  const std::size_t last = text.empty() ? std::string_view::npos : kDigits.find(text.back());
  if (last == std::string_view::npos) return std::nullopt;
  const unsigned unused = text.size() * 5 % 8;
  cleared.back() = kDigits[last >> unused << unused];
  return from_result(parse_base(Base::Base32, cleared));
}
std::string format_garlic32(ByteView value) { return format_base(Base::Base32, value); }
bool valid_garlic32(ByteView value) { return value.size() == 32 || value.size() >= 35; }

// Percent-encoded as in a query, so that any byte fits between two slashes.
Parsed parse_http_path(std::string_view text) {
  Bytes out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const auto byte = i + 2 < text.size() ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
      if (!byte) return std::nullopt;
      out.push_back(byte->front());
      i += 2;
    } else {
      out.push_back(static_cast<std::uint8_t>(text[i] == '+' ? ' ' : text[i]));
    }
  }
  return out;
}
std::string format_http_path(ByteView value) {
  std::string text;
  for (const std::uint8_t byte : value) {
    const char c = static_cast<char>(byte);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       std::string_view("-_.~").contains(c);
    if (plain) {
      text += c;
    } else if (c == ' ') {
      text += '+';
    } else {
      static constexpr std::string_view kDigits = "0123456789ABCDEF";
      text += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return text;
}
bool valid_http_path(ByteView value) { return !value.empty(); }

constexpr int kVariable = ProtocolInfo::kVariable;

constexpr ProtocolInfo port(Protocol protocol, std::string_view name) {
  return {protocol, name, 2, false, parse_be<std::uint16_t>, format_be<std::uint16_t>, any};
}
constexpr ProtocolInfo domain(Protocol protocol, std::string_view name) {
  return {protocol, name, kVariable, false, parse_raw, format_raw, valid_name};
}
constexpr ProtocolInfo flag(Protocol protocol, std::string_view name) { return {protocol, name, 0}; }

// The first of two entries with one code gives the name in text.
constexpr ProtocolInfo kProtocols[] = {
    {Protocol::Ip4, "ip4", 4, false, parse_ip<AF_INET, 4>, format_ip<AF_INET>, any},
    port(Protocol::Tcp, "tcp"),
    {Protocol::P2p, "p2p", kVariable, false, parse_peer, format_peer, valid_peer},
    {Protocol::P2p, "ipfs", kVariable, false, parse_peer, format_peer, valid_peer},
    {Protocol::Ip6, "ip6", 16, false, parse_ip<AF_INET6, 16>, format_ip<AF_INET6>, any},
    domain(Protocol::Ip6Zone, "ip6zone"),
    {Protocol::IpCidr, "ipcidr", 1, false, parse_be<std::uint8_t>, format_be<std::uint8_t>, any},
    domain(Protocol::Dns, "dns"),
    domain(Protocol::Dns4, "dns4"),
    domain(Protocol::Dns6, "dns6"),
    domain(Protocol::DnsAddr, "dnsaddr"),
    port(Protocol::Udp, "udp"),
    flag(Protocol::P2pCircuit, "p2p-circuit"),
    flag(Protocol::QuicV1, "quic-v1"),
    flag(Protocol::Tls, "tls"),
    domain(Protocol::Sni, "sni"),
    flag(Protocol::Noise, "noise"),
    flag(Protocol::Ws, "ws"),
    flag(Protocol::Wss, "wss"),
    {Protocol::Unix, "unix", kVariable, true, parse_raw, format_raw, valid_path},
    {Protocol::CertHash, "certhash", kVariable, false, parse_certhash, format_certhash, valid_certhash},
    flag(Protocol::WebTransport, "webtransport"),
    flag(Protocol::WebRtcDirect, "webrtc-direct"),
    flag(Protocol::WebRtc, "webrtc"),
    flag(Protocol::P2pWebRtcDirect, "p2p-webrtc-direct"),
    flag(Protocol::Quic, "quic"),
    flag(Protocol::Http, "http"),
    flag(Protocol::Https, "https"),
    {Protocol::HttpPath, "http-path", kVariable, false, parse_http_path, format_http_path, valid_http_path},
    port(Protocol::Sctp, "sctp"),
    port(Protocol::Dccp, "dccp"),
    flag(Protocol::Udt, "udt"),
    flag(Protocol::Utp, "utp"),
    {Protocol::Onion, "onion", 12, false, parse_onion<10>, format_onion<10>, valid_onion<10>},
    {Protocol::Onion3, "onion3", 37, false, parse_onion<35>, format_onion<35>, valid_onion<35>},
    {Protocol::Garlic64, "garlic64", kVariable, false, parse_garlic64, format_garlic64, valid_garlic64},
    {Protocol::Garlic32, "garlic32", kVariable, false, parse_garlic32, format_garlic32, valid_garlic32},
    {Protocol::Memory, "memory", 8, false, parse_be<std::uint64_t>, format_be<std::uint64_t>, any},
};

}  // namespace

const ProtocolInfo* find_protocol(std::string_view name) {
  for (const ProtocolInfo& info : kProtocols)
    if (info.name == name) return &info;
  return nullptr;
}

const ProtocolInfo* find_protocol(std::uint64_t code) {
  for (const ProtocolInfo& info : kProtocols)
    if (static_cast<std::uint64_t>(info.protocol) == code) return &info;
  return nullptr;
}

}  // namespace ghmesh::multiformats
