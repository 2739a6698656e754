// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// HTTP/2 frames written and read by hand (RFC 9113 §4.1), for tests that say what no client's library would.

namespace ghmesh::http::http2::raw {

enum Type : std::uint8_t {
  kData,
  kHeaders,
  kPriority,
  kRstStream,
  kSettings,
  kPushPromise,
  kPing,
  kGoaway,
  kWindowUpdate,
  kContinuation
};
inline constexpr std::uint8_t kEndStream = 0x1, kAck = 0x1, kEndHeaders = 0x4, kPadded = 0x8;

// Big-endian, in that many octets.
inline std::string number(std::uint32_t value, int octets = 4) {
  std::string out;
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
  return out;
}

inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t id, std::string_view payload) {
  std::string out = number(static_cast<std::uint32_t>(payload.size()), 3);
  out.push_back(static_cast<char>(type));
  out.push_back(static_cast<char>(flags));
  return out.append(number(id)).append(payload);
}

// A field as a literal that no table remembers (RFC 7541 §6.2.2); each text below 127 octets.
inline std::string field(std::string_view name, std::string_view value) {
  std::string out(1, '\0');
  for (const std::string_view text : {name, value}) out.append(1, static_cast<char>(text.size())).append(text);
  return out;
}

// GET https /a of api.github.com: static table entries, then literals.
inline std::string head() { return std::string("\x82\x87\x04\x02/a\x01\x0e") + "api.github.com"; }
inline std::string preface() { return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0, ""); }

struct Frame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t id = 0;
  std::string payload;

  std::uint32_t number_at(std::size_t at) const {
    std::uint32_t value = 0;
    for (std::size_t i = at; i < at + 4 && i < payload.size(); ++i)
      value = (value << 8) | static_cast<unsigned char>(payload[i]);
    return value;
  }
};

// Whole frames; what is left over is left out.
inline std::vector<Frame> parse(std::string_view octets) {
  std::vector<Frame> out;
  const auto octet = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(octets[i])}; };
  while (octets.size() >= 9) {
    const std::size_t length = (octet(0) << 16) | (octet(1) << 8) | octet(2);
    if (octets.size() < 9 + length) break;
    const std::uint32_t id = (octet(5) << 24) | (octet(6) << 16) | (octet(7) << 8) | octet(8);
    out.push_back({static_cast<std::uint8_t>(octet(3)), static_cast<std::uint8_t>(octet(4)), id,
                   std::string(octets.substr(9, length))});
    octets.remove_prefix(9 + length);
  }
  return out;
}

// The error of the first GOAWAY among them.
inline std::optional<std::uint32_t> goaway(std::string_view octets) {
  for (const Frame& one : parse(octets))
    if (one.type == kGoaway) return one.number_at(4);
  return std::nullopt;
}

}  // namespace ghmesh::http::http2::raw
