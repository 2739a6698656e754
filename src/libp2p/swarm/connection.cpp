// SPDX-License-Identifier: Apache-2.0
#include "libp2p/swarm/connection.hpp"

#include "libp2p/multistream/negotiate.hpp"
#include "libp2p/tcp/tcp.hpp"

namespace ghmesh::libp2p {

namespace {

std::optional<multiformats::Multiaddr> as_address(const std::optional<io::Endpoint>& endpoint) {
  if (!endpoint) return std::nullopt;
  return tcp::to_multiaddr(*endpoint);
}

}  // namespace

PeerConnection::PeerConnection(UpgradedConnection upgraded, Direction direction, TimePoint now)
    : peer_(upgraded.secured.remote_peer),
      peer_key_(std::move(upgraded.secured.remote_key)),
      direction_(direction),
      security_(std::move(upgraded.security)),
      early_muxer_(upgraded.secured.muxer.has_value()),
      channel_binding_(std::move(upgraded.secured.channel_binding)),
      remote_address_(as_address(upgraded.secured.stream->remote_endpoint())),
      local_address_(as_address(upgraded.secured.stream->local_endpoint())),
      opened_(now),
      used_(now),
      handshake_time_(upgraded.took),
      permit_(std::make_shared<resource::ConnectionPermit>(std::move(upgraded.permit))),
      secured_(std::move(upgraded.secured.stream)) {}

std::optional<Duration> PeerConnection::round_trip() const {
  return mux_ ? mux_->session().round_trip() : std::nullopt;
}

Result<PeerStream> PeerConnection::open_raw() {
  if (!mux_) return fail(ErrorCode::Closed, "the connection has ended", Fault::Peer, Retry::Later);
  Result<resource::StreamPermit> permit = permit_->open_stream(resource::Direction::Out);
  if (!permit) return std::unexpected(permit.error());
  Result<std::unique_ptr<io::Stream>> stream = mux_->open();
  if (!stream) return std::unexpected(stream.error());
  used_ = (*stream)->loop().now();
  return PeerStream{std::move(*stream), {}, peer_, shared_from_this(), std::move(*permit)};
}

Result<PeerStream> PeerConnection::open(std::string_view protocol) {
  Result<PeerStream> out = open_raw();
  if (!out) return out;
  if (Result<> fine = out->permit.set_protocol(protocol); !fine) return std::unexpected(fine.error());
  out->protocol = std::string(protocol);
  out->stream =
      multistream::make_lazy(std::move(out->stream), out->protocol,
                             info_.same_kind ? multistream::EarlyEnd::AtOnce : multistream::EarlyEnd::BehindAnswer);
  return out;
}

io::Task<Result<PeerStream>> PeerConnection::open_agreed(std::vector<std::string> protocols) {
  Result<PeerStream> out = open_raw();
  if (!out) co_return out;
  const Result<std::string> agreed = co_await multistream::select(**out, std::move(protocols));
  if (!agreed) co_return std::unexpected(agreed.error());
  if (Result<> fine = out->permit.set_protocol(*agreed); !fine) co_return std::unexpected(fine.error());
  out->protocol = *agreed;
  co_return out;
}

}  // namespace ghmesh::libp2p
