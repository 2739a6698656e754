// SPDX-License-Identifier: Apache-2.0
#include "libp2p/noise/identity.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "libp2p/core/protobuf.hpp"
#include "libp2p/noise/limits.hpp"

namespace ghmesh::libp2p::noise {
namespace {

class Identity : public testing::Test {
 protected:
  crypto::SecureRandom random_;
  PrivateKey key_ = PrivateKey::generate(random_);
  crypto::X25519PublicKey static_key_ = crypto::X25519KeyPair::generate(random_).public_key;

  Bytes signature() const {
    Bytes message = to_bytes("noise-libp2p-static-key:");
    append(message, ByteView(static_key_));
    return key_.sign(message);
  }
  Result<RemoteIdentity> verify(ByteView payload) const { return verify_payload(payload, static_key_, {}); }
};

TEST_F(Identity, RoundTrip) {
  const auto remote = verify(encode_payload(key_, static_key_, {"/yamux/1.0.0", "/mplex/6.7.0"}));
  ASSERT_TRUE(remote) << remote.error().message;
  EXPECT_EQ(remote->key, key_.public_key());
  EXPECT_EQ(remote->muxers, (std::vector<std::string>{"/yamux/1.0.0", "/mplex/6.7.0"}));
  EXPECT_TRUE(verify(encode_payload(key_, static_key_, {}))->muxers.empty());
}

// The layout of the specification, spelled out.
TEST_F(Identity, WireFormat) {
  Bytes expected{0x0a, 36};
  append(expected, ByteView(key_.public_key().encode()));
  append(expected, ByteView(Bytes{0x12, 64}));
  append(expected, ByteView(signature()));
  append(expected, ByteView(Bytes{0x22, 14, 0x12, 12}));
  append(expected, "/yamux/1.0.0");
  EXPECT_EQ(to_hex(encode_payload(key_, static_key_, {"/yamux/1.0.0"})), to_hex(expected));
}

// A30, the payload's half: missing, foreign and changed proofs.
TEST_F(Identity, A30UnprovedIdentitiesAreRefused) {
  const Bytes key = key_.public_key().encode();
  const auto with = [](ByteView identity, ByteView proof) {
    Bytes out;
    ProtoWriter(out).bytes(1, identity).bytes(2, proof);
    return out;
  };
  EXPECT_TRUE(verify(with(key, signature())));
  EXPECT_FALSE(verify({})) << "no payload";
  EXPECT_FALSE(verify(with(key, {}))) << "no signature";
  EXPECT_FALSE(verify(with({}, signature()))) << "no key";
  Bytes changed = signature();
  changed[10] ^= 1;
  EXPECT_EQ(verify(with(key, changed)).error().code, ErrorCode::Authentic);
  const PrivateKey other = PrivateKey::generate(random_);
  EXPECT_EQ(verify(with(other.public_key().encode(), signature())).error().code, ErrorCode::Authentic);
  EXPECT_EQ(verify(with(key, key_.sign(static_key_))).error().code, ErrorCode::Authentic) << "without the prefix";
  EXPECT_EQ(verify_payload(with(key, signature()), crypto::X25519PublicKey{1}, {}).error().code, ErrorCode::Authentic)
      << "a proof for another static key, replayed";
}

TEST_F(Identity, TypeOfKeyIsRefusedFirst) {
  Bytes rsa, payload;
  ProtoWriter(rsa).varint(1, 0).bytes(2, Bytes(300));
  ProtoWriter(payload).bytes(1, rsa).bytes(2, Bytes(256));
  EXPECT_EQ(verify(payload).error().code, ErrorCode::Refused);
}

TEST_F(Identity, UnknownFieldsAreIgnoredAndListsAreBounded) {
  Bytes payload = encode_payload(key_, static_key_, {});
  Bytes extensions;
  ProtoWriter writer(extensions);
  writer.bytes(1, Bytes(34)).varint(2000, 1).bytes(2, std::string(Limits::kMuxerName + 1, 'x')).bytes(2, "");
  for (std::size_t i = 0; i < 2 * Limits::kMuxers; ++i) writer.bytes(2, "/m");
  ProtoWriter(payload).bytes(3, "data").bytes(4, extensions).varint(99, 1);
  const auto remote = verify(payload);
  ASSERT_TRUE(remote) << remote.error().message;
  EXPECT_EQ(remote->muxers.size(), Limits::kMuxers);
  ProtoWriter(payload).bytes(5, Bytes(Limits::kPayloadBytes));
  EXPECT_EQ(verify(payload).error().code, ErrorCode::Limit);
}

}  // namespace
}  // namespace ghmesh::libp2p::noise
