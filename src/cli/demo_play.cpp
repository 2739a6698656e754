// SPDX-License-Identifier: Apache-2.0
#include "demo_play.hpp"

#include "http/client/pool.hpp"
#include "io/sockets.hpp"
#include "io/task_group.hpp"

namespace ghmesh::cli {

namespace {

constexpr std::size_t kMaxBody = 16u << 20;

bool came_from_a_peer(const http::FieldsView& fields) {
  const std::string status = fields.joined("Cache-Status");
  return status.find("detail=peer") != std::string::npos;
}

void take_answer(const Plan& plan, Round& round, std::size_t client, std::size_t at, const Result<std::string>& body,
                 bool from_peer) {
  if (!body) {
    ++round.failed;
    if (round.first_error.empty()) round.first_error = plan.paths[at] + ": " + body.error().message;
  } else if (plan.expected.empty()) {
    if (client == 0) round.bodies[at] = *body;
  } else if (*body != plan.expected[at]) {
    ++round.different;
    if (round.first_error.empty()) round.first_error = plan.paths[at] + ": other bytes than GitHub's";
  }
  if (from_peer) ++round.from_peers;
}

io::Task<> ask_all(io::Network& network, const Plan& plan, std::size_t client, Round& round,
                   const Play::OnAnswer& on_answer) {
  http::client::Pool pool(network.loop(), {"api.github.com", false, [&] { return network.dial(plan.at[client]); }});
  const http::Fields fields{{"Authorization", "token " + plan.tokens[client]},
                            {"Accept", "application/vnd.github+json"},
                            {"User-Agent", "ghmesh-demo"}};
  const std::size_t count = plan.paths.size();
  for (std::size_t i = 0; i < count && !round.clients[client].gone; ++i) {
    const std::size_t at = (i + (plan.staggered ? client * count / plan.tokens.size() : 0)) % count;
    auto reply = co_await pool.send({.method = "GET", .target = plan.paths[at], .fields = fields.view()});
    Result<std::string> body = fail(ErrorCode::Io, "no answer");
    if (!reply) {
      body = std::unexpected(reply.error());
    } else if ((*reply)->status() != 200) {
      body = fail(ErrorCode::Io, "status " + std::to_string((*reply)->status()));
    } else {
      body = co_await (*reply)->read_all(kMaxBody);
    }
    // With its runner the client is gone; nobody waits for this answer.
    if (round.clients[client].gone) co_return;
    ++round.asked;
    ++round.clients[client].done;
    take_answer(plan, round, client, at, body, reply && came_from_a_peer((*reply)->fields()));
    if (on_answer) on_answer(round);
  }
}

}  // namespace

Round Play::run(const Plan& plan, const OnAnswer& on_answer) {
  io::EpollLoop loop;
  io::WorkPool pool(1, "resolve");
  io::SocketNetwork network(loop, pool);
  Round round;
  round.clients.resize(plan.tokens.size());
  if (plan.expected.empty()) round.bodies.resize(plan.paths.size());
  github_.take_spent();
  const TimePoint began = loop.now();
  {
    io::TaskGroup clients(loop);
    for (std::size_t i = 0; i < plan.tokens.size(); ++i) clients.spawn(ask_all(network, plan, i, round, on_answer));
    if (!loop.run_until([&] { return clients.size() == 0; }, limit_)) {
      round.failed += 1;
      round.first_error = "the clients were not done in time";
    }
  }
  round.time = loop.now() - began;
  round.spent = github_.take_spent();
  return round;
}

}  // namespace ghmesh::cli
