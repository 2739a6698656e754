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

// GitHub moves a window's end by a second or two between answers; an hour or a minute is a new window.
bool same_window(UnixSeconds a, UnixSeconds b) { return std::abs(a - b) <= 5; }
// The longest window, with room for a clock that is wrong by some minutes.
constexpr UnixSeconds kLongestWindow = 3600 + 600;
// As long as a single member's pause is believed (mesh/exchange, uncorroborated_pause), and one that was wrong is not.
constexpr Duration kHintStops = std::chrono::seconds(30);
constexpr Duration kDisbelief = std::chrono::minutes(10);
// Less says nothing of the rest of an hour: a job's first seconds are its busiest.
constexpr UnixSeconds kForecastAfter = 60;
constexpr std::int64_t kForecastCalls = 10;

// What may have been in flight while one of two readings was on its way.
std::int64_t slack(std::int64_t limit) { return std::clamp<std::int64_t>(limit / 10, 2, kLimits.counted_in_flight); }
// Answers that were in flight together have all come by then.
constexpr Duration kInFlight = std::chrono::seconds(10);

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

QuotaLedger::Entry& QuotaLedger::slot(const Partition& token, const std::string& resource, UnixSeconds seconds) {
  const auto key = std::make_pair(token, resource);
  if (!entries_.contains(key) && entries_.size() >= kLimits.max_ledger_entries) {
    // Windows that are over go first; tokens of jobs long gone are among them.
    std::erase_if(entries_, [&](const auto& item) { return item.second.reading.reset <= seconds; });
    if (entries_.size() >= kLimits.max_ledger_entries) entries_.erase(entries_.begin());
  }
  return entries_[key];
}

// A new window: what members said of the last one stays, as who is disbelieved does.
void QuotaLedger::begin(Entry& entry, const RateReading& reading, UnixSeconds seconds) {
  Entry fresh;
  fresh.reading = reading;
  fresh.first_seen = seconds;
  fresh.first_used = reading.used;
  fresh.told = std::move(entry.told);
  fresh.kin = std::move(entry.kin);
  entry = std::move(fresh);
}

void QuotaLedger::on_answer(const Partition& token, const RateReading& reading, ReadingSource source, bool charged,
                            WallTime now, std::size_t kind) {
  const UnixSeconds seconds = unix_seconds(now);
  Entry& entry = slot(token, reading.resource, seconds);
  const bool window_open = entry.reading.reset > seconds;
  if (window_open && same_window(reading.reset, entry.reading.reset)) {
    // Later in the window less is left. Only a live answer may say that the limit itself was changed.
    if (entry.own && (reading.limit == entry.reading.limit || source != ReadingSource::Live)) {
      entry.reading.remaining = std::min(entry.reading.remaining, reading.remaining);
      entry.reading.used = std::max(entry.reading.used, reading.used);
    } else {
      entry.reading = reading;
    }
  } else if (reading.reset > seconds && (!window_open || !entry.own || reading.reset > entry.reading.reset)) {
    // A full, unused reading that is not live proves nothing against an open window.
    if (window_open && entry.own && source != ReadingSource::Live) return;
    begin(entry, reading, seconds);
  } else if (entry.reading.reset == 0) {
    begin(entry, reading, seconds);
  }
  entry.own = true;
  entry.observed = now;
  if (source == ReadingSource::Live) disbelieve(entry, now);
  if (!charged) return;
  ++entry.spent_here;
  ++entry.spent_by_kind.at(kind);
}

// GitHub has just told this node itself: what members said before counts no more, and who said that more was used than
// GitHub knows of is not listened to for a while. What was in flight meanwhile may be the difference.
void QuotaLedger::disbelieve(Entry& entry, WallTime now) {
  for (auto* tellers : {&entry.told, &entry.kin})
    for (auto& [member, told] : *tellers) {
      if (same_window(told.reset, entry.reading.reset) && told.used > entry.reading.used + slack(entry.reading.limit))
        told.disbelieved_until = now + kDisbelief;
      told.used = 0;
    }
  entry.hint.reset();
  entry.stopped.reset();
}

void QuotaLedger::on_told(const Partition& token, const std::string& member, const RateReading& reading,
                          std::int64_t spent, WallTime observed, WallTime now, Kin kin) {
  const UnixSeconds seconds = unix_seconds(now);
  if (reading.reset <= seconds || reading.reset > seconds + kLongestWindow || reading.limit <= 0) return;
  if (kin == Kin::Guessed) {
    const auto known = entries_.find({token, reading.resource});
    if (known == entries_.end() || !known->second.own || known->second.reading.reset <= seconds) return;
  }
  Entry& entry = slot(token, reading.resource, seconds);
  // Nothing known of this window: their word is all there is.
  if (entry.reading.reset <= seconds) begin(entry, reading, seconds);
  if (!same_window(reading.reset, entry.reading.reset) || reading.limit != entry.reading.limit) return;
  auto& tellers = kin == Kin::SameToken ? entry.told : entry.kin;
  if (!tellers.contains(member) && tellers.size() >= kLimits.max_told) {
    std::erase_if(tellers, [&](const auto& item) { return item.second.reset <= seconds; });
    // Of runners that come and go, who spent least is missed least.
    if (tellers.size() >= kLimits.max_told)
      tellers.erase(std::ranges::min_element(tellers, {}, [&](const auto& item) {
        return std::pair(item.second.disbelieved_until > now, item.second.spent);
      }));
  }
  Told& told = tellers[member];
  if (told.disbelieved_until > now) return;
  // What was said of the last window says nothing of this one.
  if (!same_window(told.reset, reading.reset)) told.used = 0;
  told.reset = reading.reset;
  if (kin != Kin::SameToken && entry.own && observed > entry.observed + kInFlight &&
      reading.used + slack(entry.reading.limit) < entry.reading.used) {
    // In one bucket what was used only grows.
    told.disbelieved_until = now + kDisbelief;
    told.spent = told.used = 0;
    return;
  }
  told.spent = std::clamp<std::int64_t>(spent, 0, reading.limit);
  // Read before this node's own last look: it says nothing new.
  if (entry.own && observed <= entry.observed) return;
  told.used = std::max(told.used, reading.used);
  if (!entry.hint || reading.remaining < entry.hint->remaining) entry.hint = reading;
  entry.hinted = now;
}

bool QuotaLedger::doubts_kin(const Partition& token, std::string_view resource, WallTime now) const {
  const auto entry = entries_.find({token, std::string(resource)});
  return entry != entries_.end() &&
         std::ranges::any_of(entry->second.kin, [&](const auto& item) { return item.second.disbelieved_until > now; });
}

// A member's tokens of the bucket may be this one and others; the larger sum has both.
std::map<std::string, std::int64_t> QuotaLedger::spent_by_member(const Entry& entry) {
  std::map<std::string, std::int64_t> out;
  for (const auto* tellers : {&entry.told, &entry.kin})
    for (const auto& [member, told] : *tellers)
      if (same_window(told.reset, entry.reading.reset) && told.spent > 0)
        out[member] = std::max(out[member], told.spent);
  return out;
}

RateReading QuotaLedger::newest(const Entry& entry) {
  RateReading out = entry.reading;
  if (!entry.hint) return out;
  out.remaining = std::min(out.remaining, entry.hint->remaining);
  out.used = std::max(out.used, entry.hint->used);
  return out;
}

std::optional<RateReading> QuotaLedger::latest(const Partition& token, std::string_view resource, WallTime now) const {
  const auto entry = entries_.find({token, std::string(resource)});
  if (entry == entries_.end() || entry->second.reading.reset <= unix_seconds(now)) return std::nullopt;
  return newest(entry->second);
}

std::vector<QuotaLedger::Own> QuotaLedger::own(const Partition& token, WallTime now) const {
  std::vector<Own> out;
  for (auto it = entries_.lower_bound({token, ""}); it != entries_.end() && it->first.first == token; ++it)
    if (const Entry& entry = it->second; entry.own && entry.reading.reset > unix_seconds(now))
      out.push_back({entry.reading, entry.spent_here, entry.observed});
  return out;
}

void QuotaLedger::add_local_fields(http::Fields& out, const Partition& token, std::string_view resource,
                                   WallTime now) const {
  if (const auto reading = latest(token, resource, now)) add_rate_fields(out, *reading);
  out.add("x-from-cache", "1");
}

bool QuotaLedger::may_spend(const Partition& token, std::string_view resource, bool is_write, int reserve_percent,
                            WallTime now) {
  const auto found = entries_.find({token, std::string(resource)});
  if (found == entries_.end() || found->second.reading.reset <= unix_seconds(now)) return true;
  Entry& entry = found->second;
  const auto allows = [&](const RateReading& reading) {
    if (reading.remaining <= 0) return false;
    return is_write || reading.remaining * 100 > reading.limit * reserve_percent;
  };
  if (entry.own && !allows(entry.reading)) return false;
  if (allows(newest(entry))) return true;
  // Only members say so: believed for a while, then one request finds out.
  if (entry.stopped && now - *entry.stopped >= kHintStops) {
    entry.stopped = now;
    return true;
  }
  if (!entry.stopped) entry.stopped = now;
  return false;
}

std::vector<QuotaView> QuotaLedger::view(WallTime now) const {
  const UnixSeconds seconds = unix_seconds(now);
  std::vector<QuotaView> out;
  for (const auto& [key, entry] : entries_) {
    if (entry.reading.reset <= seconds) continue;
    const RateReading reading = newest(entry);
    QuotaView view;
    view.token = KeyMaker::fingerprint(key.first);
    view.resource = key.second;
    view.limit = reading.limit;
    view.remaining = reading.remaining;
    view.used = reading.used;
    view.reset = reading.reset;
    view.spent_by_this_node = entry.spent_here;
    view.spent_by_kind = entry.spent_by_kind;
    for (const auto& [member, spent] : spent_by_member(entry)) {
      view.spent_by_member.emplace_back(member, spent);
      view.spent_by_members += spent;
    }
    // Members tell what they spent a little later than GitHub tells what was used, and one may lie.
    const std::int64_t rest = std::max<std::int64_t>(reading.used - entry.spent_here, 0);
    view.spent_by_members = std::min(view.spent_by_members, rest);
    view.spent_by_others = rest - view.spent_by_members;
    const std::int64_t spent = reading.used - entry.first_used;
    const std::int64_t elapsed = seconds - entry.first_seen;
    if (elapsed >= kForecastAfter && spent >= kForecastCalls) {
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
