// SPDX-License-Identifier: Apache-2.0
#include "admin/metrics_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ghmesh::admin {
namespace {

using testing::HasSubstr;

TEST(MetricsText, WritesPrometheusText) {
  metrics::Registry registry;
  registry.counter("ghmesh_requests_total", "Requests.", {{"kind", "a\"b\\c\nd"}}).add(3);
  registry.counter("ghmesh_requests_total", "Requests.", {{"kind", "e"}, {"x", "y"}}).add(4);
  registry.gauge("ghmesh_load", "Load\nof \\ it.").set(0.25);
  registry.gauge_callback("ghmesh_now", "Asked.", {}, [] { return 7.0; });
  EXPECT_EQ(format_metrics(registry, MetricsFormat::Prometheus),
            "# HELP ghmesh_load Load\\nof \\\\ it.\n"
            "# TYPE ghmesh_load gauge\n"
            "ghmesh_load 0.25\n"
            "# HELP ghmesh_now Asked.\n"
            "# TYPE ghmesh_now gauge\n"
            "ghmesh_now 7\n"
            "# HELP ghmesh_requests_total Requests.\n"
            "# TYPE ghmesh_requests_total counter\n"
            "ghmesh_requests_total{kind=\"a\\\"b\\\\c\\nd\"} 3\n"
            "ghmesh_requests_total{kind=\"e\",x=\"y\"} 4\n");
}

TEST(MetricsText, HistogramsAreCumulative) {
  metrics::Registry registry;
  metrics::Histogram& histogram = registry.histogram("ghmesh_seconds", "Seconds.", {{"kind", "hit"}});
  histogram.observe(0.00004);
  histogram.observe(0.0002);
  histogram.observe(1000);
  const std::string text = format_metrics(registry, MetricsFormat::Prometheus);
  EXPECT_THAT(text, HasSubstr("ghmesh_seconds_bucket{kind=\"hit\",le=\"5e-05\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("ghmesh_seconds_bucket{kind=\"hit\",le=\"0.00025\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("ghmesh_seconds_bucket{kind=\"hit\",le=\"30\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("ghmesh_seconds_bucket{kind=\"hit\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("ghmesh_seconds_count{kind=\"hit\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("ghmesh_seconds_sum{kind=\"hit\"} 1000.0"));
}

TEST(MetricsText, OpenMetricsNamesCountersWithoutTheirSuffix) {
  metrics::Registry registry;
  registry.counter("a_total", "A.").add(1);
  registry.counter("b", "B.").add(2);
  EXPECT_EQ(format_metrics(registry, MetricsFormat::OpenMetrics),
            "# HELP a A.\n# TYPE a counter\na_total 1\n# HELP b B.\n# TYPE b counter\nb_total 2\n# EOF\n");
}

TEST(MetricsText, GatheredFamiliesAreReadWhenTheyAreAskedFor) {
  metrics::Registry registry;
  int left = 7;
  registry.collect("ghmesh_left", "Left.", metrics::Kind::Gauge, [&left] {
    return std::vector<metrics::Sample>{{{{"token", "a\"b"}}, static_cast<double>(left)}, {{}, 0.5}};
  });
  left = 8;
  EXPECT_EQ(format_metrics(registry, MetricsFormat::Prometheus),
            "# HELP ghmesh_left Left.\n# TYPE ghmesh_left gauge\nghmesh_left{token=\"a\\\"b\"} 8\nghmesh_left 0.5\n");
}

TEST(MetricsText, AcceptDecides) {
  EXPECT_EQ(choose_format(""), MetricsFormat::Prometheus);
  EXPECT_EQ(choose_format("*/*"), MetricsFormat::Prometheus);
  EXPECT_EQ(choose_format("application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5"),
            MetricsFormat::OpenMetrics);
  EXPECT_THAT(content_type(MetricsFormat::Prometheus), HasSubstr("version=0.0.4"));
}

}  // namespace
}  // namespace ghmesh::admin
