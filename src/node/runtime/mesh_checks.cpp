// SPDX-License-Identifier: Apache-2.0
#include "mesh_checks.hpp"

#include <algorithm>
#include <cstdio>

#include "io/task_group.hpp"
#include "node/runtime/identity.hpp"
#include "node/runtime/mesh_wing.hpp"

namespace ghmesh::node {

namespace {

using admin::Check;

std::string milliseconds(Duration time) {
  char text[40];
  std::snprintf(text, sizeof text, "%.2f ms", std::chrono::duration<double, std::milli>(time).count());
  return text;
}

Check check_identity(const config::Config& config, MeshWing& wing) {
  if (!config.identity)
    return {"identity", true, wing.peer_id() + ", of this run only (--identity keeps one over restarts)"};
  const auto key = read_identity(*config.identity);
  if (!key) return {"identity", false, key.error().message};
  const std::string on_disk = libp2p::PeerId::from_key(key->public_key()).text();
  if (on_disk != wing.peer_id())
    return {"identity", false,
            *config.identity + " holds " + on_disk + ", this node runs as " + wing.peer_id() + "; start it again"};
  return {"identity", true, wing.peer_id()};
}

Check check_p2p(MeshWing& wing) {
  const std::vector<std::string> addresses = wing.addresses();
  if (addresses.empty())
    return {"p2p", false, "no address to be dialled at; give --p2p-listen, or --announce behind a NAT"};
  return {"p2p", true,
          addresses.front() + (addresses.size() > 1 ? " and " + std::to_string(addresses.size() - 1) + " more" : "")};
}

io::Task<Check> check_registry(const config::Config& config, MeshWing& wing) {
  if (!config.registry) co_return Check{"registry", true, "none (--registry names a shared directory)"};
  const auto found = co_await wing.look_into_registry();
  if (!found) co_return Check{"registry", false, found.error().message};
  const bool own = std::ranges::any_of(found->records, [&](const auto& r) { return r.peer.text() == wing.peer_id(); });
  const mesh::DiscoveryStats& stats = wing.discovery().stats();
  if (!own) {
    const std::string why = stats.registry_error ? ": " + stats.registry_error->message : "";
    co_return Check{"registry", false,
                    "this node has no record in " + *config.registry + why + "; others will not find it there"};
  }
  std::string seen = *config.registry + ": this node and " + std::to_string(found->records.size() - 1) + " more";
  if (found->stale + found->foreign + found->hostile > 0)
    seen += ", passed over: " + std::to_string(found->stale) + " stale, " + std::to_string(found->foreign) +
            " of others, " + std::to_string(found->hostile) + " broken or forged";
  co_return Check{"registry", true, std::move(seen)};
}

std::vector<mesh::PeerId> connected_peers(MeshWing& wing) {
  std::vector<mesh::PeerId> peers;
  for (const mesh::PeerInfo& info : wing.link().mesh().peers(wing.host().loop().now()))
    if (info.connected) peers.push_back(info.peer);
  return peers;
}

Check check_peers(MeshWing& wing, std::size_t connected) {
  const std::size_t members = wing.link().mesh().stats().members;
  if (connected > 0)
    return {"peers", true, std::to_string(connected) + " connected, " + std::to_string(members) + " members known"};
  std::string detail = "nobody is connected";
  for (const mesh::Contact& contact : wing.discovery().contacts())
    if (!contact.error.empty()) {
      detail += "; " + contact.text() + " (" + std::string(to_string(contact.source)) + "): " + contact.error;
      break;
    }
  return {"peers", false, detail + "; name one with --bootstrap, or share a --registry directory"};
}

io::Task<void> probe(MeshWing& wing, mesh::PeerId peer, std::vector<mesh::ProbeDone>& done) {
  mesh::ProbeDone result = co_await wing.link().probe(peer);
  done.push_back(std::move(result));
}

io::Task<Check> check_probe(MeshWing& wing, std::vector<mesh::PeerId> peers) {
  if (peers.empty()) co_return Check{"probe", false, "no connected peer to send an entry through"};
  std::vector<mesh::ProbeDone> done;
  io::TaskGroup probes(wing.host().loop());
  for (const mesh::PeerId& peer : peers) probes.spawn(probe(wing, peer, done));
  co_await probes.join();
  Duration slowest{0};
  std::string lost;
  for (const mesh::ProbeDone& each : done) {
    slowest = std::max(slowest, each.took);
    if (!each.returned) lost += (lost.empty() ? "" : ", ") + each.peer.text();
  }
  if (!lost.empty()) co_return Check{"probe", false, "an entry did not come back from " + lost};
  co_return Check{
      "probe", true,
      "an entry there and back through each of " + std::to_string(done.size()) + ", slowest " + milliseconds(slowest)};
}

std::optional<Check> check_way_out(const config::Config& config, const proxy::WayOut* way_out) {
  if (!config.proxy_problem.empty()) return Check{"way out", true, "directly: " + config.proxy_problem};
  if (way_out == nullptr) return std::nullopt;
  const proxy::WayOut::Counts& counts = way_out->counts();
  const std::string said =
      "through " + config.upstream_proxy->url() + ", connections: " + std::to_string(counts.opened);
  if (!counts.problem.empty()) return Check{"way out", false, said + "; the last attempt: it " + counts.problem};
  return Check{"way out", true, said};
}

}  // namespace

io::Task<std::vector<Check>> check_node(const config::Config& config, const proxy::WayOut* way_out, MeshWing* wing,
                                        std::string why_none) {
  std::vector<Check> checks;
  if (auto check = check_way_out(config, way_out)) checks.push_back(std::move(*check));
  if (wing == nullptr) {
    checks.push_back({"mesh", false, "local cache only: " + why_none});
    co_return checks;
  }
  checks.push_back(
      {"mesh", true,
       "id " + to_hex(wing->mesh_id()) + ", secret from " + std::string(mesh::to_string(wing->secret_source()))});
  checks.push_back(check_identity(config, *wing));
  checks.push_back(check_p2p(*wing));
  checks.push_back(co_await check_registry(config, *wing));
  const std::vector<mesh::PeerId> peers = connected_peers(*wing);
  checks.push_back(check_peers(*wing, peers.size()));
  checks.push_back(co_await check_probe(*wing, peers));
  co_return checks;
}

}  // namespace ghmesh::node
