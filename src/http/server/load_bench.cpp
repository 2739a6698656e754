// SPDX-License-Identifier: Apache-2.0
// Serves one preserialised answer on 127.0.0.1 until SIGTERM, then prints what a request cost in CPU: the floor of a
// cached hit, without key, lookup and policy. Drive it with a load generator on another core, in turns with the server
// it is compared to.
//
//   bench_http_server_load [port [body octets]]

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "http/server/server.hpp"
#include "io/sockets.hpp"

namespace {

using namespace ghmesh;  // NOLINT: a program of its own

class OneAnswer final : public http::server::Handler {
 public:
  explicit OneAnswer(std::size_t size)
      : body_(std::make_shared<const std::string>(size, 'x')),
        head_(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nETag: W/\"0123456789abcdef\"\r\n"
            "Cache-Control: private, max-age=60, s-maxage=60\r\nVary: Accept, Authorization, Cookie\r\n"
            "Content-Length: " +
            std::to_string(size) + "\r\n") {}

  bool try_answer(http::server::Exchange& exchange) override {
    exchange.answer({head_, "Age: 1\r\nCache-Status: ghmesh; hit; detail=memory\r\n", *body_, body_});
    return true;
  }
  io::Task<> answer(http::server::Exchange& exchange) override { co_await exchange.respond(404, {}, "no\n"); }

 private:
  std::shared_ptr<const std::string> body_;
  std::string head_;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 0;
  OneAnswer handler(argc > 2 ? static_cast<std::size_t>(std::atoll(argv[2])) : 6 * 1024);
  io::EpollLoop loop;
  io::SignalWatcher signals(loop, {SIGTERM, SIGINT}, [&](int) { loop.stop(); });
  io::WorkPool pool(1, "bench");
  io::SocketNetwork network(loop, pool);
  http::server::Limits limits;
  limits.requests_per_connection = ~std::uint64_t{0};
  http::server::Server server(loop, handler, limits);
  auto listener = network.listen({io::IpAddress::loopback(), static_cast<std::uint16_t>(port)});
  if (!listener) {
    std::fprintf(stderr, "%s\n", listener.error().message.c_str());
    return 1;
  }
  std::printf("listening on %s\n", to_string(*(*listener)->local_endpoint()).c_str());
  std::fflush(stdout);
  server.listen(std::move(*listener));
  const double before = cpu_seconds();
  loop.run();
  const double used = cpu_seconds() - before;
  const auto requests = static_cast<double>(server.counts().requests);
  std::printf("%.0f requests, %.3f s CPU, %.2f us per request\n", requests, used,
              used * 1e6 / (requests > 0 ? requests : 1));
  return 0;
}
