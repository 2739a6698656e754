// SPDX-License-Identifier: Apache-2.0
#include "bench.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "crypto/random.hpp"
#include "handlers.hpp"
#include "json_line.hpp"
#include "libp2p/request/request.hpp"

namespace ghmesh::libp2p::devtool {

namespace {

constexpr std::size_t kRequest = 64;

// What all workers of one run share.
struct Run {
  std::uint64_t left;
  std::uint32_t size;
  std::vector<Duration> times;
  std::optional<Error> error;
};

struct Measured {
  TimePoint begin;
  double cpu;  // of the process; at the end, what was used since the beginning
  double seconds = 0;
  std::uint64_t count = 0;

  void end(TimePoint now, std::uint64_t done) {
    cpu = cpu_seconds() - cpu;
    seconds = std::chrono::duration<double>(now - begin).count();
    count = done;
  }
};

io::Task<Result<>> exchange(io::Stream& stream, FrameReader& reader, std::uint32_t size) {
  std::uint8_t request[kRequest] = {};
  store_be(request, size);
  if (Result<> sent = co_await write_frame(stream, request); !sent) co_return sent;
  const auto reply = co_await reader.next();
  if (!reply) co_return std::unexpected(reply.error());
  if (!*reply || (*reply)->size() != size)
    co_return fail(ErrorCode::Malformed, "another reply than asked for", Fault::Peer);
  co_return Result<>();
}

io::Task<void> kept(Host& host, PeerConnection& connection, Run& run) {
  Result<PeerStream> stream = connection.open(kReply);
  if (!stream) {
    run.error = stream.error();
    co_return;
  }
  FrameReader reader(**stream, std::size_t{4} << 20);
  while (run.left > 0 && !run.error) {
    --run.left;
    const TimePoint begin = host.loop().now();
    if (Result<> fine = co_await exchange(**stream, reader, run.size); !fine) run.error = fine.error();
    run.times.push_back(host.loop().now() - begin);
  }
  (*stream)->shutdown_write();
  (void)co_await reader.next();
}

io::Task<void> pings(Host&, PeerConnection& connection, Run& run) {
  crypto::SecureRandom random;
  auto pinger = ping::Pinger::open(connection, random);
  if (!pinger) {
    run.error = pinger.error();
    co_return;
  }
  while (run.left > 0 && !run.error) {
    --run.left;
    const Result<Duration> trip = co_await pinger->ping();
    if (!trip)
      run.error = trip.error();
    else
      run.times.push_back(*trip);
  }
}

// One request as the library's users make it: a stream of its own that ends on our side behind the request.
io::Task<Result<>> ask(Host& host, const PeerId& peer, std::uint32_t size) {
  Bytes message(kRequest);
  store_be(message.data(), size);
  const auto answer = co_await request(host.swarm(), peer, std::string(kReply), std::move(message));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->size() != size) co_return fail(ErrorCode::Malformed, "another reply than asked for", Fault::Peer);
  co_return Result<>();
}

io::Task<void> fresh(Host& host, PeerConnection& connection, Run& run) {
  while (run.left > 0 && !run.error) {
    --run.left;
    const TimePoint begin = host.loop().now();
    if (Result<> fine = co_await ask(host, connection.peer(), run.size); !fine) run.error = fine.error();
    run.times.push_back(host.loop().now() - begin);
  }
}

io::Task<void> leave(Host& host, PeerConnection& connection) {
  host.swarm().disconnect(connection.peer(), {ErrorCode::Cancelled, Fault::Local, Retry::No, "measured"});
  while (!connection.ended()) co_await host.loop().yield();
}

// Each request is the first thing on a new connection, which the other side may not be done setting up.
io::Task<void> firsts(Host& host, multiformats::Multiaddr address, Run& run) {
  while (run.left > 0 && !run.error) {
    --run.left;
    const TimePoint begin = host.loop().now();
    const auto connection = co_await host.swarm().dial(address);
    Result<> fine = connection ? co_await ask(host, (*connection)->peer(), run.size)
                               : Result<>(std::unexpected(connection.error()));
    if (!fine) run.error = fine.error();
    if (connection) co_await leave(host, **connection);
    run.times.push_back(host.loop().now() - begin);
  }
}

// Each set-up is dial, handshake, muxer and one ping, by a connection that is then closed.
io::Task<void> setups(Host& host, multiformats::Multiaddr address, Run& run) {
  while (run.left > 0 && !run.error) {
    --run.left;
    const TimePoint begin = host.loop().now();
    const auto connection = co_await host.swarm().dial(address);
    if (!connection) {
      run.error = connection.error();
      co_return;
    }
    run.times.push_back(host.loop().now() - begin);
    co_await leave(host, **connection);
  }
}

// Lets the workers run to get warm, then counts from nothing for a while, then stops them.
io::Task<void> watch(io::Loop& loop, const CommandOptions& command, std::FILE* out, Run& run, Measured& measured) {
  co_await loop.sleep_for(std::chrono::milliseconds(command.warm));
  JsonLine().add("verb", "bench").add("event", "begin").print(out);
  run.times.clear();
  measured = {.begin = loop.now(), .cpu = cpu_seconds()};
  co_await loop.sleep_for(std::chrono::milliseconds(command.measure));
  run.left = 0;
  measured.end(loop.now(), run.times.size());
}

void print_result(const CommandOptions& command, Run& run, const Measured& measured, std::FILE* out) {
  std::ranges::sort(run.times);
  const auto at = [&](double q) {
    const auto index = static_cast<std::size_t>(q * static_cast<double>(run.times.size() - 1));
    return std::chrono::duration<double, std::milli>(run.times[index]).count();
  };
  const double count = static_cast<double>(measured.count);
  JsonLine()
      .add("verb", "bench")
      .add("mode", command.mode)
      .add("parallel", command.parallel)
      .add("size", command.size)
      .add("ok", true)
      .add("count", measured.count)
      .add("per_second", count / measured.seconds)
      .add("p50_ms", at(0.5))
      .add("p99_ms", at(0.99))
      .add("cpu_us", measured.cpu * 1e6 / count)
      .print(out);
}

}  // namespace

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

io::Task<int> run_bench(Host& host, MakeHost make_host, multiformats::Multiaddr address, const CommandOptions& command,
                        std::FILE* out) {
  const bool timed = command.measure > 0;
  const std::uint64_t total = command.count == 0 ? 1000 : command.count;
  Run run{timed ? std::numeric_limits<std::uint64_t>::max() : total, static_cast<std::uint32_t>(command.size), {}, {}};
  const bool dials_each = command.mode == "setups" || command.mode == "first";
  std::shared_ptr<PeerConnection> connection;
  if (!dials_each) {
    auto dialled = co_await host.swarm().dial(address);
    if (!dialled)
      run.error = dialled.error();
    else
      connection = *dialled;
  }
  // A host keeps one connection to a peer, so that each dialler is a host.
  std::vector<std::unique_ptr<Host>> dialers;
  for (std::uint32_t i = 1; i < command.parallel && dials_each; ++i) dialers.push_back(make_host());
  Measured measured{.begin = host.loop().now(), .cpu = cpu_seconds()};
  if (!run.error) {
    io::TaskGroup workers(host.loop());
    for (std::uint32_t i = 0; i < command.parallel; ++i) {
      Host& dialer = i == 0 || !dials_each ? host : *dialers[i - 1];
      if (command.mode == "setups")
        workers.spawn(setups(dialer, address, run));
      else if (command.mode == "first")
        workers.spawn(firsts(dialer, address, run));
      else if (command.mode == "fresh")
        workers.spawn(fresh(host, *connection, run));
      else if (command.mode == "ping")
        workers.spawn(pings(host, *connection, run));
      else
        workers.spawn(kept(host, *connection, run));
    }
    if (timed) co_await watch(host.loop(), command, out, run, measured);
    co_await workers.join();
    if (!timed) measured.end(host.loop().now(), total);
  }
  if (!run.error && run.times.empty())
    run.error = Error{ErrorCode::Timeout, Fault::Peer, Retry::No, "nothing was done"};
  if (run.error) {
    JsonLine()
        .add("verb", "bench")
        .add("mode", command.mode)
        .add("ok", false)
        .add("error", run.error->message)
        .print(out);
    co_return 1;
  }
  print_result(command, run, measured, out);
  co_return 0;
}

}  // namespace ghmesh::libp2p::devtool
