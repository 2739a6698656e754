// SPDX-License-Identifier: Apache-2.0
#include "admin/mesh_view.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ghmesh::admin {

namespace {

using Json = nlohmann::ordered_json;

std::string line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

std::string to_json(const MeshView& view) {
  Json peers = Json::array(), contacts = Json::array();
  for (const PeerRow& row : view.peers) {
    peers.push_back(Json{{"peer_id", row.peer_id},
                         {"address", row.address},
                         {"direction", row.direction},
                         {"rtt_ms", row.rtt_ms ? Json(*row.rtt_ms) : Json(nullptr)},
                         {"age_seconds", row.age_seconds},
                         {"state", row.state},
                         {"role", row.role},
                         {"partitions", row.partitions},
                         {"bytes_in", row.bytes_in},
                         {"bytes_out", row.bytes_out},
                         {"score", row.score},
                         {"requests", row.counts ? Json(row.counts->requests) : Json(nullptr)},
                         {"charged_calls", row.counts ? Json(row.counts->charged_calls) : Json(nullptr)},
                         {"calls_saved", row.counts ? Json(row.counts->calls_saved) : Json(nullptr)}});
  }
  for (const ContactRow& row : view.contacts) {
    contacts.push_back(
        Json{{"address", row.address}, {"source", row.source}, {"failures", row.failures}, {"error", row.error}});
  }
  return line(Json{{"mesh", !view.why_none},
                   {"why_none", view.why_none ? Json(*view.why_none) : Json(nullptr)},
                   {"peer_id", view.peer_id.empty() ? Json(nullptr) : Json(view.peer_id)},
                   {"addresses", view.addresses},
                   {"partitions", view.partitions},
                   {"settled", view.settled},
                   {"peers", std::move(peers)},
                   {"contacts", std::move(contacts)}});
}

std::string to_json(const std::vector<Check>& checks) {
  Json rows = Json::array();
  for (const Check& check : checks)
    rows.push_back(Json{{"name", check.name}, {"ok", check.ok}, {"detail", check.detail}});
  return line(Json{{"ok", std::ranges::all_of(checks, &Check::ok)}, {"checks", std::move(rows)}});
}

}  // namespace ghmesh::admin
