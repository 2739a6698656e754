// SPDX-License-Identifier: Apache-2.0
#include "admin/activity_view.hpp"

#include <nlohmann/json.hpp>

namespace ghmesh::admin {
namespace {

using Json = nlohmann::ordered_json;

Json class_json(const ActivityClass& row) {
  Json answers = Json::object();
  for (const auto& [kind, count] : row.answers) answers[kind] = count;
  return Json{{"class", row.name},
              {"requests", row.requests},
              {"hit_rate", row.hit_rate},
              {"answers", std::move(answers)},
              {"upstream_calls", row.upstream_calls},
              {"charged_calls", row.charged},
              {"calls_saved", static_cast<std::int64_t>(row.direct) - static_cast<std::int64_t>(row.charged)},
              {"latency", {{"counts", row.latency}, {"sum", row.seconds}}}};
}

}  // namespace

std::string to_json(const ActivityView& view, bool with_paths) {
  Json out{{"latency_bounds", view.latency_bounds}, {"classes", Json::array()}};
  for (const ActivityClass& row : view.classes) out["classes"].push_back(class_json(row));
  Json& proofs = out["proofs"] = Json::array();
  for (const ActivityProof& one : view.proofs)
    proofs.push_back(Json{{"host", one.host},
                          {"class", one.cls},
                          {"media_type", one.media_type},
                          {"state", one.state},
                          {"matches", one.matches},
                          {"mismatches", one.mismatches},
                          {"retry_in_seconds", one.retry_in}});
  if (with_paths) {
    Json& slowest = out["slowest"] = Json::array();
    for (const ActivityRequest& one : view.slowest)
      slowest.push_back(Json{{"method", one.method},
                             {"path", one.path},
                             {"class", one.cls},
                             {"answer", one.answer},
                             {"status", one.status},
                             {"seconds", one.seconds},
                             {"at", one.at}});
    Json& costliest = out["costliest"] = Json::array();
    for (const ActivityCost& one : view.costliest)
      costliest.push_back(Json{{"method", one.method},
                               {"path", one.path},
                               {"class", one.cls},
                               {"upstream_requests", one.requests},
                               {"charged_calls", one.charged},
                               {"charged_error", one.error}});
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ghmesh::admin
