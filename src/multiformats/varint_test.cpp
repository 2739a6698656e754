// SPDX-License-Identifier: Apache-2.0
#include "multiformats/varint.hpp"

#include <gtest/gtest.h>

namespace ghmesh::multiformats {
namespace {

// The table of the unsigned-varint specification, and its bound.
TEST(Varint, PublishedExamples) {
  const std::pair<std::uint64_t, const char*> examples[] = {
      {0, "00"},     {1, "01"},     {127, "7f"},       {128, "8001"},
      {255, "ff01"}, {300, "ac02"}, {16384, "808001"}, {(std::uint64_t{1} << 63) - 1, "ffffffffffffffff7f"}};
  for (const auto& [value, hex] : examples) {
    Bytes out;
    append_varint(out, value);
    EXPECT_EQ(to_hex(out), hex);
    EXPECT_EQ(varint_size(value), out.size());
    ByteView in(out);
    EXPECT_EQ(take_varint(in).value(), value);
    EXPECT_TRUE(in.empty());
  }
}

TEST(Varint, NeedsMoreUntilComplete) {
  Bytes bytes;
  append_varint(bytes, (std::uint64_t{1} << 63) - 1);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(read_varint(ByteView(bytes).first(i)).status, VarintStatus::NeedMore);
    ByteView cut = ByteView(bytes).first(i);
    EXPECT_FALSE(take_varint(cut));
  }
  EXPECT_EQ(read_varint(bytes).size, 9u);
}

TEST(Varint, RefusesLongAndPaddedForms) {
  for (const char* hex :
       {"8100", "8000", "808000", "ffffffffffffffffff01", "808080808080808080", "ffffffffffffffffff"}) {
    const Bytes bytes = from_hex(hex).value();
    EXPECT_EQ(read_varint(bytes).status, VarintStatus::Malformed) << hex;
    ByteView in(bytes);
    EXPECT_FALSE(take_varint(in)) << hex;
    EXPECT_EQ(in.size(), bytes.size()) << "a failure leaves the input alone";
  }
}

}  // namespace
}  // namespace ghmesh::multiformats
