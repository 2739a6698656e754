// SPDX-License-Identifier: Apache-2.0
#include "proxy/body_flights.hpp"

#include <gtest/gtest.h>

#include "io/manual_loop.hpp"
#include "io/task_group.hpp"

namespace ghmesh::proxy {
namespace {

using Waited = BodyFlights::Waited;

class Flights : public ::testing::Test {
 protected:
  io::Task<> wait(std::size_t missing) { outcomes.push_back(co_await flights.wait(key, missing, loop.now() + 5s)); }
  void spawn(std::size_t missing, std::size_t count = 1) {
    for (std::size_t i = 0; i < count; ++i) tasks.spawn(wait(missing));
    loop.run_until_idle();
  }
  // Waits as the request path does, until it may ask; asking takes 50 ms and teaches one match.
  io::Task<> learn(std::size_t& missing) {
    const TimePoint deadline = loop.now() + 5s;
    while (missing > 0) {
      if (BodyFlights::Turn turn = flights.try_take(key, true, missing)) {
        ++asked;
        co_await loop.sleep_for(50ms);
        if (missing > 0) --missing;
        turn.land(true);
        co_return;
      }
      if (co_await flights.wait(key, missing, deadline) == Waited::Late) {
        ++late;
        co_return;
      }
    }
  }

  io::ManualLoop loop;
  BodyFlights flights{loop};
  io::TaskGroup tasks{loop};
  store::Key key{1};
  std::vector<Waited> outcomes;
  std::size_t asked = 0;
  std::size_t late = 0;
};

TEST_F(Flights, OneAsksAndTheOthersHearOfIt) {
  BodyFlights::Turn turn = flights.try_take(key, false, 0);
  ASSERT_TRUE(turn);
  EXPECT_FALSE(flights.try_take(key, false, 0));
  EXPECT_TRUE(flights.try_take(store::Key{2}, false, 0));
  spawn(0, 3);
  EXPECT_TRUE(outcomes.empty());
  turn.land(true);
  loop.run_until_idle();
  EXPECT_EQ(outcomes, std::vector<Waited>(3, Waited::Brought));
  EXPECT_TRUE(flights.try_take(key, true, 0));
}

TEST_F(Flights, WhoStepsAsideLeavesTheOthersTheirTurn) {
  BodyFlights::Turn turn = flights.try_take(key, false, 0);
  spawn(0, 3);
  turn.step_aside();
  loop.run_until_idle();
  EXPECT_EQ(outcomes, std::vector<Waited>(3, Waited::Look));
  EXPECT_TRUE(flights.try_take(key, false, 0));
}

TEST_F(Flights, WhoBringsNothingSaysSoAlsoBySilence) {
  {
    const BodyFlights::Turn turn = flights.try_take(key, false, 0);
    spawn(0);
  }
  loop.run_until_idle();
  EXPECT_EQ(outcomes, std::vector<Waited>{Waited::Nothing});
}

TEST_F(Flights, NobodyWaitsBeyondItsDeadline) {
  const BodyFlights::Turn turn = flights.try_take(key, false, 0);
  spawn(0);
  const BodyFlights::Turn teaching = flights.try_take(store::Key{2}, false, 20);
  spawn(20);
  loop.advance(5s);
  EXPECT_EQ(outcomes, std::vector<Waited>(2, Waited::Late));
}

TEST_F(Flights, ACrowdSpendsNoMoreThanLearningNeeds) {
  std::size_t missing = 19;
  for (int i = 0; i < 199; ++i) tasks.spawn(learn(missing));
  const TimePoint began = loop.now();
  ASSERT_TRUE(loop.run_until([&] { return tasks.size() == 0; }));
  EXPECT_EQ(missing, 0u);
  EXPECT_LE(asked, 20u);
  EXPECT_EQ(late, 0u);
  EXPECT_LE(loop.now() - began, 3s);
}

TEST_F(Flights, WhoIsAloneLearnsAtOnce) {
  std::size_t missing = 19;
  const TimePoint began = loop.now();
  tasks.spawn(learn(missing));
  ASSERT_TRUE(loop.run_until([&] { return tasks.size() == 0; }));
  EXPECT_EQ(loop.now() - began, 50ms);
}

}  // namespace
}  // namespace ghmesh::proxy
