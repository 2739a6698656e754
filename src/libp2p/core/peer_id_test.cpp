// SPDX-License-Identifier: Apache-2.0
#include "libp2p/core/peer_id.hpp"

#include <unordered_set>

#include "vectors.hpp"

namespace ghmesh::libp2p {
namespace {

using multiformats::Multiaddr;

// The examples of the specification.
TEST(PeerId, PublishedTextForms) {
  const auto cid = PeerId::parse("bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe");
  const auto hash = PeerId::parse("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N");
  const auto key = PeerId::parse("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA");
  ASSERT_TRUE(cid && hash && key);
  EXPECT_EQ(*cid, *hash);
  EXPECT_EQ(cid->text(), "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N");
  EXPECT_EQ(hash->cid_text(), "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe");
  EXPECT_EQ(PeerId::parse(key->cid_text()).value(), *key);
  EXPECT_EQ(PeerId::decode(key->bytes()).value(), *key);
}

TEST(PeerId, OfPublishedKeys) {
  const auto rows = vector_rows("keys.csv");
  for (const auto& row : rows) {
    if (row[1] != "public") continue;
    const auto key = PublicKey::decode(hex(row[2]), AcceptKeys::all()).value();
    const PeerId id = PeerId::from_key(key);
    const bool inlined = row[0] == "ed25519" || row[0] == "secp256k1";
    EXPECT_EQ(id.text().starts_with(inlined ? "1" : "Qm"), true) << id.text();
    EXPECT_TRUE(id.belongs_to(key));
    const auto carried = id.public_key(AcceptKeys::all());
    EXPECT_EQ(carried.has_value(), inlined);
    if (carried) EXPECT_EQ(*carried, key);
  }
  // As js-libp2p prints it for the same key.
  EXPECT_EQ(PeerId::from_key(PrivateKey::decode(spec_private_key())->public_key()).text(),
            vector_rows("peer_records.csv")[0][0]);
}

TEST(PeerId, Refuses) {
  for (const char* text :
       {"", "1", "Qm", "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5S", "0", "z", "b", "not a peer",
        "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"})  // a CID of dag-pb
    EXPECT_FALSE(PeerId::parse(text)) << text;
  EXPECT_FALSE(PeerId::decode(hex("0000")));                         // no key
  EXPECT_FALSE(PeerId::decode(hex("002b" + std::string(86, '1'))));  // 43 bytes
  EXPECT_TRUE(PeerId::decode(hex("002a" + std::string(84, '1'))));   // 42
  EXPECT_FALSE(PeerId::decode(hex("121f" + std::string(62, '1'))));  // half a hash
  EXPECT_FALSE(PeerId::decode(hex("1320" + std::string(64, '1'))));  // sha2-512
  EXPECT_FALSE(PeerId::decode(hex("1220" + std::string(64, '1') + "00")));
}

TEST(PeerId, InsideAddresses) {
  const PeerId a = PeerId::parse("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA").value();
  const PeerId b = PeerId::parse("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N").value();
  const Multiaddr plain = Multiaddr::parse("/ip4/127.0.0.1/tcp/4001").value();
  EXPECT_FALSE(peer_of(plain));
  const Multiaddr with_a = with_peer(plain, a).value();
  EXPECT_EQ(with_a.text(), "/ip4/127.0.0.1/tcp/4001/p2p/" + a.text());
  EXPECT_EQ(with_peer(with_a, a).value(), with_a);
  EXPECT_EQ(peer_of(with_a), a);
  EXPECT_EQ(peer_of(Multiaddr::parse(with_a.text() + "/p2p-circuit/p2p/" + b.text()).value()), b) << "behind a relay";
}

TEST(PeerId, OrderAndHash) {
  const PeerId a = PeerId::parse("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA").value();
  const PeerId b = PeerId::parse("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N").value();
  EXPECT_EQ((std::unordered_set<PeerId>{a, b, a}).size(), 2u);
  EXPECT_NE(a < b, b < a);
  EXPECT_EQ(a < b, as_text(a.bytes()) < as_text(b.bytes()));
}

}  // namespace
}  // namespace ghmesh::libp2p
