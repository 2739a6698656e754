// SPDX-License-Identifier: Apache-2.0
#include "libp2p/ping/ping.hpp"

namespace ghmesh::libp2p::ping {

namespace {

constexpr std::size_t kSize = 32;

io::Task<void> answer(PeerStream stream, Limits limits) {
  io::StreamDeadline deadline(*stream, "waiting for a ping");
  std::uint8_t payload[kSize];
  while (true) {
    deadline.extend(limits.idle);
    if (!co_await stream->read_exact(payload)) break;
    if (!co_await stream->write_all(payload)) co_return;
  }
  stream->shutdown_write();
}

}  // namespace

void serve(Swarm& swarm, Limits limits) {
  swarm.set_handler(std::string(kProtocol), [limits](PeerStream stream) { return answer(std::move(stream), limits); });
}

Result<Pinger> Pinger::open(PeerConnection& connection, Random& random, Limits limits) {
  Result<PeerStream> stream = connection.open(kProtocol);
  if (!stream) return std::unexpected(stream.error());
  return Pinger(std::move(*stream), random, limits);
}

io::Task<Result<Duration>> Pinger::ping() {
  io::Loop& loop = stream_->loop();
  const io::StreamDeadline deadline(*stream_, limits_.timeout, "waiting for a ping's answer");
  std::uint8_t payload[kSize];
  std::uint8_t answer_octets[kSize];
  random_->fill(payload);
  const TimePoint begin = loop.now();
  if (Result<> sent = co_await stream_->write_all(payload); !sent) co_return std::unexpected(sent.error());
  if (auto n = co_await stream_->read_exact(answer_octets); !n) co_return std::unexpected(n.error());
  if (!equal(payload, answer_octets)) co_return fail(ErrorCode::Authentic, "a ping came back altered", Fault::Peer);
  co_return loop.now() - begin;
}

}  // namespace ghmesh::libp2p::ping
