// SPDX-License-Identifier: Apache-2.0
#include "proxy/quota_book.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace ghmesh::proxy {
namespace {

static_assert(kRequestClasses <= github::kSpendingKinds);

// Job tokens come and go; an hour of a busy fleet behind one node stays below this.
constexpr std::size_t kMaxReady = 4096;

// What members call GitHub's resources: by their place here, so it is only ever appended to.
constexpr std::array<std::string_view, 13> kResources{"core",
                                                      "search",
                                                      "code_search",
                                                      "graphql",
                                                      "integration_manifest",
                                                      "source_import",
                                                      "code_scanning_upload",
                                                      "code_scanning_autofix",
                                                      "actions_runner_registration",
                                                      "scim",
                                                      "dependency_snapshots",
                                                      "dependency_sbom",
                                                      "audit_log"};

std::string format_lines(const github::RateReading& reading) {
  std::string out;
  const auto line = [&](const char* name, const std::string& value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  line("x-ratelimit-limit", std::to_string(reading.limit));
  line("x-ratelimit-remaining", std::to_string(reading.remaining));
  line("x-ratelimit-used", std::to_string(reading.used));
  line("x-ratelimit-reset", std::to_string(reading.reset));
  line("x-ratelimit-resource", reading.resource);
  return out;
}

}  // namespace

std::string_view QuotaBook::lines(const Plan& plan) {
  const auto known = ready_.find(plan.partition);
  if (known == ready_.end() || known->second.reset <= github::unix_seconds(clock_.wall_now())) return {};
  known->second.shown = true;
  return known->second.text;
}

std::optional<github::RateReading> QuotaBook::latest(const Plan& plan, std::string_view resource) {
  return ledger_.latest(plan.partition, resource, clock_.wall_now());
}

bool QuotaBook::may_spend(const Plan& plan, const Draw& draw, int reserve_percent) {
  return ledger_.may_spend(plan.partition, draw.resource, draw.is_write, reserve_percent, clock_.wall_now());
}

bool QuotaBook::observe(const Plan& plan, std::string_view target, int status, http::FieldsView fields) {
  const bool free = status == 304 && !plan.request.anonymous;
  if (free) stats_.free_304s.add();
  const std::optional<github::RateReading> reading = github::parse_rate_fields(fields);
  if (!reading) return false;
  const std::string_view path = target.substr(0, target.find('?'));
  const bool is_rate_limit = path.ends_with("/rate_limit");
  // A refusal for a limit, primary or secondary, lowers nothing.
  const bool limited = (status == 403 || status == 429) && (reading->remaining == 0 || fields.has("Retry-After"));
  const bool charged = !free && !is_rate_limit && !limited;
  if (charged) stats_.charged_calls.add();
  ledger_.on_answer(plan.partition, *reading,
                    is_rate_limit ? github::ReadingSource::RateLimitEndpoint : github::ReadingSource::Live, charged,
                    clock_.wall_now(), static_cast<std::size_t>(plan.cls));
  if (reading->resource != "core") return charged;
  make_ready(plan.partition);
  return charged;
}

void QuotaBook::make_ready(const github::Partition& token) {
  const std::optional<github::RateReading> latest = ledger_.latest(token, "core", clock_.wall_now());
  if (!latest) return;
  if (ready_.size() >= kMaxReady && !ready_.contains(token)) ready_.clear();
  Ready& ready = ready_[token];
  ready.text = format_lines(*latest);
  ready.reset = latest->reset;
}

std::vector<mesh::RateRow> QuotaBook::rates(const github::Partition& token) {
  std::vector<mesh::RateRow> out;
  const WallTime now = clock_.wall_now();
  const auto small = [](std::int64_t value) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(value, 0, std::numeric_limits<std::uint32_t>::max()));
  };
  for (const github::QuotaLedger::Own& own : ledger_.own(token, now)) {
    const auto resource = std::ranges::find(kResources, own.reading.resource);
    if (resource == kResources.end()) continue;
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - own.observed).count();
    out.push_back({.peer = mesh::nobody(),
                   .resource = static_cast<std::uint8_t>(resource - kResources.begin()),
                   .limit = small(own.reading.limit),
                   .remaining = small(own.reading.remaining),
                   .used = small(own.reading.used),
                   .reset = static_cast<std::uint64_t>(own.reading.reset),
                   .age_ms = small(age),
                   .spent = small(own.spent)});
  }
  return out;
}

void QuotaBook::told(const github::Partition& token, const mesh::RateRow& row) {
  note_told(token, row.peer.text(), row, github::Kin::SameToken);
}

void QuotaBook::told_of_bucket(const github::Partition& token, const std::string& teller, const mesh::RateRow& row,
                               bool certain) {
  // The end of a window of an hour tells buckets apart; that of a minute (search) does not.
  const bool by_the_hour =
      row.resource < kResources.size() && (kResources[row.resource] == "core" || kResources[row.resource] == "graphql");
  if (certain || by_the_hour) note_told(token, teller, row, certain ? github::Kin::Known : github::Kin::Guessed);
}

std::optional<github::QuotaLedger::Own> QuotaBook::own(const github::Partition& token, std::string_view resource) {
  for (const github::QuotaLedger::Own& each : ledger_.own(token, clock_.wall_now()))
    if (each.reading.resource == resource) return each;
  return std::nullopt;
}

bool QuotaBook::doubts_bucket(const github::Partition& token, std::string_view resource) {
  return ledger_.doubts_kin(token, resource, clock_.wall_now());
}

void QuotaBook::note_told(const github::Partition& token, const std::string& teller, const mesh::RateRow& row,
                          github::Kin kin) {
  if (row.resource >= kResources.size() || row.reset > std::uint64_t{1} << 40) return;
  const WallTime now = clock_.wall_now();
  github::RateReading reading;
  reading.resource = kResources[row.resource];
  reading.limit = row.limit;
  reading.remaining = row.remaining;
  reading.used = row.used;
  reading.reset = static_cast<github::UnixSeconds>(row.reset);
  ledger_.on_told(token, teller, reading, row.spent, now - std::chrono::milliseconds(row.age_ms), now, kin);
  if (row.resource == 0) make_ready(token);
}

bool QuotaBook::take_shown(const github::Partition& token) {
  const auto known = ready_.find(token);
  return known != ready_.end() && std::exchange(known->second.shown, false);
}

}  // namespace ghmesh::proxy
