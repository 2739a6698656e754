// SPDX-License-Identifier: Apache-2.0
// A whole connection: the input is what a client sends after its preface, the first octet how it is cut. Whatever
// comes, the connection ends within its deadlines, no handler is left, and what the server says is a sequence of whole
// frames that begins with SETTINGS.

#include <cstdlib>

#include "http/http2/server.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"

using namespace ghmesh;        // NOLINT: a fuzz target is one function
using namespace ghmesh::http;  // NOLINT

namespace {

struct Echo final : server::Handler {
  bool try_answer(server::Exchange& exchange) override {
    if (exchange.request().view.method != "GET") return false;
    exchange.answer({"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "X: y\r\n", "hit", nullptr});
    return true;
  }
  io::Task<> answer(server::Exchange& exchange) override {
    if (exchange.request().view.method == "PUT") co_return;  // no answer at all: 500
    if (exchange.request().view.method == "DELETE") {        // without reading the body
      co_await exchange.respond(200, {}, "gone");
      co_return;
    }
    const auto body = co_await exchange.read_all(5000);
    if (!body || !exchange.begin(200, {})) co_return;
    if (co_await exchange.send(*body)) co_await exchange.finish();
  }
};

// RFC 9113 §4.1: nine octets of head, then as many as it says.
void check_frames(std::string_view got) {
  bool first = true;
  while (!got.empty()) {
    if (got.size() < 9) std::abort();
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(got[i]); };
    const std::size_t length = (std::size_t{octet(0)} << 16) | (std::size_t{octet(1)} << 8) | octet(2);
    if (first && octet(3) != 4) std::abort();
    first = false;
    if (got.size() < 9 + length) std::abort();
    got.remove_prefix(9 + length);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  io::ManualLoop loop;
  Echo echo;
  http2::Server server(loop, echo);
  io::TaskGroup group(loop);
  auto [near, far] = io::make_pipe(loop, {.capacity = 1 << 20, .chunk = data[0]});
  group.spawn(server.serve(std::move(far)));
  std::string input("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  input.append(reinterpret_cast<const char*>(data + 1), size - 1);
  const iovec part{input.data(), input.size()};
  near->try_write({&part, 1});
  loop.run_until_idle();
  std::string got;
  Bytes room(65536);
  for (int wait = 0; wait < 3; ++wait) {
    while (true) {
      const auto status = near->try_read(room);
      if (status.kind != io::IoStatus::Done) break;
      got.append(as_text(ByteView(room).first(status.bytes)));
      loop.run_until_idle();
    }
    loop.advance(std::chrono::seconds(400));
  }
  check_frames(got);
  if (server.counts().connections != 0 || group.size() != 0) std::abort();
  return 0;
}
