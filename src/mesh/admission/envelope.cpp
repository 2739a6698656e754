// SPDX-License-Identifier: Apache-2.0
#include "envelope.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "crypto/hmac.hpp"
#include "limits.hpp"

namespace ghmesh::mesh {
namespace {

constexpr std::string_view kProtocol = "/ghmesh/mesh/1.0.0";
constexpr std::uint8_t kVersion = 1;

Bytes direction_context(ByteView from, ByteView to) {
  Bytes context{kVersion};
  append(context, kProtocol);
  for (const ByteView id : {from, to}) {
    context.push_back(static_cast<std::uint8_t>(id.size()));
    append(context, id);
  }
  return context;
}

crypto::SecretKey32 direction_key(ByteView root, ByteView context) {
  Bytes info = to_bytes("ghmesh envelope");
  append(info, context);
  crypto::SecretKey32 key;
  crypto::hkdf_expand(root, info, key.expose_mutable());
  return key;
}

}  // namespace

EnvelopeSealer::EnvelopeSealer(crypto::SecretKey32 key, Bytes context)
    : key_(std::move(key)), aead_(crypto::Aead::aes256_gcm(key_)), context_(std::move(context)) {
  context_.resize(context_.size() + sizeof(std::uint32_t));
}

crypto::Aead::Nonce EnvelopeSealer::nonce() const {
  crypto::Aead::Nonce nonce{};
  store_be(nonce.data() + 4, number_);
  return nonce;
}

ByteView EnvelopeSealer::associated(std::uint32_t request) {
  store_be(context_.data() + context_.size() - sizeof request, request);
  return context_;
}

void EnvelopeSealer::next_number() {
  if (++number_ % AdmissionLimits::kFramesPerKey != 0) return;
  crypto::SecretKey32 next;
  crypto::hkdf_expand(key_.expose(), as_bytes("ghmesh envelope next"), next.expose_mutable());
  key_ = std::move(next);
  aead_ = crypto::Aead::aes256_gcm(key_);
}

void EnvelopeSealer::seal(std::uint32_t request, ByteView plain, Bytes& out) {
  GHMESH_CHECK(plain.size() <= AdmissionLimits::kFrameBytes);
  const std::size_t begin = out.size();
  out.resize(begin + kFrameOverhead + plain.size());
  std::uint8_t* header = out.data() + begin;
  store_be(header, static_cast<std::uint32_t>(plain.size() + crypto::Aead::kTagSize));
  store_be(header + 4, request);
  aead_.seal(nonce(), associated(request), plain, MutableByteView(out).subspan(begin + kFrameHeaderBytes));
  next_number();
}

MutableByteView EnvelopeOpener::room(std::size_t most) {
  // What is left is shifted only once half is used, so that many small frames cost one move.
  if (begin_ == end_ || begin_ * 2 >= buffer_.size()) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= std::exchange(begin_, 0);
  }
  if (buffer_.size() - end_ < most) buffer_.resize(end_ + most);
  return MutableByteView(buffer_).subspan(end_, most);
}

void EnvelopeOpener::filled(std::size_t n) {
  GHMESH_CHECK(n <= buffer_.size() - end_);
  end_ += n;
}

void EnvelopeOpener::feed(ByteView bytes) {
  const MutableByteView to = room(bytes.size());
  std::copy(bytes.begin(), bytes.end(), to.begin());
  filled(bytes.size());
}

Result<std::optional<OpenedFrame>> EnvelopeOpener::next() {
  if (failed_) return fail(ErrorCode::Closed, "the connection failed before", Fault::Peer);
  const std::size_t available = buffered();
  if (available < kFrameHeaderBytes) return std::nullopt;
  const std::uint8_t* header = buffer_.data() + begin_;
  const std::size_t size = load_be<std::uint32_t>(header);
  const std::uint32_t request = load_be<std::uint32_t>(header + 4);
  if (size < crypto::Aead::kTagSize || size > AdmissionLimits::kFrameBytes + crypto::Aead::kTagSize) {
    failed_ = true;
    return fail(ErrorCode::Limit, "a frame of " + std::to_string(size) + " bytes", Fault::Peer);
  }
  if (available < kFrameHeaderBytes + size) return std::nullopt;
  const MutableByteView sealed(buffer_.data() + begin_ + kFrameHeaderBytes, size);
  if (!mirror_.aead_.open(mirror_.nonce(), mirror_.associated(request), sealed)) {
    failed_ = true;
    return fail(ErrorCode::Authentic, "a frame that was not sealed for this place", Fault::Peer);
  }
  mirror_.next_number();
  begin_ += kFrameHeaderBytes + size;
  return OpenedFrame{.request = request, .plain = sealed.first(sealed.size() - crypto::Aead::kTagSize)};
}

EnvelopePair make_envelopes(const crypto::SecretKey32& root, ByteView transcript, ByteView self, ByteView remote) {
  const crypto::SecretKey32 connection = crypto::hkdf_extract(transcript, root.expose());
  const auto one_way = [&](ByteView from, ByteView to) {
    Bytes context = direction_context(from, to);
    crypto::SecretKey32 key = direction_key(connection.expose(), context);
    return EnvelopeSealer(std::move(key), std::move(context));
  };
  return {.sealer = one_way(self, remote), .opener = EnvelopeOpener(one_way(remote, self))};
}

}  // namespace ghmesh::mesh
