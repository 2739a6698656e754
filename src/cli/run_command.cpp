// SPDX-License-Identifier: Apache-2.0
// run: a command with a node of its own.
//
//   run ── private directory ─┬─ node (own process group)      ready file, socket
//                             ├─ copy of gh's configuration    http_unix_socket: the socket
//                             ├─ ca/                           the local CA, and the bundle that holds it
//                             └─ the command                   GH_CONFIG_DIR, GHMESH_URL, HTTPS_PROXY and its kin
//
// Nothing outside the directory changes, so nothing has to be restored.
#include "command.hpp"
#include "environment.hpp"
#include "gh_config.hpp"
#include "node/config/options.hpp"
#include "private_node.hpp"
#include "process.hpp"
#include "report.hpp"
#include "settings.hpp"

namespace ghmesh::cli {

namespace {

// What the user's settings leave open is chosen so that nothing stays behind and nothing is said without need.
std::vector<std::string> node_settings(const Arguments& arguments, const node::config::Loaded& loaded,
                                       const std::string& ca_out) {
  std::vector<std::string> out;
  if (is_default(loaded, "cache-dir")) out.insert(out.end(), {"--cache-dir", "none"});
  if (is_default(loaded, "ca-out")) out.insert(out.end(), {"--ca-out", ca_out});
  if (is_default(loaded, "log-level")) out.insert(out.end(), {"--log-level", "warn"});
  for (const auto& [flag, value] : arguments.settings) {
    // Its own ready file is how it is found.
    if (flag == "ready-file") continue;
    out.push_back("--" + flag);
    out.push_back(value);
  }
  return out;
}

std::vector<std::string> temporary_places(const node::config::Variables& variables) {
  std::vector<std::string> out;
  if (auto runtime = node::config::xdg_runtime_dir(variables)) out.push_back(std::move(*runtime));
  if (const auto tmp = variables.get("TMPDIR")) out.emplace_back(*tmp);
  out.emplace_back("/tmp");
  return out;
}

void print_savings(Context& context, const Result<std::string>& stats) {
  const auto line = stats ? savings_of(*stats) : std::nullopt;
  context.err << "ghmesh: " << line.value_or("the node's counts could not be read") << std::endl;
}

}  // namespace

int run_command(const Arguments& arguments, Context& context) {
  const Result<node::config::Loaded> loaded = node::config::load({arguments.settings, context.variables, {}});
  if (!loaded) return complain(context, kUsage, "run: " + loaded.error().message);
  Result<TemporaryDirectory> directory = TemporaryDirectory::make(temporary_places(context.variables));
  if (!directory) return complain(context, kFailed, "run: " + directory.error().message);

  const std::string ca_out = loaded->config.ca_out.value_or(directory->path() + "/ca");

  ForwardedSignals signals;
  Result<PrivateNode> node = PrivateNode::start({.program = context.program,
                                                 .directory = directory->path(),
                                                 .settings = node_settings(arguments, *loaded, ca_out),
                                                 .environment = context.variables.all(),
                                                 .mask = signals.original_mask()});
  if (!node) return complain(context, kFailed, "run: " + node.error().message);

  Launch launch;
  launch.words = arguments.operands;
  launch.environment = context.variables.all();
  launch.mask = signals.original_mask();
  Pointing pointing{.url = node->url()};
  pointing.tell_of_proxy(loaded->config);
  if (is_https_proxy(*loaded)) pointing.ca_out = ca_out;
  if (const auto& socket = node->ready().socket) {
    const std::string gh = directory->path() + "/gh";
    if (Result<> copied = copy_gh_config(gh_config_dir(context.variables), gh, *socket); copied) {
      pointing.gh_config_dir = gh;
    } else {
      context.err << "ghmesh: run: gh is not pointed at the node: " << copied.error().message << std::endl;
    }
  }
  const PointedEnvironment pointed = point_at(pointing, context.variables);
  for (const std::string& note : pointed.notes) context.err << "ghmesh: run: " << note << std::endl;
  for (const auto& [name, value] : pointed.set) launch.environment[name] = value;
  launch.environment["GITHUB_API_URL"] = node->url();
  launch.environment["GHMESH_NODE"] = node->ready_file();
  Result<Process> child = Process::start(launch);
  if (!child) {
    node->stop();
    complain(context, kFailed, "run: " + child.error().message);
    // As shells say it: 127 for what is not there, 126 for what cannot be run.
    return child.error().code == ErrorCode::NotFound ? 127 : 126;
  }
  const int status = signals.run(*child);
  const Result<std::string> stats = node->stats();
  node->stop();
  print_savings(context, stats);
  return status;
}

}  // namespace ghmesh::cli
