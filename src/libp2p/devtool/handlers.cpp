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

io::Task<Result<Duration>> run_perf(PeerConnection& connection, std::uint64_t up, std::uint64_t down, Duration pause) {
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
  if (pause > Duration::zero()) co_await (*stream)->loop().sleep_for(pause);
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

namespace {

// The same octets from the same place, and no two blocks alike.
void fill_pattern(MutableByteView block, std::uint64_t at) {
  for (std::size_t i = 0; i < block.size(); ++i)
    block[i] = static_cast<std::uint8_t>((at + i) * 31 + ((at + i) >> 8) + ((at + i) >> 16));
}

io::Task<Result<>> send_pattern(io::Stream& stream, std::uint64_t octets, crypto::Sha256& hash) {
  Bytes block(kBlock);
  for (std::uint64_t at = 0; at < octets;) {
    const auto part = MutableByteView(block).first(std::min<std::uint64_t>(octets - at, block.size()));
    fill_pattern(part, at);
    hash.update(part);
    if (Result<> sent = co_await stream.write_all(part); !sent) co_return sent;
    at += part.size();
  }
  co_return Result<>();
}

}  // namespace

io::Task<Result<crypto::Digest32>> run_echo(PeerConnection& connection, std::string protocol, std::uint64_t octets,
                                            EchoEnd end) {
  const Result<PeerStream> stream = connection.open(protocol);
  if (!stream) co_return std::unexpected(stream.error());
  io::Stream& echoed = **stream;
  crypto::Sha256 sent_hash;
  Result<> sent;
  io::TaskGroup sending(echoed.loop());
  sending.spawn(
      [](io::Stream& to, std::uint64_t n, crypto::Sha256& hash, EchoEnd how, Result<>& out) -> io::Task<void> {
        out = co_await send_pattern(to, n, hash);
        if (out && how == EchoEnd::BehindOctets) to.shutdown_write();
      }(echoed, octets, sent_hash, end, sent));
  crypto::Sha256 hash;
  Bytes block(kBlock);
  std::uint64_t got = 0;
  std::optional<Error> broken;
  while (!broken) {
    if (got == octets && end == EchoEnd::BehindEcho) echoed.shutdown_write();
    const auto n = co_await echoed.read_some(block);
    if (!n) broken = n.error();
    if (!n || *n == 0) break;
    hash.update(ByteView(block).first(*n));
    got += *n;
  }
  if (broken) echoed.abort(*broken);
  co_await sending.join();
  if (broken) co_return std::unexpected(std::move(*broken));
  if (!sent) co_return std::unexpected(sent.error());
  const crypto::Digest32 back = hash.digest();
  if (got != octets || back != sent_hash.digest())
    co_return fail(ErrorCode::Authentic, "echo: other octets came back than were sent", Fault::Peer);
  co_return back;
}

}  // namespace ghmesh::libp2p::devtool
