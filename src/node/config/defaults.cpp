// SPDX-License-Identifier: Apache-2.0
#include "defaults.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "node/config/values.hpp"

namespace ghmesh::node::config {

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool in_ci(const Variables& variables) {
  const auto ci = variables.get("CI");
  return ci && *ci != "false" && *ci != "0";
}

std::string runner_name(const Variables& variables) {
  if (const auto given = variables.get("RUNNER_NAME")) return std::string(*given);
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

// Only a job's token begins so, or an App's, which the node tells apart by what GitHub says of it.
Job find_job(const Variables& variables) {
  Job out;
  const auto repository = variables.get("GITHUB_REPOSITORY");
  if (!repository || std::ranges::count(*repository, '/') != 1) return out;
  out.repository = *repository;
  for (const char* name : {"GITHUB_TOKEN", "GH_TOKEN"}) {
    const auto token = variables.get(name);
    if (!token || !trimmed(*token).starts_with("ghs_")) continue;
    out.token = crypto::SecretText(std::string(trimmed(*token)));
    break;
  }
  return out;
}

struct SecretVariable {
  std::string_view name;
  MeshSecret::Source source;
};

constexpr std::array kSecretVariables{
    SecretVariable{"GHMESH_SECRET", MeshSecret::Source::Variable},
    SecretVariable{"CACHE_P2P_SHARED_SECRET", MeshSecret::Source::Variable},
    SecretVariable{"GH_TOKEN", MeshSecret::Source::Token},
    SecretVariable{"GITHUB_TOKEN", MeshSecret::Source::Token},
};

// Where programs of this user were told to find roots. A bundle that replaces theirs must hold these, too; not those
// that an earlier node wrote into the same place.
std::vector<std::string> user_roots(const Config& config, const Variables& variables) {
  std::vector<std::string> out;
  for (const char* name :
       {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"}) {
    const auto path = variables.get(name);
    if (!path || std::find(out.begin(), out.end(), *path) != out.end()) continue;
    if (config.ca_out && path->starts_with(*config.ca_out + "/")) continue;
    out.emplace_back(*path);
  }
  return out;
}

bool is_own(const Config& config, const UpstreamProxy& proxy) {
  return proxy.port == config.listen.port && is_loopback_host(proxy.host);
}

// Where this user's programs go out of this network. A node of ours is no such place: a loop would be what comes of it.
void find_proxy(Config& config, const Variables& variables) {
  for (const char* name : {"https_proxy", "HTTPS_PROXY"}) {
    const auto value = variables.get(name);
    if (!value || value == variables.get("GHMESH_URL")) continue;
    Result<UpstreamProxy> proxy = parse_upstream_proxy(*value);
    if (!proxy) {
      config.proxy_problem = std::string(name) + " " + proxy.error().message;
      return;
    }
    if (is_own(config, *proxy)) continue;
    proxy->source = name;
    config.upstream_proxy = std::move(*proxy);
    return;
  }
}

}  // namespace

Result<> fill_defaults(Config& config, const Variables& variables, const WasGiven& was_given) {
  if (!was_given("cache-dir")) {
    const auto home = xdg_cache_home(variables);
    if (!home) {
      return fail(ErrorCode::NotFound,
                  "cache-dir: no default, as neither XDG_CACHE_HOME nor HOME is set; give --cache-dir DIR or none");
    }
    config.cache_dir = *home + "/ghmesh";
  }
  if (config.cache_dir) {
    if (!was_given("registry")) config.registry = *config.cache_dir + "/peers";
    if (!was_given("identity")) config.identity = *config.cache_dir + "/identity.key";
  }
  if (!was_given("connect-policy"))
    config.connect_policy = config.ca_out ? ConnectPolicy::Terminate : ConnectPolicy::GitHub;
  config.user_roots = user_roots(config, variables);
  if (!was_given("upstream-proxy")) find_proxy(config, variables);
  if (config.upstream_proxy && is_own(config, *config.upstream_proxy))
    return fail(ErrorCode::Malformed,
                "upstream-proxy: " + config.upstream_proxy->url() + " is this node's own --listen");
  for (const char* name : {"NO_PROXY", "no_proxy"})
    if (const auto list = variables.get(name)) config.direct_hosts = *list;
  if (!was_given("mdns")) config.mdns = !in_ci(variables);
  config.runner_name = runner_name(variables);
  config.job = find_job(variables);
  return {};
}

Result<> find_secret(Config& config, const Inputs& inputs, const SourceOf& source_of, bool file_by_flag_or_variable) {
  MeshSecret& secret = config.secret;
  const bool file_given = secret.source == MeshSecret::Source::File;
  // A file named in the TOML file ranks behind the variables that hold a secret, as everywhere; a token stands in only
  // where nothing else was said.
  if (!file_given || !file_by_flag_or_variable) {
    for (const SecretVariable& candidate : kSecretVariables) {
      if (file_given && candidate.source == MeshSecret::Source::Token) continue;
      const auto value = inputs.variables.get(candidate.name);
      if (!value || trimmed(*value).empty()) continue;
      secret.source = candidate.source;
      secret.from = candidate.name;
      secret.text = crypto::SecretText(std::string(trimmed(*value)));
      return {};
    }
  }
  if (!file_given) return {};
  Result<std::string> text = inputs.read_file(secret.from);
  if (!text) return std::unexpected(std::move(text.error()).with_context(source_of("secret-file")));
  secret.text = crypto::SecretText(std::string(trimmed(*text)));
  crypto::wipe({reinterpret_cast<std::uint8_t*>(text->data()), text->size()});
  if (secret.text.expose().empty()) {
    return fail(ErrorCode::Malformed,
                source_of("secret-file") + ": " + secret.from + " is empty; write one with: ghmesh secret new");
  }
  return {};
}

}  // namespace ghmesh::node::config
