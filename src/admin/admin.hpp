// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/event_hub.hpp"
#include "admin/limits.hpp"
#include "admin/page.hpp"
#include "admin/source.hpp"
#include "base/metrics.hpp"
#include "http/server/exchange.hpp"
#include "io/endpoint.hpp"

// The admin listener's handler: health, statistics and metrics for people, scripts and monitors.
//
//   GET  /                           the dashboard and its files (page.hpp)
//   GET  /healthz                    200 as long as the loop turns
//   GET  /readyz                     200, or 503 with the reason
//   GET  /api/stats  /api/quota      JSON of the contract
//   GET  /api/activity               classes of requests; to loopback also the slowest and the costliest
//   GET  /api/events                 what happens, as it happens (doc/formats/events.md); ?kinds=stats,peer
//   GET  /api/explain?target=…       what would happen to that request, with this request's Authorization; &accept=…
//   POST /api/purge?pattern=…        {"purged":N}; &mesh=on for the whole mesh
//   POST /mcp, GET, DELETE           the MCP server, where one is mounted
//   GET  /metrics                    Prometheus text or OpenMetrics
//
// Every answer forbids framing and sniffing, all but the dashboard's files caching too. Requests by a foreign name or
// from a foreign page get 403 (browser_rules.hpp). One loop; borrows what it is made of.

namespace ghmesh::admin {

class Admin final : public http::server::Handler {
 public:
  // bound: where the listener really is.
  Admin(AdminSource& source, EventHub& events, const metrics::Registry& registry, const io::Endpoint& bound,
        const Limits& limits = {})
      : source_(source), events_(events), registry_(registry), bound_(bound), limits_(limits) {}

  // Answers /mcp, behind this listener's rules for browsers.
  void mount_mcp(http::server::Handler& handler) { mcp_ = &handler; }

  io::Task<> answer(http::server::Exchange& exchange) override;

 private:
  using Exchange = http::server::Exchange;
  struct Reply;

  io::Task<> show(Exchange& exchange, const PageFile& file);
  io::Task<> route(Exchange& exchange, std::string_view path, std::string_view query, Reply& reply);
  io::Task<> explain(Exchange& exchange, std::string_view query, Reply& reply);
  io::Task<> purge(std::string_view query, Reply& reply);

  io::Task<> stream_events(Exchange& exchange, std::string_view query, Reply& reply);

  AdminSource& source_;
  EventHub& events_;
  const metrics::Registry& registry_;
  http::server::Handler* mcp_ = nullptr;
  const io::Endpoint bound_;
  const Limits limits_;
};

}  // namespace ghmesh::admin
