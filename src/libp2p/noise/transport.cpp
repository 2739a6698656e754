// SPDX-License-Identifier: Apache-2.0
#include "libp2p/noise/transport.hpp"

#include <algorithm>
#include <limits>

#include "base/check.hpp"

namespace ghmesh::libp2p::noise {

// 32 zero bits, then the counter little-endian. The last value is reserved; no connection gets there.
crypto::Aead::Nonce Cipher::nonce() const {
  GHMESH_CHECK(counter_ != std::numeric_limits<std::uint64_t>::max());
  crypto::Aead::Nonce nonce{};
  store_le(nonce.data() + 4, counter_);
  return nonce;
}

void Cipher::seal(ByteView aad, MutableByteView buffer) {
  aead_.seal(nonce(), aad, buffer);
  ++counter_;
}

void Cipher::seal(ByteView aad, ByteView plain, MutableByteView out) {
  aead_.seal(nonce(), aad, plain, out);
  ++counter_;
}

bool Cipher::open(ByteView aad, MutableByteView buffer) {
  if (!aead_.open(nonce(), aad, buffer)) return false;
  ++counter_;
  return true;
}

void FrameSealer::seal(MutableByteView frame) {
  GHMESH_CHECK(frame.size() >= kFrameHeader + Limits::kTagBytes &&
               frame.size() <= kFrameHeader + Limits::kMessageBytes);
  store_be(frame.data(), static_cast<std::uint16_t>(frame.size() - kFrameHeader));
  cipher_.seal({}, frame.subspan(kFrameHeader));
}

void FrameSealer::seal(ByteView text, MutableByteView frame) {
  GHMESH_CHECK(text.size() <= Limits::kFrameText && frame.size() == kFrameHeader + text.size() + Limits::kTagBytes);
  store_be(frame.data(), static_cast<std::uint16_t>(frame.size() - kFrameHeader));
  cipher_.seal({}, text, frame.subspan(kFrameHeader));
}

void FrameSealer::append(Bytes& out, ByteView text) {
  while (!text.empty()) {
    const ByteView part = text.first(std::min(text.size(), Limits::kFrameText));
    text = text.subspan(part.size());
    const std::size_t start = out.size();
    out.resize(start + kFrameHeader + part.size() + Limits::kTagBytes);
    seal(part, MutableByteView(out).subspan(start));
  }
}

std::optional<std::size_t> frame_size(ByteView in) {
  if (in.size() < kFrameHeader) return std::nullopt;
  return kFrameHeader + load_be<std::uint16_t>(in.data());
}

Result<MutableByteView> FrameOpener::open(MutableByteView frame) {
  if (frame_size(frame) != frame.size() || frame.size() < kFrameHeader + Limits::kTagBytes)
    return fail(ErrorCode::Malformed, "noise: frame too short", Fault::Peer);
  const MutableByteView sealed = frame.subspan(kFrameHeader);
  if (!cipher_.open({}, sealed)) return fail(ErrorCode::Authentic, "noise: frame is not authentic", Fault::Peer);
  return sealed.first(sealed.size() - Limits::kTagBytes);
}

}  // namespace ghmesh::libp2p::noise
