// SPDX-License-Identifier: Apache-2.0
#include "demo_fleet.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/clock.hpp"
#include "crypto/random.hpp"
#include "node_client.hpp"

namespace ghmesh::cli {

namespace {

// A member owns keys from its sixth second on; a loaded machine takes longer to tell everybody.
constexpr Duration kPatience = std::chrono::seconds(40);
constexpr auto kLook = std::chrono::milliseconds(100);
constexpr std::string_view kMeshPatience = "2s";

// How many others this node keeps a connection to and has given partitions.
std::size_t owners_seen(const PrivateNode& node) {
  if (!node.ready().admin) return 0;
  const Result<WholeReply> reply = ask(*node.ready().admin, {.target = "/api/peers", .fields = {}, .body = {}});
  if (!reply) return 0;
  const auto view = nlohmann::json::parse(reply->body, nullptr, false);
  std::size_t seen = 0;
  if (view.is_object() && view.contains("peers"))
    for (const auto& peer : view["peers"])
      if (peer.value("role", "") == "owner" && peer.value("state", "") == "alive") ++seen;
  return seen;
}

std::string fresh_secret() {
  crypto::SecureRandom random;
  std::uint8_t secret[32];
  random.fill(secret);
  return to_hex(secret);
}

}  // namespace

Result<DemoFleet> DemoFleet::start(const Context& context, const std::string& directory, const io::Endpoint& upstream,
                                   std::size_t count, const std::function<void(std::size_t, std::size_t)>& on_joined) {
  DemoFleet fleet;
  const std::string secret = fresh_secret();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string own = directory + "/runner-" + std::to_string(i + 1);
    std::error_code error;
    std::filesystem::create_directory(own, error);
    if (error) return fail(ErrorCode::Io, "making " + own + ": " + error.message());
    PrivateNodeOptions options{
        .program = context.program,
        .directory = own,
        .settings = {"--cache-dir", own + "/cache", "--log-level", "warn", "--upstream",
                     "http://" + io::to_string(upstream), "--p2p", "on", "--p2p-listen", "/ip4/127.0.0.1/tcp/0",
                     "--mdns", "off", "--registry", directory + "/registry"},
        .environment = {{"HOME", own},
                        {"PATH", "/usr/bin:/bin"},
                        {"GHMESH_SECRET", secret},
                        {"RUNNER_NAME", "runner-" + std::to_string(i + 1)}},
        .mask = {}};
    // All members share this one machine: when it is busy, none of them is as slow as it looks, and a charge for that
    // would say nothing about a fleet.
    options.environment.emplace("GHMESH_MESH_PATIENCE",
                                context.variables.get("GHMESH_MESH_PATIENCE").value_or(kMeshPatience));
    ::sigemptyset(&options.mask);
    Result<PrivateNode> node = PrivateNode::start(options);
    if (!node) return std::unexpected(std::move(node.error()));
    fleet.nodes_.push_back(std::move(*node));
  }
  const SystemClock clock;
  const TimePoint until = clock.now() + kPatience;
  const std::size_t pairs = count * (count - 1);
  for (std::size_t seen = 0; seen < pairs;) {
    seen = 0;
    for (const PrivateNode& node : fleet.nodes_) seen += owners_seen(node);
    on_joined(seen, pairs);
    if (seen < pairs && clock.now() > until)
      return fail(ErrorCode::Timeout, "the nodes did not find each other within 40 s");
    if (seen < pairs) std::this_thread::sleep_for(kLook);
  }
  return fleet;
}

std::uint64_t DemoFleet::canaries() {
  constexpr std::string_view kName = "\nghmesh_canaries_charged_total ";
  canaries_.resize(nodes_.size());
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const auto& admin = nodes_[i].ready().admin;
    const Result<WholeReply> reply = admin ? ask(*admin, {.target = "/metrics", .fields = {}, .body = {}})
                                           : fail(ErrorCode::NotFound, "no admin listener");
    const std::size_t at = reply ? reply->body.find(kName) : std::string::npos;
    if (at != std::string::npos) canaries_[i] = std::strtoull(reply->body.c_str() + at + kName.size(), nullptr, 10);
    sum += canaries_[i];
  }
  return sum;
}

void DemoFleet::kill(std::size_t i) {
  canaries();
  nodes_[i].kill();
}

void DemoFleet::stop() {
  // All at once: each hands over and drains, which takes a moment.
  for (PrivateNode& node : nodes_) node.ask_to_stop();
  for (PrivateNode& node : nodes_) node.stop();
}

}  // namespace ghmesh::cli
