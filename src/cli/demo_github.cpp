// SPDX-License-Identifier: Apache-2.0
#include "demo_github.hpp"

#include <future>
#include <thread>

#include "github/resource.hpp"
#include "io/sockets.hpp"
#include "standin/driver.hpp"
#include "standin/world_builder.hpp"

namespace ghmesh::cli {

namespace {

// Enough for the rounds of a demo to have different questions.
constexpr std::uint32_t kRepositories = 10;
constexpr const char* kJobsRepository = "octo-org/repo-1";

bool may_be_kept(std::string_view path) {
  // The world names documents; a request target would have to encode some.
  if (path.find_first_of(" \"<>%#") != std::string_view::npos) return false;
  path.remove_prefix(1);
  const github::Resource resource = github::classify("GET", path.substr(0, path.find('?')));
  // What never leaves a node (accounts, teams, secrets) costs each runner its own charge; it is no part of the story.
  const bool shared = resource.share == github::Share::Repository || resource.share == github::Share::Public;
  return resource.known && shared &&
         (resource.cls == github::ResourceClass::Default || resource.cls == github::ResourceClass::Immutable ||
          resource.cls == github::ResourceClass::Volatile);
}

std::vector<std::string> kept_ones(std::vector<std::string> paths) {
  std::erase_if(paths, [](const std::string& path) { return !may_be_kept(path); });
  return paths;
}

}  // namespace

struct DemoGithub::State {
  void serve(Duration latency, const std::vector<std::string>& tokens, std::promise<Result<>> started);

  Spent read(bool anew);

  std::thread thread;
  io::EpollLoop* loop = nullptr;               // while the thread runs
  standin::GithubModel* model = nullptr;       // loop's thread only
  standin::Driver* driver = nullptr;           // likewise
  io::Endpoint endpoint;                       // set before the thread's promise
  std::vector<std::string> recorded, made_up;  // likewise
};

void DemoGithub::State::serve(Duration latency, const std::vector<std::string>& tokens,
                              std::promise<Result<>> started) {
  io::EpollLoop own_loop;
  io::WorkPool pool(1, "stand-in");
  io::SocketNetwork network(own_loop, pool);
  standin::GithubModel own_model;
  // A demo asks faster than the points of a minute allow.
  own_model.quota.rules.secondary = false;
  for (std::size_t i = 0; i < tokens.size(); ++i)
    own_model.tokens.add_user(tokens[i], "octocat-" + std::to_string(i + 1)).everything = true;
  own_model.tokens.open_door(kJobsRepository);
  recorded = kept_ones(standin::mount_recordings(own_model.world));
  made_up = kept_ones(standin::build_synthetic(own_model.world, {.repositories = kRepositories}, own_loop.wall_now()));
  auto started_driver = standin::Driver::start(network, own_model, {.https = false, .latency = latency});
  if (!started_driver) {
    started.set_value(std::unexpected(started_driver.error()));
    return;
  }
  loop = &own_loop;
  model = &own_model;
  driver = started_driver->get();
  endpoint = (*started_driver)->addresses().http;
  started.set_value({});
  own_loop.run();
}

DemoGithub::DemoGithub(std::unique_ptr<State> state) : state_(std::move(state)) {}

DemoGithub::~DemoGithub() {
  if (state_->loop != nullptr) state_->loop->post_from_any_thread([loop = state_->loop] { loop->stop(); });
  if (state_->thread.joinable()) state_->thread.join();
}

Result<std::unique_ptr<DemoGithub>> DemoGithub::start(Duration latency, const std::vector<std::string>& tokens) {
  std::unique_ptr<DemoGithub> out(new DemoGithub(std::make_unique<State>()));
  std::promise<Result<>> started;
  std::future<Result<>> done = started.get_future();
  out->state_->thread =
      std::thread([state = out->state_.get(), latency, tokens, started = std::move(started)]() mutable {
        state->serve(latency, tokens, std::move(started));
      });
  if (Result<> result = done.get(); !result) return std::unexpected(std::move(result.error()));
  return out;
}

const io::Endpoint& DemoGithub::endpoint() const { return state_->endpoint; }

std::vector<std::string> DemoGithub::paths() const {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::max(state_->recorded.size(), state_->made_up.size()); ++i) {
    for (const auto* list : {&state_->recorded, &state_->made_up}) {
      if (i < list->size()) out.push_back((*list)[i]);
    }
  }
  return out;
}

std::vector<std::string> DemoGithub::job_paths(std::size_t count) const {
  const std::string root = std::string("/repos/") + kJobsRepository;
  std::vector<std::string> all;
  for (const std::string& path : state_->made_up)
    if (path == root || path.starts_with(root + "/")) all.push_back(path);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count && !all.empty(); ++i) out.push_back(all[i * all.size() / count]);
  return out;
}

void DemoGithub::set_latency(Duration latency) {
  std::promise<void> done;
  state_->loop->post_from_any_thread([&done, driver = state_->driver, latency] {
    driver->set_latency(latency);
    done.set_value();
  });
  done.get_future().wait();
}

Spent DemoGithub::State::read(bool anew) {
  std::promise<Spent> promise;
  std::future<Spent> spent = promise.get_future();
  loop->post_from_any_thread([&promise, this, anew] {
    const standin::Counters& total = model->journal.total();
    const Spent out{total.total, total.charged, total.free_304, total.primary_limited};
    if (anew) {
      model->journal.clear();
      model->quota.forget();
    }
    promise.set_value(out);
  });
  return spent.get();
}

Spent DemoGithub::spent() { return state_->read(false); }
Spent DemoGithub::take_spent() { return state_->read(true); }

}  // namespace ghmesh::cli
