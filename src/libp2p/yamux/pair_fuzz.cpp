// SPDX-License-Identifier: Apache-2.0
// Two sessions and a model. The input is a program of what both owners do and how the pipe between them cuts; the model
// counts octets per stream and direction. Whatever happens, octets arrive in order and unaltered or the
// stream was reset, the end comes after the last octet, windows hold, and neither session fails.

#include <algorithm>
#include <map>

#include "base/check.hpp"
#include "libp2p/yamux/session.hpp"

using namespace ghmesh;
using namespace ghmesh::libp2p::yamux;

namespace {

// The most that one instruction writes or reads.
constexpr std::size_t kMostAtOnce = 255 * 255 * 4;

// What every stream and direction carries: octets by chance, over and over, from a place of its own. They lie there
// once for all runs, are written from there and compared with it in one call: made and looked at one by one, each
// comparison told to libFuzzer, they were nine tenths of a run.
class Pattern {
 public:
  Pattern() : octets_(kPeriod + kMostAtOnce) {
    std::uint32_t state = 2463534242;  // xorshift32
    for (std::size_t i = 0; i < octets_.size(); ++i) {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      octets_[i] = i < kPeriod ? static_cast<std::uint8_t>(state >> 11) : octets_[i - kPeriod];
    }
  }
  // n of them from number k on; n <= kMostAtOnce.
  ByteView at(StreamId id, int side, std::uint64_t k, std::size_t n) const {
    return ByteView(octets_).subspan((k + id * 7919 + static_cast<unsigned>(side) * 30011) % kPeriod, n);
  }

 private:
  static constexpr std::size_t kPeriod = 65521;  // prime, so that no size of frames or chunks goes with it
  Bytes octets_;
};
const Pattern kPattern;

// Octet number k of a stream and direction is a function of k, so the model is two counts.
struct Model {
  std::uint64_t written[2] = {0, 0};  // [side]: by side
  std::uint64_t read[2] = {0, 0};     // [side]: of what side wrote, by the other
  bool closed[2] = {false, false};
  bool reset = false;
};

// Octets on their way. The buffers are those of the last run.
struct Wire {
  Bytes octets;
  std::size_t begin = 0;

  void clear() {
    octets.clear();
    begin = 0;
  }
  ByteView front(std::size_t n) const {
    const ByteView all = ByteView(octets).subspan(begin);
    return all.first(std::min(n, all.size()));
  }
  void drop(std::size_t n) {
    begin += n;
    if (begin < octets.size() - begin) return;
    octets.erase(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(begin));
    begin = 0;
  }
};

Wire wires[2];  // [from]
Bytes scratch(kMostAtOnce);

struct World {
  ManualClock clock;
  Limits limits;
  std::unique_ptr<Session> side[2];
  std::map<StreamId, Model> streams;
  std::map<StreamId, bool> held[2];

  World() {
    for (Wire& wire : wires) wire.clear();
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
    const auto taken = side[s]->write(id, kPattern.at(id, s, model.written[s], n));
    if (!taken) return;
    GHMESH_CHECK(!model.closed[s]);
    model.written[s] += *taken;
  }

  void read(int s, StreamId id, std::size_t n) {
    Model& model = streams[id];
    const std::size_t got = side[s]->read(id, MutableByteView(scratch).first(n), clock.now());
    GHMESH_CHECK(equal(ByteView(scratch).first(got), kPattern.at(id, 1 - s, model.read[1 - s], got)));
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
    append(wires[s].octets, out.first(n));
    side[s]->consume_output(n, clock.now());
  }

  void pull(int s, std::size_t n) {
    Wire& from = wires[1 - s];
    const ByteView came = from.front(n);
    GHMESH_CHECK(side[s]->receive(came, clock.now()).has_value());
    from.drop(came.size());
    while (auto event = side[s]->next_event())
      if (event->kind == EventKind::Opened) held[s][event->stream] = true;
  }

  void settle() {
    for (int i = 0; i < 16; ++i)
      for (const int s : {0, 1}) {
        push(s, SIZE_MAX);
        pull(1 - s, SIZE_MAX);
        for (const auto& [id, yes] : held[1 - s]) read(1 - s, id, scratch.size());
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
