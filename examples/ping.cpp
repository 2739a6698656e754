// SPDX-License-Identifier: Apache-2.0
// Two roles of one program: without an argument it listens and prints its address; with an address it dials it, says
// who answered, and pings five times.
//
//   example_ping                                  → /ip4/127.0.0.1/tcp/40123/p2p/12D3Koo…
//   example_ping /ip4/127.0.0.1/tcp/40123/p2p/12D3Koo…

#include <csignal>
#include <cstdio>

#include "crypto/random.hpp"
#include "io/epoll_loop.hpp"
#include "io/sockets.hpp"
#include "io/task_group.hpp"
#include "libp2p/host/host.hpp"

using namespace ghmesh;
using multiformats::Multiaddr;

namespace {

io::Task<> ping(libp2p::Host& host, crypto::SecureRandom& random, Multiaddr address, int& status) {
  auto connection = co_await host.swarm().dial(address);
  if (!connection) {
    std::fprintf(stderr, "%s\n", connection.error().message.c_str());
    co_return;
  }
  std::printf("connected to %s\n", (*connection)->peer().text().c_str());
  auto pinger = libp2p::ping::Pinger::open(**connection, random);
  for (int i = 0; pinger && i < 5; ++i) {
    const Result<Duration> round_trip = co_await pinger->ping();
    if (!round_trip) {
      std::fprintf(stderr, "%s\n", round_trip.error().message.c_str());
      co_return;
    }
    std::printf("%.3f ms\n", std::chrono::duration<double, std::milli>(*round_trip).count());
  }
  status = pinger ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  io::EpollLoop loop;
  io::WorkPool pool(1, "resolver");
  io::SocketNetwork network(loop, pool);
  crypto::SecureRandom random;
  libp2p::Host host(network, random, {.key = libp2p::PrivateKey::generate(random)});

  if (argc > 1) {
    const Result<Multiaddr> address = Multiaddr::parse(argv[1]);
    if (!address) {
      std::fprintf(stderr, "%s\n", address.error().message.c_str());
      return 2;
    }
    int status = 1;
    io::TaskGroup tasks(loop);
    tasks.spawn(ping(host, random, *address, status));
    loop.run_until([&] { return tasks.size() == 0; }, std::chrono::seconds(20));
    return status;
  }

  const Result<Multiaddr> bound = host.swarm().listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0"));
  if (!bound) {
    std::fprintf(stderr, "%s\n", bound.error().message.c_str());
    return 1;
  }
  for (const Multiaddr& address : host.addresses()) std::printf("%s\n", address.text().c_str());
  std::fflush(stdout);
  const io::SignalWatcher signals(loop, {SIGINT, SIGTERM}, [&](int) { loop.stop(); });
  loop.run();
}
