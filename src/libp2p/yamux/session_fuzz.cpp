// SPDX-License-Identifier: Apache-2.0
// One session against a peer that sends whatever the input says. First octet: role and piece size; then a program of
// steps: mostly octets from the wire, sometimes something that the owner does. Bounds are asserted after every step.

#include <algorithm>
#include <set>

#include "base/check.hpp"
#include "libp2p/yamux/session.hpp"

using namespace ghmesh;
using namespace ghmesh::libp2p::yamux;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView in(data, size);
  if (in.empty()) return 0;
  Limits limits;
  limits.max_streams = 8;
  limits.abuse_burst = 64;
  ManualClock clock;
  Session session((in[0] & 1) != 0 ? Role::Client : Role::Server, limits, clock.now());
  std::set<StreamId> owned;
  in = in.subspan(1);
  Bytes scratch(70000, 'x');
  while (in.size() >= 2) {
    const std::uint8_t op = in[0];
    const std::uint8_t arg = in[1];
    in = in.subspan(2);
    const auto pick = [&]() -> StreamId {
      if (owned.empty()) return arg;
      return *std::next(owned.begin(), static_cast<std::ptrdiff_t>(arg % owned.size()));
    };
    switch (op % 12) {
      case 0:
        if (auto id = session.open()) owned.insert(*id);
        break;
      case 1: (void)session.write(pick(), ByteView(scratch).first(std::size_t{arg} * 256)); break;
      case 2: session.read(pick(), MutableByteView(scratch).first(std::size_t{arg} * 256), clock.now()); break;
      case 3: session.close_write(pick()); break;
      case 4: session.reset(pick()); break;
      case 5: {
        const StreamId id = pick();
        session.release(id);
        owned.erase(id);
        break;
      }
      case 6: session.consume_output(session.output().size() * arg / 255, clock.now()); break;
      case 7:
        clock.advance(std::chrono::milliseconds(arg * 100));
        if (session.on_time(clock.now())) GHMESH_CHECK(session.next_deadline() > clock.now());
        break;
      case 8: {  // a payload of zeros as long as the number says, so that inputs stay short
        const Bytes zeros(std::size_t{arg} * 1024);
        (void)session.receive(zeros, clock.now());
        break;
      }
      default: {
        const std::size_t n = std::min<std::size_t>(in.size(), arg);
        (void)session.receive(in.first(n), clock.now());
        in = in.subspan(n);
      }
    }
    while (auto event = session.next_event())
      if (event->kind == EventKind::Opened) owned.insert(event->stream);
    GHMESH_CHECK(session.stream_count() <= limits.max_streams);
    GHMESH_CHECK(session.buffered() <= session.reserved());
    GHMESH_CHECK(session.reserved() <= std::size_t{limits.max_streams} * limits.max_window);
    GHMESH_CHECK(session.output().size() <= limits.output_limit + 2 * limits.output_control_slack);
  }
  return 0;
}
