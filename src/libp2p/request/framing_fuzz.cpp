// SPDX-License-Identifier: Apache-2.0
// Framed messages in pieces of a size that the first octet says: what is read, written again, is what came, up to the
// first error; and no message is larger than allowed.
#include "base/check.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"
#include "libp2p/request/framing.hpp"
#include "multiformats/varint.hpp"

using namespace ghmesh;
using namespace ghmesh::libp2p;

namespace {

constexpr std::size_t kMax = 1000;

io::Task<void> send(std::unique_ptr<io::Stream> stream, ByteView wire) {
  (void)co_await stream->write_all(wire);
  stream->shutdown_write();
  std::uint8_t one;
  (void)co_await stream->read_some({&one, 1});
}

io::Task<void> read(std::unique_ptr<io::Stream> stream, Bytes& again, bool& whole) {
  FrameReader reader(*stream, kMax);
  while (true) {
    const auto message = co_await reader.next();
    if (!message) co_return;
    if (!*message) break;
    GHMESH_CHECK((*message)->size() <= kMax);
    multiformats::append_varint(again, (*message)->size());
    append(again, **message);
  }
  whole = true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 16 * 1024) return 0;
  const ByteView wire(data + 1, size - 1);
  io::ManualLoop loop;
  Bytes again;
  bool whole = false;
  {
    io::TaskGroup tasks(loop);
    auto [a, b] = io::make_pipe(loop, {.chunk = data[0]});
    tasks.spawn(send(std::move(a), wire));
    tasks.spawn(read(std::move(b), again, whole));
    loop.run_until_idle();
  }
  GHMESH_CHECK(again.size() <= wire.size() && equal(again, wire.first(again.size())));
  GHMESH_CHECK(!whole || again.size() == wire.size());
  return 0;
}
