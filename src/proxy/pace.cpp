// SPDX-License-Identifier: Apache-2.0
#include "proxy/proxy.hpp"

// GitHub's limits on the request path: who may ask when, and what those get who would wait too long.

namespace ghmesh::proxy {

Draw Proxy::draw_of(const Plan& plan, std::string_view method) {
  const std::string_view path = std::string_view(plan.target).substr(0, plan.target.find('?'));
  return {std::string(github::expected_resource(path.empty() ? path : path.substr(1))), !http::is_safe_method(method)};
}

io::Task<std::optional<github::Refused>> Proxy::enter_pace(const Plan& plan, const Draw& draw, const Exchange& client,
                                                           TimePoint since) {
  if (!parts_.planner.paces()) co_return std::nullopt;
  repository_buckets_.asks(plan);
  if (!parts_.live.may_spend(plan, draw, parts_.proof.reserve_percent)) {
    github::Refused refused;
    refused.limit = github::LimitKind::Primary;
    refused.retry_after = std::chrono::seconds(60);
    if (const auto reading = parts_.live.latest(plan, draw.resource))
      refused.retry_after = std::chrono::seconds(reading->reset - github::unix_seconds(parts_.loop.wall_now()));
    co_return refused;
  }
  if (parts_.sharing != nullptr)
    if (const auto until = parts_.sharing->paused_until(plan, draw.resource))
      pacing_.hold_until(plan.partition, draw.resource, *until);
  if (const auto until = repository_buckets_.paused_until(plan, draw.resource))
    pacing_.hold_until(plan.partition, draw.resource, *until);
  github::PacedRequest paced;
  paced.token = plan.partition;
  paced.resource = draw.resource;
  paced.client = reinterpret_cast<std::uintptr_t>(&client);
  paced.is_write = draw.is_write;
  paced.since = since;
  // Anonymous requests draw on their machine's address.
  paced.shared = fleet_draw_ && !plan.request.anonymous;
  if (paced.shared) fleet_draw_->introduce(plan);
  co_return co_await pacing_.enter(std::move(paced));
}

// status 0: no answer came.
github::LimitVerdict Proxy::leave_pace(const Plan& plan, const Draw& draw, int status, http::FieldsView fields,
                                       std::string_view body) {
  if (!parts_.planner.paces()) return {};
  github::LimitVerdict verdict;
  if (status != 0) verdict = github::classify_limit(status, fields, body, parts_.loop.wall_now());
  Duration pause{};
  const auto reading = github::parse_rate_fields(fields);
  if (reading && reading->remaining == 0) {
    const auto left = std::chrono::seconds(reading->reset - github::unix_seconds(parts_.loop.wall_now()));
    if (left.count() > 0) {
      pacing_.hold_until(plan.partition, reading->resource, parts_.loop.now() + left);
      pause = left;
    }
  }
  // A secondary limit is the token's own; what is left of the primary one may be others', too.
  if (reading && verdict.kind != github::LimitKind::Secondary)
    repository_buckets_.answered(plan, reading->resource, pause);
  if (parts_.sharing != nullptr && status != 0) {
    // One member's refusal is everybody's: the bucket is the token's, not the node's.
    if (verdict.kind != github::LimitKind::None)
      pause = std::max<Duration>(pause, verdict.retry_after.value_or(Limits::kUntoldPause));
    if (pause.count() > 0) {
      parts_.sharing->pause(plan, draw.resource, pause);
    } else {
      parts_.sharing->resumed(plan, draw.resource);
    }
  }
  pacing_.done(plan.partition, draw.resource, verdict);
  return verdict;
}

// GitHub's own kind of refusal, which clients know.
github::LocalAnswer Proxy::limited_answer(const Plan& plan, const Draw& draw, const github::Refused& refused) {
  const std::optional<github::RateReading> reading = parts_.live.latest(plan, draw.resource);
  if (refused.limit == github::LimitKind::Primary && reading) return github::primary_limit_answer(*reading);
  return github::secondary_limit_answer(std::chrono::ceil<std::chrono::seconds>(refused.retry_after), reading);
}

}  // namespace ghmesh::proxy
