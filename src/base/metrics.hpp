// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

// Numbers a node counts where things happen. Instruments are made once, by name and labels, and kept by reference;
// adding is one relaxed atomic operation, so hot paths count without a lock. A Registry belongs to one node (several
// nodes live in one process in tests); admin/ writes its text form. Names follow Prometheus' conventions.

namespace ghmesh::metrics {

class Counter {
 public:
  void add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double by) { value_.fetch_add(by, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Seconds, in buckets from 50 µs to 30 s: a memory hit and a slow origin both land inside.
class Histogram {
 public:
  static constexpr std::array<double, 14> kBounds{0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                  0.01,    0.05,   0.1,     0.5,    1,     5,      30};
  void observe(double seconds);
  std::uint64_t bucket(std::size_t i) const { return buckets_[i].load(std::memory_order_relaxed); }
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<std::uint64_t> count_{0};
  std::atomic<double> sum_{0};
};

using Labels = std::vector<std::pair<std::string, std::string>>;

enum class Kind { Counter, Gauge, Histogram };

// One instrument as a reader sees it. callback gauges are read at scrape time.
struct Instrument {
  Labels labels;
  Counter counter;
  Gauge gauge;
  Histogram histogram;
  std::function<double()> read;  // if set, the gauge's value
};

// One value of a family that is gathered when it is read.
struct Sample {
  Labels labels;
  double value = 0;
};

struct Family {
  std::string name;
  std::string help;
  Kind kind = Kind::Counter;
  std::deque<Instrument> instruments;            // stable addresses
  std::function<std::vector<Sample>()> collect;  // if set, the family's values
};

class Registry {
 public:
  // The instrument of that name and labels; made at the first call. A name keeps its kind and help for ever.
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {});
  // read is called at scrape time, on the scraper's thread.
  void gauge_callback(std::string_view name, std::string_view help, Labels labels, std::function<double()> read);

  // A family (no histogram) whose labels come and go, or which somebody else counts. As gauge_callback; once a name.
  void collect(std::string_view name, std::string_view help, Kind kind, std::function<std::vector<Sample>()> collect);

  // Calls visit for each family in order of name while holding the registry's lock.
  void visit(const std::function<void(const Family&)>& visit) const;

 private:
  Instrument& instrument(std::string_view name, std::string_view help, Kind kind, Labels labels);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
};

}  // namespace ghmesh::metrics
