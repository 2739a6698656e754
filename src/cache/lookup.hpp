// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "cache/entry.hpp"
#include "cache/policy.hpp"
#include "cache/time.hpp"
#include "http/message/cache_status.hpp"
#include "http/message/message.hpp"
#include "http/message/range.hpp"

// What to do with a request (RFC 9111 §4): the candidates are the entries of its key in its partition. Pure, and
// without allocation for a plain hit.

namespace ghmesh::cache {

enum class Action {
  Serve,               // answer from the entry
  ServeAndRevalidate,  // answer from the stale entry now, validate it behind (RFC 5861 §3)
  Validate,            // ask the origin with upstream_fields(); candidates hold something worth validating
  Fetch,               // forward; the answer may be stored
  Pass,                // forward; the answer is not stored, but may invalidate
  GatewayTimeout,      // 504: only-if-cached, and nothing here may be used
};

// How a stored response answers this request, its own conditions and range considered (RFC 9110 §13.2.2).
enum class Form { Full, NotModified, Partial, RangeNotSatisfiable };

struct Decision {
  Action action = Action::Fetch;
  std::optional<std::size_t> entry;  // the candidate that matches the request, fresh or not
  http::Forward forward = http::Forward::None;
  Form form = Form::Full;   // for Serve and ServeAndRevalidate
  http::ByteRange range{};  // for Form::Partial
  bool stale = false;
  Duration age{0};
  Duration time_to_live{0};  // lifetime less age; negative when stale

  bool serves() const { return action == Action::Serve || action == Action::ServeAndRevalidate; }
};

using Candidates = std::span<const Entry* const>;

Decision decide(const http::RequestView& request, Candidates candidates, const FreshnessPolicy& policy, const Now& now);

// The form in which entry answers request: after decide, or after a validation refreshed the entry.
struct Answer {
  Form form = Form::Full;
  http::ByteRange range{};
};
Answer answer_from(const http::RequestView& request, const Entry& entry);

// Whether the method is one the cache acts on at all.
bool is_cacheable_method(std::string_view method);

}  // namespace ghmesh::cache
