// SPDX-License-Identifier: Apache-2.0
#include "libp2p/noise/symmetric_state.hpp"

#include <algorithm>

#include "crypto/hmac.hpp"

namespace ghmesh::libp2p::noise {
namespace {

// As long as a hash, so it is the first hash itself (§5.2, InitializeSymmetric).
constexpr std::string_view kProtocolName = "Noise_XX_25519_ChaChaPoly_SHA256";
static_assert(kProtocolName.size() == 32);

// Noise's HKDF with two outputs is RFC 5869's with an empty info.
std::pair<crypto::SecretKey32, crypto::SecretKey32> derive_two(const crypto::SecretKey32& chaining_key,
                                                               ByteView input) {
  crypto::Secret<std::array<std::uint8_t, 64>> both;
  crypto::hkdf_expand(crypto::hkdf_extract(chaining_key.expose(), input).expose(), {}, both.expose_mutable());
  std::pair<crypto::SecretKey32, crypto::SecretKey32> keys;
  std::copy_n(both.expose().begin(), 32, keys.first.expose_mutable().begin());
  std::copy_n(both.expose().begin() + 32, 32, keys.second.expose_mutable().begin());
  return keys;
}

}  // namespace

SymmetricState::SymmetricState() {
  std::ranges::copy(as_bytes(kProtocolName), hash_.begin());
  chaining_key_.expose_mutable() = hash_;
}

void SymmetricState::mix_hash(ByteView bytes) { hash_ = crypto::sha256({ByteView(hash_), bytes}); }

void SymmetricState::mix_key(const crypto::SecretKey32& input) {
  auto [chaining_key, key] = derive_two(chaining_key_, input.expose());
  chaining_key_ = std::move(chaining_key);
  cipher_.emplace(key);
}

void SymmetricState::encrypt_and_hash(ByteView plain, Bytes& out) {
  const std::size_t start = out.size();
  if (cipher_) {
    out.resize(start + plain.size() + Limits::kTagBytes);
    cipher_->seal(hash_, plain, MutableByteView(out).subspan(start));
  } else {
    append(out, plain);
  }
  mix_hash(ByteView(out).subspan(start));
}

std::optional<Bytes> SymmetricState::decrypt_and_hash(ByteView sealed) {
  Bytes text(sealed.begin(), sealed.end());
  if (cipher_) {
    if (!cipher_->open(hash_, text)) return std::nullopt;
    text.resize(text.size() - Limits::kTagBytes);
  }
  mix_hash(sealed);
  return text;
}

std::pair<crypto::SecretKey32, crypto::SecretKey32> SymmetricState::split() const {
  return derive_two(chaining_key_, {});
}

}  // namespace ghmesh::libp2p::noise
