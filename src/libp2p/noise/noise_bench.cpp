// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "crypto/random.hpp"
#include "libp2p/noise/secure_handshake.hpp"

namespace ghmesh::libp2p::noise {
namespace {

// Both sides in one thread: the floor of a connection's set-up.
void handshake_both_sides(benchmark::State& state) {
  crypto::SecureRandom random;
  const LocalIdentity alice(PrivateKey::generate(random), {"/yamux/1.0.0"}, random);
  const LocalIdentity bob(PrivateKey::generate(random), {"/yamux/1.0.0"}, random);
  for (auto _ : state) {
    SecureHandshake a(Role::Initiator, alice, random);
    SecureHandshake b(Role::Responder, bob, random);
    benchmark::DoNotOptimize(b.receive(a.take_output()));
    benchmark::DoNotOptimize(a.receive(b.take_output()));
    benchmark::DoNotOptimize(b.receive(a.take_output()));
    benchmark::DoNotOptimize(std::move(a).finish());
    benchmark::DoNotOptimize(std::move(b).finish());
  }
}
BENCHMARK(handshake_both_sides);

void seal_and_open(benchmark::State& state) {
  const crypto::SecretKey32 key;
  FrameSealer sealer(key);
  FrameOpener opener(key);
  const Bytes text(static_cast<std::size_t>(state.range(0)), 7);
  Bytes wire;
  for (auto _ : state) {
    wire.clear();
    sealer.append(wire, text);
    benchmark::DoNotOptimize(opener.open(wire));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(seal_and_open)->Arg(64)->Arg(2048)->Arg(16384)->Arg(65519);

}  // namespace
}  // namespace ghmesh::libp2p::noise
