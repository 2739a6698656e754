// SPDX-License-Identifier: Apache-2.0
// doctor: looks at the machine and the node, and lets the checks of doctor.hpp judge.
#include "doctor.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "command.hpp"
#include "io/sockets.hpp"
#include "node/config/ready_file.hpp"
#include "node/config/values.hpp"
#include "node_client.hpp"
#include "process.hpp"
#include "session.hpp"

namespace ghmesh::cli {

namespace {

using doctor::FileFacts;
using doctor::Finding;
using doctor::Machine;
using doctor::NodeFacts;
using doctor::Verdict;
using node::config::Loaded;

constexpr Duration kProgramPatience = std::chrono::seconds(10);
constexpr Duration kNodePatience = std::chrono::seconds(10);
constexpr std::size_t kMaxWorkflows = 100;

std::optional<FileFacts> facts_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileFacts{.directory = S_ISDIR(status.st_mode),
                   .socket = S_ISSOCK(status.st_mode),
                   .mode = status.st_mode & 07777,
                   .owner = status.st_uid,
                   .writable = ::access(path.c_str(), W_OK) == 0};
}

std::optional<std::string> find_program(const node::config::Variables& variables, std::string_view program) {
  std::string_view path = variables.get("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  while (true) {
    const std::size_t colon = path.find(':');
    const std::string candidate = std::string(path.substr(0, colon)) + "/" + std::string(program);
    const auto facts = facts_of(candidate);
    if (facts && !facts->directory && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    if (colon == std::string_view::npos) return std::nullopt;
    path.remove_prefix(colon + 1);
  }
}

std::optional<std::string> output_of(const node::config::Variables& variables, const std::vector<std::string>& words) {
  const Result<TemporaryDirectory> directory =
      TemporaryDirectory::make({std::string(variables.get("TMPDIR").value_or("/tmp")), "/tmp"});
  if (!directory) return std::nullopt;
  Launch launch;
  launch.words = words;
  launch.environment = variables.all();
  ::sigemptyset(&launch.mask);
  launch.background = true;
  launch.quiet = true;
  launch.log = directory->path() + "/out";
  Result<Process> process = Process::start(launch);
  if (!process || process->wait_for(kProgramPatience) != 0) return std::nullopt;
  const Result<std::string> text = node::config::read_small_file(launch.log);
  return text ? std::optional(*text) : std::nullopt;
}

Machine this_machine(const Context& context) {
  const auto& variables = context.variables;
  return {.variables = variables,
          .find_program = [&variables](std::string_view program) { return find_program(variables, program); },
          .read_file = [](const std::string& path) { return node::config::read_small_file(path); },
          .file = facts_of,
          .output_of = [&variables](const std::vector<std::string>& words) { return output_of(variables, words); },
          .user = ::getuid()};
}

// The node's addresses are found as other commands find them; there --listen and its kin are flags of the command.
Arguments asking(const Arguments& arguments) {
  Arguments out = arguments;
  for (const auto& [name, value] : arguments.settings)
    if (name == "listen" || name == "admin" || name == "ready-file") out.flags.emplace_back(name, value);
  return out;
}

// What a node of this job was started with: init then tells older tools in CACHE_* what became of it, which is no
// setting.
node::config::Variables before_init(const node::config::Variables& now, const Machine& machine) {
  const auto state = state_directory(std::nullopt, now);
  const auto text = state ? machine.read_file(*state + "/session.json") : fail(ErrorCode::NotFound, "no session");
  const auto session = text ? parse_session(*text) : fail(ErrorCode::NotFound, "no session");
  if (!session) return now;
  auto all = now.all();
  for (const auto& [name, set] : session->variables) {
    const auto found = all.find(name);
    if (!name.starts_with("CACHE_") || found == all.end() || found->second != set.value) continue;
    if (set.before) {
      found->second = *set.before;
    } else {
      all.erase(found);
    }
  }
  return node::config::Variables(std::move(all));
}

class Doctor {
 public:
  Doctor(const Arguments& arguments, Context& context)
      : arguments_(asking(arguments)), context_(context), machine_(this_machine(context)) {}

  int run() {
    const Result<Loaded> loaded =
        node::config::load({arguments_.settings, before_init(context_.variables, machine_), {}});
    if (!loaded) add(Verdict::Wrong, "settings", loaded.error().message, "correct it where it was given");
    const node::config::Config* config = loaded ? &loaded->config : nullptr;
    find(config);
    ask_node();
    if (config != nullptr) check_ports(*config);
    add(check_container(machine_, node_));
    add(check_variables(machine_, node_));
    add(check_clients(machine_, node_));
    if (config != nullptr) {
      add(doctor::check_way_out(*config));
      add(check_secret(machine_, *config));
      add(check_registry(machine_, *config));
    }
    add(doctor::check_mesh(peers_, in_container(machine_)));
    add(check_hooks(machine_));
    add(doctor::check_workflows(workflows()));
    context_.out << (arguments_.has("json") ? json_of(findings_) : table_of(findings_));
    const bool fine = std::none_of(findings_.begin(), findings_.end(),
                                   [](const Finding& each) { return each.verdict == Verdict::Wrong; });
    return fine ? kDone : node_.answers ? kFailed : kNoNode;
  }

 private:
  void add(Verdict verdict, std::string name, std::string detail, std::string fix = "") {
    findings_.push_back({verdict, std::move(name), std::move(detail), std::move(fix)});
  }
  void add(std::vector<Finding> more) {
    findings_.insert(findings_.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

  // Where the node is, and where it keeps what clients are to trust.
  void find(const node::config::Config* config) {
    Result<NodeAddress> address = find_node(arguments_, context_.variables);
    if (!address) {
      add(Verdict::Wrong, "listener", address.error().message, "ghmesh init, or unset GHMESH_NODE");
      address = NodeAddress{io::Endpoint{io::IpAddress::loopback(), 8418},
                            io::Endpoint{io::IpAddress::loopback(), 8417}, "the default address"};
    }
    address_ = *address;
    if (address_.listen) node_.url = "http://" + io::to_string(*address_.listen);
    std::vector<std::string> places;
    if (config != nullptr && config->ca_out) places.push_back(*config->ca_out);
    std::optional<std::string> ready_file = arguments_.get("ready-file");
    if (const auto named = context_.variables.get("GHMESH_NODE"); !ready_file && named)
      ready_file = std::string(*named);
    if (ready_file) {
      places.push_back(std::filesystem::path(*ready_file).parent_path().string() + "/ca");
      if (const auto text = machine_.read_file(*ready_file))
        if (const auto ready = node::config::parse_ready(*text)) node_.socket = ready->socket;
    }
    if (const auto state = state_directory(std::nullopt, context_.variables)) places.push_back(*state + "/ca");
    places.emplace_back("/run/ghmesh/ca");  // of a machine's node, by systemd
    for (const std::string& place : places) {
      const auto text = machine_.read_file(place + "/ghmesh-ca.pem");
      if (!text) continue;
      node_.ca_dir = place;
      node_.ca = *text;
      break;
    }
    if (config != nullptr && !node::config::is_loopback_host(config->upstream.host)) node_.host = config->upstream.host;
    if (config != nullptr && !node_.socket) node_.socket = config->socket;
  }

  // One question of GitHub that costs nothing, by way of the node.
  void ask_node() {
    if (!address_.listen)
      return add(Verdict::Wrong, "listener", "it names no HTTP listener", "start it with --listen ADDR:PORT");
    Question question{.target = "/rate_limit",
                      .fields = {{"Host", "api.github.com"},
                                 {"User-Agent", "ghmesh/" GHMESH_VERSION},
                                 {"Accept", "application/vnd.github+json"}},
                      .body = {},
                      .patience = kNodePatience};
    if (const auto token = authorization_of(context_.variables)) question.fields.add("Authorization", *token);
    const Result<WholeReply> reply = ask(*address_.listen, question);
    node_.answers = reply.has_value();
    if (!reply)
      return add(Verdict::Wrong, "listener",
                 "no node answers at " + node_.url + " (" + address_.source + "): " + reply.error().message,
                 "eval \"$(ghmesh init)\", or ghmesh serve");
    add(Verdict::Ok, "listener", "answers at " + node_.url + " (" + address_.source + ")");
    if (reply->status == 401) {
      add(Verdict::Wrong, "token", "GitHub does not know the token of GH_TOKEN or GITHUB_TOKEN (401)",
          "give a token that is valid");
    } else if (reply->status >= 400) {
      add(Verdict::Wrong, "upstream", "GET /rate_limit by way of the node gave " + std::to_string(reply->status),
          "ghmesh verify says more; is --upstream right?");
    } else {
      findings_.push_back(doctor::check_clock(reply->fields.first("Date").value_or(""), SystemClock().wall_now()));
    }
    if (!address_.admin) return;
    const Result<WholeReply> peers =
        ask(*address_.admin, {.target = "/api/peers", .fields = {}, .body = {}, .patience = kNodePatience});
    if (peers && peers->status == 200) {
      peers_ = peers->body;
    } else {
      add(Verdict::Wrong, "admin", "the admin listener does not answer at " + io::to_string(*address_.admin),
          "start the node with --admin ADDR:PORT");
    }
  }

  // Without a node, whoever holds its ports will keep it from starting.
  void check_ports(const node::config::Config& config) {
    if (node_.answers) return;
    const auto probe = [this](const io::Endpoint& at, const std::string& flag) {
      if (at.port == 0) return;
      const Result<int> fd = io::open_listening(at);
      if (fd) {
        ::close(*fd);
      } else {
        add(Verdict::Wrong, "ports", io::to_string(at) + " cannot be had: " + fd.error().message,
            "--" + flag + " with another port, or end what is there: ss -ltnp 'sport = :" + std::to_string(at.port) +
                "'");
      }
    };
    probe(config.listen, "listen");
    if (config.admin) probe(*config.admin, "admin");
    if (!config.wants_mesh()) return;
    for (const auto& each : config.p2p_listen) {
      const auto host = each.find(multiformats::Protocol::Ip4), port = each.find(multiformats::Protocol::Tcp);
      const auto at = host && port ? io::Endpoint::parse(host->text() + ":" + port->text()) : std::nullopt;
      if (at) probe(*at, "p2p-listen");
    }
  }

  std::vector<std::pair<std::string, std::string>> workflows() const {
    const std::string root(context_.variables.get("GITHUB_WORKSPACE").value_or("."));
    std::vector<std::pair<std::string, std::string>> out;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(root + "/.github/workflows", error)) {
      if (out.size() == kMaxWorkflows) break;
      const auto extension = entry.path().extension();
      if (extension != ".yml" && extension != ".yaml") continue;
      if (auto text = machine_.read_file(entry.path()))
        out.emplace_back(".github/workflows/" + entry.path().filename().string(), std::move(*text));
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  const Arguments arguments_;
  Context& context_;
  const Machine machine_;
  NodeAddress address_;
  NodeFacts node_;
  std::string peers_;
  std::vector<Finding> findings_;
};

}  // namespace

int doctor_command(const Arguments& arguments, Context& context) { return Doctor(arguments, context).run(); }

}  // namespace ghmesh::cli
