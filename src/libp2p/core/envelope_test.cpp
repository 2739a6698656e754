// SPDX-License-Identifier: Apache-2.0
#include "libp2p/core/envelope.hpp"

#include "libp2p/core/limits.hpp"
#include "libp2p/core/protobuf.hpp"
#include "vectors.hpp"

namespace ghmesh::libp2p {
namespace {

constexpr std::string_view kDomain = "libp2p-testing";

PrivateKey key() { return PrivateKey::decode(spec_private_key()).value(); }

TEST(Envelope, OpensForItsDomainOnly) {
  const Bytes sealed = sign_envelope(key(), kDomain, as_bytes("/libp2p/testdata"), as_bytes("happy hacking"));
  const auto opened = open_envelope(sealed, kDomain);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->signer, key().public_key());
  EXPECT_EQ(to_text(opened->payload_type), "/libp2p/testdata");
  EXPECT_EQ(to_text(opened->payload), "happy hacking");
  EXPECT_EQ(open_envelope(sealed, "libp2p-routing-state").error().code, ErrorCode::Authentic);
}

// What is signed is fixed by the specification, so it is spelled out here once.
TEST(Envelope, SignatureCoversThreePrefixedParts) {
  const Bytes sealed = sign_envelope(key(), "ab", Bytes{1}, Bytes{2, 3});
  const Bytes expected =
      key().sign(hex("026162"
                     "0101"
                     "020203"));
  EXPECT_TRUE(equal(ByteView(sealed).last(64), expected));
  EXPECT_EQ(sealed[sealed.size() - 66], 5 << 3 | 2) << "the signature is field 5";
}

TEST(Envelope, PartsCannotFlowIntoEachOther) {
  // Same concatenation, other boundaries.
  const Bytes sealed = sign_envelope(key(), "ab", as_bytes("cd"), as_bytes("ef"));
  EXPECT_FALSE(open_envelope(sealed, "abc"));
  Bytes moved;
  ProtoWriter(moved)
      .bytes(1, key().public_key().encode())
      .bytes(2, "c")
      .bytes(3, "def")
      .bytes(5, ByteView(sealed).last(64));
  EXPECT_EQ(open_envelope(moved, "ab").error().code, ErrorCode::Authentic);
}

TEST(Envelope, AnyFlippedBitIsRefused) {
  const Bytes good = sign_envelope(key(), kDomain, Bytes{3, 1}, as_bytes("payload"));
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 1;
    EXPECT_FALSE(open_envelope(bad, kDomain)) << i;
  }
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(open_envelope(ByteView(good).first(size), kDomain)) << size;
}

TEST(Envelope, UnknownFieldsAreIgnoredAndSizeIsBounded) {
  Bytes sealed = sign_envelope(key(), kDomain, Bytes{3, 1}, as_bytes("payload"));
  ProtoWriter(sealed).varint(9, 7).bytes(10, "later");
  EXPECT_TRUE(open_envelope(sealed, kDomain));
  const Bytes large = sign_envelope(key(), kDomain, Bytes{3, 1}, Bytes(Limits::kEnvelopeBytes));
  EXPECT_EQ(open_envelope(large, kDomain).error().code, ErrorCode::Limit);
}

TEST(Envelope, TypeOfKeyIsRefusedFirst) {
  for (const auto& row : vector_rows("signatures.csv")) {
    Bytes sealed;
    ProtoWriter(sealed).bytes(1, hex(row[1])).bytes(2, "t").bytes(3, "p").bytes(5, hex(row[2]));
    EXPECT_EQ(open_envelope(sealed, kDomain).error().code, ErrorCode::Refused);
    EXPECT_EQ(open_envelope(sealed, kDomain, AcceptKeys::all()).error().code, ErrorCode::Authentic);
  }
}

}  // namespace
}  // namespace ghmesh::libp2p
