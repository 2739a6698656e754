// SPDX-License-Identifier: Apache-2.0
#include "http/wire/buffers.hpp"

#include <gtest/gtest.h>

#include "http/wire/timed_wait.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"

namespace ghmesh::http::wire {
namespace {

void put(Input& input, std::string_view text) {
  input.make_room(text.size());
  std::copy(text.begin(), text.end(), input.room().begin());
  input.fill(text.size());
}

TEST(Input, PinnedOctetsStayWhileOthersPass) {
  BufferPool pool;
  Input input(pool);
  put(input, "HEADbody");
  const std::string_view head = input.text().substr(0, 4);
  ASSERT_TRUE(input.pin(4));
  EXPECT_EQ(input.text(), "body");
  for (int i = 0; i < 100; ++i) {
    input.consume(input.text().size());
    const MutableByteView room = input.room();
    ASSERT_GE(room.size(), kBufferBytes / 4);
    std::fill(room.begin(), room.end(), std::uint8_t{'x'});
    input.fill(room.size());
    EXPECT_EQ(head, "HEAD");
  }
  input.consume(input.text().size() - 3);
  input.unpin();
  EXPECT_EQ(input.text(), "xxx");
}

TEST(Input, GrowsCompactsAndGivesBack) {
  BufferPool pool;
  Input input(pool);
  const std::string long_text(3 * kBufferBytes, 'a');
  put(input, long_text);
  EXPECT_EQ(input.text(), long_text);
  EXPECT_FALSE(input.pin(input.text().size()) && input.room().size() < kBufferBytes / 4);
  Input small(pool);
  put(small, "abc");
  small.consume(2);
  put(small, std::string(kBufferBytes - 1, 'z'));
  EXPECT_EQ(small.text().size(), kBufferBytes);
  EXPECT_EQ(small.text().substr(0, 2), "cz");
}

TEST(Output, PartsComeOutInOrderThroughAnyPipe) {
  for (const std::size_t chunk : {0u, 1u, 777u}) {
    io::ManualLoop loop;
    auto [a, b] = io::make_pipe(loop, {.capacity = 4096, .chunk = chunk});
    Output output;
    const std::string large(10'000, 'L');
    std::string expected;
    for (int i = 0; i < 200; ++i) {
      output.add("text" + std::to_string(i));
      output.add_foreign(large);
      output.add_foreign("small");
      expected += "text" + std::to_string(i) + large + "small";
    }
    EXPECT_EQ(output.bytes(), expected.size());
    std::string got;
    Bytes room(5000);
    while (got.size() < expected.size()) {
      while (!output.empty() && output.write_once(*a).kind == io::IoStatus::Done) continue;
      loop.run_until_idle();
      while (true) {
        const auto status = b->try_read(room);
        if (status.kind != io::IoStatus::Done) break;
        got.append(as_text(ByteView(room).first(status.bytes)));
      }
      loop.run_until_idle();
    }
    EXPECT_TRUE(got == expected);
    EXPECT_TRUE(output.empty());
  }
}

TEST(Output, OwnersAreKeptUntilWritten) {
  io::ManualLoop loop;
  auto [a, b] = io::make_pipe(loop);
  auto body = std::make_shared<std::string>(10'000, 'x');
  std::weak_ptr<std::string> watch = body;
  Output output;
  output.add_foreign(*body, body);
  body.reset();
  EXPECT_FALSE(watch.expired());
  while (!output.empty()) output.write_once(*a);
  EXPECT_TRUE(watch.expired());
}

TEST(TimedWait, MovingTheDeadlineIsFreeAndItHolds) {
  io::ManualLoop loop;
  auto [a, b] = io::make_pipe(loop);
  TimedWait wait(*a);
  io::TaskGroup group(loop);
  std::vector<bool> results;
  group.spawn([](TimedWait& w, std::vector<bool>& out) -> io::Task<> {
    w.set_deadline_after(10s);
    w.set_deadline_after(60s);
    out.push_back(co_await w.readable());
    w.set_deadline_after(5s);
    out.push_back(co_await w.readable());
  }(wait, results));
  loop.advance(59s);
  EXPECT_TRUE(results.empty());
  loop.advance(1s);
  EXPECT_EQ(results, std::vector<bool>{false});
  loop.advance(1s);
  const std::string_view text = "x";
  const iovec part{const_cast<char*>(text.data()), 1};
  b->try_write({&part, 1});
  loop.run_until_idle();
  EXPECT_EQ(results, (std::vector<bool>{false, true}));
}

}  // namespace
}  // namespace ghmesh::http::wire
