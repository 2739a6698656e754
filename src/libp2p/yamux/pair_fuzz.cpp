// SPDX-License-Identifier: Apache-2.0
// Two sessions and a model. The input is a program of what both owners do and how the pipe between them cuts; the model
// counts octets per stream and direction. Whatever happens, octets arrive in order and unaltered or the
// stream was reset, the end comes after the last octet, windows hold, and neither session fails.

#include <map>

#include "base/check.hpp"
#include "libp2p/yamux/session.hpp"

using namespace ghmesh;
using namespace ghmesh::libp2p::yamux;

namespace {

// Octet number k of a stream and direction is a function of k, so the model is two counts.
struct Model {
  std::uint64_t written[2] = {0, 0};  // [side]: by side
  std::uint64_t read[2] = {0, 0};     // [side]: of what side wrote, by the other
  bool closed[2] = {false, false};
  bool reset = false;
};

std::uint8_t octet(StreamId id, int side, std::uint64_t k) {
  return static_cast<std::uint8_t>(k + (k >> 8) * 3 + id * 5 + static_cast<unsigned>(side) * 101);
}

struct World {
  ManualClock clock;
  Limits limits;
  std::unique_ptr<Session> side[2];
  Bytes wire[2];  // [from]
  std::map<StreamId, Model> streams;
  std::map<StreamId, bool> held[2];
  Bytes scratch = Bytes(512 * 1024);

  World() {
    limits.max_streams = 6;
    limits.initial_window = 256 * 1024;
    side[0] = std::make_unique<Session>(Role::Client, limits, clock.now());
    side[1] = std::make_unique<Session>(Role::Server, limits, clock.now());
  }

  StreamId pick(int s, std::uint8_t arg) const {
    if (held[s].empty()) return 0;
    return std::next(held[s].begin(), arg % static_cast<std::ptrdiff_t>(held[s].size()))->first;
  }

  void write(int s, StreamId id, std::size_t n) {
    Model& model = streams[id];
    for (std::size_t i = 0; i < n; ++i) scratch[i] = octet(id, s, model.written[s] + i);
    const auto taken = side[s]->write(id, ByteView(scratch).first(n));
    if (!taken) return;
    GHMESH_CHECK(!model.closed[s]);
    model.written[s] += *taken;
  }

  void read(int s, StreamId id, std::size_t n) {
    Model& model = streams[id];
    const std::size_t got = side[s]->read(id, MutableByteView(scratch).first(n), clock.now());
    for (std::size_t i = 0; i < got; ++i) GHMESH_CHECK(scratch[i] == octet(id, 1 - s, model.read[1 - s] + i));
    model.read[1 - s] += got;
    GHMESH_CHECK(model.read[1 - s] <= model.written[1 - s]);
    if (side[s]->state(id) == StreamState::End)
      GHMESH_CHECK(model.closed[1 - s] && model.read[1 - s] == model.written[1 - s]);
    if (side[s]->state(id) == StreamState::Reset) {
      GHMESH_CHECK(model.reset || side[1 - s]->counters().refused > 0);
      model.reset = true;
    }
  }

  void drop(int s, StreamId id) {
    // Known to the model as a reset unless both ends had come through on this side.
    Model& model = streams[id];
    const bool done = model.closed[s] && side[s]->state(id) == StreamState::End;
    if (!done) model.reset = true;
    side[s]->release(id);
    held[s].erase(id);
  }

  void push(int s, std::size_t n) {
    const ByteView out = side[s]->output();
    n = std::min(n, out.size());
    append(wire[s], out.first(n));
    side[s]->consume_output(n, clock.now());
  }

  void pull(int s, std::size_t n) {
    Bytes& from = wire[1 - s];
    n = std::min(n, from.size());
    GHMESH_CHECK(side[s]->receive(ByteView(from).first(n), clock.now()).has_value());
    from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(n));
    while (auto event = side[s]->next_event())
      if (event->kind == EventKind::Opened) held[s][event->stream] = true;
  }

  void settle() {
    for (int i = 0; i < 16; ++i)
      for (const int s : {0, 1}) {
        push(s, SIZE_MAX);
        pull(1 - s, SIZE_MAX);
        for (const auto& [id, yes] : std::map<StreamId, bool>(held[1 - s])) read(1 - s, id, scratch.size());
      }
    // Everything written has been read, unless the stream was reset.
    for (auto& [id, model] : streams)
      for (const int s : {0, 1})
        if (!model.reset && held[1 - s].contains(id)) {
          GHMESH_CHECK(model.read[s] == model.written[s]);
          if (model.closed[s]) GHMESH_CHECK(side[1 - s]->state(id) == StreamState::End);
        }
    for (const int s : {0, 1}) GHMESH_CHECK(side[s]->buffered() == 0);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  World world;
  for (std::size_t i = 0; i + 1 < size && i < 2000; i += 2) {
    const int s = data[i] & 1;
    const std::uint8_t arg = data[i + 1];
    Session& session = *world.side[s];
    const StreamId id = world.pick(s, static_cast<std::uint8_t>(data[i] >> 4));
    switch ((data[i] >> 1) & 7) {
      case 0:
        if (auto opened = session.open()) world.held[s][*opened] = true, world.streams[*opened];
        break;
      case 1:
        if (id != 0) world.write(s, id, std::size_t{arg} * arg * 4);
        break;
      case 2:
        if (id != 0) world.read(s, id, std::size_t{arg} * arg * 4);
        break;
      case 3:
        if (id == 0) break;
        if (arg < 128) {
          session.close_write(id);
          world.streams[id].closed[s] = true;
        } else if (arg < 192) {
          world.streams[id].reset = true;
          session.reset(id);
        } else {
          world.drop(s, id);
        }
        break;
      case 4: world.push(s, arg == 255 ? SIZE_MAX : std::size_t{arg} * 700); break;
      case 5: world.pull(s, arg == 255 ? SIZE_MAX : std::size_t{arg} * 700); break;
      case 6: world.clock.advance(std::chrono::milliseconds(arg)); break;
      case 7:
        if (id != 0) arg < 128 ? session.want_read(id) : session.want_write(id);
        break;
    }
  }
  world.settle();
  return 0;
}
