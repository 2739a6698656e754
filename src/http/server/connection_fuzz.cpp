// SPDX-License-Identifier: Apache-2.0
// A whole connection: the input is what a client sends, the first octet how it is cut. Whatever comes, what the server
// says is a sequence of well-formed answers, one for each request that was understood, and in the end nothing is left.

#include <array>
#include <cstdlib>

#include "http/http1/body.hpp"
#include "http/server/server.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"

using namespace ghmesh;        // NOLINT: a fuzz target is one function
using namespace ghmesh::http;  // NOLINT

namespace {

struct Echo final : server::Handler {
  std::vector<bool> heads;  // per request: was it HEAD

  bool try_answer(server::Exchange& exchange) override {
    if (exchange.request().view.method != "GET") return false;
    heads.push_back(false);
    exchange.answer({"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "", "hit", nullptr});
    return true;
  }
  io::Task<> answer(server::Exchange& exchange) override {
    heads.push_back(exchange.request().view.method == "HEAD");
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

void check_answers(std::string_view text, const std::vector<bool>& heads) {
  std::size_t answers = 0;
  std::array<Field, 64> fields;
  while (!text.empty()) {
    const bool head = answers < heads.size() && heads[answers];
    http1::ResponseParser parser;
    const auto state = parser.parse(text, fields, head ? http1::RequestKind::Head : http1::RequestKind::Other);
    if (state != http1::ParseState::Done) std::abort();
    text.remove_prefix(parser.head().size);
    if (parser.head().view.status < 200) continue;
    http1::BodyDecoder decoder(parser.head().body);
    while (true) {
      const auto step = decoder.next(text);
      text.remove_prefix(step.consumed);
      if (step.state == http1::BodyDecoder::State::Done) break;
      if (step.state == http1::BodyDecoder::State::Data) continue;
      if (!decoder.complete_at_end()) std::abort();
      break;
    }
    ++answers;
  }
  // At most one more than the handler saw: what was not understood.
  if (answers > heads.size() + 1) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  io::ManualLoop loop;
  Echo echo;
  server::Server server(loop, echo);
  auto [near, far] = io::make_pipe(loop, {.capacity = 1 << 20, .chunk = data[0]});
  server.adopt(std::move(far));
  const iovec part{const_cast<std::uint8_t*>(data + 1), size - 1};
  if (size > 1) near->try_write({&part, 1});
  loop.run_until_idle();
  std::string got;
  Bytes room(65536);
  const auto receive = [&] {
    while (true) {
      const auto status = near->try_read(room);
      if (status.kind != io::IoStatus::Done) return;
      got.append(as_text(ByteView(room).first(status.bytes)));
      loop.run_until_idle();
    }
  };
  receive();
  loop.advance(std::chrono::seconds(400));
  receive();
  if (server.counts().connections != 0) std::abort();
  check_answers(got, echo.heads);
  return 0;
}
