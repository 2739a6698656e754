// SPDX-License-Identifier: Apache-2.0
// Three ways in: bytes from the wire, and, since no fuzzer guesses a tag, the same bytes as the payload of a well
// sealed second and third message.
#include "base/check.hpp"
#include "base/random.hpp"
#include "libp2p/noise/secure_handshake.hpp"

using namespace ghmesh;
using namespace ghmesh::libp2p;
using namespace ghmesh::libp2p::noise;

namespace {

Bytes framed(Handshake& from, ByteView payload) {
  Bytes frame(kFrameHeader);
  GHMESH_CHECK(from.write(payload, frame));
  store_be(frame.data(), static_cast<std::uint16_t>(frame.size() - kFrameHeader));
  return frame;
}

// Nothing the fuzzer makes carries a right signature for a static key it has not seen.
void expect_refused(SecureHandshake& victim, ByteView wire) {
  (void)victim.receive(wire);
  GHMESH_CHECK(!victim.finished());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static SeededRandom random(1);
  static const LocalIdentity local(PrivateKey::generate(random), {"/yamux/1.0.0"}, random);
  const ByteView in(data, size);
  const SecureOptions all{.expected_peer = std::nullopt, .accept_keys = AcceptKeys::all()};

  SecureHandshake from_wire(Role::Responder, local, random, all);
  expect_refused(from_wire, in);

  if (size > noise::Limits::kPayloadBytes + 100) return 0;
  SecureHandshake initiator(Role::Initiator, local, random, all);
  Handshake responder(Role::Responder, crypto::X25519KeyPair::generate(random),
                      crypto::X25519KeyPair::generate(random));
  GHMESH_CHECK(responder.read(ByteView(initiator.take_output()).subspan(kFrameHeader)));
  expect_refused(initiator, framed(responder, in));
  GHMESH_CHECK(initiator.take_output().empty());

  SecureHandshake victim(Role::Responder, local, random, all);
  Handshake forger(Role::Initiator, crypto::X25519KeyPair::generate(random), crypto::X25519KeyPair::generate(random));
  GHMESH_CHECK(victim.receive(framed(forger, {})));
  GHMESH_CHECK(forger.read(ByteView(victim.take_output()).subspan(kFrameHeader)));
  expect_refused(victim, framed(forger, in));
  return 0;
}
