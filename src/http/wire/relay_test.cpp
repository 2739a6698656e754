// SPDX-License-Identifier: Apache-2.0
#include "http/wire/relay.hpp"

#include <gtest/gtest.h>

#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"

namespace ghmesh::http::wire {
namespace {

struct RelayTest : ::testing::Test {
  io::ManualLoop loop;
  BufferPool pool;
  std::unique_ptr<io::Stream> client, near, far, origin;
  std::optional<Relayed> result;
  io::TaskGroup group{loop};

  void start(std::string_view early, io::PipeOptions options = {}) {
    std::tie(client, near) = io::make_pipe(loop, options);
    std::tie(far, origin) = io::make_pipe(loop, options);
    group.spawn([](RelayTest& t, std::string_view e) -> io::Task<> {
      t.result = co_await relay(*t.near, *t.far, e, t.pool, 60s);
    }(*this, early));
    loop.run_until_idle();
  }
  void put(io::Stream& stream, std::string_view text) {
    const iovec part{const_cast<char*>(text.data()), text.size()};
    ASSERT_EQ(stream.try_write({&part, 1}).bytes, text.size());
    loop.run_until_idle();
  }
  std::string take(io::Stream& stream) {
    std::string all;
    Bytes room(1000);
    while (true) {
      const auto status = stream.try_read(room);
      if (status.kind == io::IoStatus::End) return all + "<end>";
      if (status.kind != io::IoStatus::Done) return all;
      all.append(as_text(ByteView(room).first(status.bytes)));
      loop.run_until_idle();
    }
  }
};

TEST_F(RelayTest, PassesBothWaysAndHalfCloses) {
  start("early,");
  put(*client, "question");
  EXPECT_EQ(take(*origin), "early,question");
  client->shutdown_write();
  loop.run_until_idle();
  EXPECT_EQ(take(*origin), "<end>");
  put(*origin, "answer");
  EXPECT_EQ(take(*client), "answer");
  EXPECT_FALSE(result);
  origin->shutdown_write();
  loop.run_until_idle();
  EXPECT_EQ(take(*client), "<end>");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->to_far, 14u);
  EXPECT_EQ(result->to_near, 6u);
}

TEST_F(RelayTest, ASlowTakerSlowsItsGiver) {
  start("", {.capacity = 1000});
  std::size_t taken = 0;
  const std::string block(500, 'x');
  const iovec part{const_cast<char*>(block.data()), block.size()};
  for (int i = 0; i < 200; ++i) {
    taken += client->try_write({&part, 1}).bytes;
    loop.run_until_idle();
  }
  EXPECT_LE(taken, 2000 + kBufferBytes);
  std::size_t came = 0;
  for (int i = 0; i < 100 && came < taken; ++i) came += take(*origin).size();
  EXPECT_EQ(came, taken);
}

TEST_F(RelayTest, EndsWhenNothingMovesOrAnEndBreaks) {
  start("");
  loop.advance(50s);
  put(*origin, "x");
  loop.advance(50s);
  EXPECT_FALSE(result);
  loop.advance(11s);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->timed_out);
  result.reset();
  start("");
  origin.reset();
  loop.run_until_idle();
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->timed_out);
}

}  // namespace
}  // namespace ghmesh::http::wire
