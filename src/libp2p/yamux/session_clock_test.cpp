// SPDX-License-Identifier: Apache-2.0
// What a session does as time goes by: pings, deadlines, memory.
#include <gtest/gtest.h>

#include "test_pair.hpp"

namespace ghmesh::libp2p::yamux {
namespace {

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
