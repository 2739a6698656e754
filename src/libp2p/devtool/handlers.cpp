// SPDX-License-Identifier: Apache-2.0
#include "handlers.hpp"

#include <algorithm>

#include "libp2p/request/framing.hpp"

namespace ghmesh::libp2p::devtool {

namespace {

constexpr std::size_t kBlock = 64 * 1024;
constexpr std::size_t kMaxReply = std::size_t{4} << 20;
constexpr std::uint64_t kMaxPerf = std::uint64_t{16} << 30;

io::Task<void> echo(PeerStream stream) {
  Bytes block(kBlock);
  while (true) {
    const auto n = co_await stream->read_some(block);
    if (!n) co_return;
    if (*n == 0) break;
    if (!co_await stream->write_all(ByteView(block).first(*n))) co_return;
  }
  stream->shutdown_write();
}

io::Task<void> perf(PeerStream stream) {
  std::uint8_t head[8];
  if (!co_await stream->read_exact(head)) co_return;
  std::uint64_t left = std::min(load_be<std::uint64_t>(head), kMaxPerf);
  Bytes block(kBlock);
  while (true) {
    const auto n = co_await stream->read_some(block);
    if (!n) co_return;
    if (*n == 0) break;
  }
  while (left > 0) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left, block.size()));
    if (!co_await stream->write_all(ByteView(block).first(n))) co_return;
    left -= n;
  }
  stream->shutdown_write();
}

io::Task<void> reply(PeerStream stream) {
  FrameReader reader(*stream, kMaxReply);
  Bytes answer;
  while (true) {
    const auto frame = co_await reader.next();
    if (!frame) co_return;
    if (!*frame) break;
    if ((*frame)->size() < 4) co_return;
    const std::size_t size = load_be<std::uint32_t>((*frame)->data());
    if (size > kMaxReply) co_return;
    if (answer.size() < size) answer.resize(size, 'r');
    if (!co_await write_frame(*stream, ByteView(answer).first(size))) co_return;
  }
  stream->shutdown_write();
}

}  // namespace

void serve_all(Swarm& swarm) {
  swarm.set_handler(std::string(kEcho), echo);
  swarm.set_handler(std::string(kPerf), perf);
  swarm.set_handler(std::string(kReply), reply);
}

io::Task<Result<Duration>> run_perf(PeerConnection& connection, std::uint64_t up, std::uint64_t down) {
  Result<PeerStream> stream = connection.open(kPerf);
  if (!stream) co_return std::unexpected(stream.error());
  const TimePoint begin = (*stream)->loop().now();
  std::uint8_t head[8];
  store_be(head, down);
  if (Result<> sent = co_await (*stream)->write_all(head); !sent) co_return std::unexpected(sent.error());
  Bytes block(kBlock);
  for (std::uint64_t left = up; left > 0;) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left, block.size()));
    if (Result<> sent = co_await (*stream)->write_all(ByteView(block).first(n)); !sent)
      co_return std::unexpected(sent.error());
    left -= n;
  }
  (*stream)->shutdown_write();
  std::uint64_t got = 0;
  while (true) {
    const auto n = co_await (*stream)->read_some(block);
    if (!n) co_return std::unexpected(n.error());
    if (*n == 0) break;
    got += *n;
  }
  if (got != down) co_return fail(ErrorCode::Malformed, "perf: another number of octets than asked for", Fault::Peer);
  co_return (*stream)->loop().now() - begin;
}

}  // namespace ghmesh::libp2p::devtool
