// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "io/sockets.hpp"
#include "json.hpp"
#include "standin/driver.hpp"
#include "standin/world_builder.hpp"

// ghmesh-standin: GitHub's API on loopback, for tests in any language and for trying things out. Prints one line of
// JSON with its addresses when it is ready; stops on SIGTERM and SIGINT. Steered over /_model/ (control.cpp).

namespace ghmesh::standin {
namespace {

constexpr const char* kUsage =
    "usage: ghmesh-standin [option value]...\n"
    "  --port N              HTTP port (0: any free one; HTTPS and storage always take a free one)\n"
    "  --unix PATH           listens on a unix socket too\n"
    "  --ca-file PATH        writes the authority for HTTPS there\n"
    "  --latency-ms N        before every answer\n"
    "  --repositories N      octo-org/repo-1 …, of 1 to 200 KiB of everything (2)\n"
    "  --private N           of these, the last so many are private (1)\n"
    "  --files N             files per repository (10)\n"
    "  --token VALUE         a user who may see and write everything\n"
    "  --reader VALUE        a user without access to anything private\n"
    "  --job VALUE=OWNER/REPO  a job token\n"
    "  --open-door OWNER/REPO  unknown tokens are welcome: ghs_ ones are that repository's jobs, others users\n"
    "  --api-base URL        in Link and Location (https://api.github.com); 'self' for the HTTP address\n"
    "  --storage-base URL    where signed URLs point (the storage address); 'self' for the HTTP address\n";

struct Arguments {
  SyntheticPlan plan;
  Settings settings;
  DriverOptions driver;
  std::string unix_path;
  std::string ca_file;
  std::vector<std::string> everything;
  std::vector<std::string> readers;
  std::vector<std::pair<std::string, std::string>> jobs;
  std::optional<std::string> open_door;
};

bool parse_number(const std::string& text, std::uint32_t& out) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value > 1'000'000) return false;
  out = static_cast<std::uint32_t>(value);
  return true;
}

bool take(Arguments& a, const std::string& option, const std::string& value) {
  std::uint32_t number = 0;
  const auto numeric = [&](std::uint32_t& out) { return parse_number(value, out); };
  if (option == "--unix") return a.unix_path = value, true;
  if (option == "--ca-file") return a.ca_file = value, true;
  if (option == "--token") return a.everything.push_back(value), true;
  if (option == "--reader") return a.readers.push_back(value), true;
  if (option == "--open-door") return a.open_door = value, true;
  if (option == "--storage-base") return a.settings.storage_base = value, true;
  if (option == "--api-base") return a.settings.api_base = value, true;
  if (option == "--repositories") return numeric(a.plan.repositories);
  if (option == "--private") return numeric(a.plan.private_repositories);
  if (option == "--files") return numeric(a.plan.files);
  if (option == "--port" && numeric(number) && number < 65536)
    return a.driver.at.port = static_cast<std::uint16_t>(number), true;
  if (option == "--latency-ms" && numeric(number)) return a.driver.latency = std::chrono::milliseconds(number), true;
  if (option == "--job") {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos) return false;
    a.jobs.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    return true;
  }
  return false;
}

int complain(const Error& error) {
  std::fprintf(stderr, "ghmesh-standin: %s\n", error.message.c_str());
  return 1;
}

void fill(GithubModel& model, const Arguments& a, WallTime now) {
  build_synthetic(model.world, a.plan, now, model.settings.api_base);
  mount_recordings(model.world);
  for (const std::string& value : a.everything) model.tokens.add_user(value, "octocat").everything = true;
  for (const std::string& value : a.readers)
    model.tokens.add_user(value, "reader-" + TokenTable::fingerprint_of(value));
  for (const auto& [value, repository] : a.jobs) model.tokens.add_job(value, repository);
  if (a.open_door) model.tokens.open_door(a.open_door);
}

int run(const Arguments& a) {
  io::EpollLoop loop;
  const io::SignalWatcher signals(loop, {SIGTERM, SIGINT}, [&](int) { loop.stop(); });
  io::WorkPool pool(1, "standin");
  io::SocketNetwork network(loop, pool);
  GithubModel model(a.settings);
  Result<std::unique_ptr<Driver>> driver = Driver::start(network, model, a.driver);
  if (!driver) return complain(driver.error());
  const DriverAddresses& at = (*driver)->addresses();
  if (model.settings.api_base == "self") model.settings.api_base = "http://" + to_string(at.http);
  if (model.settings.storage_base == "self") model.settings.storage_base = "http://" + to_string(at.http);
  fill(model, a, loop.wall_now());
  if (!a.unix_path.empty()) {
    Result<std::unique_ptr<io::Listener>> listener = io::listen_unix(loop, a.unix_path);
    if (!listener) return complain(listener.error());
    (*driver)->listen(std::move(*listener));
  }
  if (!a.ca_file.empty()) {
    std::ofstream out(a.ca_file);
    out << at.authority_pem;
    if (!out.flush()) return complain(Error{ErrorCode::Io, Fault::Local, Retry::No, "cannot write " + a.ca_file});
  }
  const Json ready{{"http", "http://" + to_string(at.http)},
                   {"https", "https://" + to_string(at.https)},
                   {"storage", "http://" + to_string(at.storage)},
                   {"unix", a.unix_path},
                   {"ca_file", a.ca_file}};
  std::printf("%s\n", to_compact(ready).c_str());
  std::fflush(stdout);
  loop.run();
  return 0;
}

}  // namespace
}  // namespace ghmesh::standin

int main(int argc, char** argv) {
  ghmesh::standin::Arguments arguments;
  arguments.plan.repositories = 2;
  arguments.plan.private_repositories = 1;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 < argc && ghmesh::standin::take(arguments, argv[i], argv[i + 1])) continue;
    std::fputs(ghmesh::standin::kUsage, stderr);
    return std::string_view(argv[i]) == "--help" ? 0 : 2;
  }
  return ghmesh::standin::run(arguments);
}
