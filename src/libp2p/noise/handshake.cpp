// SPDX-License-Identifier: Apache-2.0
#include "libp2p/noise/handshake.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::libp2p::noise {
namespace {

constexpr std::size_t kKeyBytes = 32;

std::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorCode::Malformed, std::string("noise: ").append(why), Fault::Peer);
}
std::unexpected<Error> not_authentic(std::string_view why) {
  return fail(ErrorCode::Authentic, std::string("noise: ").append(why), Fault::Peer);
}

ByteView take(ByteView& rest, std::size_t size) {
  const ByteView taken = rest.first(size);
  rest = rest.subspan(size);
  return taken;
}

}  // namespace

Handshake::Handshake(Role role, crypto::X25519KeyPair static_key, crypto::X25519KeyPair ephemeral, ByteView prologue)
    : role_(role), static_(std::move(static_key)), ephemeral_(std::move(ephemeral)) {
  symmetric_.mix_hash(prologue);
}

Result<void> Handshake::mix_dh(const crypto::SecretKey32& secret, const crypto::X25519PublicKey& public_key) {
  const auto shared = crypto::x25519(secret, public_key);
  if (!shared) return not_authentic("public key of low order");
  symmetric_.mix_key(*shared);
  return {};
}

std::unexpected<Error> Handshake::fail_with(std::unexpected<Error> error) {
  failed_ = true;
  return error;
}

Result<void> Handshake::write(ByteView payload, Bytes& out) {
  GHMESH_CHECK(my_turn());
  const std::size_t start = out.size();
  if (step_ < 2) {  // e
    append(out, ByteView(ephemeral_.public_key));
    symmetric_.mix_hash(ephemeral_.public_key);
  }
  if (step_ == 1) {  // ee
    if (auto mixed = mix_dh(ephemeral_.secret, remote_ephemeral_); !mixed)
      return fail_with(std::unexpected(mixed.error()));
  }
  if (step_ > 0) {  // s, then es from the responder or se from the initiator: the same two keys, seen from here
    symmetric_.encrypt_and_hash(static_.public_key, out);
    if (auto mixed = mix_dh(static_.secret, remote_ephemeral_); !mixed)
      return fail_with(std::unexpected(mixed.error()));
  }
  symmetric_.encrypt_and_hash(payload, out);
  GHMESH_CHECK(out.size() - start <= Limits::kMessageBytes);
  ++step_;
  return {};
}

// The keys of the message at step_, in the order of write().
Result<void> Handshake::read_keys(ByteView& rest) {
  if (step_ < 2) {
    if (rest.size() < kKeyBytes) return malformed("handshake message too short");
    std::ranges::copy(take(rest, kKeyBytes), remote_ephemeral_.begin());
    symmetric_.mix_hash(remote_ephemeral_);
  }
  if (step_ == 1) {
    if (auto mixed = mix_dh(ephemeral_.secret, remote_ephemeral_); !mixed) return mixed;
  }
  if (step_ > 0) {
    if (rest.size() < kKeyBytes + Limits::kTagBytes) return malformed("handshake message too short");
    const auto key = symmetric_.decrypt_and_hash(take(rest, kKeyBytes + Limits::kTagBytes));
    if (!key) return not_authentic("static key is not authentic");
    std::ranges::copy(*key, remote_static_.begin());
    return mix_dh(ephemeral_.secret, remote_static_);
  }
  return {};
}

Result<Bytes> Handshake::read(ByteView message) {
  GHMESH_CHECK(!finished() && !my_turn());
  if (failed_) return fail(ErrorCode::Closed, "noise: the handshake has failed before");
  if (message.size() > Limits::kMessageBytes) return fail_with(malformed("message too long"));
  if (auto keys = read_keys(message); !keys) return fail_with(std::unexpected(keys.error()));
  if (symmetric_.has_key() && message.size() < Limits::kTagBytes)
    return fail_with(malformed("handshake message too short"));
  auto payload = symmetric_.decrypt_and_hash(message);
  if (!payload) return fail_with(not_authentic("payload is not authentic"));
  ++step_;
  return *std::move(payload);
}

Transport Handshake::split() && {
  GHMESH_CHECK(finished());
  const auto [forth, back] = symmetric_.split();
  const bool initiator = role_ == Role::Initiator;
  return Transport{FrameSealer(initiator ? forth : back), FrameOpener(initiator ? back : forth), symmetric_.hash()};
}

}  // namespace ghmesh::libp2p::noise
