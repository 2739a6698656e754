// SPDX-License-Identifier: Apache-2.0
#include "proxy/trace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace ghmesh::proxy {
namespace {

constexpr const char* kGood = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Trace, ReadsVersionZero) {
  const auto trace = parse_traceparent(kGood);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace->span_id, "00f067aa0ba902b7");
  EXPECT_TRUE(trace->sampled);
  EXPECT_FALSE(parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")->sampled);
}

TEST(Trace, DropsWhatIsNotToTheLetter) {
  for (const char* bad : {"", "00", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                          "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
    EXPECT_FALSE(parse_traceparent(bad)) << bad;
}

TEST(Trace, TwoAreNone) {
  EXPECT_TRUE(trace_of(http::Fields{{"TraceParent", kGood}}.view()));
  EXPECT_FALSE(trace_of(http::Fields{{"traceparent", kGood}, {"traceparent", kGood}}.view()));
  EXPECT_FALSE(trace_of(http::Fields{{"tracestate", "a=b"}}.view()));
}

TEST(Trace, TheNextHopHasTheNodesSpanAsItsParent) {
  SeededRandom random(7);
  const std::string span = new_span_id(random);
  EXPECT_NE(span, new_span_id(random));
  const std::string sent = format_traceparent(*parse_traceparent(kGood), span);
  const auto next = parse_traceparent(sent);
  ASSERT_TRUE(next) << sent;
  EXPECT_EQ(next->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(next->span_id, span);
  EXPECT_TRUE(next->sampled);
}

TEST(Trace, FlagsThatTheVersionDoesNotKnowAreDropped) {
  const auto flags = [](std::string_view text) {
    return format_traceparent(*parse_traceparent(text), "00f067aa0ba902b7").substr(53);
  };
  EXPECT_EQ(flags("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff"), "01");
  EXPECT_EQ(flags("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe"), "00");
}

TEST(Trace, ASpanIsNeverAllZero) {
  struct ZerosFirst final : Random {
    int calls = 0;
    void fill(MutableByteView out) override { std::ranges::fill(out, calls++ < 2 ? std::uint8_t{0} : std::uint8_t{9}); }
  } random;
  EXPECT_EQ(new_span_id(random), "0909090909090909");
  EXPECT_EQ(random.calls, 3);
}

TEST(LogSample, OneTakesEverything) {
  LogSample sample(1);
  const std::string all_zero_but_one = "00-4bf92f3577b34da6a300000000000000-00f067aa0ba902b7-01";
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(sample.takes(std::nullopt));
  EXPECT_TRUE(sample.takes(parse_traceparent(all_zero_but_one)));
  EXPECT_TRUE(LogSample(0).takes(std::nullopt));
}

TEST(LogSample, CountsOffWhatHasNoTrace) {
  LogSample sample(4);
  std::string taken;
  for (int i = 0; i < 9; ++i) taken += sample.takes(std::nullopt) ? 'x' : '.';
  EXPECT_EQ(taken, "x...x...x");
}

TEST(LogSample, NodesAgreeOnATraceAndTakeTheirShare) {
  LogSample here(10);
  LogSample there(10);
  LogSample rarer(100);
  static_cast<void>(there.takes(std::nullopt));  // its own requests do not change what it takes of a trace
  SeededRandom random(1);
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string trace = new_span_id(random) + new_span_id(random);
    const TraceParent parent{.trace_id = trace, .span_id = "00f067aa0ba902b7"};
    const bool takes = here.takes(parent);
    EXPECT_EQ(there.takes(parent), takes);
    if (rarer.takes(parent)) EXPECT_TRUE(takes) << "what a rarer sample takes, a denser one takes too";
    taken += takes ? 1 : 0;
  }
  // Binomial(10000, 0.1) has a standard deviation of 30.
  EXPECT_NEAR(taken, 1000, 150);
}

}  // namespace
}  // namespace ghmesh::proxy
