// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

// HTTP-date (RFC 9110 §5.6.7): written as IMF-fixdate, read in all three forms. Reading is strict in layout, ranges and
// the zone, which is always GMT, and forgiving only in the case of letters: a date that a lenient parser would have
// guessed at is no date, so that "Expires: … UTC" is stale rather than fresh for decades.

namespace ghmesh::http {

// Whole seconds. now resolves the two-digit year of the RFC 850 form: more than 50 years ahead means the past century.
// The name of the day is checked for its spelling, not against the date.
std::optional<WallTime> parse_http_date(std::string_view text, WallTime now);

// "Sun, 06 Nov 1994 08:49:37 GMT"; sub-seconds are cut. Years beyond 0..9999 are clamped.
std::string format_http_date(WallTime time);

}  // namespace ghmesh::http
