// SPDX-License-Identifier: Apache-2.0
#include "github/quota.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "github/limits.hpp"

namespace ghmesh::github {
namespace {

std::optional<std::int64_t> parse_number(std::optional<std::string_view> text) {
  if (!text || text->empty()) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 0) return std::nullopt;
  return value;
}

std::string message_body(std::string_view message, std::string_view documentation) {
  std::string out = "{\"message\":\"";
  out += message;
  out += "\",\"documentation_url\":\"";
  out += documentation;
  return out += "\"}";
}

void add_rate_fields(http::Fields& out, const RateReading& reading) {
  out.add("x-ratelimit-limit", std::to_string(reading.limit));
  out.add("x-ratelimit-remaining", std::to_string(reading.remaining));
  out.add("x-ratelimit-reset", std::to_string(reading.reset));
  out.add("x-ratelimit-used", std::to_string(reading.used));
  out.add("x-ratelimit-resource", reading.resource);
}

struct Complaint {
  std::string message, documentation;
  bool rate_limited_type = false;  // GraphQL's errors[].type
};

Complaint read_complaint(std::string_view body) {
  Complaint out;
  if (body.empty() || body.size() > kLimits.max_scan) return out;
  const simdjson::padded_string padded(body);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view text;
  if (parser.parse(padded).get(root)) {
    out.message = body;  // cut short or plain text: the words still count
    return out;
  }
  if (!root["message"].get(text)) out.message = text;
  if (!root["documentation_url"].get(text)) out.documentation = text;
  simdjson::dom::array errors;
  if (!root["errors"].get(errors))
    for (const simdjson::dom::element error : errors)
      if (!error["type"].get(text) && (text == "RATE_LIMITED" || text == "RATE_LIMIT")) out.rate_limited_type = true;
  return out;
}

bool mentions(const std::string& lower, std::string_view words) { return lower.find(words) != std::string::npos; }

}  // namespace

UnixSeconds unix_seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::optional<RateReading> parse_rate_fields(http::FieldsView fields) {
  const auto limit = parse_number(fields.first("x-ratelimit-limit"));
  const auto remaining = parse_number(fields.first("x-ratelimit-remaining"));
  const auto reset = parse_number(fields.first("x-ratelimit-reset"));
  if (!limit || !remaining || !reset) return std::nullopt;
  RateReading out;
  out.limit = *limit;
  out.remaining = *remaining;
  out.reset = *reset;
  out.used = parse_number(fields.first("x-ratelimit-used")).value_or(std::max<std::int64_t>(*limit - *remaining, 0));
  if (const auto resource = fields.first("x-ratelimit-resource"); resource && resource->size() <= 64)
    out.resource = *resource;
  return out;
}

void QuotaLedger::on_answer(const Partition& token, const RateReading& reading, ReadingSource source, bool charged,
                            WallTime now, std::size_t kind) {
  const UnixSeconds seconds = unix_seconds(now);
  const auto key = std::make_pair(token, reading.resource);
  if (!entries_.contains(key) && entries_.size() >= kLimits.max_ledger_entries) {
    // Windows that are over go first; tokens of jobs long gone are among them.
    std::erase_if(entries_, [&](const auto& item) { return item.second.reading.reset <= seconds; });
    if (entries_.size() >= kLimits.max_ledger_entries) entries_.erase(entries_.begin());
  }
  Entry& entry = entries_[key];
  // GitHub moves a window's end by a second or two between answers; an hour or a minute is a new window.
  const bool same_window =
      entry.reading.reset != 0 && entry.reading.reset > seconds && std::abs(reading.reset - entry.reading.reset) <= 5;
  if (same_window) {
    // Later in the window less is left. Only a live answer may say that the limit itself was changed.
    if (reading.limit == entry.reading.limit || source != ReadingSource::Live) {
      entry.reading.remaining = std::min(entry.reading.remaining, reading.remaining);
      entry.reading.used = std::max(entry.reading.used, reading.used);
    } else {
      entry.reading = reading;
    }
  } else if (reading.reset > seconds && (entry.reading.reset <= seconds || reading.reset > entry.reading.reset)) {
    // A full, unused reading that is not live proves nothing against an open window.
    const bool window_open = entry.reading.reset > seconds;
    if (window_open && source != ReadingSource::Live) return;
    entry = Entry{reading, seconds, reading.used, 0, {}};
  } else if (entry.reading.reset == 0) {
    entry = Entry{reading, seconds, reading.used, 0, {}};
  }
  if (!charged) return;
  ++entry.spent_here;
  ++entry.spent_by_kind.at(kind);
}

std::optional<RateReading> QuotaLedger::latest(const Partition& token, std::string_view resource, WallTime now) const {
  const auto entry = entries_.find({token, std::string(resource)});
  if (entry == entries_.end() || entry->second.reading.reset <= unix_seconds(now)) return std::nullopt;
  return entry->second.reading;
}

void QuotaLedger::add_local_fields(http::Fields& out, const Partition& token, std::string_view resource,
                                   WallTime now) const {
  if (const auto reading = latest(token, resource, now)) add_rate_fields(out, *reading);
  out.add("x-from-cache", "1");
}

bool QuotaLedger::may_spend(const Partition& token, std::string_view resource, bool is_write, int reserve_percent,
                            WallTime now) const {
  const auto reading = latest(token, resource, now);
  if (!reading) return true;
  if (reading->remaining <= 0) return false;
  return is_write || reading->remaining * 100 > reading->limit * reserve_percent;
}

std::vector<QuotaView> QuotaLedger::view(WallTime now) const {
  const UnixSeconds seconds = unix_seconds(now);
  std::vector<QuotaView> out;
  for (const auto& [key, entry] : entries_) {
    const RateReading& reading = entry.reading;
    if (reading.reset <= seconds) continue;
    QuotaView view;
    view.token = KeyMaker::fingerprint(key.first);
    view.resource = key.second;
    view.limit = reading.limit;
    view.remaining = reading.remaining;
    view.used = reading.used;
    view.reset = reading.reset;
    view.spent_by_this_node = entry.spent_here;
    view.spent_by_kind = entry.spent_by_kind;
    view.spent_by_others = std::max<std::int64_t>(reading.used - entry.spent_here, 0);
    view.forecast_remaining = reading.remaining;
    const std::int64_t spent = reading.used - entry.first_used;
    const std::int64_t elapsed = std::max<std::int64_t>(seconds - entry.first_seen, 1);
    if (spent > 0) {
      view.forecast_remaining = reading.remaining - spent * (reading.reset - seconds) / elapsed;
      const UnixSeconds empty_at = seconds + reading.remaining * elapsed / spent;
      if (empty_at < reading.reset) view.empty_at = empty_at;
    }
    out.push_back(std::move(view));
  }
  return out;
}

std::string_view expected_resource(std::string_view rest_path) {
  if (rest_path.starts_with("/search/code")) return "code_search";
  if (rest_path.starts_with("/search/")) return "search";
  if (rest_path == "/graphql" || rest_path == "/api/graphql") return "graphql";
  return "core";
}

LimitVerdict classify_limit(int status, http::FieldsView fields, std::string_view body, WallTime now) {
  const bool graphql_ok = status == 200;
  if (status != 403 && status != 429 && !graphql_ok) return {};
  // Anything else with 200 is an answer; the word must stand in it before it is parsed.
  if (graphql_ok && body.find("RATE_LIMIT") == std::string_view::npos) return {};
  const Complaint complaint = read_complaint(body);
  const std::string lower = http::to_lower(complaint.message);
  const auto reading = parse_rate_fields(fields);
  LimitVerdict out;
  if (const auto after = parse_number(fields.first("retry-after")))
    out.retry_after = std::chrono::seconds(std::min<std::int64_t>(*after, 24 * 3600));
  const bool secondary_words = mentions(lower, "secondary rate") || mentions(lower, "abuse detection") ||
                               complaint.documentation.ends_with("secondary-rate-limits") ||
                               complaint.documentation.ends_with("abuse-rate-limits");
  const bool spent = reading && reading->remaining == 0;
  if (graphql_ok) {
    if (complaint.rate_limited_type) out.kind = LimitKind::Primary;
  } else if (secondary_words) {
    out.kind = LimitKind::Secondary;
  } else if (spent || mentions(lower, "api rate limit exceeded")) {
    out.kind = LimitKind::Primary;
  } else if (status == 429 || out.retry_after) {
    out.kind = LimitKind::Secondary;
  }
  if (out.kind == LimitKind::None) return {};
  if (out.kind == LimitKind::Primary && !out.retry_after && reading)
    out.retry_after = std::chrono::seconds(
        std::clamp<std::int64_t>(reading->reset - unix_seconds(now) + 1, 1, std::int64_t{24} * 3600));
  return out;
}

LocalAnswer primary_limit_answer(const RateReading& reading) {
  LocalAnswer out;
  out.body = message_body("API rate limit exceeded (answered by ghmesh without asking GitHub).",
                          "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api");
  out.fields.add("content-type", kJsonContentType);
  RateReading spent = reading;
  spent.remaining = 0;
  add_rate_fields(out.fields, spent);
  return out;
}

LocalAnswer secondary_limit_answer(std::chrono::seconds retry_after, const std::optional<RateReading>& reading) {
  LocalAnswer out;
  out.body = message_body(
      "You have exceeded a secondary rate limit (answered by ghmesh without asking GitHub). Please wait a few minutes "
      "before you try again.",
      "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits");
  out.fields.add("content-type", kJsonContentType);
  out.fields.add("retry-after", std::to_string(std::max<std::int64_t>(retry_after.count(), 1)));
  // With remaining 0 clients would take it for the primary limit and sleep until reset.
  if (reading && reading->remaining > 0) add_rate_fields(out.fields, *reading);
  return out;
}

}  // namespace ghmesh::github
