// SPDX-License-Identifier: Apache-2.0
#include "node/config/options.hpp"

#include <array>

#include "node/config/values.hpp"

namespace ghmesh::node::config {

namespace {

using Values = std::span<const std::string>;

// Takes what a parser gives, or passes its error on.
template <typename T, typename U>
Result<> take(T& to, Result<U>&& value) {
  if (!value) return std::unexpected(std::move(value.error()));
  to = std::move(*value);
  return {};
}

template <typename T>
Result<> take_word(T& to, std::optional<T> value, std::string_view text, std::string_view words) {
  if (!value) return fail(ErrorCode::Malformed, "'" + std::string(text) + "' is not one of " + std::string(words));
  to = *value;
  return {};
}

Result<> take_path(std::optional<std::string>& to, const std::string& value) {
  if (value.empty()) return fail(ErrorCode::Malformed, "an empty path");
  to = value;
  return {};
}

Result<> take_addresses(std::vector<multiformats::Multiaddr>& to, Values values) {
  to.clear();
  for (const std::string& value : values) {
    Result<multiformats::Multiaddr> address = multiformats::Multiaddr::parse(value);
    if (!address) return std::unexpected(std::move(address.error()).with_context("'" + value + "'"));
    to.push_back(std::move(*address));
  }
  return {};
}

// Each of many values through its parser.
template <typename T, typename Parse>
Result<> take_each(std::vector<T>& to, Values values, Parse parse) {
  to.clear();
  for (const std::string& value : values) {
    Result<T> parsed = parse(value);
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    to.push_back(std::move(*parsed));
  }
  return {};
}

std::optional<ConnectPolicy> parse_connect_policy(std::string_view word) {
  if (word == "terminate") return ConnectPolicy::Terminate;
  if (word == "github") return ConnectPolicy::GitHub;
  if (word == "tunnel") return ConnectPolicy::Tunnel;
  if (word == "refuse") return ConnectPolicy::Refuse;
  return std::nullopt;
}

std::optional<std::string> unchanged(std::string_view value, const Config&, const Variables&) {
  return std::string(value);
}

// The older tool named a port only; it listened on every interface.
std::optional<std::string> port_as_multiaddr(std::string_view value, const Config&, const Variables&) {
  return parse_port(value) ? "/ip4/0.0.0.0/tcp/" + std::string(value) : std::string(value);
}

// GITHUB_API_URL is set on every runner, and to ourselves once `run` or `init` has pointed a job at this node. Being
// our own upstream would be a loop.
std::optional<std::string> upstream_unless_ours(std::string_view value, const Config& so_far,
                                                const Variables& variables) {
  if (const auto ours = variables.get("GHMESH_URL"); ours && ours == value) return std::nullopt;
  const Result<http::Url> url = http::parse_url(value);
  if (url && url->port == so_far.listen.port && is_loopback_host(url->host)) return std::nullopt;
  return std::string(value);
}

constexpr std::string_view kClients = "Where clients come in";
constexpr std::string_view kOrigin = "Where answers come from";
constexpr std::string_view kCache = "What is kept and believed";
constexpr std::string_view kMesh = "Who shares";
constexpr std::string_view kLog = "What is said";

constexpr std::array kOptions{
    Option{.flag = "listen",
           .toml = "listen",
           .notation = "ADDR:PORT",
           .fallback = "127.0.0.1:8418",
           .group = kClients,
           .meaning = "HTTP for clients, as a reverse proxy of --upstream and as a forward proxy; port 0 picks one",
           .apply = [](Config& c, Values v) { return take(c.listen, parse_endpoint(v[0])); }},
    Option{.flag = "socket",
           .toml = "socket",
           .notation = "PATH",
           .group = kClients,
           .meaning = "the same HTTP on a unix socket of mode 0600 (gh config set http_unix_socket PATH)",
           .apply = [](Config& c, Values v) { return take_path(c.socket, v[0]); }},
    Option{.flag = "admin",
           .toml = "admin",
           .notation = "ADDR:PORT|off",
           .fallback = "127.0.0.1:8417",
           .group = kClients,
           .meaning = "health, statistics and metrics for people and monitors",
           .apply = [](Config& c, Values v) -> Result<> {
             if (v[0] == "off") {
               c.admin.reset();
               return {};
             }
             return take(c.admin, parse_endpoint(v[0]));
           }},
    Option{.flag = "ready-file",
           .toml = "ready_file",
           .notation = "PATH",
           .group = kClients,
           .meaning = "written once all listeners are bound: JSON with their real addresses",
           .apply = [](Config& c, Values v) { return take_path(c.ready_file, v[0]); }},
    Option{.flag = "connect-policy",
           .toml = "connect.policy",
           .notation = "terminate|github|tunnel|refuse",
           .group = kClients,
           .meaning = "CONNECT: answer the API's hosts here and tunnel to any public host; the same to GitHub's hosts "
                      "only; only tunnel; neither (default: terminate with --ca-out, else github)",
           .apply =
               [](Config& c, Values v) {
                 return take_word(c.connect_policy, parse_connect_policy(v[0]), v[0],
                                  "terminate, github, tunnel, refuse");
               }},
    Option{.flag = "ca-out",
           .toml = "connect.ca_out",
           .notation = "DIR",
           .group = kClients,
           .meaning = "where to write the local CA, with which the API's hosts are answered over HTTPS: ghmesh-ca.pem, "
                      "and ca-bundle.pem with the system's roots beside it; removed at the end",
           .apply = [](Config& c, Values v) { return take_path(c.ca_out, v[0]); }},
    Option{
        .flag = "tunnel-to",
        .toml = "connect.tunnel_to",
        .notation = "HOST",
        .group = kClients,
        .meaning = "host that tunnels may lead to though it is not public, or not GitHub's; *.NAME for all below NAME",
        .many = true,
        .apply = [](Config& c, Values v) { return take_each(c.tunnel_to, v, parse_host_rule); }},
    Option{.flag = "resolve",
           .toml = "connect.resolve",
           .notation = "HOST:PORT:ADDR:PORT",
           .group = kClients,
           .meaning = "for tests: a host's port is found at this loopback address and port",
           .many = true,
           .apply = [](Config& c, Values v) { return take_each(c.resolve, v, parse_resolve); }},
    Option{.flag = "upstream",
           .toml = "upstream.url",
           .notation = "URL",
           .fallback = "https://api.github.com",
           .group = kOrigin,
           .meaning = "the origin: GitHub, or GitHub Enterprise Server; http:// for loopback only",
           .compatible = {"GITHUB_API_URL", upstream_unless_ours},
           .apply = [](Config& c, Values v) { return take(c.upstream, parse_upstream(v[0])); }},
    Option{.flag = "upstream-ca",
           .toml = "upstream.ca",
           .notation = "FILE",
           .group = kOrigin,
           .meaning = "certificates (PEM) to trust beside the system's",
           .apply = [](Config& c, Values v) { return take_path(c.upstream_ca, v[0]); }},
    Option{.flag = "upstream-proxy",
           .toml = "upstream.proxy",
           .notation = "URL|none",
           .group = kOrigin,
           .meaning =
               "HTTP proxy by which the origin and tunnels' hosts are reached, http://[USER:PASSWORD@]HOST:PORT; "
               "hosts of NO_PROXY are not (default: HTTPS_PROXY, unless that is this node)",
           .apply = [](Config& c, Values v) -> Result<> {
             c.upstream_proxy.reset();
             return v[0] == "none" ? Result<>() : take(c.upstream_proxy, parse_upstream_proxy(v[0]));
           }},
    Option{.flag = "reserve",
           .toml = "upstream.reserve",
           .notation = "PERCENT",
           .fallback = "0",
           .group = kOrigin,
           .meaning = "share of each rate limit that reads leave for writes, 0 to 90",
           .apply = [](Config& c, Values v) { return take(c.reserve_percent, parse_percent(v[0], 90)); }},
    Option{.flag = "max-queue",
           .toml = "upstream.max_queue",
           .notation = "SECONDS",
           .fallback = "30",
           .group = kOrigin,
           .meaning = "longest wait for GitHub's limits; beyond it a client gets GitHub's own kind of refusal",
           .apply = [](Config& c, Values v) { return take(c.max_queue, parse_seconds(v[0])); }},
    Option{.flag = "rewrite-links",
           .toml = "upstream.rewrite_links",
           .notation = "on|off",
           .fallback = "off",
           .group = kOrigin,
           .meaning = "Link and Location lead reverse-proxy clients back here (Renovate, PyGithub); others never",
           .apply = [](Config& c, Values v) { return take(c.rewrite_links, parse_switch(v[0])); }},
    Option{.flag = "cache-dir",
           .toml = "cache.dir",
           .notation = "DIR|none",
           .group = kCache,
           .meaning = "the store on disk; none keeps everything in memory (default: the XDG cache directory + /ghmesh)",
           .compatible = {"CACHE_DIR", unchanged},
           .apply = [](Config& c, Values v) -> Result<> {
             if (v[0] == "none") {
               c.cache_dir.reset();
               return {};
             }
             return take_path(c.cache_dir, v[0]);
           }},
    Option{.flag = "memory-max",
           .toml = "cache.memory_max",
           .notation = "SIZE",
           .fallback = "64MiB",
           .group = kCache,
           .meaning = "bound of the memory tier",
           .apply = [](Config& c, Values v) { return take(c.memory_max, parse_size(v[0])); }},
    Option{.flag = "disk-max",
           .toml = "cache.disk_max",
           .notation = "SIZE",
           .fallback = "1GiB",
           .group = kCache,
           .meaning = "bound of the disk tier",
           .apply = [](Config& c, Values v) { return take(c.disk_max, parse_size(v[0])); }},
    Option{.flag = "freshness",
           .toml = "cache.freshness",
           .notation = "strict|github|relaxed|http",
           .fallback = "github",
           .group = kCache,
           .meaning = "how long an answer is believed without asking; http is RFC 9111 without GitHub's tables",
           .apply =
               [](Config& c, Values v) {
                 return take_word(c.freshness, github::parse_freshness_policy(v[0]), v[0],
                                  "strict, github, relaxed, http");
               }},
    Option{.flag = "stale-if-error",
           .toml = "cache.stale_if_error",
           .notation = "SECONDS",
           .fallback = "0",
           .group = kCache,
           .meaning = "how old a once proved answer may be when the origin fails or the quota is spent",
           .apply = [](Config& c, Values v) { return take(c.stale_if_error, parse_seconds(v[0])); }},
    Option{.flag = "ttl",
           .toml = "cache.ttl",
           .notation = "SECONDS",
           .group = kCache,
           .meaning = "freshness of what is neither immutable nor volatile",
           .compatible = {"CACHE_DEFAULT_TTL", unchanged},
           .apply = [](Config& c, Values v) { return take(c.ttl, parse_seconds(v[0])); }},
    Option{.flag = "proof",
           .toml = "cache.proof",
           .notation = "on|off",
           .fallback = "on",
           .group = kCache,
           .meaning = "let GitHub prove answers across tokens by free 304s",
           .apply = [](Config& c, Values v) { return take(c.proof, parse_switch(v[0])); }},
    Option{.flag = "p2p",
           .toml = "p2p.enabled",
           .notation = "on|off",
           .fallback = "on",
           .group = kMesh,
           .meaning = "join the mesh; off, or without a secret, the node is a local cache",
           .compatible = {"CACHE_ENABLE_P2P", unchanged},
           .apply = [](Config& c, Values v) { return take(c.p2p, parse_switch(v[0])); }},
    Option{.flag = "p2p-listen",
           .toml = "p2p.listen",
           .notation = "MULTIADDR",
           .fallback = "/ip4/0.0.0.0/tcp/9100",
           .group = kMesh,
           .meaning = "where peers come in",
           .many = true,
           .compatible = {"CACHE_LISTEN_PORT", port_as_multiaddr},
           .apply = [](Config& c, Values v) { return take_addresses(c.p2p_listen, v); }},
    Option{.flag = "announce",
           .toml = "p2p.announce",
           .notation = "MULTIADDR",
           .group = kMesh,
           .meaning = "what peers are told (default: the interfaces' addresses)",
           .many = true,
           .apply = [](Config& c, Values v) { return take_addresses(c.announce, v); }},
    Option{.flag = "bootstrap",
           .toml = "p2p.bootstrap",
           .notation = "MULTIADDR",
           .group = kMesh,
           .meaning = "peers to begin with; unreachable ones are tried again",
           .many = true,
           .compatible = {"CACHE_BOOTSTRAP_PEERS", unchanged},
           .apply = [](Config& c, Values v) { return take_addresses(c.bootstrap, v); }},
    Option{.flag = "registry",
           .toml = "p2p.registry",
           .notation = "DIR",
           .group = kMesh,
           .meaning = "shared directory of peer records (default: the cache directory + /peers)",
           .apply = [](Config& c, Values v) { return take_path(c.registry, v[0]); }},
    Option{.flag = "mdns",
           .toml = "p2p.mdns",
           .notation = "on|off",
           .group = kMesh,
           .meaning = "find peers on the local network (default: off in CI, on elsewhere)",
           .apply = [](Config& c, Values v) { return take(c.mdns, parse_switch(v[0])); }},
    Option{.flag = "share",
           .toml = "p2p.share",
           .notation = "mesh|public",
           .fallback = "mesh",
           .group = kMesh,
           .meaning = "what members may read from this node: all that can be shared, or public repositories only",
           .apply =
               [](Config& c, Values v) {
                 std::optional<Share> share;
                 if (v[0] == "mesh") share = Share::Mesh;
                 if (v[0] == "public") share = Share::Public;
                 return take_word(c.share, share, v[0], "mesh, public");
               }},
    Option{.flag = "mesh-patience",
           .toml = "p2p.patience",
           .notation = "TIME",
           .fallback = "50ms",
           .group = kMesh,
           .meaning = "how long a request may wait for the mesh before this node asks GitHub itself; more for members "
                      "that are far from each other, the same everywhere",
           .apply = [](Config& c, Values v) { return take(c.mesh_patience, parse_patience(v[0])); }},
    Option{.flag = "secret-file",
           .toml = "p2p.secret_file",
           .notation = "FILE",
           .group = kMesh,
           .meaning = "the mesh secret (ghmesh secret new); else GHMESH_SECRET, CACHE_P2P_SHARED_SECRET, or GH_TOKEN, "
                      "GITHUB_TOKEN",
           .apply = [](Config& c, Values v) -> Result<> {
             if (v[0].empty()) return fail(ErrorCode::Malformed, "an empty path");
             c.secret.source = MeshSecret::Source::File;
             c.secret.from = v[0];
             return {};
           }},
    Option{.flag = "identity",
           .toml = "p2p.identity",
           .notation = "FILE",
           .group = kMesh,
           .meaning = "Ed25519 key of this node, made once (default: the cache directory + /identity.key)",
           .apply = [](Config& c, Values v) { return take_path(c.identity, v[0]); }},
    Option{.flag = "log-level",
           .toml = "log.level",
           .notation = "debug|info|warn|error|off",
           .fallback = "info",
           .group = kLog,
           .meaning = "from which level on lines are written to standard error",
           .apply =
               [](Config& c, Values v) {
                 return take_word(c.log_level, log::parse_level(v[0]), v[0], "debug, info, warn, error, off");
               }},
    Option{.flag = "log-format",
           .toml = "log.format",
           .notation = "text|json",
           .fallback = "text",
           .group = kLog,
           .meaning = "lines for people or for machines",
           .apply = [](Config& c,
                       Values v) { return take_word(c.log_format, log::parse_format(v[0]), v[0], "text, json"); }},
    Option{.flag = "log-sample",
           .toml = "log.sample",
           .notation = "N",
           .fallback = "1",
           .group = kLog,
           .meaning = "at debug, write one in N of the requests' lines, and those of all that failed",
           .apply = [](Config& c, Values v) { return take(c.log_sample, parse_one_in(v[0])); }},
};

}  // namespace

std::span<const Option> options() { return kOptions; }

const Option* find_option(std::string_view flag) {
  for (const Option& option : kOptions) {
    if (option.flag == flag) return &option;
  }
  return nullptr;
}

std::string variable_of(const Option& option) {
  std::string name = "GHMESH_";
  for (const char c : option.flag) {
    if (c == '-') {
      name += '_';
    } else {
      name += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
  }
  return name;
}

std::vector<std::string_view> choices_of(const Option& option) {
  std::vector<std::string_view> words;
  if (option.notation.find('|') == std::string_view::npos) return words;
  for (std::string_view rest = option.notation; !rest.empty();) {
    const std::size_t bar = rest.find('|');
    const std::string_view word = rest.substr(0, bar);
    if (word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string_view::npos) words.push_back(word);
    rest.remove_prefix(bar == std::string_view::npos ? rest.size() : bar + 1);
  }
  return words;
}

bool is_other_variable(std::string_view name) {
  static constexpr std::array kOthers{
      std::string_view("GHMESH_CONFIG"),          // --config
      std::string_view("GHMESH_SECRET"),          // the mesh secret itself
      std::string_view("GHMESH_URL"),             // set for children: where the node answers
      std::string_view("GHMESH_NODE"),            // set for children: the ready file of the node that commands ask
      std::string_view("GHMESH_STATE_DIR"),       // init, stop: the session
      std::string_view("GHMESH_BIN"),             // the bootstrap script and the action: the program itself
      std::string_view("GHMESH_RELEASE_URL"),     // the same: where it is downloaded
      std::string_view("GHMESH_RELEASE_SHA256"),  // the same: what it must be
  };
  for (const std::string_view other : kOthers) {
    if (name == other) return true;
  }
  return false;
}

}  // namespace ghmesh::node::config
