// SPDX-License-Identifier: Apache-2.0
#include "multiformats/multibase.hpp"

#include <gtest/gtest.h>

#include <map>

#include "multiformats/limits.hpp"
#include "vectors.hpp"

namespace ghmesh::multiformats {
namespace {

constexpr Base kAll[] = {Base::Base16,         Base::Base16Upper, Base::Base32,      Base::Base32Upper, Base::Base32Pad,
                         Base::Base32PadUpper, Base::Base36,      Base::Base36Upper, Base::Base58Btc,   Base::Base64,
                         Base::Base64Pad,      Base::Base64Url,   Base::Base64UrlPad};

std::string unescape(std::string text) {
  for (std::size_t at; (at = text.find("\\x00")) != std::string::npos;) text.replace(at, 4, 1, '\0');
  return text;
}

std::string unquote(const std::string& text) {
  const std::size_t first = text.find('"');
  return text.substr(first + 1, text.rfind('"') - first - 1);
}

// Returns how many rows were of an encoding offered here.
int check_file(const std::string& name, bool also_format) {
  std::map<std::string_view, Base> by_name;
  for (const Base base : kAll) by_name.emplace(to_string(base), base);
  const auto lines = vector_lines("multibase/" + name);
  const std::string plain = unescape(unquote(lines.at(0)));
  int checked = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string encoding = lines[i].substr(0, lines[i].find(','));
    const auto base = by_name.find(encoding);
    if (base == by_name.end()) continue;
    const std::string coded = unquote(lines[i]);
    const auto decoded = parse_multibase(coded);
    EXPECT_TRUE(decoded) << encoding << ": " << (decoded ? "" : decoded.error().message);
    if (!decoded) continue;
    EXPECT_EQ(decoded->base, base->second);
    EXPECT_EQ(to_text(decoded->bytes), plain) << encoding;
    if (also_format) EXPECT_EQ(format_multibase(base->second, as_bytes(plain)), coded);
    ++checked;
  }
  return checked;
}

TEST(Multibase, PublishedVectors) {
  EXPECT_EQ(check_file("basic.csv", true), 13);
  EXPECT_EQ(check_file("leading_zero.csv", true), 13);
  EXPECT_EQ(check_file("two_leading_zeros.csv", true), 13);
  EXPECT_EQ(check_file("case_insensitivity.csv", false), 8);
}

TEST(Multibase, EveryBaseRoundTripsEveryLength) {
  for (const Base base : kAll) {
    Bytes bytes;
    for (int i = 0; i < 70; ++i) {
      const auto back = parse_multibase(format_multibase(base, bytes));
      ASSERT_TRUE(back) << to_string(base) << ' ' << i;
      EXPECT_EQ(back->bytes, bytes);
      bytes.push_back(static_cast<std::uint8_t>(i * 73 + 1));
    }
  }
}

TEST(Multibase, RefusesSecondSpellings) {
  for (const char* text : {"",                                        // no prefix
                           "1abc",       "?ab",                       // unknown prefix
                           "f1",         "fg0",      "ba",    "bab",  // one digit, then trailing bits
                           "cme======a", "cme=====", "cme",   "c========", "ca=======", "baa=",  "kA!", "z0",
                           "zO",         "zI",       "zl",    "mA",        "mAB",       "mAA==", "MAA", "MAA=",
                           "MAAA",       "MA===",    "M====", "MAA==AAAA", "mA-__",     "uA+//"})
    EXPECT_FALSE(parse_multibase(text)) << text;
  EXPECT_TRUE(parse_multibase("MAA=="));
  EXPECT_TRUE(parse_multibase("cme======"));
}

TEST(Multibase, QuadraticBasesAreBounded) {
  const std::string longest(Limits::kBigBaseDigits, '2');
  EXPECT_TRUE(parse_base(Base::Base58Btc, longest));
  const auto over = parse_base(Base::Base58Btc, longest + '2');
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, ErrorCode::Limit);
  EXPECT_EQ(parse_base(Base::Base36, longest + '2').error().code, ErrorCode::Limit);
}

}  // namespace
}  // namespace ghmesh::multiformats
