// SPDX-License-Identifier: Apache-2.0
#include "cache/freshness.hpp"

#include <algorithm>

#include "cache/limits.hpp"
#include "http/message/date.hpp"
#include "http/message/message.hpp"

namespace ghmesh::cache {
namespace {

using http::FieldsView;
using http::ResponseCacheControl;

Seconds between(WallTime earlier, WallTime later) {
  const auto difference = std::chrono::floor<Seconds>(later) - std::chrono::floor<Seconds>(earlier);
  return std::clamp<Seconds>(difference, Seconds(0), http::kMaxDeltaSeconds);
}

std::optional<WallTime> date_field(FieldsView fields, std::string_view name, WallTime received) {
  const auto value = fields.first(name);
  return value ? http::parse_http_date(*value, received) : std::nullopt;
}

WallTime date_of(FieldsView fields, WallTime received) {
  return date_field(fields, "Date", received).value_or(received);
}

// Several Expires lines contradict each other or are a mistake: stale (§4.2.1).
Seconds expires_lifetime(FieldsView fields, WallTime received) {
  if (fields.count("Expires") != 1) return Seconds(0);
  const auto expires = date_field(fields, "Expires", received);
  return expires ? between(date_of(fields, received), *expires) : Seconds(0);
}

Seconds heuristic_lifetime(int status, FieldsView fields, WallTime received, bool is_public) {
  if (!is_heuristically_cacheable(status) && !is_public) return Seconds(0);
  const auto modified = date_field(fields, "Last-Modified", received);
  if (!modified) return Seconds(0);
  return std::min<Seconds>(between(*modified, date_of(fields, received)) / 10, Limits::kHeuristicMax);
}

void set_lifetime(Freshness& out, int status, FieldsView fields, WallTime received, const ResponseCacheControl& control,
                  bool targeted, bool heuristics) {
  out.explicit_lifetime = true;
  if (control.s_maxage) {
    out.lifetime = *control.s_maxage;
  } else if (control.max_age) {
    out.lifetime = *control.max_age;
  } else if (!targeted && fields.has("Expires")) {
    out.lifetime = expires_lifetime(fields, received);
  } else {
    out.explicit_lifetime = false;
    if (heuristics) out.lifetime = heuristic_lifetime(status, fields, received, control.is_public);
  }
}

}  // namespace

Freshness assess_freshness(int status, FieldsView fields, WallTime received, const FreshnessPolicy& policy) {
  std::optional<ResponseCacheControl> targeted;
  if (policy.targeted) targeted = http::parse_targeted_cache_control(fields, "CDN-Cache-Control");
  const ResponseCacheControl control = targeted ? *targeted : http::parse_response_cache_control(fields);
  Freshness out;
  set_lifetime(out, status, fields, received, control, targeted.has_value(), policy.heuristics);
  out.stale_while_revalidate = control.stale_while_revalidate.value_or(Seconds(0));
  out.stale_if_error = control.stale_if_error.value_or(Seconds(0));
  out.no_store = control.no_store && !(control.must_understand && is_understood_status(status));
  if (control.must_understand && !is_understood_status(status)) out.no_store = true;
  out.no_cache = control.no_cache;
  out.is_private = control.is_private;
  out.is_public = control.is_public;
  // s-maxage carries proxy-revalidate for shared caches (§5.2.2.10). A partition of one credential is private: GitHub
  // sends s-maxage with everything, and an operator who allows stale answers means those.
  const bool shared = policy.partition != Partition::Credential;
  out.forbids_stale = control.must_revalidate || control.no_cache ||
                      (shared && (control.proxy_revalidate || control.s_maxage.has_value()));
  out.authorized_reuse = control.is_public || control.must_revalidate || control.s_maxage.has_value();
  return out;
}

Duration initial_age(FieldsView fields, WallTime requested, WallTime received) {
  Seconds age_value{0};
  if (const auto age = fields.first("Age"))
    age_value = http::parse_delta_seconds(http::trim(age->substr(0, age->find(',')))).value_or(Seconds(0));
  const Duration delay = std::max<Duration>(received - requested, Duration(0));
  const Duration apparent = between(date_of(fields, received), received);
  return std::max<Duration>(apparent, Duration(age_value) + delay);
}

bool is_heuristically_cacheable(int status) {
  constexpr int kStatuses[] = {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};
  return std::find(std::begin(kStatuses), std::end(kStatuses), status) != std::end(kStatuses);
}

bool is_understood_status(int status) { return status != 206 && status != 304 && !http::reason_phrase(status).empty(); }

}  // namespace ghmesh::cache
