// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.hpp"

#include <gtest/gtest.h>

namespace ghmesh::metrics {
namespace {

TEST(Metrics, SameNameAndLabelsAreOneInstrument) {
  Registry registry;
  registry.counter("ghmesh_requests_total", "requests", {{"kind", "hit"}}).add(2);
  registry.counter("ghmesh_requests_total", "requests", {{"kind", "hit"}}).add();
  registry.counter("ghmesh_requests_total", "requests", {{"kind", "miss"}}).add();
  std::vector<std::uint64_t> values;
  registry.visit([&](const Family& family) {
    for (const Instrument& one : family.instruments) values.push_back(one.counter.value());
  });
  EXPECT_EQ(values, (std::vector<std::uint64_t>{3, 1}));
}

TEST(Metrics, HistogramCountsAtItsBounds) {
  Histogram histogram;
  histogram.observe(0.00005);
  histogram.observe(100);
  EXPECT_EQ(histogram.bucket(0), 1u);
  EXPECT_EQ(histogram.bucket(Histogram::kBounds.size()), 1u);
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_DOUBLE_EQ(histogram.sum(), 100.00005);
}

}  // namespace
}  // namespace ghmesh::metrics
