// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace ghmesh::metrics {

void Histogram::observe(double seconds) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  buckets_[static_cast<std::size_t>(bound - kBounds.begin())].fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(seconds, std::memory_order_relaxed);
}

Instrument& Registry::instrument(std::string_view name, std::string_view help, Kind kind, Labels labels) {
  const std::scoped_lock lock(mutex_);
  auto found = families_.find(name);
  if (found == families_.end()) {
    found = families_.emplace(std::string(name), Family{std::string(name), std::string(help), kind, {}, {}}).first;
  }
  Family& family = found->second;
  GHMESH_CHECK(family.kind == kind);
  for (Instrument& one : family.instruments)
    if (one.labels == labels) return one;
  Instrument& made = family.instruments.emplace_back();
  made.labels = std::move(labels);
  return made;
}

Counter& Registry::counter(std::string_view name, std::string_view help, Labels labels) {
  return instrument(name, help, Kind::Counter, std::move(labels)).counter;
}
Gauge& Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
  return instrument(name, help, Kind::Gauge, std::move(labels)).gauge;
}
Histogram& Registry::histogram(std::string_view name, std::string_view help, Labels labels) {
  return instrument(name, help, Kind::Histogram, std::move(labels)).histogram;
}
void Registry::gauge_callback(std::string_view name, std::string_view help, Labels labels,
                              std::function<double()> read) {
  Instrument& made = instrument(name, help, Kind::Gauge, std::move(labels));
  const std::scoped_lock lock(mutex_);
  made.read = std::move(read);
}

void Registry::collect(std::string_view name, std::string_view help, Kind kind,
                       std::function<std::vector<Sample>()> collect) {
  GHMESH_CHECK(kind != Kind::Histogram);
  const std::scoped_lock lock(mutex_);
  const bool made =
      families_.emplace(std::string(name), Family{std::string(name), std::string(help), kind, {}, std::move(collect)})
          .second;
  GHMESH_CHECK(made);
}

void Registry::visit(const std::function<void(const Family&)>& visit) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, family] : families_) visit(family);
}

}  // namespace ghmesh::metrics
