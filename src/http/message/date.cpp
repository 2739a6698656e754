// SPDX-License-Identifier: Apache-2.0
#include "http/message/date.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "http/message/fields.hpp"

namespace ghmesh::http {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Parts {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

// Reads from the front; after the first mismatch everything fails.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  void literal(std::string_view expected) {
    if (text_.size() < expected.size() || !iequals(text_.substr(0, expected.size()), expected)) return fail();
    text_.remove_prefix(expected.size());
  }
  int digits(std::size_t count) {
    int value = 0;
    if (text_.size() < count) return fail(), 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return fail(), 0;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    return value;
  }
  // asctime pads the day of the month with a space.
  int day_of_asctime() {
    if (!text_.starts_with(' ')) return digits(2);
    literal(" ");
    return digits(1);
  }
  int month() {
    for (std::size_t i = 0; i < kMonths.size(); ++i)
      if (text_.size() >= 3 && iequals(text_.substr(0, 3), kMonths[i]))
        return literal(kMonths[i]), static_cast<int>(i) + 1;
    return fail(), 0;
  }
  void day_name(bool full) {
    for (std::string_view name : kDays) {
      if (!full) name = name.substr(0, 3);
      if (text_.size() >= name.size() && iequals(text_.substr(0, name.size()), name)) return literal(name);
    }
    fail();
  }
  void time(Parts& parts) {
    parts.hour = digits(2);
    literal(":");
    parts.minute = digits(2);
    literal(":");
    parts.second = digits(2);
  }
  bool done() const { return !failed_ && text_.empty(); }

 private:
  void fail() { failed_ = true, text_ = {}; }

  std::string_view text_;
  bool failed_ = false;
};

std::optional<sys_seconds> to_seconds(const Parts& parts) {
  const std::chrono::year_month_day date{std::chrono::year(parts.year),
                                         std::chrono::month(static_cast<unsigned>(parts.month)),
                                         std::chrono::day(static_cast<unsigned>(parts.day))};
  // A leap second is allowed by the grammar and counts as the next minute's first.
  if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  return sys_seconds(std::chrono::sys_days(date).time_since_epoch()) + std::chrono::hours(parts.hour) +
         std::chrono::minutes(parts.minute) + seconds(parts.second);
}

// The system clock counts nanoseconds in 64 bits, from 1677 to 2262; dates beyond are as good as these.
WallTime to_wall(sys_seconds time) {
  constexpr sys_seconds kEarliest{std::chrono::sys_days(std::chrono::year(1678) / 1 / 1)};
  constexpr sys_seconds kLatest{std::chrono::sys_days(std::chrono::year(2262) / 1 / 1)};
  return WallTime(std::clamp(time, kEarliest, kLatest));
}

std::optional<sys_seconds> parse_imf(std::string_view text) {
  Cursor in(text);
  Parts parts;
  in.day_name(false);
  in.literal(", ");
  parts.day = in.digits(2);
  in.literal(" ");
  parts.month = in.month();
  in.literal(" ");
  parts.year = in.digits(4);
  in.literal(" ");
  in.time(parts);
  in.literal(" GMT");
  return in.done() ? to_seconds(parts) : std::nullopt;
}

std::optional<sys_seconds> parse_rfc850(std::string_view text, WallTime now) {
  Cursor in(text);
  Parts parts;
  in.day_name(true);
  in.literal(", ");
  parts.day = in.digits(2);
  in.literal("-");
  parts.month = in.month();
  in.literal("-");
  const int two_digits = in.digits(2);
  in.literal(" ");
  in.time(parts);
  in.literal(" GMT");
  if (!in.done()) return std::nullopt;
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
  const int this_year = static_cast<int>(today.year());
  parts.year = this_year / 100 * 100 + two_digits;
  if (parts.year <= this_year - 50) parts.year += 100;
  if (parts.year > this_year + 50) parts.year -= 100;
  return to_seconds(parts);
}

std::optional<sys_seconds> parse_asctime(std::string_view text) {
  Cursor in(text);
  Parts parts;
  in.day_name(false);
  in.literal(" ");
  parts.month = in.month();
  in.literal(" ");
  parts.day = in.day_of_asctime();
  in.literal(" ");
  in.time(parts);
  in.literal(" ");
  parts.year = in.digits(4);
  return in.done() ? to_seconds(parts) : std::nullopt;
}

void put_digits(std::string& out, int value, int count) {
  for (int place = count == 4 ? 1000 : 10; place > 0; place /= 10)
    out.push_back(static_cast<char>('0' + value / place % 10));
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text, WallTime now) {
  std::optional<sys_seconds> time = parse_imf(text);
  if (!time) time = parse_rfc850(text, now);
  if (!time) time = parse_asctime(text);
  if (!time) return std::nullopt;
  return to_wall(*time);
}

std::string format_http_date(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<seconds>(time - day));
  std::string out;
  out.reserve(29);
  out.append(kDays[std::chrono::weekday(day).c_encoding()].substr(0, 3)).append(", ");
  put_digits(out, static_cast<int>(static_cast<unsigned>(date.day())), 2);
  out.append(" ").append(kMonths[static_cast<unsigned>(date.month()) - 1]).append(" ");
  put_digits(out, std::clamp(static_cast<int>(date.year()), 0, 9999), 4);
  out.append(" ");
  put_digits(out, static_cast<int>(clock.hours().count()), 2);
  out.append(":");
  put_digits(out, static_cast<int>(clock.minutes().count()), 2);
  out.append(":");
  put_digits(out, static_cast<int>(clock.seconds().count()), 2);
  out.append(" GMT");
  return out;
}

}  // namespace ghmesh::http
