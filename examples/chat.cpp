// SPDX-License-Identifier: Apache-2.0
// A chat between two terminals: lines typed in one appear in the other. The protocol is one long-lived stream with one
// framed message per line; whoever ends their input half-closes, and can still read.
//
//   example_chat                 (prints its address, waits for the other)
//   example_chat ADDRESS

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "crypto/random.hpp"
#include "io/epoll_loop.hpp"
#include "io/sockets.hpp"
#include "io/task_group.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/request/framing.hpp"

using namespace ghmesh;
using multiformats::Multiaddr;

namespace {

constexpr const char* kProtocol = "/chat/1.0.0";
constexpr std::size_t kMaxLine = 4096;

// Standard input may be a file or a terminal, which epoll does not take; a line at a time is read on a pool thread.
Result<std::string> read_line() {
  std::string line;
  int c = 0;
  while (line.size() < kMaxLine && (c = std::getchar()) != EOF && c != '\n') line.push_back(static_cast<char>(c));
  if (c == EOF && line.empty()) return fail(ErrorCode::Closed, "end of input");
  return line;
}

io::Task<> print_lines(io::Stream& stream) {
  libp2p::FrameReader frames(stream, kMaxLine);
  while (true) {
    const auto line = co_await frames.next();
    if (!line || !*line) break;
    std::printf("> %s\n", std::string(as_text(**line)).c_str());
    std::fflush(stdout);
  }
}

io::Task<> send_lines(io::Stream& stream, io::WorkPool& pool) {
  while (true) {
    const Result<std::string> line = co_await pool.run(stream.loop(), read_line);
    if (!line || !co_await libp2p::write_frame(stream, as_bytes(*line))) break;
  }
  stream.shutdown_write();
}

io::Task<> talk(libp2p::PeerStream stream, io::WorkPool& pool, bool& over) {
  io::TaskGroup both(stream->loop());
  both.spawn(print_lines(*stream));
  both.spawn(send_lines(*stream, pool));
  co_await both.join();
  over = true;
}

io::Task<> dial(libp2p::Host& host, Multiaddr address, io::WorkPool& pool, bool& over) {
  auto connection = co_await host.swarm().dial(address);
  if (!connection) {
    std::fprintf(stderr, "%s\n", connection.error().message.c_str());
    over = true;
    co_return;
  }
  Result<libp2p::PeerStream> stream = (*connection)->open(kProtocol);
  if (stream) co_await talk(std::move(*stream), pool, over);
  over = true;
}

}  // namespace

int main(int argc, char** argv) {
  io::EpollLoop loop;
  bool over = false;
  const io::SignalWatcher signals(loop, {SIGINT, SIGTERM}, [&](int) { over = true; });
  io::WorkPool pool(2, "chat");
  io::SocketNetwork network(loop, pool);
  crypto::SecureRandom random;
  libp2p::Host host(network, random, {.key = libp2p::PrivateKey::generate(random)});
  io::TaskGroup tasks(loop);
  if (argc > 1) {
    const Result<Multiaddr> address = Multiaddr::parse(argv[1]);
    if (!address) {
      std::fprintf(stderr, "%s\n", address.error().message.c_str());
      return 2;
    }
    tasks.spawn(dial(host, *address, pool, over));
  } else {
    host.swarm().set_handler(kProtocol, [&](libp2p::PeerStream stream) { return talk(std::move(stream), pool, over); });
    const Result<Multiaddr> bound = host.swarm().listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0"));
    if (!bound) {
      std::fprintf(stderr, "%s\n", bound.error().message.c_str());
      return 1;
    }
    for (const Multiaddr& address : host.addresses()) std::printf("%s\n", address.text().c_str());
    std::fflush(stdout);
  }
  while (!loop.run_until([&] { return over; }, std::chrono::hours(24))) continue;
  // A reader may still sit in getchar(); ending the process is the only way out of it.
  std::fflush(stdout);
  std::_Exit(0);
}
