// SPDX-License-Identifier: Apache-2.0
#include "standin/quota.hpp"

#include <algorithm>

namespace ghmesh::standin {
namespace {

constexpr int kRetryAfterSeconds = 60;  // what GitHub sends

std::uint32_t limit_of(const QuotaRules& rules, Payer payer, std::string_view resource) {
  if (resource == "search") return payer == Payer::Anonymous ? rules.anonymous_search : rules.search;
  if (resource == "code_search") return payer == Payer::Anonymous ? 0 : rules.code_search;
  if (resource == "graphql") {
    if (payer == Payer::Anonymous) return 0;
    return payer == Payer::Job ? rules.job_graphql : rules.user_graphql;
  }
  switch (payer) {
    case Payer::User: return rules.user_core;
    case Payer::Job: return rules.job_core;
    case Payer::Anonymous: return rules.anonymous_core;
  }
  return 0;
}

bool is_search(std::string_view resource) { return resource.ends_with("search"); }

}  // namespace

Budget& QuotaBook::budget(std::string_view bucket, Payer payer, std::string_view resource, WallTime now) {
  Budget& b = budgets_[{std::string(bucket), std::string(resource)}];
  b.limit = limit_of(rules, payer, resource);
  if (now >= b.reset) {
    b.used = 0;
    // Resets are told in whole seconds, so windows end on one.
    b.reset = std::chrono::floor<std::chrono::seconds>(now) + (is_search(resource) ? Duration(60s) : Duration(1h));
  }
  return b;
}

void QuotaBook::Meter::expire(WallTime now, Duration window) {
  while (!entries.empty() && entries.front().first + window <= now) {
    sum -= entries.front().second;
    entries.pop_front();
  }
}

void QuotaBook::Meter::add(WallTime now, std::uint32_t amount) {
  // Requests of one instant share an entry: a burst in virtual time stays small.
  if (!entries.empty() && entries.back().first == now)
    entries.back().second += amount;
  else
    entries.emplace_back(now, amount);
  sum += amount;
}

QuotaBook::Meter& QuotaBook::meter(std::string_view who, std::string_view what, WallTime now, Duration window) {
  Meter& m = meters_[{std::string(who), std::string(what)}];
  m.expire(now, window);
  return m;
}

QuotaBook::Secondary QuotaBook::admit(std::string_view who, std::string_view endpoint, std::uint32_t points,
                                      bool creates_content, std::uint32_t in_flight, WallTime now) {
  if (!rules.secondary) return {};
  if (in_flight > rules.concurrent) return {true, kRetryAfterSeconds, "concurrent"};
  const bool graphql = endpoint.ends_with("/graphql");
  Meter& minute = meter(who, endpoint, now, 60s);
  if (minute.sum + points > (graphql ? rules.graphql_points_per_minute : rules.points_per_minute))
    return {true, kRetryAfterSeconds, "points"};
  if (creates_content) {
    Meter& content_minute = meter(who, "content/minute", now, 60s);
    Meter& content_hour = meter(who, "content/hour", now, 1h);
    if (content_minute.sum + 1 > rules.content_per_minute || content_hour.sum + 1 > rules.content_per_hour)
      return {true, kRetryAfterSeconds, "content"};
    content_minute.add(now, 1);
    content_hour.add(now, 1);
  }
  minute.add(now, points);
  return {};
}

void QuotaBook::refund(std::string_view who, std::string_view endpoint, std::uint32_t points) {
  const auto found = meters_.find({std::string(who), std::string(endpoint)});
  if (found == meters_.end() || found->second.entries.empty()) return;
  std::uint32_t& last = found->second.entries.back().second;
  const std::uint32_t back = std::min(points, last);
  last -= back;
  found->second.sum -= back;
}

std::string_view resource_of(std::string_view path) {
  if (path == "/graphql") return "graphql";
  if (path == "/search/code") return "code_search";
  if (path.starts_with("/search/")) return "search";
  return "core";
}

std::string endpoint_of(std::string_view method, std::string_view path) {
  std::string out(method == "HEAD" ? "GET" : method);
  std::size_t index = 0;
  std::string_view first;
  for (std::size_t at = 1; at <= path.size(); ++index) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    if (index == 0) first = segment;
    const bool named = (first == "repos" && (index == 1 || index == 2)) ||
                       ((first == "orgs" || first == "users" || first == "repositories") && index == 1);
    const bool numbered = segment.find_first_of("0123456789") != std::string_view::npos;
    out.append("/").append(named || numbered ? std::string_view("*") : segment);
    at = end + 1;
  }
  return out;
}

}  // namespace ghmesh::standin
