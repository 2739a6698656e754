// SPDX-License-Identifier: Apache-2.0
#include "libp2p/noise/secure_handshake.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "libp2p/core/protobuf.hpp"

namespace ghmesh::libp2p::noise {
namespace {

const std::vector<std::string> kYamux{"/yamux/1.0.0"};

class Secure : public testing::Test {
 protected:
  crypto::SecureRandom random_;
  PrivateKey alice_key_ = PrivateKey::generate(random_);
  PrivateKey bob_key_ = PrivateKey::generate(random_);
  LocalIdentity alice_{alice_key_, kYamux, random_};
  LocalIdentity bob_{bob_key_, kYamux, random_};
  PeerId alice_id_ = PeerId::from_key(alice_key_.public_key());
  PeerId bob_id_ = PeerId::from_key(bob_key_.public_key());

  // Bob as a raw Noise machine that says what the test wants. Returns what alice makes of his message.
  Result<std::size_t> alice_reads(ByteView payload, SecureHandshake& alice, const crypto::X25519KeyPair& bob_static) {
    Handshake bob(Role::Responder, {bob_static.secret.clone(), bob_static.public_key},
                  crypto::X25519KeyPair::generate(random_));
    EXPECT_TRUE(bob.read(ByteView(alice.take_output()).subspan(kFrameHeader)));
    Bytes frame(kFrameHeader);
    EXPECT_TRUE(bob.write(payload, frame));
    store_be(frame.data(), static_cast<std::uint16_t>(frame.size() - kFrameHeader));
    return alice.receive(frame);
  }
};

void expect_conversation(SecureSession& a, SecureSession& b) {
  Bytes wire;
  a.transport.sealer.append(wire, as_bytes("hello"));
  EXPECT_EQ(as_text(b.transport.opener.open(wire).value()), "hello");
  wire.clear();
  b.transport.sealer.append(wire, as_bytes("back"));
  EXPECT_EQ(as_text(a.transport.opener.open(wire).value()), "back");
  EXPECT_EQ(a.transport.handshake_hash, b.transport.handshake_hash);
}

TEST_F(Secure, BothLearnWhoTheOtherIs) {
  SecureHandshake alice(Role::Initiator, alice_, random_, {.expected_peer = bob_id_, .accept_keys = {}});
  SecureHandshake bob(Role::Responder, bob_, random_);
  const Bytes first = alice.take_output();
  EXPECT_EQ(first.size(), kFrameHeader + 32);
  ASSERT_EQ(bob.receive(first).value(), first.size());
  const Bytes second = bob.take_output();
  ASSERT_EQ(alice.receive(second).value(), second.size());
  EXPECT_TRUE(alice.finished());
  EXPECT_FALSE(bob.finished()) << "the responder knows nobody before the third message";
  const Bytes third = alice.take_output();
  ASSERT_EQ(bob.receive(third).value(), third.size());
  ASSERT_TRUE(bob.finished());
  EXPECT_TRUE(bob.take_output().empty());
  SecureSession a = std::move(alice).finish();
  SecureSession b = std::move(bob).finish();
  EXPECT_EQ(a.remote_peer, bob_id_);
  EXPECT_EQ(b.remote_peer, alice_id_);
  EXPECT_EQ(a.muxer, "/yamux/1.0.0");
  EXPECT_EQ(b.muxer, "/yamux/1.0.0");
  expect_conversation(a, b);
}

TEST_F(Secure, AnySegmentation) {
  SecureHandshake alice(Role::Initiator, alice_, random_);
  SecureHandshake bob(Role::Responder, bob_, random_);
  const auto deliver = [](SecureHandshake& from, SecureHandshake& to) {
    const Bytes all = from.take_output();
    Bytes held;
    for (const std::uint8_t byte : all) {
      held.push_back(byte);
      const auto taken = to.receive(held);
      ASSERT_TRUE(taken);
      held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(*taken));
    }
    EXPECT_TRUE(held.empty());
  };
  deliver(alice, bob);
  deliver(bob, alice);
  deliver(alice, bob);
  EXPECT_TRUE(alice.finished() && bob.finished());
}

TEST_F(Secure, BytesBehindTheThirdMessageStay) {
  SecureHandshake alice(Role::Initiator, alice_, random_);
  SecureHandshake bob(Role::Responder, bob_, random_);
  ASSERT_TRUE(bob.receive(alice.take_output()));
  ASSERT_TRUE(alice.receive(bob.take_output()));
  Bytes wire = alice.take_output();
  const std::size_t third = wire.size();
  SecureSession a = std::move(alice).finish();
  a.transport.sealer.append(wire, as_bytes("early"));
  ASSERT_EQ(bob.receive(wire).value(), third);
  SecureSession b = std::move(bob).finish();
  EXPECT_EQ(as_text(b.transport.opener.open(MutableByteView(wire).subspan(third)).value()), "early");
}

TEST_F(Secure, AnotherPeerThanDialledIsRefusedBeforeWeSayWhoWeAre) {
  SecureHandshake alice(Role::Initiator, alice_, random_, {.expected_peer = alice_id_, .accept_keys = {}});
  SecureHandshake bob(Role::Responder, bob_, random_);
  ASSERT_TRUE(bob.receive(alice.take_output()));
  EXPECT_EQ(alice.receive(bob.take_output()).error().code, ErrorCode::Refused);
  EXPECT_TRUE(alice.take_output().empty());
  EXPECT_FALSE(alice.finished());
  EXPECT_EQ(alice.receive({}).error().code, ErrorCode::Closed);
}

// A30: the six forged identities, towards the initiator.
TEST_F(Secure, A30ForgedResponders) {
  const auto bob_static = crypto::X25519KeyPair::generate(random_);
  const Bytes good = encode_payload(bob_key_, bob_static.public_key, kYamux);
  const auto outcome = [&](ByteView payload) {
    SecureHandshake alice(Role::Initiator, alice_, random_);
    const auto result = alice_reads(payload, alice, bob_static);
    EXPECT_EQ(result.has_value(), alice.finished());
    EXPECT_EQ(result.has_value(), !alice.take_output().empty()) << "nothing is sent to a forger";
    return result.has_value();
  };
  EXPECT_TRUE(outcome(good));
  EXPECT_FALSE(outcome({}));
  Bytes bad = good;
  bad[60] ^= 1;  // inside the signature
  EXPECT_FALSE(outcome(bad));
  EXPECT_FALSE(outcome(ByteView(good).first(38))) << "the key alone";
  EXPECT_FALSE(outcome(ByteView(good).subspan(38))) << "the signature alone";
  EXPECT_FALSE(outcome(encode_payload(bob_key_, crypto::X25519KeyPair::generate(random_).public_key, kYamux)));
  Bytes stolen;  // alice's own key with bob's signature
  ProtoWriter(stolen).bytes(1, alice_key_.public_key().encode()).bytes(2, ByteView(good).subspan(40, 64));
  EXPECT_FALSE(outcome(stolen));
}

// A30 towards the responder, which has to stay silent.
TEST_F(Secure, A30ForgedInitiatorGetsNoAnswer) {
  const auto mallory_static = crypto::X25519KeyPair::generate(random_);
  Handshake mallory(Role::Initiator, {mallory_static.secret.clone(), mallory_static.public_key},
                    crypto::X25519KeyPair::generate(random_));
  SecureHandshake bob(Role::Responder, bob_, random_);
  const auto send = [&](ByteView payload) {
    Bytes frame(kFrameHeader);
    EXPECT_TRUE(mallory.write(payload, frame));
    store_be(frame.data(), static_cast<std::uint16_t>(frame.size() - kFrameHeader));
    return bob.receive(frame);
  };
  ASSERT_TRUE(send({}));
  ASSERT_TRUE(mallory.read(ByteView(bob.take_output()).subspan(kFrameHeader)));
  EXPECT_EQ(send(alice_.payload()).error().code, ErrorCode::Authentic) << "alice's payload for alice's static key";
  EXPECT_TRUE(bob.take_output().empty());
  EXPECT_FALSE(bob.finished());
}

TEST_F(Secure, LongHandshakeMessagesAreRefusedOnTheHeader) {
  SecureHandshake bob(Role::Responder, bob_, random_);
  EXPECT_EQ(bob.receive(Bytes{0xff, 0xff}).error().code, ErrorCode::Limit);
}

TEST_F(Secure, MuxersAgreeOnTheInitiatorsFirst) {
  const auto agreed = [&](std::vector<std::string> initiators,
                          std::vector<std::string> responders) -> Result<std::string> {
    const LocalIdentity one(alice_key_, std::move(initiators), random_);
    const LocalIdentity two(bob_key_, std::move(responders), random_);
    SecureHandshake a(Role::Initiator, one, random_);
    SecureHandshake b(Role::Responder, two, random_);
    if (auto r = b.receive(a.take_output()); !r) return std::unexpected(r.error());
    if (auto r = a.receive(b.take_output()); !r) return std::unexpected(r.error());
    if (auto r = b.receive(a.take_output()); !r) return std::unexpected(r.error());
    const auto muxer = std::move(a).finish().muxer;
    EXPECT_EQ(muxer, std::move(b).finish().muxer);
    return muxer.value_or("none");
  };
  EXPECT_EQ(agreed({"/a", "/b"}, {"/b", "/a"}).value(), "/a");
  EXPECT_EQ(agreed({"/c", "/b"}, {"/a", "/b"}).value(), "/b");
  EXPECT_EQ(agreed({}, {"/a"}).value(), "none");
  EXPECT_EQ(agreed({"/a"}, {}).value(), "none");
  EXPECT_EQ(agreed({"/a"}, {"/b"}).error().code, ErrorCode::Unsupported);
}

}  // namespace
}  // namespace ghmesh::libp2p::noise
