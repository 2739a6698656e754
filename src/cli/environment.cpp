// SPDX-License-Identifier: Apache-2.0
#include "environment.hpp"

#include <array>

namespace ghmesh::cli {

namespace {

// What never goes through the node: this machine, private networks (for clients that understand prefixes), a cloud's
// metadata, and the runner's own traffic with Actions, which no cache serves.
constexpr std::array kDirect{
    std::string_view("localhost"),
    std::string_view("127.0.0.1"),
    std::string_view("::1"),
    std::string_view("10.0.0.0/8"),
    std::string_view("172.16.0.0/12"),
    std::string_view("192.168.0.0/16"),
    std::string_view(".internal"),
    std::string_view(".local"),
    std::string_view("169.254.169.254"),
    std::string_view(".actions.githubusercontent.com"),
};

bool holds(std::string_view list, std::string_view entry) {
  while (true) {
    const std::size_t comma = list.find(',');
    std::string_view one = list.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one == entry) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

// chained: only what the other proxy has nothing to do with is added, as that may be the one way to all else.
std::string extended_no_proxy(const node::config::Variables& present, bool chained) {
  std::string out;
  // Both spellings are in use; where they differ, neither list is lost.
  for (const char* name : {"no_proxy", "NO_PROXY"}) {
    const auto value = present.get(name);
    if (!value || *value == out) continue;
    out += (out.empty() ? "" : ",") + std::string(*value);
  }
  if (holds(out, "*")) return out;
  for (const std::string_view entry : kDirect) {
    if (holds(out, entry) || (chained && entry.starts_with('.'))) continue;
    if (!out.empty()) out += ',';
    out += entry;
  }
  return out;
}

// A proxy that somebody else set. One of ours from before is none: the node it led to may be gone.
std::optional<std::string> foreign_proxy(const node::config::Variables& present, const std::string& ours) {
  const auto earlier = present.get("GHMESH_URL");
  for (const char* name : {"https_proxy", "HTTPS_PROXY"}) {
    const auto value = present.get(name);
    if (value && *value != ours && (!earlier || *value != *earlier)) return std::string(name);
  }
  return std::nullopt;
}

}  // namespace

void Pointing::tell_of_proxy(const node::config::Config& config) {
  by_proxy = config.upstream_proxy.has_value();
  if (by_proxy) chained = config.upstream_proxy->source;
  proxy_problem = config.proxy_problem;
}

bool is_https_proxy(const node::config::Loaded& loaded) {
  if (loaded.config.connect_policy == node::config::ConnectPolicy::Terminate) return true;
  for (const node::config::Origin& origin : loaded.origins)
    if (origin.flag == "connect-policy") return origin.source == "default";
  return false;
}

PointedEnvironment point_at(const Pointing& node, const node::config::Variables& present) {
  PointedEnvironment out;
  const auto set = [&](const char* name, const std::string& value) {
    if (present.get(name) != value) out.set.emplace(name, value);
  };
  set("GHMESH_URL", node.url);
  if (node.gh_config_dir) set("GH_CONFIG_DIR", *node.gh_config_dir);
  if (!node.ca_out) return out;
  if (foreign_proxy(present, node.url) && !node.proxy_problem.empty()) {
    out.notes.push_back(node.proxy_problem +
                        "; it stays as it is: only gh and clients of GHMESH_URL go through the node");
    return out;
  }
  if (!node.chained.empty()) set("GHMESH_UPSTREAM_PROXY", std::string(*present.get(node.chained)));
  for (const char* name : {"HTTPS_PROXY", "https_proxy"}) set(name, node.url);
  const std::string direct = extended_no_proxy(present, node.by_proxy);
  for (const char* name : {"NO_PROXY", "no_proxy"}) set(name, direct);
  // Node of version 24 and later heeds the proxy variables when told to; earlier ones ignore this.
  set("NODE_USE_ENV_PROXY", "1");
  const std::string bundle = *node.ca_out + "/ca-bundle.pem";
  for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"})
    set(name, bundle);
  // Node adds to its own roots, and reads the file with every start: the small one will do, unless the user had one.
  const std::string small = *node.ca_out + "/ghmesh-ca.pem";
  const auto extra = present.get("NODE_EXTRA_CA_CERTS");
  set("NODE_EXTRA_CA_CERTS", extra && *extra != small ? bundle : small);
  return out;
}

}  // namespace ghmesh::cli
