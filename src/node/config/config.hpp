// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "crypto/secret.hpp"
#include "github/freshness.hpp"
#include "http/message/url.hpp"
#include "io/endpoint.hpp"
#include "multiformats/multiaddr.hpp"
#include "node/config/variables.hpp"

// What a node is told, as typed values, and how it is told: flag, then GHMESH_* variable, then the variable of an older
// tool that it replaces, then a TOML file, then the default. Every setting is one row of the table in options.hpp; an
// unknown name, a bad value and an unreadable file are errors that name themselves. No room below node reads
// configuration or environment. Values; any thread.

namespace ghmesh::node::config {

// What members of the mesh may read from this node.
enum class Share : std::uint8_t { Mesh, Public };

// What becomes of CONNECT, the way by which HTTPS clients use a forward proxy.
enum class ConnectPolicy : std::uint8_t {
  Terminate,  // the API's hosts are answered here, any other public host is tunnelled
  GitHub,     // the same, but tunnels lead to GitHub's own hosts only
  Tunnel,     // nothing is answered here, any public host is tunnelled
  Refuse,
};

// A name that is not resolved but known: for tests, which have loopback only.
struct Resolve {
  std::string host;  // lower case
  std::uint16_t port = 0;
  io::Endpoint to;
};

// The mesh secret as it was given; what is derived from it is the mesh's business. A token stands in where nothing else
// was said.
struct MeshSecret {
  enum class Source : std::uint8_t { None, File, Variable, Token };
  Source source = Source::None;
  std::string from;  // the file's or variable's name
  crypto::SecretText text;
};

// The Actions job in whose environment this node was started. GitHub counts the primary limits of a repository's job
// tokens together, and nothing but this environment says which token is whose.
struct Job {
  std::string repository;    // OWNER/REPO; "": none
  crypto::SecretText token;  // of that job; empty where it was not given
};

// A proxy that lets connections out of this network.
struct UpstreamProxy {
  std::string host;
  std::uint16_t port = 0;
  crypto::SecretText credentials;  // "user:password", or empty
  std::string source;              // the variable it was found in; empty: it was given as a setting

  // Without the credentials.
  std::string url() const { return "http://" + host + ":" + std::to_string(port); }
};

struct Config {
  // Where clients come in.
  io::Endpoint listen;
  std::optional<std::string> socket;
  std::optional<io::Endpoint> admin;  // nothing: off
  std::optional<std::string> ready_file;
  ConnectPolicy connect_policy = ConnectPolicy::GitHub;
  std::optional<std::string> ca_out;   // directory for what clients of answered CONNECTs are to trust
  std::vector<std::string> tunnel_to;  // "name" or "*.name": tunnels may lead there, wherever that is
  std::vector<Resolve> resolve;
  // Files of certificates that this user's programs were told to trust before (SSL_CERT_FILE and the like).
  std::vector<std::string> user_roots;

  // Where answers come from. upstream.target is "/" or a prefix without a slash at its end.
  http::Url upstream;
  std::optional<std::string> upstream_ca;
  std::optional<UpstreamProxy> upstream_proxy;
  // Why the proxy that the environment names is none that could be used; names the variable.
  std::string proxy_problem;
  std::string direct_hosts;  // a NO_PROXY list: reached without upstream_proxy

  // What is kept, and for how long it is believed.
  std::optional<std::string> cache_dir;  // nothing: memory only
  std::uint64_t memory_max = 0;          // bytes
  std::uint64_t disk_max = 0;            // bytes
  github::FreshnessPolicy freshness = github::FreshnessPolicy::GitHub;
  std::chrono::seconds stale_if_error{0};
  std::optional<std::chrono::seconds> ttl;
  bool proof = true;
  int reserve_percent = 0;             // of each limit, kept for writes
  std::chrono::seconds max_queue{30};  // a client's patience while GitHub's limits are waited out
  bool rewrite_links = false;

  // Who shares.
  Share share = Share::Mesh;
  bool p2p = true;  // wanted; without a secret there is still no mesh
  std::vector<multiformats::Multiaddr> p2p_listen;
  std::vector<multiformats::Multiaddr> announce;  // empty: the interfaces' addresses
  std::vector<multiformats::Multiaddr> bootstrap;
  std::optional<std::string> registry;  // nothing: memory only, and none was named
  bool mdns = false;
  std::chrono::milliseconds mesh_patience{50};  // what the mesh may add to a request
  std::string runner_name;                      // RUNNER_NAME, else the host's; for people who read the registry
  MeshSecret secret;
  Job job;
  std::optional<std::string> identity;  // nothing: a fresh identity each start

  log::Level log_level = log::Level::Info;
  log::Format log_format = log::Format::Text;
  std::uint64_t log_sample = 1;  // of the request lines at debug, one in so many is written

  bool wants_mesh() const { return p2p && secret.source != MeshSecret::Source::None; }
};

// Where a setting's value came from, for people. value never holds a secret.
struct Origin {
  std::string_view flag;  // without its dashes
  std::string value;      // as it was given; the default's text if nobody gave one
  std::string source;     // "--listen", "GHMESH_LISTEN", "node.toml: listen", "default"
};

struct Loaded {
  Config config;
  std::vector<Origin> origins;  // one per row of the table, in its order
};

// Flags as given on the command line, without dashes, in order; a repeated flag of many values adds.
using Flags = std::vector<std::pair<std::string, std::string>>;

struct Inputs {
  Flags flags;
  Variables variables;
  // Reads a whole file (the TOML file and the secret file). The default reads the file system, 1 MiB at most.
  std::function<Result<std::string>(const std::string& path)> read_file;
};

// Malformed, NotFound or Io (Fault::Local); the message names the setting, its source and what would be right.
Result<Loaded> load(const Inputs& inputs);

Result<std::string> read_small_file(const std::string& path);

}  // namespace ghmesh::node::config
