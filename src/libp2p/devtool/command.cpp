// SPDX-License-Identifier: Apache-2.0
#include "libp2p/devtool/command.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <csignal>

#include "bench.hpp"
#include "crypto/random.hpp"
#include "forge.hpp"
#include "handlers.hpp"
#include "io/epoll_loop.hpp"
#include "io/sockets.hpp"
#include "json_line.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/mdns/discovery.hpp"
#include "libp2p/noise/noise_security.hpp"
#include "libp2p/tls/tls_security.hpp"

namespace ghmesh::libp2p::devtool {

using multiformats::Multiaddr;

namespace {

double milliseconds(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

HostOptions host_options(const CommandOptions& command, Random& random) {
  HostOptions options{.key = PrivateKey::generate(random)};
  options.accept_keys = options.identify.accept_keys = *AcceptKeys::parse(command.accept_keys);
  options.early_muxer = command.early_muxer;
  options.swarm.idle_after = Duration::zero();
  options.identify.agent_version = "ghmesh-dev";
  if (command.default_limits) return options;
  resource::Limits& limits = options.resources;
  limits.connections_in = limits.connections_out = resource::Maxima::kConnections;
  limits.transient_connections = resource::Maxima::kTransientConnections;
  limits.connections_per_ip = limits.connections_per_loopback = resource::Maxima::kConnections;
  limits.accepts_per_second = limits.loopback_accepts_per_second = 1e6;
  limits.accept_burst = limits.loopback_accept_burst = 1e6;
  limits.streams_per_connection = limits.streams_per_peer = resource::Maxima::kStreamsPerConnection;
  limits.streams_per_protocol_and_peer = resource::Maxima::kStreamsPerConnection;
  limits.streams = limits.transient_streams = resource::Maxima::kStreams;
  limits.memory = resource::Maxima::kMemory;
  limits.memory_per_peer = limits.memory_per_connection = std::size_t{64} << 20;
  options.mux.max_unacknowledged = 256;
  return options;
}

struct Security {
  std::unique_ptr<PrivateKey> key;  // what a forged identity is made from
  std::unique_ptr<noise::LocalIdentity> identity;
  std::unique_ptr<SecureTransport> transport;
};

// The one secure channel of the command, honest or not.
Result<Security> make_security(const CommandOptions& command, const HostOptions& options, Random& random,
                               const Clock& clock) {
  Security out{.key = std::make_unique<PrivateKey>(options.key.clone()), .identity = {}, .transport = {}};
  const std::optional<Voucher> voucher =
      command.forge.empty() ? voucher_of(*out.key) : forger(command.forge, *out.key, random);
  if (!voucher) return fail(ErrorCode::Malformed, "--forge takes one of " + std::string(kForgeries));
  std::vector<std::string> muxers;
  if (options.early_muxer) muxers.emplace_back("/yamux/1.0.0");
  if (command.tls) {
    auto made = tls::TlsSecurity::make(*voucher, std::move(muxers), clock, options.accept_keys);
    if (!made) return std::unexpected(made.error());
    out.transport = std::move(*made);
  } else {
    out.identity = std::make_unique<noise::LocalIdentity>(*voucher, std::move(muxers), random);
    out.transport = std::make_unique<noise::NoiseSecurity>(*out.identity, random, options.accept_keys);
  }
  return out;
}

// A dial's layers, each with its own field, so that a failure names the one that failed.
io::Task<int> dial_once(Host& host, Multiaddr address, std::FILE* out, std::shared_ptr<PeerConnection>& connection) {
  JsonLine line;
  line.add("verb", "dial").add("address", address.text());
  const TimePoint begin = host.loop().now();
  auto result = co_await host.swarm().dial(address);
  if (!result) {
    line.add("ok", false).add("code", to_string(result.error().code)).add("error", result.error().message).print(out);
    co_return 1;
  }
  connection = *result;
  line.add("peer_id", connection->peer().text());
  line.add("security", connection->security())
      .add("early_muxer", connection->early_muxer())
      .add("muxer", "/yamux/1.0.0");
  line.add("handshake_ms", milliseconds(connection->handshake_time()));
  // Asked for once more besides the one that every connection starts with: this one's result is wanted.
  if (Result<> asked = co_await host.identify().ask(connection); !asked) {
    line.add("ok", false).add("layer", "identify").add("error", asked.error().message).print(out);
    co_return 1;
  }
  RemoteInfo& info = connection->info();
  line.add("agent", info.agent_version).add("protocol_version", info.protocol_version).add("protocols", info.protocols);
  line.add("certified", info.certified);
  line.add("observed", info.observed_address ? info.observed_address->text() : std::string());
  crypto::SecureRandom random;
  auto pinger = ping::Pinger::open(*connection, random);
  const Result<Duration> rtt = pinger ? co_await pinger->ping() : Result<Duration>(std::unexpected(pinger.error()));
  if (!rtt) {
    line.add("ok", false).add("layer", "ping").add("error", rtt.error().message).print(out);
    co_return 1;
  }
  line.add("ping_ms", milliseconds(*rtt))
      .add("total_ms", milliseconds(host.loop().now() - begin))
      .add("ok", true)
      .print(out);
  co_return 0;
}

io::Task<int> ping_many(PeerConnection& connection, std::uint32_t count, std::FILE* out) {
  crypto::SecureRandom random;
  auto pinger = ping::Pinger::open(connection, random);
  if (!pinger) co_return 1;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Result<Duration> rtt = co_await pinger->ping();
    JsonLine line;
    line.add("verb", "ping").add("seq", i).add("ok", rtt.has_value());
    if (rtt)
      line.add("ms", milliseconds(*rtt));
    else
      line.add("error", rtt.error().message);
    line.print(out);
    if (!rtt) co_return 1;
  }
  pinger->close();
  co_return 0;
}

io::Task<int> perf_once(PeerConnection& connection, const CommandOptions& command, std::FILE* out) {
  const double cpu = cpu_seconds();
  const Result<Duration> took =
      co_await run_perf(connection, command.upload, command.download, std::chrono::milliseconds(command.pause));
  JsonLine line;
  line.add("verb", "perf").add("upload", command.upload).add("download", command.download).add("ok", took.has_value());
  if (took) {
    const double seconds = std::chrono::duration<double>(*took).count();
    line.add("seconds", seconds)
        .add("mib_per_second", static_cast<double>(command.upload + command.download) / seconds / (1 << 20))
        .add("cpu_seconds", cpu_seconds() - cpu);
  } else {
    line.add("error", took.error().message);
  }
  line.print(out);
  co_return took ? 0 : 1;
}

io::Task<int> echo_once(PeerConnection& connection, const CommandOptions& command, std::FILE* out) {
  const std::string protocol = command.protocol.empty() ? std::string(kEcho) : command.protocol;
  const Result<crypto::Digest32> back = co_await run_echo(
      connection, protocol, command.size, command.early_end ? EchoEnd::BehindOctets : EchoEnd::BehindEcho);
  JsonLine line;
  line.add("verb", "echo").add("protocol", protocol).add("octets", command.size).add("ok", back.has_value());
  if (back)
    line.add("sha256", to_hex(*back));
  else
    line.add("code", to_string(back.error().code)).add("error", back.error().message);
  line.print(out);
  co_return back ? 0 : 1;
}

io::Task<void> run_verb(io::Network& network, Random& random, Host& host, CommandOptions command, Multiaddr address,
                        std::FILE* out, int& status, bool& done) {
  if (command.verb == "bench") {
    const auto another_host = [&] { return std::make_unique<Host>(network, random, host_options(command, random)); };
    status = co_await run_bench(host, another_host, address, command, out);
  } else {
    std::shared_ptr<PeerConnection> connection;
    status = co_await dial_once(host, address, out, connection);
    if (status == 0 && command.verb == "ping")
      status = co_await ping_many(*connection, command.count == 0 ? 5 : command.count, out);
    if (status == 0 && command.verb == "perf") status = co_await perf_once(*connection, command, out);
    if (status == 0 && command.verb == "echo") status = co_await echo_once(*connection, command, out);
  }
  done = true;
}

// As many hosts as asked for, one connection each, held for count seconds: what an idle connection costs the listener.
io::Task<void> hold(io::Network& network, Random& random, CommandOptions command, Multiaddr address, std::FILE* out,
                    int& status, bool& done) {
  std::vector<std::unique_ptr<Host>> hosts;
  std::uint32_t connected = 0;
  for (std::uint32_t i = 0; i < command.parallel; ++i) {
    hosts.push_back(std::make_unique<Host>(network, random, host_options(command, random)));
    connected += (co_await hosts.back()->swarm().dial(address)).has_value();
  }
  JsonLine().add("verb", "bench").add("mode", "hold").add("connections", connected).print(out);
  co_await network.loop().sleep_for(std::chrono::seconds(command.count));
  status = connected == command.parallel ? 0 : 1;
  done = true;
}

std::vector<std::string> texts(const std::vector<Multiaddr>& addresses) {
  std::vector<std::string> out;
  for (const Multiaddr& address : addresses) out.push_back(address.text());
  return out;
}

int fail_with(std::FILE* out, const CommandOptions& command, const Error& error, int status) {
  JsonLine()
      .add("verb", command.verb)
      .add("ok", false)
      .add("code", to_string(error.code))
      .add("error", error.message)
      .print(out);
  return status;
}

}  // namespace

std::optional<std::string> parse_command(const std::vector<std::string>& arguments, CommandOptions& options) {
  const auto number = [](std::string_view text, auto& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc() && end == text.data() + text.size();
  };
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& a = arguments[i];
    const bool has_value = i + 1 < arguments.size();
    bool fine = true;
    if (a == "--tls")
      options.tls = true;
    else if (a == "--late-muxer")
      options.early_muxer = false;
    else if (a == "--default-limits")
      options.default_limits = true;
    else if (a == "--early-end")
      options.early_end = true;
    else if (a == "--port" && has_value)
      fine = number(arguments[++i], options.port);
    else if (a == "--mdns" && has_value)
      fine = number(arguments[++i], options.mdns);
    else if (a == "--count" && has_value)
      fine = number(arguments[++i], options.count);
    else if (a == "--upload" && has_value)
      fine = number(arguments[++i], options.upload);
    else if (a == "--download" && has_value)
      fine = number(arguments[++i], options.download);
    else if (a == "--pause" && has_value)
      fine = number(arguments[++i], options.pause);
    else if (a == "--warm" && has_value)
      fine = number(arguments[++i], options.warm);
    else if (a == "--measure" && has_value)
      fine = number(arguments[++i], options.measure);
    else if (a == "--parallel" && has_value)
      fine = number(arguments[++i], options.parallel);
    else if (a == "--size" && has_value)
      fine = number(arguments[++i], options.size);
    else if (a == "--protocol" && has_value)
      options.protocol = arguments[++i];
    else if (a == "--accept-keys" && has_value) {
      options.accept_keys = arguments[++i];
      if (const auto keys = AcceptKeys::parse(options.accept_keys); !keys) return keys.error().message;
    } else if (a == "--forge" && has_value)
      options.forge = arguments[++i];
    else if (a == "--mode" && has_value)
      options.mode = arguments[++i];
    else if (a.starts_with("--"))
      return "unknown option or missing value: " + a;
    else if (options.verb.empty())
      options.verb = a;
    else if (options.address.empty())
      options.address = a;
    else
      return "one address only, not also " + a;
    if (!fine) return "not a number: " + arguments[i];
  }
  const bool listens = options.verb == "listen";
  if (!listens && options.verb != "dial" && options.verb != "ping" && options.verb != "perf" &&
      options.verb != "echo" && options.verb != "bench")
    return "p2p listen|dial|ping|perf|echo|bench [MULTIADDR]";
  constexpr std::string_view kModes[] = {"", "ping", "kept", "fresh", "first", "setups", "hold"};
  if (std::ranges::find(kModes, options.mode) == std::end(kModes))
    return "--mode takes ping, kept, fresh, first, setups or hold, not " + options.mode;
  if (options.tls && options.parallel > 1 && (options.mode == "setups" || options.mode == "first"))
    return "several dialers at once are over Noise: leave --tls or --parallel out";
  if (!listens && options.address.empty()) return "p2p " + options.verb + " needs a multiaddr";
  return std::nullopt;
}

int run_command(const CommandOptions& command, std::FILE* out) {
  io::EpollLoop loop;
  bool stopped = false;
  const io::SignalWatcher signals(loop, {SIGINT, SIGTERM}, [&](int) {
    stopped = true;
    loop.stop();
  });
  io::WorkPool pool(1, "resolver");
  io::SocketNetwork network(loop, pool);
  crypto::SecureRandom random;
  HostOptions options = host_options(command, random);
  Result<Security> security = make_security(command, options, random, loop.clock());
  if (!security) return fail_with(out, command, security.error(), 2);
  options.security_before = {security->transport.get()};
  options.noise = false;
  Host host(network, random, std::move(options));
  serve_all(host.swarm());
  if (command.verb == "listen") {
    const std::string text =
        command.address.empty() ? "/ip4/127.0.0.1/tcp/" + std::to_string(command.port) : command.address;
    const Result<Multiaddr> address = Multiaddr::parse(text);
    if (!address) return fail_with(out, command, address.error(), 2);
    if (const auto bound = host.swarm().listen(*address); !bound) return fail_with(out, command, bound.error(), 1);
    JsonLine().add("peer_id", host.id().text()).add("multiaddrs", texts(host.addresses())).print(out);
    std::unique_ptr<mdns::Discovery> discovery;
    if (command.mdns != 0) {
      auto started = mdns::Discovery::start(
          loop, random, host.id(), [&] { return host.addresses(); },
          [&](const PeerId& peer, const Multiaddr& at) {
            JsonLine().add("found", peer.text()).add("address", at.text()).print(out);
          },
          {.port = command.mdns});
      if (!started) return fail_with(out, command, started.error(), 1);
      discovery = std::move(*started);
    }
    loop.run();
    return 0;
  }
  const Result<Multiaddr> address = Multiaddr::parse(command.address);
  if (!address) return fail_with(out, command, address.error(), 2);
  int status = 1;
  bool done = false;
  io::TaskGroup tasks(loop);
  if (command.mode == "hold")
    tasks.spawn(hold(network, random, command, *address, out, status, done));
  else
    tasks.spawn(run_verb(network, random, host, command, *address, out, status, done));
  (void)loop.run_until([&] { return done || stopped; }, std::chrono::minutes(10));
  // What is still queued, closing frames above all, gets a moment to leave.
  (void)loop.run_until([] { return false; }, std::chrono::milliseconds(5));
  return status;
}

}  // namespace ghmesh::libp2p::devtool
