// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

// Multibase (multiformats/multibase): bytes as text whose first character names the base. Also the bases alone, since a
// peer id is base58btc without a prefix.

namespace ghmesh::multiformats {

// The value is the prefix.
enum class Base : char {
  Base16 = 'f',
  Base16Upper = 'F',
  Base32 = 'b',
  Base32Upper = 'B',
  Base32Pad = 'c',
  Base32PadUpper = 'C',
  Base36 = 'k',
  Base36Upper = 'K',
  Base58Btc = 'z',
  Base64 = 'm',
  Base64Pad = 'M',
  Base64Url = 'u',
  Base64UrlPad = 'U',
};

std::string_view to_string(Base base);  // "base32padupper"

// With the prefix.
std::string format_multibase(Base base, ByteView bytes);

struct MultibaseText {
  Base base;
  Bytes bytes;
};
// Bases 16, 32 and 36 take either case. Refused: an unknown prefix (Unsupported), a foreign character, missing, extra
// or misplaced padding, trailing bits that are not zero, and more than Limits::kBigBaseDigits digits of base 36 or 58.
Result<MultibaseText> parse_multibase(std::string_view text);

// Without the prefix.
std::string format_base(Base base, ByteView bytes);
Result<Bytes> parse_base(Base base, std::string_view text);

}  // namespace ghmesh::multiformats
