// SPDX-License-Identifier: Apache-2.0
#include "standin/faults.hpp"

#include "json.hpp"

namespace ghmesh::standin {
namespace {

bool apply(FaultRule& rule, const std::string& key, const Json& value) {
  const bool number = value.is_number_unsigned();
  const std::uint64_t n = number ? value.get<std::uint64_t>() : 0;
  if (value.is_string() && key == "path")
    rule.path = value.get<std::string>();
  else if (value.is_string() && key == "method")
    rule.method = value.get<std::string>();
  else if (value.is_boolean() && key == "wrong_gzip")
    rule.wrong_gzip = value.get<bool>();
  else if (value.is_boolean() && key == "no_charge")
    rule.no_charge = value.get<bool>();
  else if (value.is_boolean() && key == "reset")
    rule.delivery.reset = value.get<bool>();
  else if (value.is_boolean() && key == "hang")
    rule.delivery.hang = value.get<bool>();
  else if (number && key == "skip")
    rule.skip = static_cast<std::uint32_t>(n);
  else if (number && key == "count")
    rule.count = static_cast<std::uint32_t>(n);
  else if (number && key == "status")
    rule.status = static_cast<int>(n);
  else if (number && key == "delay_ms")
    rule.delivery.delay = std::chrono::milliseconds(n);
  else if (number && key == "cut_after")
    rule.delivery.cut_after = n;
  else if (number && key == "informational")
    rule.delivery.informational = static_cast<std::uint32_t>(n);
  else if (number && key == "slow_chunk")
    rule.delivery.slow_chunk = n;
  else if (number && key == "slow_gap_ms")
    rule.delivery.slow_gap = std::chrono::milliseconds(n);
  else
    return false;
  return true;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  // Backtracks to the last star only: enough, because a later star can always take over what an earlier one gave up.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::optional<FaultRule> FaultList::take(std::string_view method, std::string_view path) {
  for (auto rule = rules_.begin(); rule != rules_.end(); ++rule) {
    if (!rule->method.empty() && rule->method != method) continue;
    if (!matches_pattern(rule->path, path)) continue;
    if (rule->skip > 0) {
      --rule->skip;
      continue;
    }
    FaultRule taken = *rule;
    if (rule->count > 0 && --rule->count == 0) rules_.erase(rule);
    return taken;
  }
  return std::nullopt;
}

Result<FaultRule> parse_fault(std::string_view json) {
  const Json value = parse_json(json);
  if (!value.is_object()) return fail(ErrorCode::Malformed, "a fault is a JSON object", Fault::Client);
  FaultRule rule;
  for (const auto& [key, member] : value.items())
    if (!apply(rule, key, member))
      return fail(ErrorCode::Malformed, "unknown or ill-typed member of a fault: " + key, Fault::Client);
  if (rule.status != 0 && (rule.status < 200 || rule.status > 599))
    return fail(ErrorCode::Malformed, "a fault's status is 200 to 599", Fault::Client);
  return rule;
}

}  // namespace ghmesh::standin
