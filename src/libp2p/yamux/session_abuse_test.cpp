// SPDX-License-Identifier: Apache-2.0
// Attacks that have brought other yamux implementations down, each as the frames that did it.

#include <gtest/gtest.h>

#include "libp2p/yamux/session.hpp"

namespace ghmesh::libp2p::yamux {
namespace {

struct Victim {
  ManualClock clock;
  Session session;
  explicit Victim(Limits limits = {}) : session(Role::Server, limits, clock.now()) {
    session.consume_output(session.output().size(), clock.now());
  }
  Result<> frame(FrameType type, int flags, StreamId id, std::uint32_t length, ByteView payload = {}) {
    Bytes raw(kHeaderSize);
    const auto head = encode_header({type, static_cast<std::uint16_t>(flags), id, length});
    std::copy(head.begin(), head.end(), raw.begin());
    append(raw, payload);
    return session.receive(raw, clock.now());
  }
  void expect_violation(const Result<>& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::Malformed);
    EXPECT_EQ(result.error().fault, Fault::Peer);
    EXPECT_EQ(to_hex(session.output()), "000300000000000000000001") << "go-away 1 and nothing else";
    EXPECT_EQ(session.buffered(), 0u);
  }
};

// CVE-2022-23492 (go-libp2p): memory spent per stream without a bound. Each stream may fill its window and no more, and
// the number of streams is bounded before anything is kept.
TEST(Abuse, Cve_2022_23492_FullWindowsOnAllStreamsStayWithinTheBudget) {
  Limits limits;
  Victim victim(limits);
  const Bytes full(limits.initial_window, 0xaa);
  for (StreamId id = 1; id < 2 * 200; id += 2)
    ASSERT_TRUE(victim.frame(FrameType::Data, kSyn, id, limits.initial_window, full));
  EXPECT_EQ(victim.session.stream_count(), limits.max_streams);
  EXPECT_EQ(victim.session.buffered(), std::size_t{limits.max_streams} * limits.initial_window);
  EXPECT_EQ(victim.session.reserved(), std::size_t{limits.max_streams} * limits.initial_window);
  EXPECT_EQ(victim.session.counters().refused, 200u - limits.max_streams);
  victim.expect_violation(victim.frame(FrameType::Data, 0, 1, 1, as_bytes("x")));
}

// CVE-2022-23486 (rust-libp2p): a flood of streams, opened and dropped as fast as the wire allows.
TEST(Abuse, Cve_2022_23486_StreamFloodEndsTheSession) {
  Limits limits;
  Victim victim(limits);
  Result<> result;
  std::uint32_t opened = 0;
  for (StreamId id = 1; result && opened < 100000; id += 2, ++opened) {
    result = victim.frame(FrameType::WindowUpdate, kSyn, id, 0);
    if (result) result = victim.frame(FrameType::WindowUpdate, kRst, id, 0);
    while (auto event = victim.session.next_event()) victim.session.release(event->stream);
    ASSERT_LE(victim.session.stream_count(), limits.max_streams);
    victim.session.consume_output(victim.session.output().size() * (result ? 1 : 0), victim.clock.now());
  }
  EXPECT_LE(opened, limits.abuse_burst + 1);
  victim.expect_violation(result);
}

TEST(Abuse, StreamFloodWithoutReadingAnswersEndsTheSession) {
  Limits limits;
  Victim victim(limits);
  Result<> result;
  std::uint32_t opened = 0;
  for (StreamId id = 1; result && opened < 100000; id += 2, ++opened)
    result = victim.frame(FrameType::WindowUpdate, kSyn, id, 0);
  EXPECT_LE(opened, limits.max_streams + limits.abuse_burst + 1);
  victim.expect_violation(result);
}

TEST(Abuse, SlowResetsOfAHonestPeerAreForgiven) {
  Victim victim;
  for (StreamId id = 1; id < 20000; id += 2) {
    ASSERT_TRUE(victim.frame(FrameType::WindowUpdate, kSyn, id, 0));
    ASSERT_TRUE(victim.frame(FrameType::WindowUpdate, kRst, id, 0));
    while (auto event = victim.session.next_event()) victim.session.release(event->stream);
    victim.session.consume_output(victim.session.output().size(), victim.clock.now());
    victim.clock.advance(10ms);
  }
}

// CVE-2026-31814 (rust-yamux): a window update whose sum overflows.
TEST(Abuse, Cve_2026_31814_WindowOverflow) {
  Victim victim;
  ASSERT_TRUE(victim.frame(FrameType::WindowUpdate, kSyn, 1, 0));
  ASSERT_TRUE(victim.frame(FrameType::WindowUpdate, 0, 1, 0xffffffffu - 256 * 1024));
  EXPECT_EQ(victim.session.send_window(1), 0xffffffffu);
  victim.expect_violation(victim.frame(FrameType::WindowUpdate, 0, 1, 1));
}

TEST(Abuse, Cve_2026_31814_WindowOverflowOnTheOpeningFrame) {
  Victim victim;
  victim.expect_violation(victim.frame(FrameType::WindowUpdate, kSyn, 1, 0xffffffffu));
  EXPECT_EQ(victim.session.stream_count(), 0u);
}

// CVE-2026-32314 (rust-yamux): SYN with more payload than the first window; the stream was entered, then dropped, then
// looked for. Refused by the header alone, before any state.
TEST(Abuse, Cve_2026_32314_OversizedSynData) {
  Victim victim;
  victim.expect_violation(victim.frame(FrameType::Data, kSyn, 1, 256 * 1024 + 1));
  EXPECT_EQ(victim.session.stream_count(), 0u);
  EXPECT_EQ(victim.session.reserved(), 0u);
  EXPECT_FALSE(victim.session.next_event());
}

TEST(Abuse, DeclaredLengthOf4GiBIsRefusedByTheHeader) {
  Victim victim;
  ASSERT_TRUE(victim.frame(FrameType::WindowUpdate, kSyn, 1, 0));
  victim.expect_violation(victim.frame(FrameType::Data, 0, 1, 0xffffffffu));
}

TEST(Abuse, HugeFrameForADeadStreamIsRefusedToo) {
  Victim victim;
  victim.expect_violation(victim.frame(FrameType::Data, 0, 99, 0x10000000u));
}

TEST(Abuse, WrongParityVersionTypeAndDoubleSyn) {
  {
    Victim victim;
    victim.expect_violation(victim.frame(FrameType::WindowUpdate, kSyn, 2, 0));
  }
  {
    Victim victim;
    victim.expect_violation(victim.session.receive(*from_hex("010100010000000100000000"), victim.clock.now()));
  }
  {
    Victim victim;
    victim.expect_violation(victim.session.receive(*from_hex("000900010000000100000000"), victim.clock.now()));
  }
  {
    Victim victim;
    ASSERT_TRUE(victim.frame(FrameType::WindowUpdate, kSyn, 1, 0));
    victim.expect_violation(victim.frame(FrameType::WindowUpdate, kSyn, 1, 0));
  }
}

TEST(Abuse, DataAfterFin) {
  Victim victim;
  ASSERT_TRUE(victim.frame(FrameType::Data, kSyn | kFin, 1, 2, as_bytes("ab")));
  victim.expect_violation(victim.frame(FrameType::Data, 0, 1, 1, as_bytes("c")));
}

TEST(Abuse, PingFloodQueuesEightAnswers) {
  Victim victim;
  for (std::uint32_t i = 0; i < 100000; ++i) ASSERT_TRUE(victim.frame(FrameType::Ping, kSyn, 0, i));
  EXPECT_EQ(victim.session.output().size(), 8 * kHeaderSize);
  EXPECT_EQ(victim.session.counters().pings_dropped, 100000u - 8);
  victim.session.consume_output(victim.session.output().size(), victim.clock.now());
  ASSERT_TRUE(victim.frame(FrameType::Ping, kSyn, 0, 7));
  EXPECT_EQ(to_hex(victim.session.output()), "000200020000000000000007");
}

TEST(Abuse, AnswersNobodyAskedForChangeNothing) {
  Victim victim;
  ASSERT_TRUE(victim.frame(FrameType::Ping, kAck, 0, 12345));
  EXPECT_FALSE(victim.session.round_trip());
  ASSERT_TRUE(victim.frame(FrameType::WindowUpdate, kAck, 2, 1000));
  ASSERT_TRUE(victim.frame(FrameType::WindowUpdate, kRst, 4, 0));
  ASSERT_TRUE(victim.frame(FrameType::Data, kFin, 6, 3, as_bytes("abc")));
  EXPECT_EQ(victim.session.stream_count(), 0u);
  EXPECT_TRUE(victim.session.output().empty());
}

}  // namespace
}  // namespace ghmesh::libp2p::yamux
