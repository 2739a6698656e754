// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "base/random.hpp"
#include "io/stream.hpp"
#include "io/task_group.hpp"

// What every kind of Stream must do, as one suite that each kind runs: give run_stream_conformance() a way to make a
// connected pair and a way to run the loop until a condition holds. For test programs only.

namespace ghmesh::io {

struct StreamPairMaker {
  std::function<std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>>()> make;
  std::function<bool(const std::function<bool()>&)> run_until;
};

namespace conformance {

inline Task<> send_all(Stream& stream, const Bytes& bytes, std::optional<Result<>>& done) {
  done = co_await stream.write_all(bytes);
  stream.shutdown_write();
}
inline Task<> receive_all(Stream& stream, Bytes& into, std::optional<Result<>>& done) {
  Bytes buffer(7001);
  while (true) {
    const Result<std::size_t> count = co_await stream.read_some(buffer);
    if (!count) {
      done = std::unexpected(count.error());
      co_return;
    }
    if (*count == 0) break;
    append(into, ByteView(buffer).first(*count));
  }
  done = Result<>{};
}
inline Bytes pattern(std::size_t size, std::uint64_t seed) {
  Bytes out(size);
  SeededRandom(seed).fill(out);
  return out;
}

}  // namespace conformance

inline void run_stream_conformance(const StreamPairMaker& maker) {
  using namespace conformance;
  {
    SCOPED_TRACE("both directions at once, then both ends");
    auto [a, b] = maker.make();
    const Bytes there = pattern(1'000'000, 1), back = pattern(300'000, 2);
    Bytes got_there, got_back;
    std::optional<Result<>> sent_a, sent_b, received_a, received_b;
    {
      TaskGroup group(a->loop());
      group.spawn(send_all(*a, there, sent_a));
      group.spawn(send_all(*b, back, sent_b));
      group.spawn(receive_all(*a, got_back, received_a));
      group.spawn(receive_all(*b, got_there, received_b));
      ASSERT_TRUE(maker.run_until([&] { return group.size() == 0; }));
    }
    EXPECT_TRUE(sent_a && *sent_a && sent_b && *sent_b);
    EXPECT_TRUE(received_a && *received_a && received_b && *received_b);
    EXPECT_TRUE(equal(there, got_there));
    EXPECT_TRUE(equal(back, got_back));
  }
  {
    SCOPED_TRACE("half-close: what comes after the end of the other direction still arrives");
    auto [a, b] = maker.make();
    Bytes request, reply;
    std::optional<Result<>> s, r, s2, r2;
    const Bytes question = pattern(10, 3), answer = pattern(100'000, 4);
    TaskGroup group(a->loop());
    group.spawn(send_all(*a, question, s));
    group.spawn(receive_all(*b, request, r));
    ASSERT_TRUE(maker.run_until([&] { return s && r; }));
    group.spawn(send_all(*b, answer, s2));
    group.spawn(receive_all(*a, reply, r2));
    ASSERT_TRUE(maker.run_until([&] { return s2 && r2; }));
    EXPECT_TRUE(equal(request, question));
    EXPECT_TRUE(equal(reply, answer));
  }
  {
    SCOPED_TRACE("back-pressure: a writer nobody reads from stops");
    auto [a, b] = maker.make();
    const Bytes block(64 * 1024, 0x55);
    const iovec part{const_cast<std::uint8_t*>(block.data()), block.size()};
    std::size_t accepted = 0;
    IoStatus status;
    for (int i = 0; i < 4096; ++i) {
      status = a->try_write(std::span(&part, 1));
      if (status.kind != IoStatus::Done) break;
      accepted += status.bytes;
    }
    EXPECT_EQ(status.kind, IoStatus::WouldBlock);
    EXPECT_GT(accepted, 0u);
    EXPECT_LT(accepted, 64u * 1024 * 1024);
  }
  {
    SCOPED_TRACE("abort wakes a waiting reader with the reason");
    auto [a, b] = maker.make();
    Bytes into;
    std::optional<Result<>> done;
    TaskGroup group(a->loop());
    group.spawn(receive_all(*a, into, done));
    bool reading = false;
    group.spawn([](Loop& loop, bool& flag) -> Task<> {
      co_await loop.sleep_for(1ms);
      flag = true;
    }(a->loop(), reading));
    ASSERT_TRUE(maker.run_until([&] { return reading; }));
    EXPECT_FALSE(done);
    a->abort({ErrorCode::Cancelled, Fault::Local, Retry::No, "enough"});
    ASSERT_TRUE(maker.run_until([&] { return done.has_value(); }));
    ASSERT_FALSE(*done);
    EXPECT_EQ(done->error().code, ErrorCode::Cancelled);
  }
  {
    SCOPED_TRACE("a vanished end is an error or an end, never a wait without end");
    auto [a, b] = maker.make();
    Bytes into;
    std::optional<Result<>> done;
    TaskGroup group(a->loop());
    group.spawn(receive_all(*a, into, done));
    b.reset();
    ASSERT_TRUE(maker.run_until([&] { return done.has_value(); }));
    EXPECT_TRUE(into.empty());
  }
}

}  // namespace ghmesh::io
