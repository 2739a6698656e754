// SPDX-License-Identifier: Apache-2.0
// init: a node that outlives this step but not the job, and the variables that point every later step at it.
//
//   sockets bound here ─► keeper (detached) ─► node       so a taken port is seen here, and a dead node is replaced
//   ready.json ─► GITHUB_ENV, GITHUB_OUTPUT, or export lines
//
// A second init of the same job finds the node, asks it whether it is well, and says the same variables again; what is
// not well is ended and replaced on the same addresses, so that the variables of earlier steps stay true.
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>

#include "command.hpp"
#include "crypto/random.hpp"
#include "environment.hpp"
#include "gh_config.hpp"
#include "io/sockets.hpp"
#include "job_output.hpp"
#include "keeper.hpp"
#include "known_peers.hpp"
#include "multiformats/multiaddr.hpp"
#include "node/config/options.hpp"
#include "node/config/ready_file.hpp"
#include "node_client.hpp"
#include "process.hpp"
#include "restore.hpp"
#include "session.hpp"
#include "settings.hpp"

namespace ghmesh::cli {

namespace {

using node::config::Loaded;
using node::config::Ready;
using node::config::Variables;

// A node is ready within some ten milliseconds, and has met the others a moment later; a step should not hang for one
// that is not, or for others that do not answer.
constexpr int kDefaultWait = 2;
constexpr auto kLook = std::chrono::milliseconds(10);
// The longest job GitHub allows on its own machines. With a runner's process to watch it is only the second guard.
constexpr int kDefaultIdle = 6 * 3600;
// Of a node that is asked whether it is well.
constexpr Duration kHealthPatience = std::chrono::seconds(2);

std::optional<std::string> last_complaint(const std::string& log) {
  std::ifstream file(log);
  std::optional<std::string> found;
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("ghmesh: ")) found = line.substr(8);
  return found;
}

// Of all that init waits for.
class Deadline {
 public:
  explicit Deadline(std::chrono::seconds length) : length_(length), at_(clock_.now() + length) {}
  Duration left() const { return at_ - clock_.now(); }
  std::string text() const { return std::to_string(length_.count()) + " s"; }

 private:
  SystemClock clock_;
  std::chrono::seconds length_;
  TimePoint at_;
};

// One descriptor for as long as this lives.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Whether the node has met whom it heard of, so that what the job asks first is not asked by its neighbours as well.
bool is_settled(const Ready& ready, Duration patience) {
  const Result<WholeReply> reply =
      ask(*ready.admin, {.target = "/api/peers", .fields = {}, .body = {}, .patience = patience});
  return !reply || reply->body.find(R"("settled":false)") == std::string::npos;
}

bool is_well(const Ready& ready) {
  if (!ready.admin) return false;
  const Result<WholeReply> reply =
      ask(*ready.admin, {.target = "/healthz", .fields = {}, .body = {}, .patience = kHealthPatience});
  return reply && reply->status == 200;
}

std::optional<Ready> ready_of(const StateDirectory& state) {
  const Result<std::string> text = node::config::read_small_file(state.file("ready.json"));
  if (!text) return std::nullopt;
  Result<Ready> ready = node::config::parse_ready(*text);
  if (!ready || !ready->listen || !ProcessId::of(static_cast<pid_t>(ready->pid))) return std::nullopt;
  return std::move(*ready);
}

// The variables as they were before any init of this job.
Variables without_ours(const Variables& now, const std::optional<Session>& session) {
  auto all = now.all();
  if (session) {
    for (const auto& [name, set] : session->variables) {
      const auto found = all.find(name);
      if (found == all.end() || found->second != set.value) continue;
      if (set.before) {
        found->second = *set.before;
      } else {
        all.erase(found);
      }
    }
  }
  return Variables(std::move(all));
}

class Init {
 public:
  Init(const Arguments& arguments, Context& context, JobOutput& output)
      : arguments_(arguments), context_(context), output_(output) {}

  Result<> run() {
    const Result<std::string> place = state_directory(arguments_.get("state-dir"), context_.variables);
    if (!place) return std::unexpected(place.error());
    const std::string path = std::filesystem::absolute(*place).lexically_normal();
    Result<StateDirectory> state = StateDirectory::open(path, true);
    if (!state) return std::unexpected(std::move(state.error()));
    const std::optional<Session> before = state->session();
    variables_ = without_ours(context_.variables, before);
    Result<> done = with_session(*state, before);
    if (!done && !(before && before->keeper.alive())) give_up(*state, before);
    return done;
  }

 private:
  // Nobody is there any more: what earlier steps were told is taken back.
  void give_up(StateDirectory& state, const std::optional<Session>& before) {
    if (before) static_cast<void>(!restore_variables(*before, context_.variables, output_));
    state.remove();
  }

  Result<> with_session(StateDirectory& state, const std::optional<Session>& before) {
    const Result<Loaded> loaded = node::config::load({arguments_.settings, variables_, {}});
    if (!loaded) return std::unexpected(loaded.error());
    output_.mask(loaded->config.secret.text.expose());
    mask_proxy(loaded->config);
    return bring_up(state, *loaded, before);
  }

  // The password of the proxy that later steps are told of: as it is, and as a URL has it.
  void mask_proxy(const node::config::Config& config) {
    if (!config.upstream_proxy) return;
    const std::string& credentials = config.upstream_proxy->credentials.expose();
    if (const std::size_t colon = credentials.find(':'); colon != std::string::npos)
      output_.mask(credentials.substr(colon + 1));
    const std::string_view url = variables_.get(config.upstream_proxy->source).value_or("");
    const std::size_t at = url.rfind('@'), begin = url.find("://") + 3;
    if (at != std::string_view::npos && begin < at) output_.mask(std::string(url.substr(begin, at - begin)));
  }

  Result<> bring_up(StateDirectory& state, const Loaded& loaded, const std::optional<Session>& before) {
    Session session = before.value_or(Session{});
    std::optional<Ready> ready = ready_of(state);
    const bool found = before && ready && session.keeper.alive() && is_well(*ready);
    if (found) {
      if (!arguments_.settings.empty() && node_settings(loaded, session) != session.settings)
        output_.warn("the node runs with the settings of the first init; `ghmesh stop` first to change them");
    } else {
      if (before) {
        output_.say("the node of this job was not well and is replaced");
        end_process(session.keeper, kKeeperStop);
        end_process(session.node, kNodeStop);
        if (ready) end_process(ProcessId::of(static_cast<pid_t>(ready->pid)).value_or(ProcessId{}), kNodeStop);
      }
      Result<Ready> started = start(state, loaded, before, session);
      if (!started) return std::unexpected(std::move(started.error()));
      ready = std::move(*started);
    }
    session.node = ProcessId::of(static_cast<pid_t>(ready->pid)).value_or(ProcessId{});
    return announce(state, loaded, session, *ready, found);
  }

  // Binds where the user says; else where an earlier init was, at the default, or wherever there is room.
  Result<Socket> bind(const io::Endpoint& wanted, bool chosen, const io::Endpoint& earlier, std::string_view flag) {
    std::vector<io::Endpoint> candidates;
    if (earlier.port != 0) candidates.push_back(earlier);
    candidates.push_back(wanted);
    if (!chosen) candidates.push_back({wanted.address, 0});
    Error why;
    for (const io::Endpoint& candidate : candidates) {
      Result<int> fd = io::open_listening(candidate);
      if (fd) return Socket(*fd);
      why = std::move(fd.error());
    }
    return std::unexpected(std::move(why).with_context("--" + std::string(flag)));
  }

  Result<Ready> start(StateDirectory& state, const Loaded& loaded, const std::optional<Session>& before,
                      Session& session) {
    const auto& config = loaded.config;
    const io::Endpoint admin_default{io::IpAddress::loopback(), 8417};
    Result<Socket> listen =
        bind(config.listen, !is_default(loaded, "listen"), before ? before->listen : io::Endpoint{}, "listen");
    if (!listen) return std::unexpected(std::move(listen.error()));
    Result<Socket> admin = bind(config.admin.value_or(admin_default), config.admin && !is_default(loaded, "admin"),
                                before ? before->admin : io::Endpoint{}, "admin");
    if (!admin) return std::unexpected(std::move(admin.error()));
    session.socket = config.socket.value_or(state.file("gh.sock"));
    Result<int> local = io::open_listening(session.socket);
    if (!local) return std::unexpected(std::move(local.error()).with_context("--socket"));
    const Socket socket(*local);

    session.settings = node_settings(loaded, session);
    Launch launch = keeper_launch(state, loaded, session);
    launch.sockets = {{listen->fd(), "listen"}, {admin->fd(), "admin"}, {socket.fd(), "socket"}};
    const std::vector<Socket> peers = bind_for_peers(loaded.config);
    for (const Socket& each : peers) launch.sockets.emplace_back(each.fd(), "p2p");
    ::unlink(state.file("ready.json").c_str());
    Result<Process> keeper = Process::start(launch);
    if (!keeper) return std::unexpected(std::move(keeper.error()));
    session.keeper = ProcessId::of(keeper->pid()).value_or(ProcessId{});
    session.node = {};
    // Should this process be killed now, the next init or stop still finds the keeper.
    if (Result<> noted = state.write(session); !noted) return std::unexpected(std::move(noted.error()));
    const auto wait = arguments_.get("wait");
    const Deadline until(std::chrono::seconds(wait ? std::atoi(wait->c_str()) : kDefaultWait));
    Result<Ready> ready = wait_ready(state, *keeper, until);
    if (!ready) {
      keeper->signal(SIGTERM);
      keeper->wait_for(kKeeperStop);
      return ready;
    }
    // Others that cannot be met in time are met later.
    while (ready->admin && until.left() > Duration::zero() && !is_settled(*ready, until.left()))
      keeper->wait_for(kLook);
    session.listen = *ready->listen;
    session.admin = ready->admin.value_or(io::Endpoint{});
    keeper->release();
    return ready;
  }

  Launch keeper_launch(const StateDirectory& state, const Loaded& loaded, const Session& session) const {
    Launch launch;
    launch.words = {context_.program, "keep",
                    "--state-dir",    state.path(),
                    "--idle-limit",   arguments_.get("idle-limit").value_or(std::to_string(kDefaultIdle))};
    std::optional<ProcessId> job = job_process(::getpid());
    if (const auto given = arguments_.get("job-pid")) job = ProcessId::of(std::atoi(given->c_str()));
    if (job) {
      launch.words.insert(launch.words.end(),
                          {"--job-pid", std::to_string(job->pid), "--job-start", std::to_string(job->start)});
    }
    launch.words.emplace_back("--");
    launch.words.insert(launch.words.end(), session.settings.begin(), session.settings.end());
    launch.words.insert(launch.words.end(), {"--ready-file", state.file("ready.json")});
    if (is_default(loaded, "ca-out")) launch.words.insert(launch.words.end(), {"--ca-out", state.file("ca")});
    launch.environment = variables_.all();
    ::sigemptyset(&launch.mask);
    launch.quiet = launch.detached = true;
    launch.log = state.file("node.log");
    return launch;
  }

  // The flags of serve but for the sockets, which it inherits.
  std::vector<std::string> node_settings(const Loaded& loaded, const Session&) {
    std::vector<std::string> out;
    if (is_default(loaded, "cache-dir")) {
      // Runners of one machine may share a home: each keeps a store of its own, and all share the registry.
      if (const auto runner = variables_.get("RUNNER_NAME"); runner && loaded.config.cache_dir) {
        out.insert(out.end(), {"--cache-dir", *loaded.config.cache_dir + "/" + file_name_of(*runner)});
        if (is_default(loaded, "registry")) out.insert(out.end(), {"--registry", *loaded.config.cache_dir + "/peers"});
      }
    }
    for (const auto& [flag, value] : arguments_.settings) {
      if (flag == "listen" || flag == "admin" || flag == "socket" || flag == "ready-file") continue;
      out.push_back("--" + flag);
      out.push_back(value);
    }
    return out;
  }

  static std::string file_name_of(std::string_view runner) {
    std::string out("runner-");
    for (const char c : runner.substr(0, 100)) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
      out += plain ? c : '_';
    }
    return out;
  }

  // The jobs of a matrix name one port, and on a machine with several runners only one of them can have it; peers learn
  // the port from the registry, so any will do. Bound here, as two that start together would both find it free.
  // Nothing, where the node is to bind something else than a port.
  std::vector<Socket> bind_for_peers(const node::config::Config& config) {
    std::vector<Socket> out;
    if (!config.wants_mesh()) return out;
    for (const multiformats::Multiaddr& address : config.p2p_listen) {
      const auto host4 = address.find(multiformats::Protocol::Ip4);
      const auto host = host4 ? host4 : address.find(multiformats::Protocol::Ip6);
      const auto port = address.find(multiformats::Protocol::Tcp);
      const auto ip = host ? io::IpAddress::parse(host->text()) : std::nullopt;
      if (!ip || !port) return {};
      const io::Endpoint wanted{*ip, static_cast<std::uint16_t>(std::atoi(port->text().c_str()))};
      Result<int> fd = io::open_listening(wanted);
      if (!fd && wanted.port != 0) {
        fd = io::open_listening(io::Endpoint{*ip, 0});
        if (fd) output_.say("port " + port->text() + " for peers is taken; another one is used");
      }
      // The node says what is wrong with it.
      if (!fd) return {};
      out.emplace_back(*fd);
    }
    return out;
  }

  Result<Ready> wait_ready(const StateDirectory& state, Process& keeper, const Deadline& until) {
    while (until.left() > Duration::zero()) {
      const auto ended = keeper.wait_for(std::chrono::milliseconds(1));
      if (ended) {
        return fail(ErrorCode::Closed,
                    last_complaint(state.file("node.log"))
                        .value_or("the node ended at once with exit status " + std::to_string(*ended)));
      }
      if (auto ready = ready_of(state)) return std::move(*ready);
    }
    return fail(ErrorCode::Timeout, "the node was not ready within " + until.text() + " (--wait SECONDS)");
  }

  Result<> announce(StateDirectory& state, const Loaded& loaded, Session& session, const Ready& ready, bool found) {
    Pointing pointing{.url = "http://" + io::to_string(*ready.listen)};
    pointing.tell_of_proxy(loaded.config);
    const std::string gh = state.file("gh");
    if (found || copy_again(gh, session.socket)) pointing.gh_config_dir = gh;
    if (is_https_proxy(loaded)) pointing.ca_out = loaded.config.ca_out.value_or(state.file("ca"));
    PointedEnvironment environment = point_at(pointing, variables_);
    environment.set["GHMESH_NODE"] = state.file("ready.json");
    for (const std::string& note : environment.notes) output_.say(note);
    const std::vector<std::string> peers = known_peers(loaded.config, ready.peer_id);
    add_older_names(environment.set, loaded, ready, peers);
    if (arguments_.has("state-dir")) environment.set["GHMESH_STATE_DIR"] = state.path();
    session.variables.clear();
    for (const auto& [name, value] : environment.set) {
      const auto before = variables_.get(name);
      session.variables.emplace(name, SetVariable{value, before ? std::optional<std::string>(*before) : std::nullopt});
    }
    // First what stop needs, then what it takes back.
    if (Result<> written = state.write(session); !written) return written;
    if (Result<> set = output_.set_variables(environment.set); !set) return set;
    if (Result<> set = output_.set_outputs({{"peer_id", ready.peer_id.value_or("")},
                                            {"multiaddr", ready.p2p.empty() ? "" : ready.p2p.front()},
                                            {"bootstrap_peers", joined(peers)},
                                            {"url", pointing.url},
                                            {"socket", session.socket}});
        !set)
      return set;
    say_what_is(loaded, ready, peers, found);
    return {};
  }

  bool copy_again(const std::string& to, const std::string& socket) {
    std::error_code ignored;
    std::filesystem::remove_all(to, ignored);
    const Result<> copied = copy_gh_config(gh_config_dir(variables_), to, socket);
    if (!copied) output_.say("gh is not pointed at the node: " + copied.error().message);
    return copied.has_value();
  }

  // What programs of the system before this one read.
  static void add_older_names(VariableMap& set, const Loaded& loaded, const Ready& ready,
                              const std::vector<std::string>& peers) {
    const auto& config = loaded.config;
    set["CACHE_ENABLE_P2P"] = ready.peer_id && !ready.p2p.empty() ? "true" : "false";
    if (config.cache_dir) set["CACHE_DIR"] = *config.cache_dir;
    if (config.ttl) set["CACHE_DEFAULT_TTL"] = std::to_string(config.ttl->count());
    if (!peers.empty()) set["CACHE_BOOTSTRAP_PEERS"] = joined(peers);
    if (ready.p2p.empty()) return;
    const auto address = multiformats::Multiaddr::parse(ready.p2p.front());
    const auto port = address ? address->find(multiformats::Protocol::Tcp) : std::nullopt;
    if (port) set["CACHE_LISTEN_PORT"] = port->text();
  }

  static std::string joined(const std::vector<std::string>& peers) {
    std::string out;
    for (const std::string& peer : peers) out += (out.empty() ? "" : ",") + peer;
    return out;
  }

  void say_what_is(const Loaded& loaded, const Ready& ready, const std::vector<std::string>& peers, bool found) {
    std::string line = std::string("node ") + (found ? "found" : "ready") + " at " + io::to_string(*ready.listen);
    if (ready.p2p.empty()) {
      line += loaded.config.p2p ? "; local cache only: no mesh secret that other jobs hold, too (GHMESH_SECRET; pull "
                                  "requests from forks get no secrets)"
                                : "; local cache only (--p2p off)";
    } else {
      line += ", " + std::to_string(peers.size()) + (peers.size() == 1 ? " peer known" : " peers known");
    }
    output_.say(line);
  }

  const Arguments& arguments_;
  Context& context_;
  JobOutput& output_;
  Variables variables_;
};

}  // namespace

int init(const Arguments& arguments, Context& context) {
  crypto::SecureRandom random;
  JobOutput output(context.variables, context.out, context.err, random);
  Result<> done = Init(arguments, context, output).run();
  if (done) return kDone;
  const bool strict = arguments.has("strict");
  // A cache that cannot be had is no reason to fail a job.
  output.warn("no cache for this job: " + done.error().message + (strict ? "" : "; it runs as without one"));
  return strict || !output.in_actions() ? kFailed : kDone;
}

}  // namespace ghmesh::cli
