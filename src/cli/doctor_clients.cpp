// SPDX-License-Identifier: Apache-2.0
// Clients, each by its own rules for proxies and roots:
//
//   client    proxy variable, first one counts     NO_PROXY      a bare name there     roots
//   gh (Go)   HTTPS_PROXY https_proxy              upper, lower  and all below it      SSL_CERT_FILE
//   curl, git https_proxy HTTPS_PROXY ALL_PROXY    lower, upper  and all below it      CURL_CA_BUNDLE; GIT_SSL_CAINFO
//   Node      https_proxy HTTPS_PROXY              lower, upper  that name only        its own + NODE_EXTRA_CA_CERTS
//   Python    https_proxy HTTPS_PROXY              lower, upper  and all below it      SSL_CERT_FILE,
//   REQUESTS_CA_BUNDLE Java      none: -Dhttps.proxyHost -Djavax.net.ssl.trustStore
#include <initializer_list>
#include <span>

#include "doctor.hpp"
#include "gh_config.hpp"
#include "github/target.hpp"
#include "proxy/way_out.hpp"

namespace ghmesh::cli::doctor {

namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
// The system's roots are over a hundred; fewer means that somebody named a single CA where all belong.
constexpr std::size_t kFewRoots = 10;

constexpr std::string_view kUpperProxy[] = {"HTTPS_PROXY", "https_proxy"};
constexpr std::string_view kLowerProxy[] = {"https_proxy", "HTTPS_PROXY"};
constexpr std::string_view kCurlProxy[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
constexpr std::string_view kUpperNo[] = {"NO_PROXY", "no_proxy"};
constexpr std::string_view kLowerNo[] = {"no_proxy", "NO_PROXY"};

struct Rules {
  Names proxy;
  Names no_proxy;
  bool bare_is_suffix = true;
};
constexpr Rules kGo{kUpperProxy, kUpperNo};
constexpr Rules kCurl{kCurlProxy, kLowerNo};
constexpr Rules kNode{kLowerProxy, kLowerNo, false};
constexpr Rules kPython{kLowerProxy, kLowerNo};

struct Named {
  std::string_view name, value;
};
std::optional<Named> first_of(const node::config::Variables& variables, Names names) {
  for (const std::string_view name : names)
    if (const auto value = variables.get(name)) return Named{name, *value};
  return std::nullopt;
}

std::string without_white_space(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') out += c;
  return out;
}

std::size_t certificates_in(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(kBegin, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

// "http://127.0.0.1:8418/" and "127.0.0.1:8418" are one place.
std::string_view place_of(std::string_view url) {
  if (url.starts_with("http://")) url.remove_prefix(7);
  while (url.ends_with('/')) url.remove_suffix(1);
  if (url.starts_with("localhost:")) return url.substr(9);
  if (url.starts_with("127.0.0.1:")) return url.substr(9);
  return url;
}

class Client {
 public:
  Client(const Machine& machine, const NodeFacts& node, std::string name)
      : machine_(machine), node_(node), name_(std::move(name)) {}

  Finding ok(std::string detail) const { return {Verdict::Ok, name_, std::move(detail), ""}; }
  Finding warning(std::string detail, std::string fix) const {
    return {Verdict::Warning, name_, std::move(detail), std::move(fix)};
  }
  Finding wrong(std::string detail, std::string fix) const {
    return {Verdict::Wrong, name_, std::move(detail), std::move(fix)};
  }

  // Nothing: requests for the API go to the node's HTTPS door. Else why they do not. own: what its own settings say,
  // before any variable.
  std::optional<Finding> not_proxied(const Rules& rules, std::optional<Named> own = std::nullopt) const {
    const auto proxy = own ? own : first_of(machine_.variables, rules.proxy);
    if (!proxy)
      return wrong("goes to " + node_.host + " directly: " + names(rules.proxy) + " is not set", export_proxy());
    if (place_of(proxy->value) != place_of(node_.url))
      return wrong("goes to the proxy of " + std::string(proxy->name) + ", which is not this node", export_proxy());
    const auto direct = first_of(machine_.variables, rules.no_proxy);
    if (direct && proxy::is_direct(direct->value, node_.host, 443, rules.bare_is_suffix))
      return wrong("goes to " + node_.host + " directly: " + std::string(direct->name) + " says so",
                   "take the entry that matches " + node_.host + " out of NO_PROXY and no_proxy");
    if (!node_.answers) return wrong("fails: its proxy " + node_.url + " does not answer", "eval \"$(ghmesh init)\"");
    if (node_.ca.empty())
      return wrong("goes through the node as a tunnel, and nothing is cached: the node answers no HTTPS",
                   "start the node with --ca-out DIR, or let ghmesh init start it");
    return std::nullopt;
  }

  // Nothing: what the variables name holds the node's CA. adds: to roots of its own, else in their place.
  std::optional<Finding> not_trusted(Names variables, bool adds) const {
    const std::string file = node_.ca_dir.value_or("DIR") + (adds ? "/ghmesh-ca.pem" : "/ca-bundle.pem");
    const std::string fix = "export " + std::string(variables.front()) + "=" + file;
    const auto named = first_of(machine_.variables, variables);
    if (!named) return wrong("refuses the node's certificate: " + names(variables) + " is not set", fix);
    return not_trusted_file(*named, adds, fix);
  }

  std::optional<Finding> not_trusted_file(const Named& named, bool adds, const std::string& fix) const {
    const auto text = machine_.read_file(std::string(named.value));
    const std::string what = std::string(named.name) + " (" + std::string(named.value) + ")";
    if (!text) return wrong("cannot read its roots, " + what, fix);
    if (!holds_certificate(*text, node_.ca))
      return wrong("refuses the node's certificate: its CA is not in " + what, fix);
    if (!adds && certificates_in(*text) < kFewRoots)
      return wrong("trusts the node and hardly anybody else: the system's roots are not in " + what, fix);
    return std::nullopt;
  }

  std::string export_proxy() const { return "export HTTPS_PROXY=" + node_.url + " https_proxy=" + node_.url; }
  const Machine& machine() const { return machine_; }
  const NodeFacts& node() const { return node_; }

 private:
  static std::string names(Names all) {
    std::string out;
    for (const std::string_view name : all.first(std::min<std::size_t>(all.size(), 2)))
      out += (out.empty() ? "" : " or ") + std::string(name);
    return out;
  }

  const Machine& machine_;
  const NodeFacts& node_;
  std::string name_;
};

// The value of a top-level key of gh's config.yml, plain or quoted.
std::string yaml_value(std::string_view yaml, std::string_view key) {
  for (std::size_t begin = 0; begin < yaml.size();) {
    const std::size_t end = std::min(yaml.find('\n', begin), yaml.size());
    std::string_view line = yaml.substr(begin, end - begin);
    begin = end + 1;
    if (!line.starts_with(key) || !line.substr(key.size()).starts_with(':')) continue;
    line.remove_prefix(key.size() + 1);
    while (!line.empty() && (line.front() == ' ' || line.front() == '"' || line.front() == '\'')) line.remove_prefix(1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '"' || line.back() == '\'' || line.back() == '\r'))
      line.remove_suffix(1);
    return std::string(line);
  }
  return "";
}

Finding gh_by_socket(const Client& gh, const std::string& socket) {
  const NodeFacts& node = gh.node();
  const std::string fix = "gh config set http_unix_socket '" + node.socket.value_or("") + "'";
  const auto facts = gh.machine().file(socket);
  if (!facts || !facts->socket) return gh.wrong("fails: http_unix_socket names no socket: " + socket, fix);
  if (node.socket && *node.socket != socket)
    return gh.wrong("uses another node's socket, " + socket + ", not " + *node.socket, fix);
  if (!node.answers) return gh.wrong("fails: nobody answers behind its socket " + socket, "eval \"$(ghmesh init)\"");
  return gh.ok("by the socket " + socket);
}

Finding check_gh(const Client& gh) {
  const Machine& machine = gh.machine();
  if (const auto host = machine.variables.get("GH_HOST"); host && *host != "github.com" && *host != gh.node().host)
    return gh.warning("asks " + std::string(*host) + " (GH_HOST), which is not what this node caches",
                      "unset GH_HOST, or start the node with --upstream https://" + std::string(*host) + "/api/v3");
  if (const auto dir = gh_config_dir(machine.variables)) {
    const auto config = machine.read_file(*dir + "/config.yml");
    const std::string socket = config ? yaml_value(*config, "http_unix_socket") : "";
    if (!socket.empty()) return gh_by_socket(gh, socket);
  }
  constexpr std::string_view kRoots[] = {"SSL_CERT_FILE"};
  if (auto finding = gh.not_proxied(kGo)) {
    if (gh.node().socket && gh.node().answers)
      finding->fix = "gh config set http_unix_socket '" + *gh.node().socket + "'";
    return *finding;
  }
  if (auto finding = gh.not_trusted(kRoots, false)) return *finding;
  return gh.ok("by HTTPS_PROXY");
}

// The value of a long option in a .curlrc: "proxy = x", "proxy: x", "--proxy x"; the last one counts.
std::optional<std::string> curlrc_value(std::string_view text, std::string_view option) {
  std::optional<std::string> out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t' || line.front() == '-')) line.remove_prefix(1);
    if (!line.starts_with(option)) continue;
    line.remove_prefix(option.size());
    if (line.empty() || std::string_view(" \t=:").find(line.front()) == std::string_view::npos) continue;
    line.remove_prefix(std::min(line.find_first_not_of(" \t=:\""), line.size()));
    while (!line.empty() && std::string_view(" \t\r\"").find(line.back()) != std::string_view::npos)
      line.remove_suffix(1);
    out = std::string(line);
  }
  return out;
}

std::string curlrc(const Machine& machine) {
  std::vector<std::string> places;
  if (const auto home = machine.variables.get("CURL_HOME")) places.push_back(std::string(*home) + "/.curlrc");
  if (const auto home = machine.variables.get("XDG_CONFIG_HOME")) places.push_back(std::string(*home) + "/.curlrc");
  if (const auto home = machine.variables.get("HOME")) places.push_back(std::string(*home) + "/.curlrc");
  for (const std::string& place : places)
    if (auto text = machine.read_file(place)) return *text;
  return "";
}

Finding check_curl(const Client& curl) {
  constexpr std::string_view kRoots[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE"};
  const std::string settings = curlrc(curl.machine());
  const auto proxy = curlrc_value(settings, "proxy");
  if (const auto direct = curlrc_value(settings, "noproxy"); direct && proxy::is_direct(*direct, curl.node().host, 443))
    return curl.wrong("goes to " + curl.node().host + " directly: noproxy in .curlrc says so",
                      "take " + curl.node().host + " out of noproxy in .curlrc");
  if (auto finding = curl.not_proxied(kCurl, proxy ? std::optional(Named{"proxy in .curlrc", *proxy}) : std::nullopt))
    return *finding;
  const auto roots = curlrc_value(settings, "cacert");
  const std::string fix = "take cacert out of .curlrc";
  auto finding =
      roots ? curl.not_trusted_file({"cacert in .curlrc", *roots}, false, fix) : curl.not_trusted(kRoots, false);
  return finding ? *finding : curl.ok("by HTTPS_PROXY");
}

// git asks github.com, which the node tunnels: what matters is that it still works. An Enterprise Server has git on the
// API's host, where the node answers with its own leaf and passes it on: there git must trust that.
Finding check_git(const Client& git) {
  const Machine& machine = git.machine();
  constexpr std::string_view kRoots[] = {"GIT_SSL_CAINFO"};
  if (const auto roots = first_of(machine.variables, kRoots)) {
    const auto text = machine.read_file(std::string(roots->value));
    const std::string fix = git.node().ca_dir && !git.node().ca.empty()
                                ? "export GIT_SSL_CAINFO=" + *git.node().ca_dir + "/ca-bundle.pem"
                                : "unset GIT_SSL_CAINFO";
    if (!text) return git.wrong("fails over HTTPS: GIT_SSL_CAINFO names no readable file", fix);
    if (certificates_in(*text) < kFewRoots)
      return git.wrong("fails with github.com: the system's roots are not in GIT_SSL_CAINFO", fix);
  }
  std::string own;
  if (const auto text = machine.output_of({"git", "config", "--get", "http.proxy"})) own = without_white_space(*text);
  const auto proxy = own.empty() ? first_of(machine.variables, kCurl.proxy) : std::optional(Named{"http.proxy", own});
  if (proxy && place_of(proxy->value) == place_of(git.node().url)) {
    if (!git.node().answers)
      return git.wrong("fails: its proxy " + git.node().url + " does not answer", "eval \"$(ghmesh init)\"");
    if (github::host_kind(git.node().host) != github::HostKind::EnterpriseServer || git.node().ca.empty())
      return git.ok("tunnelled to github.com; the cache is for the API only");
    if (auto finding = git.not_trusted(kRoots, false)) return *finding;
    return git.ok("passed on to " + git.node().host + "; the cache is for the API only");
  }
  return git.ok("not by way of the node; the cache is for the API only");
}

// Since 22.21 and 24.5 Node's own fetch and https heed the proxy variables when told to.
bool node_knows_proxies(std::string_view version) {
  int major = 0, minor = 0;
  if (std::sscanf(std::string(version).c_str(), "v%d.%d", &major, &minor) != 2) return false;
  return major > 24 || (major == 24 && minor >= 5) || (major == 22 && minor >= 21);
}

Finding check_node(const Client& node) {
  constexpr std::string_view kRoots[] = {"NODE_EXTRA_CA_CERTS"};
  const Machine& machine = node.machine();
  if (auto finding = node.not_proxied(kNode)) return *finding;
  if (auto finding = node.not_trusted(kRoots, true)) return *finding;
  const std::string version = without_white_space(machine.output_of({"node", "--version"}).value_or(""));
  if (!node_knows_proxies(version))
    return node.warning("Node " + version +
                            " itself heeds no proxy: @actions/github and proxy agents go through the node, plain fetch "
                            "and Octokit go directly",
                        "use Node 24 or 22.21, or give Octokit baseUrl: process.env.GHMESH_URL");
  const bool told =
      machine.variables.get("NODE_USE_ENV_PROXY") == "1" ||
      machine.variables.get("NODE_OPTIONS").value_or("").find("--use-env-proxy") != std::string_view::npos;
  if (!told)
    return node.wrong("Node " + version + " heeds no proxy unless it is told to", "export NODE_USE_ENV_PROXY=1");
  return node.ok("by HTTPS_PROXY and NODE_USE_ENV_PROXY, Node " + version);
}

Finding check_python(const Client& python) {
  constexpr std::string_view kUrllib[] = {"SSL_CERT_FILE"};
  constexpr std::string_view kRequests[] = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"};
  if (auto finding = python.not_proxied(kPython)) return *finding;
  if (auto finding = python.not_trusted(kUrllib, false)) return *finding;
  if (auto finding = python.not_trusted(kRequests, false)) {
    finding->detail = "urllib goes through the node; requests: " + finding->detail;
    return *finding;
  }
  return python.ok("by HTTPS_PROXY (urllib and requests)");
}

// The value of -Dname=value in the options that every JVM reads.
std::optional<std::string> java_property(const Machine& machine, std::string_view name) {
  for (const std::string_view variable : {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"}) {
    const auto options = machine.variables.get(variable);
    if (!options) continue;
    const std::string wanted = "-D" + std::string(name) + "=";
    const std::size_t at = options->find(wanted);
    if (at == std::string_view::npos) continue;
    const std::size_t begin = at + wanted.size();
    return std::string(options->substr(begin, options->find(' ', begin) - begin));
  }
  return std::nullopt;
}

Finding check_java(const Client& java) {
  const NodeFacts& node = java.node();
  const Machine& machine = java.machine();
  const std::string_view place = std::string_view(node.url).substr(std::min<std::size_t>(7, node.url.size()));
  const std::size_t colon = place.rfind(':');
  const std::string host(place.substr(0, colon)), port(colon == std::string_view::npos ? "" : place.substr(colon + 1));
  const std::string store = node.ca_dir.value_or("DIR") + "/truststore.p12";
  const std::string keytool = "cp \"$(dirname \"$(readlink -f \"$(command -v java)\")\")/../lib/security/cacerts\" " +
                              store + " && keytool -importcert -noprompt -alias ghmesh -storepass changeit -keystore " +
                              store + " -file " + node.ca_dir.value_or("DIR") + "/ghmesh-ca.pem";
  const std::string fix = keytool + " && export JAVA_TOOL_OPTIONS='-Dhttps.proxyHost=" + host +
                          " -Dhttps.proxyPort=" + port + " -Djavax.net.ssl.trustStore=" + store + "'";
  // No variable leads every JVM anywhere, so that one goes directly is how things are and not a mistake.
  const auto proxy = java_property(machine, "https.proxyHost");
  if (!proxy) return java.warning("goes to " + node.host + " directly: a JVM reads no proxy variables", fix);
  if (place_of(*proxy + ":" + java_property(machine, "https.proxyPort").value_or("443")) != place_of(node.url))
    return java.wrong("goes to another proxy than this node (https.proxyHost)", fix);
  if (!node.answers) return java.wrong("fails: its proxy " + node.url + " does not answer", "eval \"$(ghmesh init)\"");
  if (node.ca.empty())
    return java.wrong("goes through the node as a tunnel, and nothing is cached", "start the node with --ca-out DIR");
  const auto trusted = java_property(machine, "javax.net.ssl.trustStore");
  if (!trusted) return java.wrong("refuses the node's certificate: no javax.net.ssl.trustStore", fix);
  const auto listed =
      machine.output_of({"keytool", "-list", "-rfc", "-keystore", *trusted, "-storepass",
                         java_property(machine, "javax.net.ssl.trustStorePassword").value_or("changeit")});
  if (!listed || !holds_certificate(*listed, node.ca))
    return java.wrong("refuses the node's certificate: its CA is not in " + *trusted, fix);
  return java.ok("by https.proxyHost and " + *trusted);
}

}  // namespace

bool holds_certificate(std::string_view text, std::string_view certificate) {
  const std::size_t begin = certificate.find(kBegin), end = certificate.find(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return false;
  const std::string body = without_white_space(certificate.substr(begin + kBegin.size(), end - begin - kBegin.size()));
  return !body.empty() && without_white_space(text).find(body) != std::string::npos;
}

std::vector<Finding> check_clients(const Machine& machine, const NodeFacts& node) {
  struct Known {
    std::string_view program;
    Finding (*check)(const Client&);
  };
  constexpr Known kKnown[] = {{"gh", check_gh},     {"curl", check_curl},      {"git", check_git},
                              {"node", check_node}, {"python3", check_python}, {"java", check_java}};
  std::vector<Finding> out;
  for (const Known& known : kKnown)
    if (machine.find_program(known.program))
      out.push_back(known.check(Client(machine, node, std::string(known.program))));
  return out;
}

}  // namespace ghmesh::cli::doctor
