// SPDX-License-Identifier: Apache-2.0
#include "libp2p/request/framing.hpp"

#include <gtest/gtest.h>

#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"

namespace ghmesh::libp2p {
namespace {

using Frames = std::vector<std::string>;

struct World {
  io::ManualLoop loop;
  io::TaskGroup tasks{loop};
  Frames frames;
  std::optional<Error> error;

  void read(Bytes wire, std::size_t chunk, std::size_t max) {
    auto [a, b] = io::make_pipe(loop, {.chunk = chunk});
    tasks.spawn([](std::unique_ptr<io::Stream> s, Bytes w) -> io::Task<void> {
      (void)co_await s->write_all(w);
      s->shutdown_write();
      std::uint8_t one;
      (void)co_await s->read_some({&one, 1});
    }(std::move(a), std::move(wire)));
    tasks.spawn([](std::unique_ptr<io::Stream> s, std::size_t m, Frames& f, std::optional<Error>& e) -> io::Task<void> {
      FrameReader reader(*s, m);
      while (true) {
        const auto frame = co_await reader.next();
        if (!frame) e = frame.error();
        if (!frame || !*frame) co_return;
        f.push_back(to_text(**frame));
      }
    }(std::move(b), max, frames, error));
    loop.run_until_idle();
  }
};

TEST(Framing, MessagesInPiecesOfAnySize) {
  for (const std::size_t chunk : {std::size_t{0}, std::size_t{1}, std::size_t{5000}}) {
    World w;
    const std::string big(100'000, 'b');
    Bytes wire = *from_hex("0361626300a08d06");
    append(wire, big);
    w.read(wire, chunk, 1 << 20);
    EXPECT_EQ(w.frames, (Frames{"abc", "", big}));
    EXPECT_FALSE(w.error);
  }
}

TEST(Framing, LengthBombIsRefusedByItsLengthAlone) {
  for (const char* hex : {"8080808080808010", "ffffffffffffffff7f", "8180808010"}) {
    World w;
    w.read(*from_hex(hex), 0, 1 << 20);
    ASSERT_TRUE(w.error) << hex;
    EXPECT_EQ(w.error->code, ErrorCode::Limit);
  }
}

TEST(Framing, NotMinimalOrCutOff) {
  World w;
  w.read(*from_hex("8100"), 0, 100);
  EXPECT_EQ(w.error->code, ErrorCode::Malformed);
  World v;
  v.read(*from_hex("0561"), 0, 100);
  EXPECT_EQ(v.error->code, ErrorCode::Closed);
}

}  // namespace
}  // namespace ghmesh::libp2p
