// SPDX-License-Identifier: Apache-2.0
#include "libp2p/yamux/session.hpp"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

namespace ghmesh::libp2p::yamux {
namespace {

Bytes pattern(std::size_t n, unsigned seed = 1) {
  Bytes out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(i * 31 + seed * 7 + (i >> 8));
  return out;
}

// Two sessions joined by a lossless pipe that hands over pieces of a chosen size; half_trip passes per crossing.
struct Pair {
  ManualClock clock;
  Duration half_trip{0};
  Session client;
  Session server;
  std::vector<Event> client_events, server_events;

  explicit Pair(Limits limits = {}, WindowBudget* budget = nullptr)
      : client(Role::Client, limits, clock.now(), budget), server(Role::Server, limits, clock.now(), budget) {}

  bool carry(Session& from, Session& to, std::size_t piece) {
    const ByteView out = from.output();
    if (out.empty()) return false;
    const Bytes copy(out.begin(), out.end());
    from.consume_output(copy.size(), clock.now());
    clock.advance(half_trip);
    for (std::size_t at = 0; at < copy.size(); at += piece)
      EXPECT_TRUE(to.receive(ByteView(copy).subspan(at, std::min(piece, copy.size() - at)), clock.now()));
    return true;
  }
  void run(std::size_t piece = 1 << 20) {
    for (bool moved = true; moved;) {
      moved = carry(client, server, piece);
      moved = carry(server, client, piece) || moved;
      collect();
    }
  }
  void collect() {
    while (auto e = client.next_event()) client_events.push_back(*e);
    while (auto e = server.next_event()) server_events.push_back(*e);
  }
  Bytes read_all(Session& session, StreamId id) {
    Bytes out(1 << 22);
    out.resize(session.read(id, out, clock.now()));
    return out;
  }
};

bool has(const std::vector<Event>& events, EventKind kind, StreamId id) {
  return std::ranges::any_of(events, [&](const Event& e) { return e.kind == kind && e.stream == id; });
}

TEST(Session, AnnouncementRidesOnTheFirstOctets) {
  Pair pair;
  pair.run();
  const StreamId id = *pair.client.open();
  EXPECT_EQ(id, 1u);
  EXPECT_EQ(*pair.client.write(id, as_bytes("hello")), 5u);
  EXPECT_EQ(to_hex(pair.client.output()), "000000010000000100000005" + to_hex(as_bytes("hello")));
  pair.run();
  EXPECT_TRUE(has(pair.server_events, EventKind::Opened, id));
  EXPECT_EQ(to_text(pair.read_all(pair.server, id)), "hello");
}

TEST(Session, AnnouncementAndAcknowledgementGoAloneOtherwise) {
  Pair pair;
  pair.run();
  const StreamId id = *pair.server.open();
  EXPECT_EQ(id, 2u);
  EXPECT_EQ(to_hex(pair.server.output()), "000100010000000200000000");
  pair.carry(pair.server, pair.client, 100);
  EXPECT_EQ(to_hex(pair.client.output()), "000100020000000200000000");
}

TEST(Session, EchoInPiecesOfEverySize) {
  for (const std::size_t piece : {1u, 2u, 11u, 12u, 13u, 1000u}) {
    Pair pair;
    const Bytes data = pattern(3000, static_cast<unsigned>(piece));
    const StreamId id = *pair.client.open();
    ASSERT_EQ(*pair.client.write(id, data), data.size());
    pair.client.close_write(id);
    pair.run(piece);
    const Bytes got = pair.read_all(pair.server, id);
    EXPECT_EQ(got, data);
    EXPECT_EQ(pair.server.state(id), StreamState::End);
    ASSERT_EQ(*pair.server.write(id, got), got.size());
    pair.server.close_write(id);
    pair.run(piece);
    EXPECT_EQ(pair.read_all(pair.client, id), data);
    EXPECT_EQ(pair.client.state(id), StreamState::End);
    pair.client.release(id);
    pair.server.release(id);
    pair.run();
    EXPECT_EQ(pair.client.counters().resets_out + pair.server.counters().resets_out, 0u);
    EXPECT_EQ(pair.client.stream_count() + pair.server.stream_count(), 0u);
    EXPECT_EQ(pair.client.reserved() + pair.server.reserved(), 0u);
  }
}

TEST(Session, FinTravelsInAFrameOfItsOwn) {
  Pair pair;
  pair.run();
  const StreamId id = *pair.client.open();
  ASSERT_TRUE(pair.client.write(id, as_bytes("x")));
  pair.client.close_write(id);
  pair.client.close_write(id);
  EXPECT_EQ(to_hex(pair.client.output()),
            "00000001000000010000000178"
            "000000040000000100000000");
  EXPECT_FALSE(pair.client.write(id, as_bytes("y")));
}

TEST(Session, AcceptsPayloadAndFinInOneFrame) {
  Pair pair;
  pair.run();
  const auto head = encode_header({FrameType::Data, kSyn | kFin, 1, 3});
  ASSERT_TRUE(pair.server.receive(head, pair.clock.now()));
  ASSERT_TRUE(pair.server.receive(as_bytes("ab"), pair.clock.now()));
  EXPECT_EQ(pair.server.state(1), StreamState::Open);
  ASSERT_TRUE(pair.server.receive(as_bytes("c"), pair.clock.now()));
  EXPECT_EQ(to_text(pair.read_all(pair.server, 1)), "abc");
  EXPECT_EQ(pair.server.state(1), StreamState::End);
}

TEST(Session, ClosingTheWriteSideDoesNotStopReading) {
  Pair pair;
  const StreamId id = *pair.client.open();
  pair.client.close_write(id);
  pair.run();
  EXPECT_EQ(pair.server.state(id), StreamState::End);
  ASSERT_TRUE(pair.server.write(id, as_bytes("still here")));
  pair.run();
  EXPECT_EQ(to_text(pair.read_all(pair.client, id)), "still here");
}

TEST(Session, ResetKillsBothDirectionsAndLateFramesAreNotAnswered) {
  Pair pair;
  const StreamId id = *pair.client.open();
  ASSERT_TRUE(pair.client.write(id, as_bytes("abc")));
  pair.run();
  pair.server.reset(id);
  ASSERT_TRUE(pair.client.write(id, pattern(5000)));  // in flight while the reset travels
  pair.client.close_write(id);
  pair.run();
  EXPECT_EQ(pair.client.state(id), StreamState::Reset);
  EXPECT_EQ(pair.server.state(id), StreamState::Reset);
  EXPECT_EQ(pair.server.read(id, MutableByteView{}, pair.clock.now()), 0u);
  pair.client.release(id);
  pair.server.release(id);
  pair.run();
  EXPECT_EQ(pair.client.counters().resets_out, 0u);
  EXPECT_EQ(pair.server.counters().resets_out, 1u);
  EXPECT_EQ(pair.server.counters().late_frames, 2u);
  EXPECT_EQ(pair.client.buffered() + pair.server.buffered(), 0u);
}

// A refusal and a reset, or an answer and the loss of the connection, in one packet: the words come first.
TEST(Session, WhatCameBeforeAResetOrTheLossOfTheConnectionIsStillRead) {
  for (const bool lost : {false, true}) {
    for (const bool ended : {false, true}) {
      Pair pair;
      const StreamId id = *pair.client.open();
      pair.run();
      ASSERT_TRUE(pair.server.write(id, as_bytes("the answer")));
      if (ended) pair.server.close_write(id);
      if (!lost) pair.server.reset(id);
      pair.client.want_read(id);
      pair.run();
      if (lost) pair.client.abort({ErrorCode::Closed, Fault::Peer, Retry::Later, "lost"});
      pair.collect();
      EXPECT_TRUE(has(pair.client_events, EventKind::Readable, id));
      EXPECT_EQ(pair.client.state(id), StreamState::Open);
      EXPECT_EQ(to_text(pair.read_all(pair.client, id)), "the answer");
      EXPECT_EQ(pair.client.state(id), ended && lost ? StreamState::End : StreamState::Reset);
      EXPECT_FALSE(pair.client.write(id, as_bytes("x")));
      pair.client.release(id);
      EXPECT_EQ(pair.client.buffered(), 0u);
      EXPECT_EQ(pair.client.reserved(), 0u);
    }
  }
}

TEST(Session, OurOwnResetAndAViolationDropWhatCame) {
  for (const bool violation : {false, true}) {
    Pair pair;
    const StreamId id = *pair.client.open();
    pair.run();
    ASSERT_TRUE(pair.server.write(id, as_bytes("words")));
    pair.server.close_write(id);
    pair.run();
    const auto broken = encode_header({FrameType::Data, 0, 0, 5});
    if (violation)
      EXPECT_FALSE(pair.client.receive(broken, pair.clock.now()));
    else
      pair.client.reset(id);
    EXPECT_EQ(pair.client.state(id), StreamState::Reset);
    EXPECT_EQ(pair.client.buffered(), 0u);
  }
}

TEST(Session, LateFramesOfAReleasedStreamAreDropped) {
  Pair pair;
  const StreamId id = *pair.client.open();
  pair.run();
  pair.server.release(id);
  ASSERT_TRUE(pair.client.write(id, pattern(70000)));
  pair.run();
  EXPECT_EQ(pair.server.stream_count(), 0u);
  EXPECT_EQ(pair.server.buffered(), 0u);
  const StreamId next = *pair.client.open();
  ASSERT_TRUE(pair.client.write(next, as_bytes("fine")));
  pair.run();
  EXPECT_EQ(to_text(pair.read_all(pair.server, next)), "fine");
}

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

TEST(Session, StreamsAreBoundedAndRefusedOnesReset) {
  Limits few;
  few.max_streams = 3;
  ManualClock clock;
  Session client(Role::Client, {}, clock.now());
  Session server(Role::Server, few, clock.now());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(client.open());
  const ByteView out = client.output();
  ASSERT_TRUE(server.receive(out, clock.now()));
  EXPECT_EQ(server.stream_count(), 3u);
  EXPECT_EQ(server.counters().refused, 1u);
  const ByteView answer = server.output();
  ASSERT_TRUE(client.receive(answer, clock.now()));
  EXPECT_EQ(client.state(7), StreamState::Reset);
  EXPECT_EQ(client.state(5), StreamState::Open);
  EXPECT_FALSE(server.open());
}

TEST(Session, BacklogOfUnacknowledgedStreamsIsBounded) {
  Limits limits;
  limits.max_unacknowledged = 2;
  Pair pair(limits);
  ASSERT_TRUE(pair.client.open());
  ASSERT_TRUE(pair.client.open());
  const auto third = pair.client.open();
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::Limit);
  EXPECT_EQ(third.error().retry, Retry::Later);
  pair.run();
  EXPECT_TRUE(pair.client.open());
}

TEST(Session, PingsMeasureAndKeepAlive) {
  Pair pair;
  pair.half_trip = 3ms;
  pair.run();
  EXPECT_EQ(*pair.client.round_trip(), 6ms);
  pair.clock.advance(30s);
  ASSERT_TRUE(pair.client.on_time(pair.clock.now()));
  EXPECT_FALSE(pair.client.output().empty());
  pair.clock.advance(10s);
  const auto dead = pair.client.on_time(pair.clock.now());
  ASSERT_FALSE(dead);
  EXPECT_EQ(dead.error().code, ErrorCode::Timeout);
  EXPECT_TRUE(pair.client.failed());
}

TEST(Session, DeadlinesLeadFromPingToKeepAlive) {
  Pair pair;
  EXPECT_EQ(pair.client.next_deadline(), pair.clock.now() + 10s);
  pair.run();
  pair.clock.advance(2s);
  ASSERT_TRUE(pair.client.on_time(pair.clock.now()));
  EXPECT_EQ(pair.client.next_deadline(), pair.clock.now() + 28s);
}

TEST(Session, APeerThatDoesNotReadIsGivenUp) {
  Pair pair;
  pair.run();
  const StreamId id = *pair.client.open();
  ASSERT_TRUE(pair.client.write(id, pattern(1000)));
  pair.client.consume_output(pair.client.output().size() / 2, pair.clock.now());
  EXPECT_EQ(pair.client.next_deadline(), pair.clock.now() + 10s);
  pair.clock.advance(9s);
  EXPECT_TRUE(pair.client.on_time(pair.clock.now()));
  pair.clock.advance(1s);
  EXPECT_FALSE(pair.client.on_time(pair.clock.now()));
  EXPECT_EQ(pair.client.state(id), StreamState::Reset);
}

TEST(Session, GoAwayLetsStreamsFinish) {
  Pair pair;
  const StreamId id = *pair.client.open();
  ASSERT_TRUE(pair.client.write(id, as_bytes("a")));
  pair.run();
  pair.server.go_away();
  pair.run();
  EXPECT_TRUE(has(pair.client_events, EventKind::Drained, 0));
  EXPECT_FALSE(pair.client.open());
  EXPECT_FALSE(pair.server.open());
  ASSERT_TRUE(pair.server.write(id, as_bytes("late answer")));
  pair.run();
  EXPECT_EQ(to_text(pair.read_all(pair.client, id)), "late answer");
}

TEST(Session, GoAwayWithAnErrorEndsTheSession) {
  Pair pair;
  const StreamId id = *pair.client.open();
  pair.run();
  EXPECT_FALSE(pair.client.receive(encode_header({FrameType::GoAway, 0, 0, 2}), pair.clock.now()));
  EXPECT_EQ(pair.client.state(id), StreamState::Reset);
  EXPECT_FALSE(pair.client.open());
}

TEST(Session, WhatWasWrittenArrivesThoughItsOwnerHasLeft) {
  Pair pair;
  const StreamId id = *pair.client.open();
  ASSERT_TRUE(pair.client.write(id, as_bytes("last words")));
  pair.client.close_write(id);
  pair.client.release(id);
  pair.run();
  EXPECT_EQ(pair.client.stream_count(), 1u);
  EXPECT_EQ(to_text(pair.read_all(pair.server, id)), "last words");
  pair.server.close_write(id);
  pair.server.release(id);
  pair.run();
  EXPECT_EQ(pair.client.stream_count() + pair.server.stream_count(), 0u);
  EXPECT_EQ(pair.client.counters().resets_out + pair.server.counters().resets_out, 0u);
}

TEST(Session, AStreamWithoutOwnerIsResetByDataOrTime) {
  Pair pair;
  const StreamId a = *pair.client.open();
  const StreamId b = *pair.client.open();
  for (const StreamId id : {a, b}) {
    pair.client.close_write(id);
    pair.client.release(id);
  }
  pair.run();
  ASSERT_TRUE(pair.server.write(a, as_bytes("answer nobody reads")));
  pair.run();
  EXPECT_EQ(pair.server.state(a), StreamState::Reset);
  EXPECT_EQ(pair.server.state(b), StreamState::End);
  pair.clock.advance(10s);
  ASSERT_TRUE(pair.client.on_time(pair.clock.now()));
  EXPECT_EQ(pair.client.stream_count(), 0u);
  pair.run();
  EXPECT_EQ(pair.server.state(b), StreamState::Reset);
}

// The owner leaves between two pieces of a data frame; what is still to come of it is nobody's.
TEST(Session, AStreamLeftWithinAFrameIsReset) {
  for (const std::uint16_t flags : {std::uint16_t{0}, std::uint16_t{kFin}}) {
    Pair pair;
    const StreamId id = *pair.client.open();
    pair.client.close_write(id);
    pair.run();
    ASSERT_TRUE(pair.client.receive(encode_header({FrameType::Data, flags, id, 6}), pair.clock.now()));
    ASSERT_TRUE(pair.client.receive(as_bytes("abc"), pair.clock.now()));
    EXPECT_EQ(to_text(pair.read_all(pair.client, id)), "abc");
    pair.client.release(id);
    ASSERT_TRUE(pair.client.receive(as_bytes("def"), pair.clock.now()));
    EXPECT_EQ(pair.client.buffered(), 0u);
    EXPECT_EQ(pair.client.stream_count(), 0u);
    EXPECT_EQ(pair.client.reserved(), 0u);
    EXPECT_EQ(pair.client.counters().resets_out, 1u);
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

TEST(Session, IdleSessionGivesItsBuffersBack) {
  Pair pair;
  const StreamId id = *pair.client.open();
  ASSERT_TRUE(pair.client.write(id, pattern(60000)));
  pair.run();
  (void)pair.read_all(pair.server, id);
  pair.run();
  EXPECT_LE(pair.server.next_deadline(), pair.clock.now() + 1s);
  pair.clock.advance(1s);
  ASSERT_TRUE(pair.server.on_time(pair.clock.now()));
  EXPECT_GT(pair.server.next_deadline(), pair.clock.now() + 20s);
}

// A loop that finds one in the past does nothing else.
TEST(Session, NoDeadlineIsLeftInThePastWhileOutputWaits) {
  Pair pair;
  const StreamId id = *pair.client.open();
  ASSERT_TRUE(pair.client.write(id, pattern(60000)));
  pair.run();
  (void)pair.read_all(pair.server, id);
  pair.run();
  // Written, and the connection below has not been asked yet, or takes nothing.
  pair.clock.advance(900ms);
  ASSERT_TRUE(pair.client.write(id, pattern(60000)));
  for (int tenths = 0; tenths < 50; ++tenths) {
    pair.clock.advance(100ms);
    ASSERT_TRUE(pair.client.on_time(pair.clock.now()));
    ASSERT_GT(pair.client.next_deadline(), pair.clock.now());
  }
  // As soon as it has gone, the buffer is to go as well.
  pair.run();
  EXPECT_LE(pair.client.next_deadline(), pair.clock.now() + 1s);
}

}  // namespace
}  // namespace ghmesh::libp2p::yamux
