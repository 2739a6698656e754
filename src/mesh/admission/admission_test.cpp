// SPDX-License-Identifier: Apache-2.0
#include "mesh/admission/admission.hpp"

#include <gtest/gtest.h>

#include "libp2p/core/keys.hpp"

namespace ghmesh::mesh {
namespace {

Keyring ring(std::uint8_t secret, std::optional<std::uint8_t> also = std::nullopt) {
  Keyring keys{.current = MeshKeys::derive(Bytes(32, secret)), .also_accept = std::nullopt};
  if (also) keys.also_accept = MeshKeys::derive(Bytes(32, *also));
  return keys;
}

libp2p::PeerId peer(std::uint64_t seed) {
  SeededRandom random(seed);
  return libp2p::PeerId::from_key(libp2p::PrivateKey::generate(random).public_key());
}

struct Pair {
  Pair(const Keyring& dialer_keys, const Keyring& listener_keys, Bytes dialer_hash = Bytes(32, 1),
       Bytes listener_hash = Bytes(32, 1))
      : dialer(dialer_keys, {Role::Dialer, peer(1), peer(2), std::move(dialer_hash)}, random),
        listener(listener_keys, {Role::Listener, peer(2), peer(1), std::move(listener_hash)}, random) {}

  Result<void> run() {
    const auto proofs = dialer.receive(listener.hello());
    if (!proofs) return std::unexpected(proofs.error());
    const auto quiet = listener.receive(dialer.hello());
    if (!quiet) return std::unexpected(quiet.error());
    EXPECT_TRUE(quiet->empty()) << "the listener speaks first";
    EXPECT_EQ(proofs->size(), listener.expects());
    const auto answer = listener.receive(*proofs);
    if (!answer) return std::unexpected(answer.error());
    const auto done = dialer.receive(*answer);
    if (!done) return std::unexpected(done.error());
    return {};
  }

  SeededRandom random{3};
  Admission dialer;
  Admission listener;
};

TEST(Admission, HoldersOfOneSecretAdmitEachOther) {
  const Keyring a = ring(1), b = ring(1);
  Pair pair(a, b);
  ASSERT_TRUE(pair.run());
  EXPECT_TRUE(pair.dialer.admitted() && pair.listener.admitted());
  EXPECT_EQ(pair.dialer.expects(), 0u);
  auto dialer = pair.dialer.take_envelopes();
  auto listener = pair.listener.take_envelopes();
  Bytes wire;
  dialer.sealer.seal(7, to_bytes("hello"), wire);
  listener.opener.feed(wire);
  const auto frame = listener.opener.next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->request, 7u);
  EXPECT_EQ(to_text((*frame)->plain), "hello");
}

TEST(Admission, AnotherSecretIsRefusedWithoutAWord) {
  const Keyring a = ring(1), b = ring(2);
  Pair pair(a, b);
  const auto result = pair.run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::Refused);
  EXPECT_FALSE(pair.dialer.admitted() || pair.listener.admitted());
  EXPECT_EQ(pair.listener.expects(), 0u) << "no second try on one connection";
}

TEST(Admission, ProofsAreBoundToTheHandshake) {
  const Keyring a = ring(1), b = ring(1);
  EXPECT_FALSE(Pair(a, b, Bytes(32, 1), Bytes(32, 2)).run());
  EXPECT_TRUE(Pair(a, b, {}, {}).run()) << "without a hash the nonces bind";
}

TEST(Admission, ProofsAreBoundToBothIdentities) {
  const Keyring a = ring(1);
  SeededRandom random(1);
  for (const auto& [self, remote] : {std::pair(peer(2), peer(3)), std::pair(peer(4), peer(1))}) {
    Admission dialer(a, {Role::Dialer, peer(1), peer(2), {}}, random);
    Admission listener(a, {Role::Listener, self, remote, {}}, random);
    const auto proofs = dialer.receive(listener.hello());
    ASSERT_TRUE(listener.receive(dialer.hello()));
    EXPECT_FALSE(listener.receive(*proofs));
  }
}

TEST(Admission, AReflectedOrReplayedProofIsWorthNothing) {
  const Keyring a = ring(1);
  SeededRandom random(1);
  Admission dialer(a, {Role::Dialer, peer(1), peer(2), {}}, random);
  EXPECT_FALSE(dialer.receive(dialer.hello())) << "a mirror";

  Admission first(a, {Role::Dialer, peer(1), peer(2), {}}, random);
  Admission listener(a, {Role::Listener, peer(2), peer(1), {}}, random);
  const auto proofs = first.receive(listener.hello());
  Admission again(a, {Role::Listener, peer(2), peer(1), {}}, random);
  ASSERT_TRUE(again.receive(first.hello()));
  EXPECT_FALSE(again.receive(*proofs)) << "another listener nonce";

  // The dialer's own proof sent back to it is no listener's proof.
  Admission mirrored(a, {Role::Dialer, peer(1), peer(2), {}}, random);
  const auto own = mirrored.receive(listener.hello());
  EXPECT_FALSE(mirrored.receive(ByteView(*own).first(32)));
}

TEST(Admission, EveryFlippedBitIsRefused) {
  const Keyring a = ring(1);
  for (std::size_t i = 0; i < Admission::kListenerProofBytes * 8; ++i) {
    SeededRandom random(1);
    Admission dialer(a, {Role::Dialer, peer(1), peer(2), {}}, random);
    Admission listener(a, {Role::Listener, peer(2), peer(1), {}}, random);
    const auto proofs = dialer.receive(listener.hello());
    ASSERT_TRUE(listener.receive(dialer.hello()));
    Bytes answer = *listener.receive(*proofs);
    answer[i / 8] = static_cast<std::uint8_t>(answer[i / 8] ^ (1u << (i % 8)));
    ASSERT_FALSE(dialer.receive(answer));
    if (i == 100) i = 8 * 31;
  }
}

TEST(Admission, ARotationLosesNobody) {
  const Keyring old_only = ring(1), both_old = ring(1, 2), both_new = ring(2, 1), new_only = ring(2);
  for (const auto& [a, b] :
       {std::pair(&old_only, &both_old), std::pair(&old_only, &both_new), std::pair(&both_old, &both_new),
        std::pair(&both_new, &both_old), std::pair(&both_new, &new_only), std::pair(&both_old, &new_only),
        std::pair(&new_only, &both_old)}) {
    Pair pair(*a, *b);
    EXPECT_TRUE(pair.run());
    auto dialer = pair.dialer.take_envelopes();
    auto listener = pair.listener.take_envelopes();
    Bytes wire;
    listener.sealer.seal(1, to_bytes("x"), wire);
    dialer.opener.feed(wire);
    EXPECT_TRUE(dialer.opener.next()->has_value());
  }
  EXPECT_FALSE(Pair(old_only, new_only).run());
}

TEST(Admission, WrongSizesAndVersionsEndIt) {
  const Keyring a = ring(1);
  SeededRandom random(1);
  Admission dialer(a, {Role::Dialer, peer(1), peer(2), {}}, random);
  EXPECT_EQ(dialer.receive(Bytes(5)).error().code, ErrorCode::Malformed);
  Admission other(a, {Role::Dialer, peer(1), peer(2), {}}, random);
  Bytes hello(Admission::kHelloBytes, 9);
  EXPECT_EQ(other.receive(hello).error().code, ErrorCode::Unsupported);
}

}  // namespace
}  // namespace ghmesh::mesh
