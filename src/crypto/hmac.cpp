// SPDX-License-Identifier: Apache-2.0
#include "crypto/hmac.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::crypto {
namespace {

constexpr std::size_t kBlock = 64;

}  // namespace

HmacSha256::HmacSha256(ByteView key) {
  std::array<std::uint8_t, kBlock> block{};
  if (key.size() > kBlock) {
    Digest32 hashed = sha256(key);
    std::ranges::copy(hashed, block.begin());
    wipe(hashed);
  } else {
    std::ranges::copy(key, block.begin());
  }
  for (std::uint8_t& byte : block) byte ^= 0x36;
  inner_.update(ByteView(block));
  for (std::uint8_t& byte : block) byte ^= 0x36 ^ 0x5c;
  outer_.update(ByteView(block));
  wipe(block);
}

HmacSha256::~HmacSha256() {
  inner_.wipe_state();
  outer_.wipe_state();
}

Digest32 HmacSha256::mac(ByteView message) const { return mac({message}); }

Digest32 HmacSha256::mac(std::initializer_list<ByteView> parts) const {
  Sha256 inner = inner_;
  for (const ByteView part : parts) inner.update(part);
  const Digest32 digest = inner.finish();
  Sha256 outer = outer_;
  return outer.update(ByteView(digest)).finish();
}

bool HmacSha256::verify(ByteView message, ByteView tag) const { return constant_time_equal(mac(message), tag); }

Digest32 hmac_sha256(ByteView key, ByteView message) { return HmacSha256(key).mac(message); }

SecretKey32 hkdf_extract(ByteView salt, ByteView input_key) { return SecretKey32(hmac_sha256(salt, input_key)); }

void hkdf_expand(ByteView pseudo_random_key, ByteView info, MutableByteView out) {
  GHMESH_CHECK(out.size() <= 255 * 32);
  const HmacSha256 hmac(pseudo_random_key);
  Digest32 block{};
  ByteView previous;
  for (std::uint8_t counter = 1; !out.empty(); ++counter) {
    block = hmac.mac({previous, info, ByteView(&counter, 1)});
    previous = block;
    const std::size_t take = std::min(out.size(), block.size());
    std::copy_n(block.begin(), take, out.begin());
    out = out.subspan(take);
  }
  wipe(block);
}

SecretBytes hkdf(ByteView salt, ByteView input_key, ByteView info, std::size_t length) {
  SecretBytes out{Bytes(length)};
  hkdf_expand(hkdf_extract(salt, input_key).expose(), info, out.expose_mutable());
  return out;
}

}  // namespace ghmesh::crypto
