// SPDX-License-Identifier: Apache-2.0
#include "libp2p/noise/secure_handshake.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::libp2p::noise {
namespace {

crypto::X25519KeyPair copy_of(const crypto::X25519KeyPair& pair) { return {pair.secret.clone(), pair.public_key}; }

// The first of the initiator's that the responder has too.
std::optional<std::string> agree(const std::vector<std::string>& initiators,
                                 const std::vector<std::string>& responders) {
  for (const std::string& muxer : initiators)
    if (std::ranges::find(responders, muxer) != responders.end()) return muxer;
  return std::nullopt;
}

}  // namespace

SecureHandshake::SecureHandshake(Role role, const LocalIdentity& local, Random& random, SecureOptions options)
    : role_(role),
      local_(local),
      options_(std::move(options)),
      handshake_(role, copy_of(local.static_key()), crypto::X25519KeyPair::generate(random)) {
  // The first message is readable by all, so it carries nothing.
  if (role_ == Role::Initiator) GHMESH_CHECK(write_message({}));
}

Result<void> SecureHandshake::write_message(ByteView payload) {
  output_.resize(kFrameHeader);
  if (auto written = handshake_.write(payload, output_); !written) return written;
  store_be(output_.data(), static_cast<std::uint16_t>(output_.size() - kFrameHeader));
  return {};
}

Result<void> SecureHandshake::check_remote(ByteView payload) {
  auto remote = verify_payload(payload, handshake_.remote_static(), options_.accept_keys);
  if (!remote) return std::unexpected(std::move(remote).error());
  const PeerId peer = PeerId::from_key(remote->key);
  if (options_.expected_peer && *options_.expected_peer != peer)
    return fail(ErrorCode::Refused, "noise: another peer than the one dialled: " + peer.text(), Fault::Peer);
  if (!remote->muxers.empty() && !local_.muxers().empty()) {
    muxer_ = role_ == Role::Initiator ? agree(local_.muxers(), remote->muxers) : agree(remote->muxers, local_.muxers());
    if (!muxer_) return fail(ErrorCode::Unsupported, "noise: no muxer in common", Fault::Peer);
  }
  remote_peer_ = peer;
  remote_ = *std::move(remote);
  return {};
}

Result<void> SecureHandshake::on_message(ByteView message) {
  const auto payload = handshake_.read(message);
  if (!payload) return std::unexpected(payload.error());
  // The payload of the first message is unauthenticated and none of libp2p's; nobody looks at it.
  const bool first = role_ == Role::Responder && !handshake_.finished();
  if (!first) {
    if (auto checked = check_remote(*payload); !checked) return checked;
  }
  return handshake_.my_turn() ? write_message(local_.payload()) : Result<void>();
}

Result<std::size_t> SecureHandshake::receive(ByteView in) {
  if (failed_) return fail(ErrorCode::Closed, "noise: the handshake has failed before");
  std::size_t taken = 0;
  while (!finished()) {
    const ByteView rest = in.subspan(taken);
    const auto size = frame_size(rest);
    if (!size) break;
    Result<void> done;
    // Refused on the header: nothing is collected for a peer that announces more than a handshake can have.
    if (*size > kFrameHeader + Limits::kHandshakeMessageBytes) {
      done = fail(ErrorCode::Limit, "noise: handshake message too long", Fault::Peer);
    } else if (*size > rest.size()) {
      break;
    } else {
      done = on_message(rest.subspan(kFrameHeader, *size - kFrameHeader));
    }
    if (!done) {
      failed_ = true;
      output_.clear();
      return std::unexpected(std::move(done).error());
    }
    taken += *size;
  }
  return taken;
}

SecureSession SecureHandshake::finish() && {
  GHMESH_CHECK(finished() && !failed_);
  return SecureSession{std::move(remote_->key), *remote_peer_, std::move(muxer_), std::move(handshake_).split()};
}

}  // namespace ghmesh::libp2p::noise
