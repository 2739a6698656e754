// SPDX-License-Identifier: Apache-2.0
// What an origin sends to two requests, one after the other, the first octet saying how it is cut and whether the
// stream ends. Whatever comes, both requests end, a body with a length has that length, and no connection is left
// behind.

#include <cstdlib>

#include "http/client/pool.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"

using namespace ghmesh;        // NOLINT: a fuzz target is one function
using namespace ghmesh::http;  // NOLINT

namespace {

io::Task<> ask(client::Pool& pool, std::string_view method, int& ended) {
  auto reply = co_await pool.send({.method = method, .target = "/", .fields = {}});
  if (reply) {
    const auto promised = (*reply)->length();
    const auto body = co_await (*reply)->read_all(1 << 16);
    if (body && promised && body->size() != *promised) std::abort();
    if (body && method == "HEAD" && !body->empty()) std::abort();
  }
  ++ended;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  io::ManualLoop loop;
  std::vector<std::unique_ptr<io::Stream>> far;
  const iovec part{const_cast<std::uint8_t*>(data + 1), size - 1};
  client::Pool pool(loop, {"a", false, [&]() -> io::Task<Result<std::unique_ptr<io::Stream>>> {
                             auto [near, other] = io::make_pipe(loop, {.capacity = 1 << 20, .chunk = data[0] & 31u});
                             if (size > 1) other->try_write({&part, 1});
                             if ((data[0] & 32) != 0) other->shutdown_write();
                             far.push_back(std::move(other));
                             co_return std::move(near);
                           }});
  io::TaskGroup group(loop);
  int ended = 0;
  for (const std::string_view method : {(data[0] & 64) != 0 ? "HEAD" : "GET", "POST"}) {
    group.spawn(ask(pool, method, ended));
    loop.advance(std::chrono::seconds(100));
  }
  // A trickle of single octets may take its time, but never for ever.
  loop.advance(std::chrono::hours(2));
  if (ended != 2 || pool.counts().open != 0) std::abort();
  return 0;
}
