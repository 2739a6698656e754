// SPDX-License-Identifier: Apache-2.0
#include "libp2p/request/request.hpp"

namespace ghmesh::libp2p {

namespace {

io::Task<Result<Bytes>> exchange(Swarm& swarm, PeerId peer, std::string protocol, Bytes message, std::size_t max) {
  Result<PeerStream> stream = co_await swarm.open(peer, std::move(protocol));
  if (!stream) co_return std::unexpected(stream.error());
  if (Result<> sent = co_await write_frame(**stream, message); !sent) co_return std::unexpected(sent.error());
  (*stream)->shutdown_write();
  FrameReader reader(**stream, max);
  const auto answer = co_await reader.next();
  if (!answer) co_return std::unexpected(answer.error());
  if (!*answer) co_return fail(ErrorCode::Closed, "the peer gave no answer", Fault::Peer, Retry::Later);
  // Not its end as well: a peer that does not see ours (doc/notes/2026-11-23-early-end.md) would keep us from an answer
  // that is here. The stream waits for the end without us.
  co_return Bytes((*answer)->begin(), (*answer)->end());
}

io::Task<void> answer_one(PeerStream stream, RequestHandler handler, RequestLimits limits) {
  const io::StreamDeadline deadline(*stream, limits.deadline, "answering a request");
  FrameReader reader(*stream, limits.max_request);
  const auto message = co_await reader.next();
  if (!message || !*message) co_return;
  io::Loop& loop = stream->loop();
  const Result<Bytes> answer = co_await io::with_deadline(
      loop, handler(stream.peer, Bytes((*message)->begin(), (*message)->end())),
      loop.now() + std::chrono::duration_cast<TimePoint::duration>(limits.deadline), "answering a request");
  if (!answer || answer->size() > limits.max_response) co_return;
  if (!co_await write_frame(*stream, *answer)) co_return;
  stream->shutdown_write();
}

}  // namespace

io::Task<Result<Bytes>> request(Swarm& swarm, PeerId peer, std::string protocol, Bytes message, RequestLimits limits) {
  if (message.size() > limits.max_request) co_return fail(ErrorCode::Limit, "the request is too long");
  const TimePoint deadline = swarm.loop().now() + std::chrono::duration_cast<TimePoint::duration>(limits.deadline);
  co_return co_await io::with_deadline(
      swarm.loop(), exchange(swarm, peer, std::move(protocol), std::move(message), limits.max_response), deadline,
      "asking a peer");
}

void serve_requests(Swarm& swarm, std::string protocol, RequestHandler handler, RequestLimits limits) {
  swarm.set_handler(std::move(protocol), [handler = std::move(handler), limits](PeerStream stream) {
    return answer_one(std::move(stream), handler, limits);
  });
}

}  // namespace ghmesh::libp2p
