// SPDX-License-Identifier: Apache-2.0
#include "node/runtime/mesh_wing.hpp"

#include "libp2p/ping/ping.hpp"
#include "node/runtime/identity.hpp"

namespace ghmesh::node {
namespace {

// Between two looks at the counters: `top` on another node is never further behind than a round of gossip.
constexpr Duration kTellCounters = 1s;

constexpr const char* kVersion = GHMESH_VERSION;

// Between two rounds of pings: alone, and with peers.
constexpr Duration kFirstPings = 1s;
constexpr Duration kPings = 10s;
constexpr Duration kPing = 2s;

mesh::SecretInputs secret_inputs(const config::MeshSecret& secret) {
  mesh::SecretInputs inputs;
  if (secret.source == config::MeshSecret::Source::File) inputs.file = secret.from;
  inputs.environment = [&secret](std::string_view name) -> std::optional<std::string> {
    if (secret.source == config::MeshSecret::Source::None || name != secret.from) return std::nullopt;
    return secret.text.expose();
  };
  return inputs;
}

Result<std::variant<mesh::SecretFound, mesh::NoMesh>> find_secret(const config::MeshSecret& secret) {
  auto found = mesh::find_secret(secret_inputs(secret));
  // Nobody asked for a mesh by having a token.
  if (!found && secret.source == config::MeshSecret::Source::Token) return mesh::NoMesh{found.error().message};
  return found;
}

}  // namespace

MeshWing::MeshWing(const config::Config& config, MeshParts parts)
    : config_(config),
      parts_(std::move(parts)),
      counters_timer_(parts_.network.loop(), [this] { tell_counters(); }),
      tasks_(parts_.network.loop()) {}

MeshWing::~MeshWing() = default;

Result<MeshWing::Opened> MeshWing::open(const config::Config& config, MeshParts parts) {
  auto found = find_secret(config.secret);
  if (!found) return std::unexpected(std::move(found.error()));
  if (const auto* none = std::get_if<mesh::NoMesh>(&*found)) return Opened{nullptr, none->reason};
  auto& secret = std::get<mesh::SecretFound>(*found);
  auto key = load_identity(config.identity, parts.random);
  if (!key) return std::unexpected(std::move(key.error()).with_context("--identity"));

  std::unique_ptr<MeshWing> wing(new MeshWing(config, std::move(parts)));
  libp2p::HostOptions options{.key = std::move(*key)};
  options.mux.output_limit = mesh::LinkLimits::kMuxOutput;
  options.identify.agent_version = "ghmesh";
  options.identify.announce = config.announce;
  options.identify.announce_listeners = config.announce.empty();
  options.log = wing->parts_.logger;
  options.metrics = &wing->parts_.metrics;
  wing->host_ = std::make_unique<libp2p::Host>(wing->parts_.network, wing->parts_.random, std::move(options));
  const bool given = !wing->parts_.listeners.empty();
  for (auto& listener : std::exchange(wing->parts_.listeners, {})) wing->host_->swarm().listen(std::move(listener));
  for (const multiformats::Multiaddr& address : given ? std::vector<multiformats::Multiaddr>{} : config.p2p_listen)
    if (auto bound = wing->host_->swarm().listen(address); !bound)
      return Opened{nullptr, "--p2p-listen " + address.text() + ": " + bound.error().message +
                                 ": running as a local cache. Give each node of a machine a port of its own."};

  wing->source_ = secret.source;
  wing->mesh_id_ = secret.keys.current.id;
  crypto::SecretKey32 lookup = secret.keys.current.lookup.clone();
  wing->open_registry(secret.keys);
  mesh::LinkOptions link{.keys = std::move(secret.keys)};
  link.exchange = mesh::ExchangeLimits::for_patience(config.mesh_patience);
  // A little longer than the fetch may wait for its turn, so that its own end is what others hear.
  link.exchange.longest_queue = config.max_queue + std::chrono::seconds(2);
  link.self.reachable = given || !config.p2p_listen.empty();
  link.log = wing->parts_.logger;
  link.find_item = [raw = wing.get()](const mesh::LookupKey& item, const mesh::Version& version) {
    return raw->sharing_ ? raw->sharing_->find_item(item, version) : nullptr;
  };
  wing->link_ = std::make_unique<mesh::Link>(*wing->host_, wing->parts_.random, std::move(link));
  wing->sharing_ =
      std::make_unique<proxy::Sharing>(wing->parts_.network.loop(), *wing->link_, wing->parts_.planner,
                                       proxy::SharingOptions{std::move(lookup), config.share == config::Share::Public});
  wing->open_discovery();
  wing->add_metrics();
  return Opened{std::move(wing), ""};
}

// A directory that cannot be had leaves the other ways of finding peers.
void MeshWing::open_registry(const mesh::Keyring& keys) {
  registry_.reset();
  also_registry_.reset();
  registry_error_.reset();
  if (!config_.registry) return;
  auto opened = mesh::Registry::open(*config_.registry, keys.current);
  if (!opened) {
    registry_error_ = opened.error();
    parts_.logger.warn("no registry of peers", {{"why", opened.error().message}});
    return;
  }
  registry_ = std::make_shared<const mesh::Registry>(std::move(*opened));
  if (!keys.also_accept) return;
  if (auto other = mesh::Registry::open(*config_.registry, *keys.also_accept))
    also_registry_ = std::make_shared<const mesh::Registry>(std::move(*other));
}

void MeshWing::open_discovery() {
  mesh::DiscoveryOptions options;
  options.bootstrap = config_.bootstrap;
  options.registry = registry_;
  options.also_read = also_registry_;
  options.runner_name = config_.runner_name;
  options.metadata = {{"version", kVersion}};
  if (config_.mdns) options.multicast = &parts_.loop;
  options.is_member = [this](const libp2p::PeerId& peer) {
    const mesh::Member* member = link_->mesh().member(peer);
    return member != nullptr && member->in_mesh();
  };
  options.log = parts_.logger;
  discovery_ =
      std::make_unique<mesh::Discovery>(*host_, parts_.random, parts_.network, parts_.pool, std::move(options));
}

io::Task<Result<mesh::Discovered>> MeshWing::look_into_registry() {
  if (registry_error_) co_return std::unexpected(*registry_error_);
  if (!registry_) co_return mesh::Discovered{};
  co_return co_await parts_.pool.run(parts_.loop, [registry = registry_, wall = parts_.loop.wall_now()] {
    return registry->discover(std::nullopt, wall);
  });
}

void MeshWing::start() {
  link_->start();
  discovery_->start();
  tell_counters();
  tasks_.spawn(measure());
}

// Round trips, for people and for verify.
io::Task<> MeshWing::measure() {
  while (true) {
    std::unordered_map<libp2p::PeerId, double> measured;
    for (const auto& connection : host_->swarm().connections()) {
      auto pinger = libp2p::ping::Pinger::open(*connection, parts_.random, {.timeout = kPing});
      if (!pinger) continue;
      const Result<Duration> trip = co_await pinger->ping();
      pinger->close();
      if (trip) measured[connection->peer()] = std::chrono::duration<double, std::milli>(*trip).count();
    }
    rtts_ = std::move(measured);
    co_await parts_.network.loop().sleep_for(rtts_.empty() ? kFirstPings : kPings);
  }
}

std::optional<double> MeshWing::rtt_ms(const libp2p::PeerId& peer) const {
  const auto known = rtts_.find(peer);
  return known == rtts_.end() ? std::nullopt : std::optional(known->second);
}

io::Task<> MeshWing::leave(Duration patience) {
  tell_counters();
  co_await discovery_->leave();
  co_await link_->leave(patience);
}

Result<> MeshWing::reload_secret() {
  auto found = find_secret(config_.secret);
  if (!found) return std::unexpected(std::move(found.error()));
  auto* secret = std::get_if<mesh::SecretFound>(&*found);
  if (secret == nullptr) return fail(ErrorCode::NotFound, std::get<mesh::NoMesh>(*found).reason);
  if (secret->keys.current.id != mesh_id_) {
    mesh_id_ = secret->keys.current.id;
    sharing_->set_lookup_key(secret->keys.current.lookup.clone());
  }
  open_registry(secret->keys);
  discovery_->set_registry(registry_, also_registry_);
  link_->set_keys(std::move(secret->keys));
  return {};
}

std::vector<std::string> MeshWing::addresses() const {
  std::vector<std::string> out;
  for (const multiformats::Multiaddr& address : host_->addresses()) out.push_back(address.text());
  return out;
}

void MeshWing::tell_counters() {
  using proxy::AnswerKind;
  const proxy::Stats& stats = parts_.stats;
  const mesh::LinkStats traffic = link_->stats();
  std::vector<std::uint64_t> values(kCounters);
  values[kRequests] = stats.requests();
  values[kLocalHits] = stats.answers(AnswerKind::MemoryHit) + stats.answers(AnswerKind::DiskHit);
  values[kPeerHits] = stats.answers(AnswerKind::PeerHit);
  values[kProofs] = stats.answers(AnswerKind::Proof);
  values[kPeerProofs] = stats.answers(AnswerKind::PeerProof);
  values[kCollapsed] = stats.answers(AnswerKind::Collapsed);
  values[kMisses] = stats.answers(AnswerKind::Miss);
  values[kUpstreamCalls] = stats.upstream_calls.value();
  values[kChargedCalls] = stats.charged_calls.value();
  values[kFree304s] = stats.free_304s.value();
  values[kDirectCalls] = stats.direct_calls.value();
  values[kBytesFromPeers] = traffic.bytes_in;
  values[kBytesToPeers] = traffic.bytes_out;
  values[kErrors] = stats.answers(AnswerKind::Error);
  link_->mesh().set_counters(std::move(values), parts_.network.loop().now());
  counters_timer_.arm_at(parts_.network.loop().now() + kTellCounters);
}

std::vector<std::uint64_t> MeshWing::fleet_totals() {
  tell_counters();
  std::vector<std::uint64_t> totals = link_->mesh().fleet_totals(parts_.network.loop().now());
  totals.resize(kCounters);
  return totals;
}

bool MeshWing::settled() const { return discovery_->settled() && link_->mesh().quiet(parts_.network.loop().now()); }

std::size_t MeshWing::fleet_members() const { return link_->mesh().stats().members + 1; }

}  // namespace ghmesh::node
