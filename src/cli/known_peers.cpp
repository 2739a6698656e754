// SPDX-License-Identifier: Apache-2.0
#include "known_peers.hpp"

#include <algorithm>

#include "libp2p/core/peer_id.hpp"
#include "mesh/admission/secret.hpp"
#include "mesh/registry/registry.hpp"

namespace ghmesh::cli {

namespace {

// Any one contact is enough; more are for those that have just gone.
constexpr std::size_t kMaxPeers = 10;

}  // namespace

std::vector<std::string> known_peers(const node::config::Config& config, const std::optional<std::string>& self) {
  std::vector<std::string> out;
  for (const multiformats::Multiaddr& address : config.bootstrap) out.push_back(address.text());
  if (!config.registry || !config.wants_mesh() || !self) return out;
  const Result<libp2p::PeerId> id = libp2p::PeerId::parse(*self);
  const Result<crypto::SecretBytes> secret = mesh::parse_secret(config.secret.text.expose());
  if (!id || !secret) return out;
  const mesh::MeshKeys keys = mesh::MeshKeys::derive(secret->expose());
  const Result<mesh::Registry> registry = mesh::Registry::open(*config.registry, keys);
  if (!registry) return out;
  const SystemClock clock;
  const Result<mesh::Discovered> found = registry->discover(*id, clock.wall_now());
  if (!found) return out;
  for (const mesh::RegistryRecord& record : found->records) {
    if (record.addresses.empty() || out.size() >= kMaxPeers) continue;
    std::string text = record.addresses.front().text();
    if (!record.addresses.front().has(multiformats::Protocol::P2p)) text += "/p2p/" + record.peer.text();
    if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(std::move(text));
  }
  return out;
}

}  // namespace ghmesh::cli
