// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "http/message/fields.hpp"

// W3C Trace Context (Recommendation of 2021-11-23, §3.2): which trace a client's request belongs to, the node's own
// span in it, and which requests are logged. No clock, no network; randomness comes in.

namespace ghmesh::proxy {

struct TraceParent {
  std::string_view trace_id;  // 32 lower-case hexadecimal digits
  std::string_view span_id;   // 16, of the client's span
  bool sampled = false;       // the client records its span
};

// Nothing for a text that is not version 00 to the letter: then the field is dropped, as the standard wants it.
std::optional<TraceParent> parse_traceparent(std::string_view text);
// Of the one traceparent among fields; nothing if there are two.
std::optional<TraceParent> trace_of(http::FieldsView fields);

// 16 lower-case hexadecimal digits, not all zero.
std::string new_span_id(Random& random);
// What the next hop is sent: the same trace, with the node's span as the parent. Flags that version 00 does not define
// are dropped (§3.2.2.5).
std::string format_traceparent(const TraceParent& client, std::string_view span_id);

// Which of the requests have a line in the log: one in so many. Those of a trace are chosen by its id, so that every
// node that the trace passes chooses alike: by the comparison of OpenTelemetry's consistent probability sampling with
// the 56 bits that Trace Context, Level 2, wants random. Those without a trace are counted off.
class LogSample {
 public:
  explicit LogSample(std::uint64_t one_in) : one_in_(one_in > 0 ? one_in : 1) {}
  bool takes(const std::optional<TraceParent>& trace);

 private:
  std::uint64_t one_in_;
  std::uint64_t untraced_ = 0;
};

}  // namespace ghmesh::proxy
