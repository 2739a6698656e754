// SPDX-License-Identifier: Apache-2.0
#include "github/freshness.hpp"

#include <algorithm>
#include <charconv>

namespace ghmesh::github {
namespace {

// How long a 404 keeps the same token from asking again. Long enough for a polling loop, short enough for a person.
constexpr Seconds kNegativeLife{15};
constexpr Seconds kRelaxedRunners{30};
constexpr Seconds kRelaxedVolatile{60};
constexpr Seconds kRelaxedDefault{300};

Seconds default_life(const FreshnessOptions& options, const http::ResponseCacheControl& control) {
  switch (options.policy) {
    case FreshnessPolicy::Strict: return Seconds(0);
    case FreshnessPolicy::GitHub:
      if (control.no_cache) return Seconds(0);
      if (options.ttl) return *options.ttl;
      return control.max_age.value_or(Seconds(0));
    case FreshnessPolicy::Relaxed: return options.ttl.value_or(kRelaxedDefault);
    case FreshnessPolicy::Http: return control.no_cache ? Seconds(0) : control.max_age.value_or(Seconds(0));
  }
  return Seconds(0);
}

Seconds volatile_life(FreshnessPolicy policy, const Resource& resource) {
  if (policy != FreshnessPolicy::Relaxed) return Seconds(0);
  return resource.family.find("actions/runners") != std::string_view::npos ? kRelaxedRunners : kRelaxedVolatile;
}

}  // namespace

std::optional<FreshnessPolicy> parse_freshness_policy(std::string_view text) {
  for (const FreshnessPolicy policy :
       {FreshnessPolicy::Strict, FreshnessPolicy::GitHub, FreshnessPolicy::Relaxed, FreshnessPolicy::Http})
    if (text == to_string(policy)) return policy;
  return std::nullopt;
}

std::string_view to_string(FreshnessPolicy policy) {
  switch (policy) {
    case FreshnessPolicy::Strict: return "strict";
    case FreshnessPolicy::GitHub: return "github";
    case FreshnessPolicy::Relaxed: return "relaxed";
    case FreshnessPolicy::Http: return "http";
  }
  return "";
}

http::RequestCacheControl parse_client_bounds(http::FieldsView fields) {
  http::RequestCacheControl out = http::parse_request_cache_control(fields);
  if (const auto ttl = fields.first("x-gh-cache-ttl")) {
    const Seconds wanted = parse_go_duration(*ttl).value_or(Seconds(0));
    out.max_age = out.max_age ? std::min(*out.max_age, wanted) : wanted;
  }
  return out;
}

std::optional<Seconds> parse_go_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text == "0") return Seconds(0);
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    if (text.front() < '0' || text.front() > '9') return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    static constexpr std::pair<std::string_view, double> kUnits[] = {
        {"ns", 1e-9}, {"us", 1e-6}, {"\xc2\xb5s", 1e-6}, {"ms", 1e-3}, {"h", 3600}, {"m", 60}, {"s", 1}};
    const auto unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                   [&](const auto& candidate) { return text.starts_with(candidate.first); });
    if (unit == std::end(kUnits)) return std::nullopt;
    text.remove_prefix(unit->first.size());
    total += number * unit->second;
  }
  return Seconds(static_cast<std::int64_t>(std::min(total, static_cast<double>(http::kMaxDeltaSeconds.count()))));
}

Lifetime lifetime(const FreshnessOptions& options, const Resource& resource, int status,
                  const http::ResponseCacheControl& control, bool immutable) {
  const bool kept_class = resource.cls != ResourceClass::NeverStore && resource.cls != ResourceClass::Download &&
                          resource.cls != ResourceClass::Search && resource.cls != ResourceClass::GraphQl;
  if (!kept_class || control.no_store) return {};
  const bool is_volatile = resource.cls == ResourceClass::Volatile;
  if (status == 404) {
    // What does not exist yet is just what a job waits for, so nothing volatile is remembered as absent.
    const bool keep = !is_volatile && options.policy != FreshnessPolicy::Strict;
    return {keep, keep ? kNegativeLife : Seconds(0), false};
  }
  if (status != 200) return {};
  if (resource.cls == ResourceClass::Immutable || immutable) return {true, kForever, true};
  if (is_volatile) return {true, volatile_life(options.policy, resource), false};
  return {true, default_life(options, control), true};
}

Seconds graphql_lifetime(FreshnessPolicy policy) {
  switch (policy) {
    case FreshnessPolicy::GitHub: return Seconds(10);
    case FreshnessPolicy::Relaxed: return Seconds(60);
    case FreshnessPolicy::Strict:
    case FreshnessPolicy::Http: break;
  }
  return Seconds(0);
}

bool usable_without_asking(const Lifetime& lifetime, Seconds age, const http::RequestCacheControl& bounds) {
  if (bounds.no_cache || bounds.no_store) return false;
  if (bounds.max_age && age > *bounds.max_age) return false;
  if (bounds.max_age && bounds.max_age->count() == 0) return false;
  if (lifetime.fresh == kForever) return true;
  const Seconds left = lifetime.fresh - age;
  return left.count() > 0 && (!bounds.min_fresh || left >= *bounds.min_fresh);
}

}  // namespace ghmesh::github
