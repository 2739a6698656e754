// SPDX-License-Identifier: Apache-2.0
#include "admin/source.hpp"

#include <nlohmann/json.hpp>

namespace ghmesh::admin {

namespace {

using Json = nlohmann::ordered_json;

std::string line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json rows_json(const std::vector<QuotaRow>& rows) {
  Json out = Json::array();
  for (const QuotaRow& row : rows) {
    Json by_class = Json::object();
    for (const auto& [name, spent] : row.spent_by_class) by_class[name] = spent;
    Json by_member = Json::object();
    for (const auto& [name, spent] : row.spent_by_member) by_member[name] = spent;
    out.push_back(Json{{"token", row.token},
                       {"resource", row.resource},
                       {"limit", row.limit},
                       {"remaining", row.remaining},
                       {"used", row.used},
                       {"reset", row.reset},
                       {"spent_by_this_node", row.spent_by_this_node},
                       {"spent_by_members", row.spent_by_members},
                       {"spent_by_others", row.spent_by_others},
                       {"forecast_remaining", row.forecast_remaining ? Json(*row.forecast_remaining) : Json(nullptr)},
                       {"empty_at", row.empty_at ? Json(*row.empty_at) : Json(nullptr)},
                       {"spent_by_class", std::move(by_class)},
                       {"spent_by_member", std::move(by_member)}});
  }
  return out;
}

Json fleet_json(const std::optional<Fleet>& fleet) {
  if (!fleet) return nullptr;
  return Json{{"members", fleet->members},
              {"requests", fleet->requests},
              {"charged_calls", fleet->charged_calls},
              {"calls_saved", fleet->calls_saved},
              {"peer_hits", fleet->peer_hits},
              {"peer_proofs", fleet->peer_proofs},
              {"upstream_calls", fleet->upstream_calls},
              {"free_304s", fleet->free_304s}};
}

}  // namespace

double Stats::hit_rate() const {
  if (requests == 0) return 0;
  const std::uint64_t hits = local_hits + peer_hits + proofs + peer_proofs + collapsed + stale_served;
  return static_cast<double>(hits) / static_cast<double>(requests);
}

std::string to_json(const Stats& s) {
  return line(Json{{"peer_id", s.peer_id ? Json(*s.peer_id) : Json(nullptr)},
                   {"listen_addrs", s.listen_addrs},
                   {"connected_peers", s.connected_peers},
                   {"uptime_seconds", s.uptime_seconds},
                   {"requests", s.requests},
                   {"local_hits", s.local_hits},
                   {"peer_hits", s.peer_hits},
                   {"proofs", s.proofs},
                   {"peer_proofs", s.peer_proofs},
                   {"collapsed", s.collapsed},
                   {"stale_served", s.stale_served},
                   {"misses", s.misses},
                   {"bypassed", s.bypassed},
                   {"upstream_calls", s.upstream_calls},
                   {"charged_calls", s.charged_calls},
                   {"free_304s", s.free_304s},
                   {"calls_saved", s.calls_saved},
                   {"hit_rate", s.hit_rate()},
                   {"bytes_from_peers", s.bytes_from_peers},
                   {"bytes_to_peers", s.bytes_to_peers},
                   {"entries", s.entries},
                   {"memory_bytes", s.memory_bytes},
                   {"disk_bytes", s.disk_bytes},
                   {"evictions", s.evictions},
                   {"expirations", s.expirations},
                   {"invalidations", s.invalidations},
                   {"errors", s.errors},
                   {"quota", rows_json(s.quota)},
                   {"fleet", fleet_json(s.fleet)},
                   {"proof_state", s.proof_state}});
}

std::string to_json(const std::vector<QuotaRow>& rows) { return line(Json{{"quota", rows_json(rows)}}); }

std::string to_json(const Explanation& explanation) {
  Json out = Json::object();
  for (const auto& [name, value] : explanation) out[name] = value;
  return line(out);
}

}  // namespace ghmesh::admin
