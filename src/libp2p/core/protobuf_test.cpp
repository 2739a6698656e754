// SPDX-License-Identifier: Apache-2.0
#include "libp2p/core/protobuf.hpp"

#include "vectors.hpp"

namespace ghmesh::libp2p {
namespace {

std::size_t count_fields(ByteView message, bool* ok) {
  std::size_t count = 0;
  *ok = for_each_field(message, [&](const ProtoField&) -> Result<void> {
          ++count;
          return {};
        }).has_value();
  return count;
}

// The examples of the encoding's documentation: 150 in field 1, "testing" in field 2.
TEST(Protobuf, PublishedExamples) {
  Bytes out;
  ProtoWriter(out).varint(1, 150).bytes(2, "testing");
  EXPECT_EQ(to_hex(out), "0896011207" + to_hex(as_bytes("testing")));
  ProtoReader reader(out);
  const auto first = reader.next();
  ASSERT_TRUE(first && *first);
  EXPECT_TRUE((*first)->is(1, WireType::Varint));
  EXPECT_EQ((*first)->value, 150u);
  const auto second = reader.next();
  ASSERT_TRUE(second && *second);
  EXPECT_EQ(as_text((*second)->bytes), "testing");
  const auto end = reader.next();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
}

TEST(Protobuf, ZeroIsWrittenAndExtremesRoundTrip) {
  Bytes out;
  ProtoWriter(out).varint(1, 0).varint((1u << 29) - 1, ~std::uint64_t{0});
  ProtoReader reader(out);
  EXPECT_EQ((*reader.next())->value, 0u);
  const auto last = *reader.next();
  EXPECT_EQ(last->number, (1u << 29) - 1);
  EXPECT_EQ(last->value, ~std::uint64_t{0});
}

TEST(Protobuf, FixedWidthsAreSkippable) {
  bool ok = false;
  EXPECT_EQ(count_fields(hex("0900000000000000001500000000"), &ok), 2u);
  EXPECT_TRUE(ok);
}

TEST(Protobuf, RefusesBrokenMessages) {
  for (const char* text :
       {"08",                                                               // no value
        "0880",                                                             // cut off
        "08ffffffffffffffffff02",                                           // 65 bits
        "0880808080808080808080808000", "00", "0200",                       // field number 0
        "0b", "0c",                                                         // groups
        "0e00", "0f00",                                                     // no such wire type
        "0a", "0a05", "0a0561616161", "0900", "0d00", "f8ffffffff0f00"}) {  // field number above 2^29
    bool ok = true;
    count_fields(hex(text), &ok);
    EXPECT_FALSE(ok) << text;
  }
}

// A27: a field that announces 2^60 bytes gives an error, and nothing is allocated for it.
TEST(Protobuf, LengthBombIsRefused) {
  bool ok = true;
  count_fields(hex("0a808080808080808010"
                   "61"),
               &ok);
  EXPECT_FALSE(ok);
}

TEST(Protobuf, HandlersFailureStops) {
  Bytes out;
  ProtoWriter(out).varint(1, 1).varint(2, 2);
  int seen = 0;
  const auto result = for_each_field(out, [&](const ProtoField&) -> Result<void> {
    ++seen;
    return fail(ErrorCode::Limit, "enough");
  });
  EXPECT_FALSE(result);
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace ghmesh::libp2p
