// SPDX-License-Identifier: Apache-2.0
#include "bench.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "handlers.hpp"
#include "json_line.hpp"
#include "libp2p/request/request.hpp"

namespace ghmesh::libp2p::devtool {

namespace {

constexpr std::size_t kRequest = 64;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// What all workers of one run share.
struct Run {
  std::uint32_t left;
  std::uint32_t size;
  std::vector<Duration> times;
  std::optional<Error> error;
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

io::Task<void> fresh(Host& host, PeerConnection& connection, Run& run) {
  while (run.left > 0 && !run.error) {
    --run.left;
    const TimePoint begin = host.loop().now();
    Result<PeerStream> stream = connection.open(kReply);
    if (!stream) {
      run.error = stream.error();
      co_return;
    }
    FrameReader reader(**stream, std::size_t{4} << 20);
    if (Result<> fine = co_await exchange(**stream, reader, run.size); !fine) run.error = fine.error();
    (*stream)->shutdown_write();
    (void)co_await reader.next();
    run.times.push_back(host.loop().now() - begin);
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

io::Task<void> requests(Host& host, PeerConnection& connection, Run& run) {
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

}  // namespace

io::Task<int> run_bench(Host& host, multiformats::Multiaddr address, const CommandOptions& command, std::FILE* out) {
  Run run{command.count == 0 ? 1000 : command.count, static_cast<std::uint32_t>(command.size), {}, {}};
  const std::uint32_t total = run.left;
  run.times.reserve(total);
  std::shared_ptr<PeerConnection> connection;
  const bool one_connection = command.mode != "setups" && command.mode != "first";
  if (one_connection) {
    auto dialled = co_await host.swarm().dial(address);
    if (!dialled) {
      run.error = dialled.error();
    } else {
      connection = *dialled;
    }
  }
  const TimePoint begin = host.loop().now();
  const double cpu = cpu_seconds();
  if (!run.error) {
    io::TaskGroup workers(host.loop());
    for (std::uint32_t i = 0; i < command.parallel; ++i) {
      if (command.mode == "setups")
        workers.spawn(setups(host, address, run));
      else if (command.mode == "first")
        workers.spawn(firsts(host, address, run));
      else if (command.mode == "request")
        workers.spawn(requests(host, *connection, run));
      else
        workers.spawn(command.mode == "fresh" ? fresh(host, *connection, run) : kept(host, *connection, run));
    }
    co_await workers.join();
  }
  const double seconds = std::chrono::duration<double>(host.loop().now() - begin).count();
  JsonLine line;
  line.add("verb", "bench").add("mode", command.mode).add("parallel", command.parallel).add("size", command.size);
  line.add("ok", !run.error);
  if (run.error) {
    line.add("error", run.error->message).print(out);
    co_return 1;
  }
  std::ranges::sort(run.times);
  const auto at = [&](double q) {
    const auto index = static_cast<std::size_t>(q * static_cast<double>(run.times.size() - 1));
    return std::chrono::duration<double, std::milli>(run.times[index]).count();
  };
  line.add("count", total).add("per_second", total / seconds).add("p50_ms", at(0.5)).add("p99_ms", at(0.99));
  line.add("cpu_us", (cpu_seconds() - cpu) * 1e6 / total).print(out);
  co_return 0;
}

}  // namespace ghmesh::libp2p::devtool
