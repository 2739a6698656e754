// SPDX-License-Identifier: Apache-2.0
// The node in the foreground.
#include <signal.h>
#include <unistd.h>

#include "command.hpp"
#include "io/epoll_loop.hpp"
#include "io/inherited.hpp"
#include "io/task_group.hpp"
#include "node/config/config.hpp"
#include "node/runtime/node.hpp"
#include "shelter.hpp"

namespace ghmesh::cli {

namespace {

io::Task<> drain_and_stop(node::Node& node, io::EpollLoop& loop) {
  co_await node.drain();
  loop.stop();
}

// SIGHUP: a secret that cannot be used leaves the one that is in use.
void reload(node::Node& node, const log::Logger& logger) {
  if (Result<> done = node.reload_secret(); done) {
    logger.info("secret read again");
  } else {
    logger.error("the secret stays as it was", {{"why", done.error().message}});
  }
}

// The settings that somebody chose, for the log's first lines; defaults are in --help.
void log_origins(const log::Logger& logger, const node::config::Loaded& loaded) {
  for (const node::config::Origin& origin : loaded.origins) {
    if (origin.source != "default")
      logger.debug("setting", {{"name", origin.flag}, {"value", origin.value}, {"from", origin.source}});
  }
}

}  // namespace

int serve(const Arguments& arguments, Context& context) {
  shelter_process(context.variables);
  Result<node::config::Loaded> loaded = node::config::load({arguments.settings, context.variables, {}});
  if (!loaded) return complain(context, kUsage, "serve: " + loaded.error().message);
  const node::config::Config& config = loaded->config;
  const log::Logger logger = log::Logger::to_stderr(config.log_level, config.log_format);
  log_origins(logger, *loaded);

  const auto& variables = context.variables;
  Result<std::vector<io::InheritedSocket>> inherited = io::take_inherited(
      ::getpid(), variables.get("LISTEN_PID"), variables.get("LISTEN_FDS"), variables.get("LISTEN_FDNAMES"));
  if (!inherited) return complain(context, kUsage, "serve: " + inherited.error().message);

  io::EpollLoop loop;
  std::unique_ptr<node::Node> node;
  io::TaskGroup leaving(loop);
  // Watched before the node starts its threads, which then inherit the mask. The first signal lets what is in flight
  // finish, the second does not wait.
  io::SignalWatcher signals(loop, {SIGTERM, SIGINT, SIGHUP}, [&](int number) {
    if (number == SIGHUP) {
      if (node) reload(*node, logger);
      return;
    }
    if (leaving.size() > 0 || !node) {
      loop.stop();
      return;
    }
    logger.info("stopping", {{"signal", number}});
    leaving.spawn(drain_and_stop(*node, loop));
  });
  Result<std::unique_ptr<node::Node>> started = node::Node::start(loop, config, logger, std::move(*inherited));
  if (!started) return complain(context, kFailed, "serve: " + started.error().message);
  node = std::move(*started);
  loaded->config.job.token = {};
  loop.run();
  leaving.cancel();
  node.reset();
  logger.info("stopped");
  return kDone;
}

}  // namespace ghmesh::cli
