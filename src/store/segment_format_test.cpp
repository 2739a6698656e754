// SPDX-License-Identifier: Apache-2.0
#include "segment_format.hpp"

#include <gtest/gtest.h>

#include "body_codec.hpp"
#include "segment_cipher.hpp"
#include "test_records.hpp"

namespace ghmesh::store {
namespace {

RecordHead sample() {
  RecordHead head{.kind = RecordKind::Put,
                  .codec = BodyCodec::Zstd,
                  .group_count = 2,
                  .flags = 0x01020304,
                  .useful_until_s = 4'000'000'000,
                  .metadata_bytes = 77,
                  .stored_body_bytes = 500,
                  .body_bytes = 6000,
                  .key = test_key(1)};
  head.groups[0] = 0x1122334455667788;
  head.groups[1] = 9;
  return head;
}

TEST(SegmentFormat, HeadsComeBackAsTheyWere) {
  const RecordHead head = sample();
  const auto bytes = encode_head(head);
  EXPECT_EQ(decode_head(bytes, {}), head);
  EXPECT_EQ(head.record_bytes(), 128 + 77 + 500 + 16u);
}

TEST(SegmentFormat, HeadBytesAreThoseOfTheDocument) {
  const auto bytes = encode_head(sample());
  EXPECT_EQ(to_hex(ByteView(bytes).first(24)), "010102000403020100286bee4d000000f401000070170000");
  EXPECT_EQ(to_hex(ByteView(bytes).subspan(56, 16)), "88776655443322110900000000000000");
}

TEST(SegmentFormat, HeadsOutsideTheRulesAreRefused) {
  const auto refused = [](std::size_t at, std::uint8_t value) {
    auto bytes = encode_head(sample());
    bytes[at] = value;
    return !decode_head(bytes, {}).has_value();
  };
  EXPECT_TRUE(refused(0, 0));
  EXPECT_TRUE(refused(0, 5));
  EXPECT_TRUE(refused(0, 2));  // a removal with a payload
  EXPECT_TRUE(refused(1, 3));
  EXPECT_TRUE(refused(1, 0));      // stored as it is, in another size
  EXPECT_TRUE(refused(2, 8));      // more groups than there is room for
  EXPECT_TRUE(refused(3, 1));      // reserved
  EXPECT_TRUE(refused(15, 1));     // metadata of 16 MiB
  EXPECT_TRUE(refused(23, 0xff));  // a body of 4 GiB
  EXPECT_TRUE(refused(18, 1));     // grows by compression
  EXPECT_TRUE(refused(111, 1));    // a group beyond the count
  EXPECT_FALSE(refused(4, 9));
}

TEST(SegmentFormat, HintEntriesComeBackAsTheyWere) {
  const HintEntry entry = to_hint(sample(), 640);
  HintEntry removal{.kind = RecordKind::Remove, .offset = 64, .length = 128, .key = test_key(2)};
  Bytes bytes;
  encode_hint_entry(entry, bytes);
  encode_hint_entry(removal, bytes);
  ByteView view(bytes);
  EXPECT_EQ(decode_hint_entry(view), entry);
  EXPECT_EQ(decode_hint_entry(view), removal);
  EXPECT_TRUE(view.empty());
  EXPECT_EQ(decode_hint_entry(view), std::nullopt);
  for (std::size_t length = 1; length < 46 + 16; ++length) {
    ByteView cut = ByteView(bytes).first(length);
    EXPECT_EQ(decode_hint_entry(cut), std::nullopt) << length;
  }
}

TEST(SegmentFormat, NamesComeBackAsTheyWere) {
  EXPECT_EQ(segment_name(42), "000000000000002a.seg");
  EXPECT_EQ(parse_name("000000000000002a.seg", ".seg"), 42u);
  EXPECT_EQ(parse_name("000000000000002A.seg", ".seg"), std::nullopt);
  EXPECT_EQ(parse_name("000000000000002a.hint", ".seg"), std::nullopt);
  EXPECT_EQ(parse_name("0000000000000000.seg", ".seg"), std::nullopt);
  EXPECT_EQ(parse_name("000000010000002a.seg", ".seg"), std::nullopt);
  EXPECT_EQ(parse_name("2a.seg", ".seg"), std::nullopt);
}

TEST(FileCipher, OpensOnlyInItsPlace) {
  crypto::SecretKey32 key;
  const Salt salt{1};
  FileCipher cipher(key, FilePurpose::Segment, salt);
  Bytes sealed(40);
  cipher.seal(64, FileCipher::Part::Head, {}, sealed);
  const auto opens = [&](FilePurpose purpose, const Salt& with, std::uint64_t offset, FileCipher::Part part) {
    Bytes copy = sealed;
    return FileCipher(key, purpose, with).open(offset, part, {}, copy);
  };
  EXPECT_TRUE(opens(FilePurpose::Segment, salt, 64, FileCipher::Part::Head));
  EXPECT_FALSE(opens(FilePurpose::Segment, salt, 128, FileCipher::Part::Head));
  EXPECT_FALSE(opens(FilePurpose::Segment, salt, 64, FileCipher::Part::Payload));
  EXPECT_FALSE(opens(FilePurpose::Hint, salt, 64, FileCipher::Part::Head));
  EXPECT_FALSE(opens(FilePurpose::Segment, Salt{2}, 64, FileCipher::Part::Head));
}

TEST(BodyCodec, BodiesComeBackAndShrinkIfTheyCan) {
  BodyCompressor codec({});
  for (const std::size_t size : {0u, 1u, 63u, 64u, 1000u, 3'000'000u}) {
    const Bytes body = test_bytes(size, size);
    const auto compressed = codec.compress(body);
    EXPECT_LE(compressed.bytes.size(), body.size());
    const Bytes stored(compressed.bytes.begin(), compressed.bytes.end());
    EXPECT_EQ(codec.decompress(compressed.codec, stored, size), body) << size;
  }
  Bytes noise(1000);
  SeededRandom(1).fill(noise);
  EXPECT_EQ(codec.compress(noise).codec, BodyCodec::Identity);
  const Bytes text = test_bytes(1, 4000);
  const auto compressed = codec.compress(text);
  EXPECT_EQ(codec.decompress(compressed.codec, compressed.bytes, 3999), std::nullopt);
  EXPECT_EQ(codec.decompress(compressed.codec, compressed.bytes, 4001), std::nullopt);
  EXPECT_EQ(codec.decompress(BodyCodec::ZstdDictionary, compressed.bytes, 4000), std::nullopt);
}

}  // namespace
}  // namespace ghmesh::store
