// SPDX-License-Identifier: Apache-2.0
#include "libp2p/peerstore/peerstore.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace ghmesh::libp2p {
namespace {

multiformats::Multiaddr at(int port) {
  return *multiformats::Multiaddr::parse("/ip4/192.0.2.1/tcp/" + std::to_string(port));
}

struct World {
  SeededRandom random{7};
  ManualClock clock;
  Peerstore store;
  PeerId someone() { return PeerId::from_key(PrivateKey::generate(random).public_key()); }
};

TEST(Peerstore, AddressesEndWithTheirTime) {
  World w;
  const PeerId peer = w.someone();
  w.store.add(peer, {at(1)}, 10s, w.clock.now());
  w.store.add(peer, {at(2)}, Duration::max(), w.clock.now());
  EXPECT_EQ(w.store.addresses(peer, w.clock.now()).size(), 2u);
  w.clock.advance(10s);
  EXPECT_EQ(w.store.addresses(peer, w.clock.now()), std::vector{at(2)});
}

TEST(Peerstore, ThePeerInAnAddressIsCutOff) {
  World w;
  const PeerId peer = w.someone();
  w.store.add(peer, {*with_peer(at(1), peer), at(1)}, 10s, w.clock.now());
  EXPECT_EQ(w.store.addresses(peer, w.clock.now()), std::vector{at(1)});
}

TEST(Peerstore, SignedAddressesReplaceSignedOnesAndOutrankHearsay) {
  World w;
  const PeerId peer = w.someone();
  EXPECT_TRUE(w.store.add_certified({peer, 5, {at(1), at(2)}}, 1h, w.clock.now()));
  EXPECT_FALSE(w.store.add_certified({peer, 5, {at(9)}}, 1h, w.clock.now()));
  EXPECT_TRUE(w.store.add_certified({peer, 6, {at(2)}}, 1h, w.clock.now()));
  w.store.add(peer, {at(3)}, 2h, w.clock.now());
  EXPECT_EQ(w.store.addresses(peer, w.clock.now()), (std::vector{at(2), at(3)}));
  for (int i = 100; i < 200; ++i) w.store.add(peer, {at(i)}, 3h, w.clock.now());
  const auto all = w.store.addresses(peer, w.clock.now());
  EXPECT_EQ(all.size(), 8u);
  EXPECT_EQ(all[0], at(2));
}

TEST(Peerstore, RandomIdentitiesPushOutTheLeastUsed) {
  World w;
  const PeerId kept = w.someone();
  w.store.add(kept, {at(1)}, 1h, w.clock.now());
  for (int i = 0; i < 2000; ++i) {
    w.store.add(w.someone(), {at(2)}, 1h, w.clock.now());
    w.store.add(kept, {at(1)}, 1h, w.clock.now());
  }
  EXPECT_EQ(w.store.size(), 256u);
  EXPECT_EQ(w.store.addresses(kept, w.clock.now()).size(), 1u);
}

}  // namespace
}  // namespace ghmesh::libp2p
