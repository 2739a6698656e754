// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/metrics.hpp"

// A registry as monitors read it: Prometheus' text format 0.0.4, or OpenMetrics 1.0 where that is asked for.

namespace ghmesh::admin {

enum class MetricsFormat { Prometheus, OpenMetrics };

// OpenMetrics if Accept names it, whatever its weight; else Prometheus.
MetricsFormat choose_format(std::string_view accept);
std::string_view content_type(MetricsFormat format);

std::string format_metrics(const metrics::Registry& registry, MetricsFormat format);

}  // namespace ghmesh::admin
