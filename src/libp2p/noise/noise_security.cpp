// SPDX-License-Identifier: Apache-2.0
#include "libp2p/noise/noise_security.hpp"

#include "libp2p/noise/secure_stream.hpp"

namespace ghmesh::libp2p::noise {

io::Task<Result<SecuredStream>> NoiseSecurity::secure(std::unique_ptr<io::Stream> lower, Direction direction,
                                                      std::optional<PeerId> expected) {
  SecureHandshake handshake(direction == Direction::Outbound ? Role::Initiator : Role::Responder, local_, random_,
                            {expected, accept_keys_});
  Bytes frame;
  while (true) {
    if (const Bytes out = handshake.take_output(); !out.empty())
      if (Result<> sent = co_await lower->write_all(out); !sent) co_return std::unexpected(sent.error());
    if (handshake.finished()) break;
    // Exactly one frame: what follows the handshake belongs to the transport.
    frame.resize(kFrameHeader);
    if (auto n = co_await lower->read_exact(frame); !n) co_return std::unexpected(n.error());
    const std::size_t size = *frame_size(frame);
    if (size <= kFrameHeader + Limits::kHandshakeMessageBytes) {
      frame.resize(size);
      if (auto n = co_await lower->read_exact(MutableByteView(frame).subspan(kFrameHeader)); !n)
        co_return std::unexpected(n.error());
    }
    if (auto taken = handshake.receive(frame); !taken) co_return std::unexpected(taken.error());
  }
  SecureSession session = std::move(handshake).finish();
  const auto& hash = session.transport.handshake_hash;
  Bytes binding(hash.begin(), hash.end());
  co_return SecuredStream{make_secure_stream(std::move(lower), std::move(session.transport)),
                          std::move(session.remote_key), session.remote_peer, std::move(session.muxer),
                          std::move(binding)};
}

}  // namespace ghmesh::libp2p::noise
