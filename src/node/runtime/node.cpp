// SPDX-License-Identifier: Apache-2.0
#include "node/runtime/node.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "admin/admin.hpp"
#include "admin_source.hpp"
#include "crypto/hmac.hpp"
#include "crypto/random.hpp"
#include "events.hpp"
#include "http/server/server.hpp"
#include "https_door.hpp"
#include "io/sockets.hpp"
#include "io/work_pool.hpp"
#include "mcp/endpoint.hpp"
#include "mcp_backend.hpp"
#include "mesh_checks.hpp"
#include "node/config/ready_file.hpp"
#include "node/config/values.hpp"
#include "node/runtime/mesh_wing.hpp"
#include "node/runtime/node_key.hpp"
#include "node_metrics.hpp"
#include "origins.hpp"
#include "proxy/client_origin.hpp"
#include "proxy/proxy.hpp"
#include "proxy/quota_book.hpp"
#include "store/tiered_store.hpp"
#include "tls/context.hpp"

namespace ghmesh::node {
namespace {

// Files, name resolution; the disk tier has its own thread.
constexpr std::size_t kPoolThreads = 2;

// What a node hands over when it leaves is on its way within that time or not worth a runner's waiting.
constexpr Duration kLeavePatience = std::chrono::seconds(2);
// What the admin listener has for its last answers when the others have used up the time.
constexpr Duration kLastWords = std::chrono::seconds(1);

store::Key named_key(const NodeKeys& keys, std::string_view name) {
  return crypto::hmac_sha256(keys.lookup.expose(), as_bytes(name));
}

bool answers_https(const config::Config& config) {
  using config::ConnectPolicy;
  return config.ca_out &&
         (config.connect_policy == ConnectPolicy::Terminate || config.connect_policy == ConnectPolicy::GitHub);
}

bool answers_upstream(const config::Config& config) { return answers_https(config) && config.upstream.secure(); }

proxy::TunnelOptions tunnels(const config::Config& config) {
  proxy::TunnelOptions out;
  switch (config.connect_policy) {
    case config::ConnectPolicy::Terminate:
    case config::ConnectPolicy::Tunnel: out.policy = proxy::TunnelPolicy::Public; break;
    case config::ConnectPolicy::GitHub: out.policy = proxy::TunnelPolicy::GitHub; break;
    case config::ConnectPolicy::Refuse: out.policy = proxy::TunnelPolicy::None; break;
  }
  out.named = config.tunnel_to;
  if (answers_https(config)) {
    out.here.emplace_back("api.github.com:443");
    if (answers_upstream(config))
      out.here.push_back(http::to_lower(config.upstream.host) + ":" + std::to_string(config.upstream.port));
  }
  return out;
}

// Of the job's token its keyed hash alone is kept.
proxy::JobOfNode job_of(const config::Config& config, const proxy::Planner& planner) {
  proxy::JobOfNode out{config.job.repository, std::nullopt};
  if (config.job.token.expose().empty()) return out;
  http::Fields fields;
  fields.add("Authorization", "Bearer " + config.job.token.expose());
  out.token = planner.plan({"GET", "/", 1, fields}, "/", false).partition;
  return out;
}

Result<> make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail(ErrorCode::Io, "making " + path + ": " + error.message());
  ::chmod(path.c_str(), 0700);
  return {};
}

}  // namespace

struct Node::State {
  State(io::EpollLoop& l, const config::Config& c, log::Logger log)
      : loop(l),
        config(c),
        logger(std::move(log)),
        pool(kPoolThreads, "ghmesh-work"),
        network(loop, pool),
        tasks(loop) {
    for (const config::Resolve& known : config.resolve) known_hosts.push_back({known.host, known.port, known.to});
  }

  // In the order of construction; destroyed in reverse, so what is borrowed outlives its borrower.
  io::EpollLoop& loop;
  const config::Config& config;
  log::Logger logger;
  TimePoint started{};
  crypto::SecureRandom random;
  metrics::Registry metrics;
  io::WorkPool pool;
  io::SocketNetwork network;
  std::vector<proxy::KnownHost> known_hosts;
  std::unique_ptr<proxy::WayOut> way_out;
  NodeKeys keys;
  std::unique_ptr<store::TieredStore> store;
  std::shared_ptr<const tls::ClientContext> tls;
  std::unique_ptr<proxy::Planner> planner;
  std::unique_ptr<proxy::ClientOrigin> upstream;
  std::shared_ptr<proxy::Origin> beside;  // the upstream's host for what is not its API
  std::unique_ptr<OtherOrigins> others;
  std::unique_ptr<proxy::AuthorityRules> authorities;
  std::unique_ptr<proxy::Stats> stats;
  std::unique_ptr<proxy::Activity> activity;
  std::unique_ptr<proxy::QuotaBook> quota;
  std::unique_ptr<MeshWing> mesh;
  std::string no_mesh;  // why this node is a local cache
  std::unique_ptr<proxy::Proxy> proxy;
  std::unique_ptr<HttpsDoor> https;
  std::unique_ptr<http::server::Server> server;
  std::unique_ptr<NodeAdminSource> admin_source;
  std::unique_ptr<NodeMetrics> node_metrics;
  std::unique_ptr<NodeEvents> events;
  std::unique_ptr<McpBackend> mcp_backend;
  std::unique_ptr<mcp::Endpoint> mcp;
  std::unique_ptr<admin::Admin> admin_handler;
  std::unique_ptr<http::server::Server> admin_server;
  bool draining = false;
  std::vector<io::InheritedSocket> inherited;
  io::Endpoint listen;
  std::optional<std::string> socket;
  std::optional<io::Endpoint> admin;
  io::TaskGroup tasks;

  proxy::DialRules dial_rules(bool public_only) const { return {public_only, &known_hosts, way_out.get()}; }
  // Of all entries in these groups of the mesh's, or of all.
  std::size_t purge(const std::vector<mesh::GroupId>& groups);

  Result<> open();
  void open_way_out();
  Result<> open_https();
  void take_over();
  Result<> open_mesh();
  Result<> bind();
  Result<> bind_admin();
  Result<> announce_ready();
};

Result<> Node::State::open() {
  started = loop.now();
  const std::string directory = config.cache_dir.value_or("");
  if (!directory.empty())
    if (Result<> made = make_directory(directory); !made)
      return std::unexpected(std::move(made.error()).with_context("--cache-dir"));
  Result<NodeKeys> loaded = load_node_keys(directory, random);
  if (!loaded) return std::unexpected(std::move(loaded.error()).with_context("--cache-dir"));
  keys = std::move(*loaded);

  open_way_out();
  store::TieredOptions tiers;
  tiers.directory = directory.empty() ? "" : directory + "/store";
  tiers.disk.limits.memory_bytes = config.memory_max;
  tiers.disk.limits.disk_bytes = config.disk_max;
  Result<std::unique_ptr<store::TieredStore>> opened = store::TieredStore::open(
      std::move(tiers), loop.clock(), random,
      [this](std::move_only_function<void()> action) { loop.post_from_any_thread(std::move(action)); }, logger);
  if (!opened) return std::unexpected(std::move(opened.error()).with_context("--cache-dir"));
  store = std::move(*opened);

  if (config.upstream.secure()) {
    auto context =
        tls::ClientContext::make({.extra_roots_file = config.upstream_ca.value_or(""), .alpn = {"http/1.1"}});
    if (!context) return std::unexpected(std::move(context.error()).with_context("--upstream-ca"));
    tls = std::move(*context);
  }
  auto public_tls =
      tls::ClientContext::make({.extra_roots_file = config.upstream_ca.value_or(""), .alpn = {"http/1.1"}});
  if (!public_tls) return std::unexpected(std::move(public_tls.error()).with_context("--upstream-ca"));
  others = std::make_unique<OtherOrigins>(network, std::move(*public_tls), dial_rules(true));
  const std::string authority = config.upstream.authority();
  const http::client::Origin origin{
      authority, config.upstream.secure(),
      proxy::make_connector(network, config.upstream.host, config.upstream.port, tls, dial_rules(false))};
  upstream = std::make_unique<proxy::ClientOrigin>(loop, origin, upstream_limits());
  beside = std::make_shared<proxy::ClientOrigin>(loop, origin, beside_limits());
  authorities = std::make_unique<proxy::AuthorityRules>(config.upstream);
  if (config.freshness == github::FreshnessPolicy::Http) authorities->cache_all_of_the_host();
  stats = std::make_unique<proxy::Stats>(metrics);
  activity = std::make_unique<proxy::Activity>(loop.clock());
  quota = std::make_unique<proxy::QuotaBook>(loop.clock(), *stats);

  proxy::PlannerOptions planning{config.upstream, {config.freshness, config.ttl}, config.stale_if_error, &loop.clock()};
  planner = config.freshness == github::FreshnessPolicy::Http
                ? proxy::make_http_planner(std::move(planning), keys.lookup.expose(), keys.partition.expose())
                : proxy::make_github_planner(std::move(planning), keys.lookup.expose(), keys.partition.expose());
  if (Result<> joined = open_mesh(); !joined) return joined;

  proxy::ProofOptions proof;
  proof.gate.enabled = config.proof;
  // A proof needs TLS to the origin, or an origin on this machine (rule 5); the configuration admits no other.
  proof.gate.trusted_origin = true;
  proof.url_prefix = config.upstream.scheme + "://" + authority;
  proof.reserve_percent = config.reserve_percent;
  proof.pacing.max_queue = config.max_queue;
  proof.vouched = config.upstream.host == "api.github.com";
  proxy::Parts parts{loop,
                     random,
                     *planner,
                     *store,
                     *upstream,
                     [this](std::string host) {
                       return host == http::to_lower(config.upstream.host)
                                  ? beside
                                  : others->get(host, authorities->is_of_tenant(host));
                     },
                     [this](proxy::TunnelTo to, std::string host, std::uint16_t port) {
                       // Our own listener has names that mean the upstream; it is not a place to tunnel to.
                       const bool anywhere = to == proxy::TunnelTo::Named || authorities->is_of_tenant(host) ||
                                             (to == proxy::TunnelTo::Upstream && host == config.upstream.host &&
                                              port == config.upstream.port);
                       return proxy::dial_host(network, std::move(host), port, dial_rules(!anywhere));
                     },
                     *authorities,
                     *quota,
                     *stats,
                     *activity,
                     logger,
                     authority,
                     named_key(keys, "the last write"),
                     std::move(proof),
                     config.rewrite_links,
                     named_key(keys, "the formula"),
                     tunnels(config),
                     [this](std::unique_ptr<io::Stream> stream) { return https->answer(std::move(stream)); },
                     mesh ? &mesh->sharing() : nullptr,
                     way_out ? way_out->pseudonym() : std::string(),
                     config.log_sample,
                     job_of(config, *planner)};
  proxy = std::make_unique<proxy::Proxy>(std::move(parts));
  server = std::make_unique<http::server::Server>(loop, *proxy, http::server::Limits{}, logger);
  if (mesh) {
    mesh->link().on_invalidated([this](const mesh::Invalidated& stale) {
      if (stale.drop) {
        static_cast<void>(purge(stale.groups));
      } else {
        proxy->invalidate(stale.groups);
      }
    });
    // Writes that went by while this node was away are known to nobody here; what it kept is asked about once.
    if (store->stats().entries > 0) proxy->doubt_all();
  }
  return {};
}

void Node::State::open_way_out() {
  if (!config.proxy_problem.empty())
    logger.warn("no proxy for the way out",
                {{"why", config.proxy_problem}, {"fix", "--upstream-proxy http://HOST:PORT"}});
  if (!config.upstream_proxy) return;
  std::array<std::uint8_t, 4> who{};
  random.fill(who);
  const config::UpstreamProxy& to = *config.upstream_proxy;
  way_out = std::make_unique<proxy::WayOut>(
      proxy::WayOutOptions{to.host, to.port, to.credentials.clone(), config.direct_hosts, "ghmesh-" + to_hex(who)});
  logger.info("going out through a proxy", {{"proxy", to.url()}});
}

std::size_t Node::State::purge(const std::vector<mesh::GroupId>& groups) {
  // What is on its way meanwhile is doubted when it comes.
  proxy->invalidate(groups);
  if (groups.empty()) {
    proxy->doubt_all();
    return proxy->clear();
  }
  std::size_t gone = 0;
  for (const mesh::GroupId group : groups) gone += store->purge_group(group);
  return gone;
}

Result<> Node::State::open_mesh() {
  std::vector<std::unique_ptr<io::Listener>> listeners;
  for (const io::InheritedSocket& one : inherited)
    if (one.name == "p2p" && one.endpoint) listeners.push_back(io::make_socket_listener(loop, one.fd));
  if (!config.p2p) {
    no_mesh = "--p2p off";
    return {};
  }
  if (!planner->paces()) {
    no_mesh = "--freshness http shares nothing";
    return {};
  }
  Result<MeshWing::Opened> opened =
      MeshWing::open(config, {loop, pool, network, random, metrics, *planner, *stats, logger, std::move(listeners)});
  if (!opened) return std::unexpected(std::move(opened.error()));
  mesh = std::move(opened->wing);
  no_mesh = std::move(opened->why_not);
  return {};
}

// Nobody can be told to trust a CA that is not written anywhere, so without --ca-out there is none.
Result<> Node::State::open_https() {
  if (!answers_https(config)) return {};
  HttpsDoorOptions options{{"api.github.com"}, *config.ca_out, config.user_roots};
  if (answers_upstream(config)) {
    std::string host = http::to_lower(config.upstream.host);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    if (host != options.names.front()) options.names.push_back(std::move(host));
    options.body_idle = kBesideSilence;
    options.body_total = kBesideTotal;
  }
  Result<std::unique_ptr<HttpsDoor>> opened = HttpsDoor::open(loop, *proxy, *authorities, options, logger);
  if (!opened) return std::unexpected(std::move(opened.error()).with_context("--ca-out"));
  https = std::move(*opened);
  return {};
}

void Node::State::take_over() {
  for (const io::InheritedSocket& one : inherited) {
    if (one.name == "admin" || (one.name == "p2p" && one.endpoint)) continue;
    if (one.local()) {
      if (!socket) socket = one.path;
    } else {
      if (listen.port == 0) listen = *one.endpoint;
      authorities->add_own(*one.endpoint);
    }
    server->listen(io::make_socket_listener(loop, one.fd));
  }
}

Result<> Node::State::bind() {
  take_over();
  if (listen.port == 0) {
    Result<std::unique_ptr<io::Listener>> tcp = network.listen(config.listen);
    if (!tcp) return std::unexpected(std::move(tcp.error()).with_context("--listen"));
    listen = *(*tcp)->local_endpoint();
    authorities->add_own(listen);
    server->listen(std::move(*tcp));
  }
  if (config.socket && !socket) {
    Result<std::unique_ptr<io::Listener>> local = io::listen_unix(loop, *config.socket);
    if (!local) return std::unexpected(std::move(local.error()).with_context("--socket"));
    server->listen(std::move(*local));
    socket = config.socket;
  }
  return {};
}

Result<> Node::State::bind_admin() {
  admin_source = std::make_unique<NodeAdminSource>(
      AdminParts{loop.clock(), *planner, *authorities, *stats, *activity, *proxy, config.upstream.authority(),
                 std::string(github::to_string(config.freshness)), *quota, *store, started,
                 [this] { return std::vector<std::string>{to_string(listen)}; }, [this] { return draining; },
                 mesh.get(), no_mesh, [this] { return check_node(config, way_out.get(), mesh.get(), no_mesh); }});
  node_metrics =
      std::make_unique<NodeMetrics>(NodeMetrics::Parts{loop, metrics, *proxy, *quota, *store, *server, mesh.get()});
  std::array<std::uint8_t, 8> run{};
  random.fill(run);
  events = std::make_unique<NodeEvents>(
      NodeEvents::Parts{loop, *activity, *proxy, *quota, *store,
                        [this] { return admin::to_json(admin_source->stats()); }, mesh ? &mesh->link() : nullptr,
                        [this](admin::EventKind kind, log::Level level, const std::string& object) {
                          if (mcp) mcp->log(level, admin::to_string(kind), object);
                        }},
      to_hex(run), metrics);
  Result<std::unique_ptr<io::Listener>> tcp = fail(ErrorCode::NotFound, "the admin listener is off");
  const auto given = std::find_if(inherited.begin(), inherited.end(),
                                  [](const io::InheritedSocket& one) { return one.name == "admin" && one.endpoint; });
  if (given != inherited.end()) {
    tcp = io::make_socket_listener(loop, given->fd);
  } else if (config.admin) {
    tcp = network.listen(*config.admin);
    if (!tcp) return std::unexpected(std::move(tcp.error()).with_context("--admin"));
  } else {
    return {};
  }
  admin = *(*tcp)->local_endpoint();
  admin_handler = std::make_unique<admin::Admin>(*admin_source, events->hub(), metrics, *admin);
  mcp_backend = std::make_unique<McpBackend>(*admin_source, *server, config.upstream.authority());
  mcp = std::make_unique<mcp::Endpoint>(loop, random, *mcp_backend, GHMESH_VERSION);
  admin_handler->mount_mcp(*mcp);
  admin_server = std::make_unique<http::server::Server>(loop, *admin_handler, http::server::Limits{}, logger);
  admin_server->listen(std::move(*tcp));
  return {};
}

Result<> Node::State::announce_ready() {
  if (config.ready_file) {
    config::Ready ready;
    ready.listen = listen;
    ready.socket = socket;
    ready.admin = admin;
    if (mesh) {
      ready.p2p = mesh->addresses();
      ready.peer_id = mesh->peer_id();
    }
    ready.pid = ::getpid();
    if (Result<> written = config::write_ready_file(*config.ready_file, ready); !written)
      return std::unexpected(std::move(written.error()).with_context("--ready-file"));
  }
  if (mesh) {
    mesh->start();
    logger.info("mesh", {{"peer_id", mesh->peer_id()},
                         {"secret", mesh::to_string(mesh->secret_source())},
                         {"listen", mesh->addresses().empty() ? std::string("none") : mesh->addresses().front()}});
  } else if (config.p2p) {
    logger.info("local cache only", {{"why", no_mesh}});
  }
  logger.info("ready", {{"listen", to_string(listen)},
                        {"admin", admin ? to_string(*admin) : std::string("off")},
                        {"upstream", config.upstream.text()},
                        {"entries", store->stats().entries}});
  return {};
}

Node::Node(std::unique_ptr<State> state) : state_(std::move(state)) {}

Node::~Node() {
  if (state_ && state_->config.ready_file) ::unlink(state_->config.ready_file->c_str());
}

Result<std::unique_ptr<Node>> Node::start(io::EpollLoop& loop, const config::Config& config, log::Logger logger,
                                          std::vector<io::InheritedSocket> inherited) {
  auto state = std::make_unique<State>(loop, config, std::move(logger));
  state->inherited = std::move(inherited);
  for (Result<> (State::*step)() :
       {&State::open, &State::open_https, &State::bind, &State::bind_admin, &State::announce_ready})
    if (Result<> done = (state.get()->*step)(); !done) return std::unexpected(done.error());
  return std::unique_ptr<Node>(new Node(std::move(state)));
}

io::Task<> Node::drain() {
  state_->draining = true;
  // One bound for all: what the keeper, systemd or a container waits for before it kills.
  const TimePoint until =
      state_->loop.now() + std::chrono::duration_cast<TimePoint::duration>(state_->server->limits().drain);
  if (state_->https) co_await state_->https->drain();
  co_await state_->server->drain_until(until);
  if (state_->mesh) co_await state_->mesh->leave(kLeavePatience);
  // Streams that would go on for ever end here; the listener goes last, so that a monitor sees the drain.
  state_->events->hub().close();
  if (state_->mcp) state_->mcp->close();
  if (state_->admin_server)
    co_await state_->admin_server->drain_until(std::max(until, state_->loop.now() + kLastWords));
}

const io::Endpoint& Node::listen_endpoint() const { return state_->listen; }
std::optional<io::Endpoint> Node::admin_endpoint() const { return state_->admin; }
metrics::Registry& Node::metrics() { return state_->metrics; }

MeshWing* Node::mesh() { return state_->mesh.get(); }

Result<> Node::reload_secret() {
  if (!state_->mesh) return {};
  Result<> done = state_->mesh->reload_secret();
  // Names of groups follow the secret: which writes touched what is not known under the new ones.
  if (done) state_->proxy->doubt_all();
  return done;
}

std::string Node::stats_json() const { return admin::to_json(state_->admin_source->stats()); }

}  // namespace ghmesh::node
