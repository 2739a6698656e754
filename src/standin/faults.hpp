// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

// Faults on demand. The model changes what it can in the answer itself (a 5xx, broken gzip); the rest is written into
// the answer's Delivery, and whoever writes the answer to a connection obeys it. One thread.

namespace ghmesh::standin {

// How to write an answer. The default writes it at once and whole.
struct Delivery {
  Duration delay{0};                     // before the first byte
  bool reset = false;                    // close with RST instead of answering
  bool hang = false;                     // never answer; keep the connection open
  std::optional<std::size_t> cut_after;  // close after so many octets of the body, under the full Content-Length
  std::uint32_t informational = 0;       // so many 103 answers in front
  std::size_t slow_chunk = 0;            // > 0: the body in pieces of this size …
  Duration slow_gap{0};                  // … with this pause between

  bool plain() const {
    return delay == Duration{0} && !reset && !hang && !cut_after && informational == 0 && slow_chunk == 0;
  }
};

struct FaultRule {
  std::string path = "*";   // of the target without its query; '*' matches any run of characters
  std::string method;       // empty: any
  std::uint32_t skip = 0;   // so many matching requests pass first
  std::uint32_t count = 1;  // then so many are hit; 0 means all
  int status = 0;           // > 0: answer this status instead (5xx with GitHub's HTML or JSON)
  bool wrong_gzip = false;  // Content-Encoding: gzip over octets that are none
  bool no_charge = true;    // a failed answer (status) draws no quota
  Delivery delivery;
};

class FaultList {
 public:
  void add(FaultRule rule) { rules_.push_back(std::move(rule)); }
  void clear() { rules_.clear(); }
  std::size_t size() const { return rules_.size(); }
  // The first rule that hits this request, consumed by one.
  std::optional<FaultRule> take(std::string_view method, std::string_view path);

 private:
  std::vector<FaultRule> rules_;
};

// '*' matches any run of characters, also none and '/'.
bool matches_pattern(std::string_view pattern, std::string_view text);

// A rule from its JSON form (as the control API takes it, control.cpp): {"path":…,"method":…,"skip":…,"count":…,
// "status":…,"wrong_gzip":…,"delay_ms":…,"reset":…,"hang":…,"cut_after":…,"informational":…,"slow_chunk":…,"slow_gap_ms":…}.
// An unknown member or a wrong type is refused, so that a misspelt fault does not pass as none.
Result<FaultRule> parse_fault(std::string_view json);

}  // namespace ghmesh::standin
