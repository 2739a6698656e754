// SPDX-License-Identifier: Apache-2.0
#include "libp2p/core/peer_record.hpp"

#include <sstream>

#include "libp2p/core/envelope.hpp"
#include "libp2p/core/protobuf.hpp"
#include "vectors.hpp"

namespace ghmesh::libp2p {
namespace {

using multiformats::Multiaddr;

constexpr std::string_view kDomain = "libp2p-peer-record";

PrivateKey key() { return PrivateKey::decode(spec_private_key()).value(); }

TEST(PeerRecord, SameBytesAsJsLibp2p) {
  const auto rows = vector_rows("peer_records.csv");
  ASSERT_EQ(rows.size(), 2u);
  for (const auto& row : rows) {
    const std::uint64_t sequence = std::stoull(row[1]);
    std::vector<Multiaddr> addresses;
    std::istringstream list(row[2]);
    for (std::string text; list >> text;) addresses.push_back(Multiaddr::parse(text).value());
    EXPECT_EQ(to_hex(sign_peer_record(key(), sequence, addresses)), row[3]);

    const auto record = open_peer_record(hex(row[3]));
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_EQ(record->peer.text(), row[0]);
    EXPECT_EQ(record->sequence, sequence);
    EXPECT_EQ(record->addresses, addresses);
  }
}

TEST(PeerRecord, RefusesOtherTypesDomainsAndSigners) {
  Bytes payload;
  ProtoWriter(payload).bytes(1, PeerId::from_key(key().public_key()).bytes()).varint(2, 1);
  EXPECT_TRUE(open_peer_record(sign_envelope(key(), kDomain, Bytes{3, 1}, payload)));
  EXPECT_FALSE(open_peer_record(sign_envelope(key(), kDomain, Bytes{3, 2}, payload)));
  EXPECT_FALSE(open_peer_record(sign_envelope(key(), kDomain, as_bytes("/libp2p/routing-state-record"), payload)));
  EXPECT_FALSE(open_peer_record(sign_envelope(key(), "libp2p-routing-state", Bytes{3, 1}, payload)));

  crypto::SecretKey32 seed;
  const PrivateKey other = PrivateKey::from_seed(seed);
  EXPECT_EQ(open_peer_record(sign_envelope(other, kDomain, Bytes{3, 1}, payload)).error().code, ErrorCode::Authentic);
}

TEST(PeerRecord, BrokenAddressesAreLeftOutAndTheirNumberIsBounded) {
  Bytes payload;
  ProtoWriter writer(payload);
  writer.bytes(1, PeerId::from_key(key().public_key()).bytes()).varint(2, 1);
  Bytes broken, good;
  ProtoWriter(broken).bytes(1, Bytes{0x04, 0x7f});
  ProtoWriter(good).bytes(1, Multiaddr::parse("/ip4/127.0.0.1/tcp/1")->bytes());
  writer.bytes(3, broken).bytes(3, ByteView{});
  for (std::size_t i = 0; i < 2 * Limits::kRecordAddresses; ++i) writer.bytes(3, good);
  const auto record = open_peer_record(sign_envelope(key(), kDomain, Bytes{3, 1}, payload));
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->addresses.size(), Limits::kRecordAddresses);
}

TEST(PeerRecord, NamesAPeer) {
  EXPECT_FALSE(open_peer_record(sign_envelope(key(), kDomain, Bytes{3, 1}, {})));
  EXPECT_FALSE(open_peer_record(sign_envelope(key(), kDomain, Bytes{3, 1}, hex("0a021200"))));
}

}  // namespace
}  // namespace ghmesh::libp2p
