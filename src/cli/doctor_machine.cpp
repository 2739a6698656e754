// SPDX-License-Identifier: Apache-2.0
// What stands around the clients: variables, clock, secret, registry, mesh, containers, the runner.
#include <cmath>
#include <nlohmann/json.hpp>

#include "doctor.hpp"
#include "http/message/date.hpp"
#include "http/message/url.hpp"
#include "io/endpoint.hpp"
#include "multiformats/multiaddr.hpp"
#include "node/config/values.hpp"
#include "proxy/way_out.hpp"

namespace ghmesh::cli::doctor {

namespace {

using Json = nlohmann::ordered_json;

// Half of what a registry's record may be off before other members pass it over; and what certificates forgive.
constexpr double kSkewWarning = 30, kSkewWrong = 300;  // seconds

Finding wrong(std::string name, std::string detail, std::string fix) {
  return {Verdict::Wrong, std::move(name), std::move(detail), std::move(fix)};
}
Finding warning(std::string name, std::string detail, std::string fix) {
  return {Verdict::Warning, std::move(name), std::move(detail), std::move(fix)};
}
Finding ok(std::string name, std::string detail) { return {Verdict::Ok, std::move(name), std::move(detail), ""}; }

void check_spellings(const Machine& machine, std::vector<Finding>& out) {
  struct Pair {
    const char *upper, *lower;
  };
  for (const auto& [upper, lower] : {Pair{"HTTPS_PROXY", "https_proxy"}, Pair{"NO_PROXY", "no_proxy"}}) {
    const auto a = machine.variables.get(upper), b = machine.variables.get(lower);
    if (a && b && *a != *b)
      out.push_back(warning(upper,
                            std::string(upper) + " and " + lower +
                                " differ: Go programs read the first, curl, git, Node and Python the second",
                            std::string("export ") + lower + "=\"$" + upper + "\""));
    if (a.has_value() != b.has_value() && std::string_view(upper) == "NO_PROXY")
      out.push_back(warning(
          upper,
          std::string(a ? upper : lower) + " is set and " + (a ? lower : upper) + " is not; some clients read one only",
          std::string("export ") + (a ? lower : upper) + "=\"$" + (a ? upper : lower) + "\""));
  }
}

void check_proxies(const Machine& machine, const NodeFacts& node, std::vector<Finding>& out) {
  for (const char* name : {"HTTPS_PROXY", "https_proxy"}) {
    const auto value = machine.variables.get(name);
    if (value && value->find("://") != std::string_view::npos && !value->starts_with("http://"))
      out.push_back(wrong(name,
                          std::string(name) + " has another scheme than http://, which is what a node speaks here",
                          std::string("export ") + name + "=" + node.url));
  }
  for (const char* name : {"NO_PROXY", "no_proxy"}) {
    const auto value = machine.variables.get(name);
    if (value && proxy::is_direct(*value, node.host, 443))
      out.push_back(wrong(name, std::string(name) + " keeps " + node.host + " from every proxy: " + std::string(*value),
                          std::string("take the entry that matches ") + node.host + " out of " + name));
  }
}

void check_api_url(const Machine& machine, const NodeFacts& node, std::vector<Finding>& out) {
  const auto value = machine.variables.get("GITHUB_API_URL");
  if (!value) return;
  const bool in_actions = machine.variables.get("GITHUB_ACTIONS") == "true";
  const Result<http::Url> url = http::parse_url(*value);
  if (!url || !node::config::is_loopback_host(url->host)) return;
  if (in_actions) {
    out.push_back(
        warning("GITHUB_API_URL",
                "the runner sets GITHUB_* anew before each step: GITHUB_API_URL of this step is lost in the next",
                "use HTTPS_PROXY (ghmesh init sets it) or baseUrl: process.env.GHMESH_URL"));
  } else if (*value != node.url || !node.answers) {
    out.push_back(wrong("GITHUB_API_URL", "GITHUB_API_URL is " + std::string(*value) + ", where no node answers",
                        "unset GITHUB_API_URL"));
  } else {
    out.push_back(ok("GITHUB_API_URL", "names this node"));
  }
}

std::string permissions(mode_t mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode));
  return text;
}

bool private_address(const std::string& multiaddr) {
  const auto address = multiformats::Multiaddr::parse(multiaddr);
  if (!address) return false;
  auto host = address->find(multiformats::Protocol::Ip4);
  if (!host) host = address->find(multiformats::Protocol::Ip6);
  const auto ip = host ? io::IpAddress::parse(host->text()) : std::nullopt;
  return ip && ip->is_internal();
}

bool loopback_address(const std::string& multiaddr) {
  return multiaddr.starts_with("/ip4/127.") || multiaddr.starts_with("/ip6/::1/");
}

void check_reachable(const Json& view, bool container, std::vector<Finding>& out) {
  std::vector<std::string> addresses;
  for (const Json& each : view.value("addresses", Json::array()))
    if (each.is_string()) addresses.push_back(each.get<std::string>());
  const std::string fix = "start the node with --announce /ip4/ADDRESS/tcp/PORT, as peers see this machine";
  if (addresses.empty())
    return out.push_back(
        warning("reachability", "the node tells peers no address: it can dial, nobody can dial it", fix));
  if (std::all_of(addresses.begin(), addresses.end(), loopback_address))
    return out.push_back(
        warning("reachability", "peers are told loopback addresses only: no other machine can dial this node", fix));
  std::string all;
  for (const std::string& each : addresses) all += (all.empty() ? "" : ", ") + each;
  if (!std::all_of(addresses.begin(), addresses.end(), private_address))
    return out.push_back(ok("reachability", "peers are told " + all));
  if (container)
    return out.push_back(warning("reachability", "peers are told addresses of this container's network: " + all, fix));
  out.push_back(ok("reachability", "peers are told private addresses, good within one network: " + all));
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::Ok: return "ok";
    case Verdict::Warning: return "warning";
    case Verdict::Wrong: return "wrong";
  }
  return "";
}

std::vector<Finding> check_variables(const Machine& machine, const NodeFacts& node) {
  std::vector<Finding> out;
  check_proxies(machine, node, out);
  check_spellings(machine, out);
  check_api_url(machine, node, out);
  return out;
}

Finding check_clock(std::string_view origin_date, WallTime now) {
  const auto origin = http::parse_http_date(origin_date, now);
  if (!origin) return warning("clock", "GitHub's answer has no date to compare with", "");
  const double ahead = std::chrono::duration<double>(now - *origin).count();
  const long seconds = std::lround(std::abs(ahead));
  const std::string detail =
      "this machine's clock is " + std::to_string(seconds) + " s " + (ahead < 0 ? "behind" : "ahead of") + " GitHub's";
  const std::string fix = "timedatectl set-ntp true";
  if (std::abs(ahead) >= kSkewWrong) return wrong("clock", detail + ": certificates and registry records fail", fix);
  if (std::abs(ahead) >= kSkewWarning) return warning("clock", detail, fix);
  return ok("clock", "agrees with GitHub's");
}

std::vector<Finding> check_way_out(const node::config::Config& config) {
  if (!config.proxy_problem.empty())
    return {wrong("way out", "the node goes out directly: " + config.proxy_problem,
                  "start the node with --upstream-proxy http://HOST:PORT, or none")};
  if (!config.upstream_proxy) return {};
  const std::string via = config.upstream_proxy->url() +
                          (config.upstream_proxy->source.empty() ? "" : " (" + config.upstream_proxy->source + ")");
  if (proxy::is_direct(config.direct_hosts, config.upstream.host, config.upstream.port))
    return {warning("way out",
                    "through " + via + ", but NO_PROXY has the node ask " + config.upstream.host + " directly",
                    "take the entry that matches " + config.upstream.host + " out of NO_PROXY")};
  return {ok("way out", "through " + via)};
}

std::vector<Finding> check_secret(const Machine& machine, const node::config::Config& config) {
  std::vector<Finding> out;
  if (!config.p2p) return {ok("secret", "not needed: --p2p off, a local cache")};
  const bool by_file = config.secret.source == node::config::MeshSecret::Source::File;
  const auto found =
      mesh::find_secret({.file = by_file ? config.secret.from : "", .environment = [&](std::string_view name) {
                           const auto value = machine.variables.get(name);
                           return value ? std::optional<std::string>(*value) : std::nullopt;
                         }});
  const std::string fix = "ghmesh secret new, and the same text as GHMESH_SECRET for every runner";
  if (!found) {
    out.push_back(wrong("secret", found.error().message, fix));
  } else if (const auto* none = std::get_if<mesh::NoMesh>(&*found)) {
    out.push_back(warning("secret", none->reason, fix));
  } else if (std::get<mesh::SecretFound>(*found).source == mesh::SecretSource::Token) {
    out.push_back(
        warning("secret", "the mesh is made from a GitHub token: it falls apart when the token is renewed", fix));
  } else {
    out.push_back(ok(
        "secret", "strong enough, from " + std::string(mesh::to_string(std::get<mesh::SecretFound>(*found).source))));
  }
  const auto facts = by_file ? machine.file(config.secret.from) : std::nullopt;
  if (facts && (facts->mode & 077) != 0)
    out.push_back(wrong(
        "secret", config.secret.from + " has mode " + permissions(facts->mode) + ": others may read the mesh secret",
        "chmod 600 " + config.secret.from));
  return out;
}

std::vector<Finding> check_registry(const Machine& machine, const node::config::Config& config) {
  if (!config.wants_mesh() || !config.registry) return {};
  const std::string& dir = *config.registry;
  const auto facts = machine.file(dir);
  if (!facts) return {ok("registry", dir + " is made when the node joins a mesh")};
  if (!facts->directory) return {wrong("registry", dir + " is no directory", "--registry DIR")};
  if (!facts->writable)
    return {wrong("registry", dir + " cannot be written: this node leaves no record for others",
                  "chmod u+rwx " + dir + ", or --registry DIR")};
  if ((facts->mode & 0002) != 0 && (facts->mode & 01000) == 0)
    return {warning("registry",
                    dir + " has mode " + permissions(facts->mode) + ": anybody may remove the records in it",
                    "chmod +t " + dir)};
  return {ok("registry", dir)};
}

std::vector<Finding> check_mesh(std::string_view peers_json, bool container) {
  const Json view = Json::parse(peers_json, nullptr, false);
  if (!view.is_object()) return {};
  if (const Json why = view.value("why_none", Json()); why.is_string()) return {};  // the secret's finding says it
  std::vector<Finding> out;
  check_reachable(view, container, out);
  std::size_t connected = 0;
  for (const Json& peer : view.value("peers", Json::array()))
    if (peer.is_object() && peer.value("direction", Json()).is_string() &&
        !peer["direction"].get<std::string>().empty())
      ++connected;
  for (const Json& contact : view.value("contacts", Json::array())) {
    if (!contact.is_object() || !contact.value("failures", Json()).is_number_unsigned() || contact["failures"] == 0u)
      continue;
    const auto text = [&](const char* name) {
      return contact.value(name, Json()).is_string() ? contact[name].get<std::string>() : "";
    };
    out.push_back(
        warning("peers", text("address") + " (" + text("source") + ") was dialled in vain: " + text("error"),
                "open its port in the firewall, correct its --announce, or take it out of " + text("source")));
  }
  if (out.size() == 1) out.push_back(ok("peers", std::to_string(connected) + " connected"));
  return out;
}

bool in_container(const Machine& machine) {
  return machine.file("/.dockerenv") || machine.file("/run/.containerenv") ||
         machine.variables.get("KUBERNETES_SERVICE_HOST").has_value();
}

std::vector<Finding> check_container(const Machine& machine, const NodeFacts& node) {
  if (!in_container(machine)) return {};
  const Result<http::Url> url = http::parse_url(node.url);
  if (node.answers || !url || !node::config::is_loopback_host(url->host))
    return {ok("container", "this is one, and the node answers in it")};
  return {wrong("container", "127.0.0.1 in a container is the container, and the node of its host is not there",
                "run ghmesh init in the container, mount the node's socket, or --listen on an address it can reach")};
}

std::vector<Finding> check_hooks(const Machine& machine) {
  std::vector<Finding> out;
  for (const char* name : {"ACTIONS_RUNNER_HOOK_JOB_STARTED", "ACTIONS_RUNNER_HOOK_JOB_COMPLETED"}) {
    const auto path = machine.variables.get(name);
    if (!path) continue;
    const auto facts = machine.file(std::string(*path));
    if (!path->starts_with('/') || !facts || facts->directory)
      out.push_back(wrong("hook",
                          std::string(name) + " names no file: " + std::string(*path) + "; the runner fails every job",
                          std::string(name) + "=/opt/ghmesh/job-started.sh in the runner's .env"));
    else if ((facts->mode & 0111) == 0)
      out.push_back(wrong("hook", std::string(*path) + " is not executable", "chmod +x " + std::string(*path)));
    else if (!path->ends_with(".sh") && !path->ends_with(".ps1"))
      out.push_back(wrong("hook", std::string(name) + " must end with .sh or .ps1",
                          "mv " + std::string(*path) + " " + std::string(*path) + ".sh"));
    else
      out.push_back(ok("hook", std::string(*path)));
  }
  const std::string home(machine.variables.get("HOME").value_or(""));
  for (const std::string& place : {std::string("/etc/systemd/system"), home + "/.config/systemd/user"}) {
    const auto unit = machine.read_file(place + "/ghmesh.service");
    if (!unit) continue;
    const std::size_t at = unit->find("\nExecStart=");
    if (at == std::string::npos) {
      out.push_back(wrong("unit", place + "/ghmesh.service has no ExecStart", ""));
      continue;
    }
    const std::size_t begin = at + 11;
    const std::string program = unit->substr(begin, unit->find_first_of(" \n", begin) - begin);
    const auto facts = machine.file(program);
    if (!facts || (facts->mode & 0111) == 0)
      out.push_back(wrong("unit", place + "/ghmesh.service starts " + program + ", which is no program",
                          "install ghmesh there, or correct ExecStart"));
    else if (!machine.file(place + "/ghmesh.socket"))
      out.push_back(warning("unit",
                            place + " has ghmesh.service and no ghmesh.socket: nobody holds the port while it restarts",
                            "install packaging/systemd/ghmesh.socket beside it"));
    else
      out.push_back(ok("unit", place + "/ghmesh.service"));
  }
  return out;
}

std::vector<Finding> check_workflows(const std::vector<std::pair<std::string, std::string>>& files) {
  std::vector<Finding> out;
  for (const auto& [name, text] : files) {
    std::size_t number = 0;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const std::string_view line = std::string_view(text).substr(begin, end - begin);
      begin = end + 1;
      ++number;
      const std::size_t at = line.find("GITHUB_API_URL");
      if (at == std::string_view::npos || line.substr(0, at).find('#') != std::string_view::npos) continue;
      const std::string_view rest = line.substr(at + 14);
      if (!rest.starts_with('=') && !rest.starts_with(':')) continue;
      out.push_back(warning(
          "workflow",
          name + ":" + std::to_string(number) + " sets GITHUB_API_URL, which the runner sets anew before each step",
          "remove the line; ghmesh init sets HTTPS_PROXY and GHMESH_URL"));
    }
  }
  return out;
}

std::string json_of(const std::vector<Finding>& findings) {
  Json list = Json::array();
  bool fine = true;
  for (const Finding& each : findings) {
    fine = fine && each.verdict != Verdict::Wrong;
    list.push_back({{"verdict", to_string(each.verdict)},
                    {"name", each.name},
                    {"detail", each.detail},
                    {"fix", each.fix.empty() ? Json() : Json(each.fix)}});
  }
  return Json{{"ok", fine}, {"findings", std::move(list)}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string table_of(const std::vector<Finding>& findings) {
  std::size_t width = 0;
  for (const Finding& each : findings) width = std::max(width, each.name.size());
  const auto printable = [](std::string text) {
    for (char& c : text)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return text;
  };
  std::string out;
  for (const Finding& each : findings) {
    std::string head(each.verdict == Verdict::Ok ? "ok" : each.verdict == Verdict::Warning ? "warning" : "WRONG");
    head.resize(9, ' ');
    head += each.name;
    head.resize(9 + width + 2, ' ');
    out += head + printable(each.detail) + "\n";
    if (!each.fix.empty()) out += std::string(9 + width + 2, ' ') + "fix: " + printable(each.fix) + "\n";
  }
  return out;
}

}  // namespace ghmesh::cli::doctor
