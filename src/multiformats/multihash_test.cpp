// SPDX-License-Identifier: Apache-2.0
#include "multiformats/multihash.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "crypto/hash.hpp"
#include "multiformats/limits.hpp"
#include "multiformats/varint.hpp"
#include "vectors.hpp"

namespace ghmesh::multiformats {
namespace {

TEST(Multihash, PublishedVectors) {
  const auto lines = vector_lines("multihash/test_cases.csv");
  int computed = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::istringstream row(lines[i]);
    std::string algorithm, bits, input, expected;
    std::getline(row, algorithm, ',');
    std::getline(row, bits, ',');
    std::getline(row, input, ',');
    std::getline(row, expected, ',');
    const Bytes encoded = from_hex(expected).value();
    const auto hash = Multihash::decode(encoded);
    ASSERT_TRUE(hash) << lines[i];
    EXPECT_EQ(hash->digest().size() * 8, std::stoul(bits));
    EXPECT_EQ(hash->encode(), encoded);
    EXPECT_EQ(multicodec_name(hash->code()), algorithm == "sha3" ? "sha3-512" : algorithm);

    Bytes digest;
    const Bytes message = to_bytes(input);  // the text itself is what was hashed
    if (algorithm == "sha2-256") {
      const auto whole = crypto::sha256(message);
      digest.assign(whole.begin(), whole.end());
    } else if (algorithm == "sha2-512") {
      const auto whole = crypto::sha512(message);
      digest.assign(whole.begin(), whole.end());
    } else {
      continue;
    }
    digest.resize(std::stoul(bits) / 8);
    EXPECT_EQ(Multihash::make(hash->code(), digest).value(), *hash);
    ++computed;
  }
  EXPECT_EQ(lines.size(), 261u);
  EXPECT_EQ(computed, 140);
}

TEST(Multihash, RefusesWhatIsCutOffOrTooLong) {
  const Bytes good = Multihash::make(Multicodec::Sha2_256, Bytes(32, 1))->encode();
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(Multihash::decode(ByteView(good).first(size)));
  Bytes more = good;
  more.push_back(0);
  EXPECT_FALSE(Multihash::decode(more));
  EXPECT_FALSE(Multihash::make(Multicodec::Sha2_256, Bytes(33)));
  EXPECT_TRUE(Multihash::make(Multicodec::Identity, Bytes(Limits::kDigestBytes)));
  EXPECT_FALSE(Multihash::make(Multicodec::Identity, Bytes(Limits::kDigestBytes + 1)));
}

// A27: a length that promises far more than there is.
TEST(Multihash, LengthBombIsRefused) {
  Bytes bomb{0x00};
  append_varint(bomb, std::uint64_t{1} << 60);
  bomb.push_back(1);
  EXPECT_FALSE(Multihash::decode(bomb));
}

TEST(Multicodec, NamesAndCodesAgree) {
  EXPECT_EQ(parse_multicodec("libp2p-key"), Multicodec::Libp2pKey);
  EXPECT_EQ(multicodec_name(Multicodec::Libp2pPeerRecord), "libp2p-peer-record");
  EXPECT_FALSE(parse_multicodec("no such thing"));
  EXPECT_FALSE(multicodec_name(static_cast<Multicodec>(0x7fffff)));
}

}  // namespace
}  // namespace ghmesh::multiformats
