// SPDX-License-Identifier: Apache-2.0
#include "savings.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace ghmesh::cli {

namespace {

using Json = nlohmann::json;

std::int64_t count(const Json& stats, const char* name) {
  const auto found = stats.find(name);
  return found != stats.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

struct Slice {
  const char* name;
  std::int64_t count;
};

}  // namespace

std::optional<std::string> savings_page(std::string_view stats_json) {
  const Json stats = Json::parse(stats_json, nullptr, false);
  if (!stats.is_object() || !stats.contains("requests")) return std::nullopt;
  const std::array slices{Slice{"memory", count(stats, "local_hits")}, Slice{"peer", count(stats, "peer_hits")},
                          Slice{"proof", count(stats, "proofs") + count(stats, "peer_proofs")},
                          Slice{"charged", count(stats, "charged_calls")}};
  const std::int64_t requests = count(stats, "requests");
  std::string out = "### GitHub API cache\n\n| | |\n|---|--:|\n";
  const auto row = [&out](std::string_view name, std::int64_t value) {
    out.append("| ").append(name).append(" | ").append(std::to_string(value)).append(" |\n");
  };
  row("requests of this job", requests);
  row("**saved**: answered without a charge", count(stats, "calls_saved"));
  row("charged by GitHub", slices[3].count);
  row("from memory or disk", slices[0].count);
  row("from a peer", slices[1].count);
  row("proved by a free 304", slices[2].count);
  row("shared with a request in flight", count(stats, "collapsed"));
  row("peers", count(stats, "connected_peers"));
  if (const auto fleet = stats.find("fleet");
      fleet != stats.end() && fleet->is_object() && count(*fleet, "members") > 1) {
    row("members of the fleet", count(*fleet, "members"));
    row("charged to the whole fleet", count(*fleet, "charged_calls"));
    row("saved by the whole fleet", count(*fleet, "calls_saved"));
  }
  std::int64_t sum = 0;
  for (const Slice& slice : slices) sum += slice.count;
  // A pie of nothing is a syntax error to mermaid.
  if (sum > 0) {
    out += "\n```mermaid\npie showData title Where the answers came from\n";
    for (const Slice& slice : slices)
      if (slice.count > 0)
        out.append("  \"").append(slice.name).append("\" : ").append(std::to_string(slice.count)) += '\n';
    out += "```\n";
  }
  return out + "\n";
}

}  // namespace ghmesh::cli
