// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.hpp"

// What was asked and what it cost, for tests to judge. One thread.

namespace ghmesh::standin {

struct JournalEntry {
  std::uint64_t number = 0;  // 1, 2, …
  WallTime time{};
  std::string method;
  std::string target;
  std::string token;  // fingerprint; "" for anonymous, "?" for one that is not known
  std::string budget;
  std::string resource;
  int status = 0;
  bool charged = false;
  bool conditional = false;  // carried If-None-Match or If-Modified-Since
  std::size_t body_size = 0;
};

struct Counters {
  std::uint64_t total = 0;
  std::uint64_t charged = 0;  // drew primary quota
  std::uint64_t free_304 = 0;
  std::uint64_t charged_304 = 0;
  std::uint64_t conditional = 0;
  std::uint64_t primary_limited = 0;
  std::uint64_t secondary_limited = 0;
  std::uint64_t denied = 0;  // 401, 403 and 404 for want of access
  std::uint32_t most_concurrent = 0;
};

class Journal {
 public:
  // The last so many requests are kept; counters see all.
  static constexpr std::size_t kKept = 100'000;

  Counters& of(std::string_view token) {
    const auto found = by_token_.find(token);
    return found != by_token_.end() ? found->second : by_token_[std::string(token)];
  }
  void add(JournalEntry entry) {
    entry.number = ++last_;
    if (entries_.size() == kKept) entries_.pop_front();
    entries_.push_back(std::move(entry));
  }
  void clear() {
    entries_.clear();
    by_token_.clear();
    total_ = {};
  }

  Counters& total() { return total_; }
  const Counters& total() const { return total_; }
  const std::map<std::string, Counters, std::less<>>& by_token() const { return by_token_; }
  const std::deque<JournalEntry>& entries() const { return entries_; }

 private:
  std::deque<JournalEntry> entries_;
  std::map<std::string, Counters, std::less<>> by_token_;
  Counters total_;
  std::uint64_t last_ = 0;
};

}  // namespace ghmesh::standin
