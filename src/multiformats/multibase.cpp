// SPDX-License-Identifier: Apache-2.0
#include "multiformats/multibase.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "multiformats/limits.hpp"

namespace ghmesh::multiformats {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kHexUpper = "0123456789ABCDEF";
constexpr std::string_view k32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view k32Upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view k36 = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view k36Upper = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view k58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view k64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view k64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct BaseInfo {
  Base base;
  std::string_view name;
  std::string_view alphabet;
  unsigned bits;  // per digit; 0: a conversion of the whole as one number
  bool padded;
  bool any_case;
};

constexpr BaseInfo kBases[] = {
    {Base::Base16, "base16", kHex, 4, false, true},
    {Base::Base16Upper, "base16upper", kHexUpper, 4, false, true},
    {Base::Base32, "base32", k32, 5, false, true},
    {Base::Base32Upper, "base32upper", k32Upper, 5, false, true},
    {Base::Base32Pad, "base32pad", k32, 5, true, true},
    {Base::Base32PadUpper, "base32padupper", k32Upper, 5, true, true},
    {Base::Base36, "base36", k36, 0, false, true},
    {Base::Base36Upper, "base36upper", k36Upper, 0, false, true},
    {Base::Base58Btc, "base58btc", k58, 0, false, false},
    {Base::Base64, "base64", k64, 6, false, false},
    {Base::Base64Pad, "base64pad", k64, 6, true, false},
    {Base::Base64Url, "base64url", k64Url, 6, false, false},
    {Base::Base64UrlPad, "base64urlpad", k64Url, 6, true, false},
};

using DigitTable = std::array<std::int8_t, 256>;

constexpr DigitTable make_digits(const BaseInfo& info) {
  DigitTable table{};
  table.fill(-1);
  for (std::size_t i = 0; i < info.alphabet.size(); ++i) {
    const char c = info.alphabet[i];
    table[static_cast<std::uint8_t>(c)] = static_cast<std::int8_t>(i);
    if (!info.any_case) continue;
    if (c >= 'a' && c <= 'z') table[static_cast<std::uint8_t>(c - 32)] = static_cast<std::int8_t>(i);
    if (c >= 'A' && c <= 'Z') table[static_cast<std::uint8_t>(c + 32)] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr auto kDigits = [] {
  std::array<DigitTable, std::size(kBases)> tables{};
  for (std::size_t i = 0; i < tables.size(); ++i) tables[i] = make_digits(kBases[i]);
  return tables;
}();

std::optional<std::size_t> index_of(Base base) {
  for (std::size_t i = 0; i < std::size(kBases); ++i)
    if (kBases[i].base == base) return i;
  return std::nullopt;
}

std::size_t known_index(Base base) {
  const auto index = index_of(base);
  GHMESH_CHECK(index);
  return *index;
}

std::unexpected<Error> malformed(const BaseInfo& info, std::string_view why) {
  return fail(ErrorCode::Malformed, std::string(info.name).append(": ").append(why), Fault::Peer);
}

// Digits that make whole bytes: 2 of base 16, 8 of base 32, 4 of base 64.
constexpr std::size_t group_of(unsigned bits) { return bits == 4 ? 2 : bits == 5 ? 8 : 4; }

// RFC 4648: base 16, 32, 64.
std::string format_bits(const BaseInfo& info, ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() * 8 + info.bits - 1) / info.bits + 8);
  const std::uint32_t mask = (1u << info.bits) - 1;
  std::uint32_t window = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : bytes) {
    window = window << 8 | byte;
    for (held += 8; held >= info.bits; held -= info.bits)
      out.push_back(info.alphabet[window >> (held - info.bits) & mask]);
  }
  if (held > 0) out.push_back(info.alphabet[window << (info.bits - held) & mask]);
  if (info.padded)
    while (out.size() % group_of(info.bits) != 0) out.push_back('=');
  return out;
}

Result<Bytes> parse_bits(const BaseInfo& info, const DigitTable& digits, std::string_view text) {
  if (info.padded) {
    if (text.size() % group_of(info.bits) != 0) return malformed(info, "length is not padded");
    std::size_t padding = 0;
    while (padding < group_of(info.bits) - 1 && text.ends_with('=')) {
      text.remove_suffix(1);
      ++padding;
    }
    // One byte can be had from no fewer digits, so a group of padding alone is too much of it.
    if (padding > 0 && text.size() % group_of(info.bits) * info.bits < 8) return malformed(info, "too much padding");
  }
  Bytes out;
  out.reserve(text.size() * info.bits / 8);
  std::uint32_t window = 0;
  unsigned held = 0;
  for (const char c : text) {
    const int digit = digits[static_cast<std::uint8_t>(c)];
    if (digit < 0) return malformed(info, "foreign character");
    window = window << info.bits | static_cast<std::uint32_t>(digit);
    held += info.bits;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<std::uint8_t>(window >> held));
    }
  }
  // A whole unused digit, or unused bits that say something, make a second spelling of the same bytes.
  if (held >= info.bits) return malformed(info, "impossible length");
  if ((window & ((1u << held) - 1)) != 0) return malformed(info, "trailing bits are not zero");
  return out;
}

// Base 36 and 58: leading zero bytes stand for themselves as leading zero digits, the rest is one number.
std::string format_number(const BaseInfo& info, ByteView bytes) {
  const auto radix = static_cast<std::uint32_t>(info.alphabet.size());
  std::size_t zeros = 0;
  while (zeros < bytes.size() && bytes[zeros] == 0) ++zeros;
  Bytes digits;  // least significant first
  digits.reserve(bytes.size() * 8 / 5 + 1);
  for (const std::uint8_t byte : bytes.subspan(zeros)) {
    std::uint32_t carry = byte;
    for (std::uint8_t& digit : digits) {
      carry += std::uint32_t{digit} << 8;
      digit = static_cast<std::uint8_t>(carry % radix);
      carry /= radix;
    }
    for (; carry > 0; carry /= radix) digits.push_back(static_cast<std::uint8_t>(carry % radix));
  }
  std::string out(zeros, info.alphabet[0]);
  out.reserve(zeros + digits.size());
  for (std::size_t i = digits.size(); i-- > 0;) out.push_back(info.alphabet[digits[i]]);
  return out;
}

Result<Bytes> parse_number(const BaseInfo& info, const DigitTable& digits, std::string_view text) {
  if (text.size() > Limits::kBigBaseDigits) return fail(ErrorCode::Limit, "too many digits", Fault::Peer);
  const auto radix = static_cast<std::uint32_t>(info.alphabet.size());
  std::size_t zeros = 0;
  while (zeros < text.size() && text[zeros] == info.alphabet[0]) ++zeros;
  Bytes out;  // least significant first until the end
  out.reserve(text.size());
  for (const char c : text.substr(zeros)) {
    const int digit = digits[static_cast<std::uint8_t>(c)];
    if (digit < 0) return malformed(info, "foreign character");
    auto carry = static_cast<std::uint32_t>(digit);
    for (std::uint8_t& byte : out) {
      carry += std::uint32_t{byte} * radix;
      byte = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    if (carry > 0) out.push_back(static_cast<std::uint8_t>(carry));
  }
  out.insert(out.end(), zeros, 0);
  std::ranges::reverse(out);
  return out;
}

}  // namespace

std::string_view to_string(Base base) { return kBases[known_index(base)].name; }

std::string format_base(Base base, ByteView bytes) {
  const BaseInfo& info = kBases[known_index(base)];
  return info.bits > 0 ? format_bits(info, bytes) : format_number(info, bytes);
}

Result<Bytes> parse_base(Base base, std::string_view text) {
  const std::size_t index = known_index(base);
  const BaseInfo& info = kBases[index];
  return info.bits > 0 ? parse_bits(info, kDigits[index], text) : parse_number(info, kDigits[index], text);
}

std::string format_multibase(Base base, ByteView bytes) { return static_cast<char>(base) + format_base(base, bytes); }

Result<MultibaseText> parse_multibase(std::string_view text) {
  if (text.empty()) return fail(ErrorCode::Malformed, "multibase text is empty", Fault::Peer);
  const auto base = static_cast<Base>(text.front());
  if (!index_of(base)) return fail(ErrorCode::Unsupported, "unknown multibase prefix", Fault::Peer);
  auto bytes = parse_base(base, text.substr(1));
  if (!bytes) return std::unexpected(std::move(bytes).error());
  return MultibaseText{base, *std::move(bytes)};
}

}  // namespace ghmesh::multiformats
