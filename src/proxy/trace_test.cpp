// SPDX-License-Identifier: Apache-2.0
#include "proxy/trace.hpp"

#include <gtest/gtest.h>

namespace ghmesh::proxy {
namespace {

constexpr const char* kGood = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Trace, ReadsVersionZero) {
  const auto trace = parse_traceparent(kGood);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace->span_id, "00f067aa0ba902b7");
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

}  // namespace
}  // namespace ghmesh::proxy
