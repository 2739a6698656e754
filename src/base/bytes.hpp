// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Octets: owned, viewed and written, with the text forms every room needs (hex, base64 of RFC 4648) and fixed-width
// integers. Text stays std::string; as_bytes and as_text view the one as the other.

namespace ghmesh {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline Bytes to_bytes(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}
inline std::string to_text(ByteView bytes) { return std::string(as_text(bytes)); }

inline void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }
inline void append(Bytes& out, std::string_view text) { append(out, as_bytes(text)); }

inline bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// Lower-case hexadecimal. from_hex takes either case and gives nothing for an odd length or another character.
std::string to_hex(ByteView bytes);
std::optional<Bytes> from_hex(std::string_view text);

// RFC 4648 §4 (standard) and §5 (url), written with and without padding. from_base64 takes both alphabets, padded or
// not, and refuses white space, misplaced padding and non-zero trailing bits.
std::string to_base64(ByteView bytes);
std::string to_base64url(ByteView bytes);
std::optional<Bytes> from_base64(std::string_view text);

template <typename Unsigned>
void store_be(std::uint8_t* out, Unsigned value) {
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i)
    out[i] = static_cast<std::uint8_t>(value >> (8 * (sizeof(Unsigned) - 1 - i)));
}
template <typename Unsigned>
Unsigned load_be(const std::uint8_t* in) {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) value = static_cast<Unsigned>((value << 8) | in[i]);
  return value;
}
template <typename Unsigned>
void store_le(std::uint8_t* out, Unsigned value) {
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * i));
}
template <typename Unsigned>
Unsigned load_le(const std::uint8_t* in) {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i)
    value = static_cast<Unsigned>(value | (Unsigned{in[i]} << (8 * i)));
  return value;
}

}  // namespace ghmesh
