// SPDX-License-Identifier: Apache-2.0
// The life of streams: how they are opened, closed, reset and left, and how a session says that it ends.
#include <gtest/gtest.h>

#include "test_pair.hpp"

namespace ghmesh::libp2p::yamux {
namespace {

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

}  // namespace
}  // namespace ghmesh::libp2p::yamux
