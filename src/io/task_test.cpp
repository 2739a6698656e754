// SPDX-License-Identifier: Apache-2.0
#include "io/task.hpp"

#include <gtest/gtest.h>

#include "io/manual_loop.hpp"
#include "io/sync.hpp"
#include "io/task_group.hpp"

namespace ghmesh::io {
namespace {

struct Tally {
  explicit Tally(int& c) : count(c) { ++count; }
  ~Tally() { --count; }
  int& count;
};

Task<int> add_later(Loop& loop, int a, int b) {
  co_await loop.sleep_for(10ms);
  co_return a + b;
}

TEST(Task, GivesItsValueToWhoAwaitsIt) {
  ManualLoop loop;
  TaskGroup group(loop);
  int sum = 0;
  group.spawn(
      [](Loop& l, int& out) -> Task<> { out = co_await add_later(l, 1, 2) + co_await add_later(l, 3, 4); }(loop, sum));
  loop.advance(19ms);
  EXPECT_EQ(sum, 0);
  loop.advance(1ms);
  EXPECT_EQ(sum, 10);
  EXPECT_EQ(group.size(), 0u);
}

TEST(Task, DestroyingTheGroupDestroysFramesAndTheirWaits) {
  ManualLoop loop;
  int alive = 0;
  bool reached = false;
  {
    TaskGroup group(loop);
    auto inner = [](Loop& l, int& count) -> Task<> {
      const Tally tally(count);
      co_await l.sleep_for(1s);
    };
    auto outer = [](Loop& l, int& count, bool& end, auto nested) -> Task<> {
      const Tally tally(count);
      co_await nested(l, count);
      end = true;
    };
    group.spawn(outer(loop, alive, reached, inner));
    group.spawn(outer(loop, alive, reached, inner));
    loop.run_until_idle();
    EXPECT_EQ(alive, 4);
  }
  EXPECT_EQ(alive, 0);
  loop.advance(2s);
  EXPECT_FALSE(reached);
}

TEST(Task, JoinWaitsForAll) {
  ManualLoop loop;
  TaskGroup group(loop);
  TaskGroup waiting(loop);
  bool joined = false;
  for (const auto delay : {1ms, 5ms, 3ms})
    group.spawn([](Loop& l, Duration d) -> Task<> { co_await l.sleep_for(d); }(loop, delay));
  waiting.spawn([](TaskGroup& g, bool& flag) -> Task<> {
    co_await g.join();
    flag = true;
  }(group, joined));
  loop.advance(4ms);
  EXPECT_FALSE(joined);
  loop.advance(1ms);
  EXPECT_TRUE(joined);
}

TEST(Until, ALateTaskIsDestroyedAtTheDeadline) {
  ManualLoop loop;
  TaskGroup group(loop);
  int alive = 0;
  std::optional<Result<int>> got;
  auto slow = [](Loop& l, int& count) -> Task<Result<int>> {
    const Tally tally(count);
    co_await l.sleep_for(1s);
    co_return 7;
  };
  group.spawn([](Loop& l, auto s, int& count, std::optional<Result<int>>& out) -> Task<> {
    out = co_await with_deadline(l, s(l, count), l.now() + 100ms, "the slow thing");
  }(loop, slow, alive, got));
  loop.advance(99ms);
  EXPECT_EQ(alive, 1);
  EXPECT_FALSE(got);
  loop.advance(1ms);
  EXPECT_EQ(alive, 0);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->error().code, ErrorCode::Timeout);
}

TEST(Timers, FireInOrderOfTimeAndCanMove) {
  ManualLoop loop;
  std::vector<int> fired;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 100; ++i) {
    timers.push_back(std::make_unique<Timer>(loop, [&fired, i] { fired.push_back(i); }));
    timers.back()->arm_after(std::chrono::milliseconds((i * 37) % 100 + 1));
  }
  timers[0]->arm_after(200ms);
  timers[1]->disarm();
  timers[2].reset();
  loop.advance(300ms);
  ASSERT_EQ(fired.size(), 98u);
  EXPECT_EQ(fired.back(), 0);
  for (std::size_t i = 1; i + 1 < fired.size(); ++i) EXPECT_LT(fired[i - 1] * 37 % 100, fired[i] * 37 % 100);
}

TEST(Sync, ASemaphorePassesItsPlaceOnWhenTheChosenOneIsDestroyed) {
  ManualLoop loop;
  Semaphore places(loop, 1);
  ASSERT_TRUE(places.try_acquire());
  auto take = [](Semaphore& s, bool& has) -> Task<> {
    co_await s.acquire();
    has = true;
  };
  bool first = false, second = false;
  auto doomed = std::make_unique<TaskGroup>(loop);
  TaskGroup group(loop);
  doomed->spawn(take(places, first));
  loop.run_until_idle();
  group.spawn(take(places, second));
  loop.run_until_idle();
  places.release();
  doomed.reset();
  loop.run_until_idle();
  EXPECT_FALSE(first);
  EXPECT_TRUE(second);
}

TEST(Sync, AQueueIsBoundedAndDrainsAfterClose) {
  ManualLoop loop;
  Queue<int> queue(loop, 2);
  std::vector<int> seen;
  bool ended = false;
  TaskGroup group(loop);
  EXPECT_TRUE(queue.try_push(1));
  EXPECT_TRUE(queue.try_push(2));
  EXPECT_FALSE(queue.try_push(3));
  queue.close();
  group.spawn([](Queue<int>& q, std::vector<int>& out, bool& end) -> Task<> {
    while (co_await q.ready()) out.push_back(*q.try_pop());
    end = true;
  }(queue, seen, ended));
  loop.run_until_idle();
  EXPECT_EQ(seen, (std::vector<int>{1, 2}));
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace ghmesh::io
