// SPDX-License-Identifier: Apache-2.0
// Octets on their way: windows, frames, turns of writers, and what readers are told.
#include <gtest/gtest.h>

#include <map>

#include "test_pair.hpp"

namespace ghmesh::libp2p::yamux {
namespace {

TEST(Session, WriterStopsAtTheWindowAndIsWokenByTheUpdate) {
  Pair pair;
  const StreamId id = *pair.client.open();
  const Bytes data = pattern(600 * 1024);
  std::size_t sent = 0;
  const auto write = [&] {
    while (sent < data.size()) {
      const std::size_t n = *pair.client.write(id, ByteView(data).subspan(sent));
      if (n == 0) break;
      sent += n;
    }
  };
  for (int i = 0; i < 8; ++i) write(), pair.run();
  EXPECT_EQ(sent, 256u * 1024);
  EXPECT_EQ(pair.client.send_window(id), 0u);
  EXPECT_EQ(pair.server.receive_window(id), 0u);
  EXPECT_EQ(pair.server.buffered(), 256u * 1024);
  Bytes got(100 * 1024);
  got.resize(pair.server.read(id, got, pair.clock.now()));
  pair.client_events.clear();
  pair.run();
  EXPECT_TRUE(pair.client_events.empty()) << "less than half a window read: no update yet";
  Bytes more(100 * 1024);
  more.resize(pair.server.read(id, more, pair.clock.now()));
  append(got, more);
  pair.run();
  EXPECT_TRUE(has(pair.client_events, EventKind::Writable, id));
  EXPECT_EQ(pair.client.send_window(id), 200u * 1024);
  while (got.size() < data.size()) {
    write();
    pair.run();
    append(got, pair.read_all(pair.server, id));
    pair.run();
  }
  EXPECT_EQ(got, data);
}

TEST(Session, FramesAreAtMost64KiBAndOutputIsBounded) {
  Limits limits;
  Pair pair(limits);
  pair.run();
  const StreamId id = *pair.client.open();
  const Bytes data = pattern(1 << 20);
  EXPECT_EQ(*pair.client.write(id, data), 64u * 1024);
  while (*pair.client.write(id, data) > 0) {
  }
  EXPECT_LE(pair.client.output().size(), limits.output_limit + 4096 + kHeaderSize * 8);
}

TEST(Session, WritersTakeTurns) {
  Pair pair;
  std::vector<StreamId> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(*pair.client.open());
  const Bytes data = pattern(256 * 1024);
  std::map<StreamId, std::size_t> sent;
  const auto write = [&](StreamId id) {
    while (sent[id] < data.size()) {
      const std::size_t n = *pair.client.write(id, ByteView(data).subspan(sent[id]));
      if (n == 0) break;
      sent[id] += n;
    }
  };
  for (const StreamId id : ids) write(id);
  EXPECT_GT(sent[ids[0]], 0u);
  EXPECT_EQ(sent[ids[5]], 0u);
  for (int turn = 0; turn < 12; ++turn) {
    pair.client_events.clear();
    pair.run();
    for (const Event& e : std::vector<Event>(pair.client_events))
      if (e.kind == EventKind::Writable) write(e.stream);
  }
  for (const StreamId id : ids) EXPECT_EQ(sent[id], data.size()) << id;
}

TEST(Session, WindowGrowsWhenUsedUpFastAndOnlyWithMemory) {
  struct Budget final : WindowBudget {
    std::size_t left;
    explicit Budget(std::size_t n) : left(n) {}
    bool try_reserve(std::size_t n) override {
      if (n > left) return false;
      left -= n;
      return true;
    }
    void release(std::size_t n) override { left += n; }
  };
  for (const bool plenty : {true, false}) {
    const std::size_t total = plenty ? 64u << 20 : 2 * 256 * 1024;
    Budget budget(total);
    {
      Pair pair({}, &budget);
      pair.half_trip = 5ms;
      pair.run();
      ASSERT_TRUE(pair.client.round_trip());
      EXPECT_GE(*pair.client.round_trip(), 10ms);
      const StreamId id = *pair.client.open();
      const Bytes data = pattern(64 * 1024);
      for (std::size_t moved = 0; moved < (8u << 20);) {
        while (*pair.client.write(id, data) > 0) {
        }
        pair.carry(pair.client, pair.server, 1 << 20);
        moved += pair.read_all(pair.server, id).size();
        pair.carry(pair.server, pair.client, 1 << 20);
      }
      EXPECT_EQ(pair.server.counters().window_growths, plenty ? 2u : 0u);
      EXPECT_EQ(pair.server.reserved(), plenty ? 1024u * 1024 : 256u * 1024);
    }
    EXPECT_EQ(budget.left, total);
  }
}

TEST(Session, SeveralPartsMakeOneFrame) {
  Pair pair;
  pair.run();
  const StreamId id = *pair.client.open();
  Bytes a = to_bytes("ab"), b = to_bytes("cde");
  const iovec parts[] = {{a.data(), a.size()}, {b.data(), b.size()}};
  EXPECT_EQ(*pair.client.write(id, parts), 5u);
  EXPECT_EQ(to_hex(pair.client.output()), "000000010000000100000005" + to_hex(as_bytes("abcde")));
}

TEST(Session, ReadableComesOncePerWaitNotPerFrame) {
  Pair pair;
  const StreamId id = *pair.client.open();
  pair.run();
  std::uint8_t byte;
  EXPECT_EQ(pair.server.read(id, {&byte, 1}, pair.clock.now()), 0u);
  pair.server_events.clear();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(pair.client.write(id, as_bytes("x")));
  pair.run();
  EXPECT_EQ(pair.server_events.size(), 1u);
  EXPECT_EQ(pair.read_all(pair.server, id).size(), 5u);
}

TEST(Session, PeekAndConsumeReadInPlace) {
  Pair pair;
  const StreamId id = *pair.client.open();
  const Bytes data = pattern(40000);
  ASSERT_EQ(*pair.client.write(id, data), data.size());
  pair.run();
  Bytes got;
  while (true) {
    const ByteView piece = pair.server.peek(id);
    if (piece.empty()) break;
    append(got, piece);
    pair.server.consume(id, piece.size(), pair.clock.now());
  }
  EXPECT_EQ(got, data);
}

}  // namespace
}  // namespace ghmesh::libp2p::yamux
