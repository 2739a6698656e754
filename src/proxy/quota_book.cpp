// SPDX-License-Identifier: Apache-2.0
#include "proxy/quota_book.hpp"

namespace ghmesh::proxy {
namespace {

static_assert(kRequestClasses <= github::kSpendingKinds);

// Job tokens come and go; an hour of a busy fleet behind one node stays below this.
constexpr std::size_t kMaxReady = 4096;

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
  const std::optional<github::RateReading> latest = ledger_.latest(plan.partition, "core", clock_.wall_now());
  if (!latest) return charged;
  if (ready_.size() >= kMaxReady && !ready_.contains(plan.partition)) ready_.clear();
  ready_[plan.partition] = {format_lines(*latest), latest->reset};
  return charged;
}

}  // namespace ghmesh::proxy
