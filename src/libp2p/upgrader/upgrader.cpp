// SPDX-License-Identifier: Apache-2.0
#include "libp2p/upgrader/upgrader.hpp"

#include "libp2p/multistream/negotiate.hpp"

namespace ghmesh::libp2p {

namespace {
constexpr std::string_view kYamux = "/yamux/1.0.0";
}

SecureTransport* Upgrader::find(std::string_view protocol) const {
  for (SecureTransport* transport : transports_)
    if (transport->protocol() == protocol) return transport;
  return nullptr;
}

io::Task<Result<UpgradedConnection>> Upgrader::upgrade(std::unique_ptr<io::Stream> raw,
                                                       resource::ConnectionPermit permit, Direction direction,
                                                       std::optional<PeerId> expected) const {
  const TimePoint begin = raw->loop().now();
  // The stream stays where it is in memory while it moves from owner to owner. When it is destroyed this coroutine ends
  // in the same turn, so the timer cannot fire on it.
  const io::StreamDeadline deadline(*raw, limits_.deadline, "upgrading the connection");
  SecureTransport* transport = nullptr;
  if (direction == Direction::Outbound && transports_.size() == 1) {
    // One proposal: it rides before the handshake's first message.
    transport = transports_[0];
    raw = multistream::make_lazy(std::move(raw), std::string(transport->protocol()),
                                 multistream::EarlyEnd::BehindAnswer, limits_.multistream);
  } else if (direction == Direction::Outbound) {
    std::vector<std::string> names;
    for (const SecureTransport* t : transports_) names.emplace_back(t->protocol());
    const auto agreed = co_await multistream::select(*raw, std::move(names), limits_.multistream);
    if (!agreed) co_return std::unexpected(agreed.error());
    transport = find(*agreed);
  } else {
    const auto agreed = co_await multistream::answer(
        *raw, [this](std::string_view name) { return find(name) != nullptr; }, limits_.multistream);
    if (!agreed) co_return std::unexpected(agreed.error());
    transport = find(*agreed);
  }

  Result<SecuredStream> secured = co_await transport->secure(std::move(raw), direction, expected);
  if (!secured) {
    co_return std::unexpected(secured.error());
  }
  if (expected && secured->remote_peer != *expected) {
    co_return fail(ErrorCode::Refused, "the peer at this address is " + secured->remote_peer.text(), Fault::Peer);
  }
  if (!gate_.allows_peer(secured->remote_peer, direction)) {
    co_return fail(ErrorCode::Refused, "the peer is not admitted: " + secured->remote_peer.text(), Fault::Peer);
  }
  if (Result<> admitted = permit.admit(as_text(secured->remote_peer.bytes())); !admitted) {
    co_return std::unexpected(admitted.error());
  }

  if (!secured->muxer) {
    if (direction == Direction::Outbound) {
      secured->stream = multistream::make_lazy(std::move(secured->stream), std::string(kYamux),
                                               multistream::EarlyEnd::BehindAnswer, limits_.multistream);
    } else {
      const auto agreed = co_await multistream::answer(
          *secured->stream, [](std::string_view name) { return name == kYamux; }, limits_.multistream);
      if (!agreed) {
        co_return std::unexpected(agreed.error());
      }
    }
  } else if (*secured->muxer != kYamux) {
    co_return fail(ErrorCode::Unsupported, "no muxer in common", Fault::Peer);
  }
  const Duration took = secured->stream->loop().now() - begin;
  co_return UpgradedConnection{std::move(*secured), std::string(transport->protocol()), std::move(permit), took};
}

}  // namespace ghmesh::libp2p
