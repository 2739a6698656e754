// SPDX-License-Identifier: Apache-2.0
#include "node_client.hpp"

#include "http/client/pool.hpp"
#include "io/epoll_loop.hpp"
#include "io/sockets.hpp"
#include "io/task_group.hpp"
#include "io/work_pool.hpp"
#include "node/config/ready_file.hpp"
#include "node/config/values.hpp"

namespace ghmesh::cli {

namespace {

constexpr std::size_t kMaxBody = 64u << 20;

Result<> from_ready_file(NodeAddress& node, const std::string& path, const std::string& source) {
  Result<std::string> text = node::config::read_small_file(path);
  if (!text) return std::unexpected(std::move(text.error()).with_context(source));
  Result<node::config::Ready> ready = node::config::parse_ready(*text);
  if (!ready) return std::unexpected(std::move(ready.error()).with_context(source + " " + path));
  node = {ready->listen, ready->admin, source + " " + path};
  return {};
}

Result<> from_text(std::optional<io::Endpoint>& to, std::string_view text, const std::string& source) {
  Result<io::Endpoint> endpoint = node::config::parse_endpoint(text);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()).with_context(source));
  to = *endpoint;
  return {};
}

// 0.0.0.0 is where a node listens, not where it is asked.
io::Endpoint reachable(io::Endpoint endpoint) {
  if (!endpoint.address.is_unspecified()) return endpoint;
  endpoint.address = endpoint.address.v6 ? *io::IpAddress::parse("::1") : io::IpAddress::loopback();
  return endpoint;
}

struct Exchange {
  const io::Endpoint at;
  const Question& question;
  const std::function<void(const Reply&)>& on_head;
  const std::function<void(std::string_view)>& on_piece;
  std::optional<Result<Reply>> result;
};

io::Task<Result<Reply>> exchange(io::Network& network, Exchange& x) {
  http::client::Origin origin{io::to_string(x.at), false, [&network, &x] { return network.dial(x.at); }};
  http::client::Limits limits;
  limits.first_byte = x.question.patience;
  http::client::Pool pool(network.loop(), std::move(origin), limits);
  http::client::TextBody body(x.question.body);
  http::client::Outgoing outgoing{
      .method = x.question.method, .target = x.question.target, .fields = x.question.fields.view()};
  if (!x.question.body.empty() || x.question.method == "POST") outgoing.body = &body;
  Result<std::unique_ptr<http::client::Reply>> answer = co_await pool.send(std::move(outgoing));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  Reply reply{(*answer)->status(), http::Fields((*answer)->fields()), true};
  x.on_head(reply);
  while (true) {
    const Result<std::string_view> piece = co_await (*answer)->read();
    if (!piece) {
      reply.complete = false;
      break;
    }
    if (piece->empty()) break;
    x.on_piece(*piece);
  }
  co_return reply;
}

io::Task<> drive(io::Network& network, Exchange& x, io::EpollLoop& loop) {
  x.result.emplace(co_await exchange(network, x));
  loop.stop();
}

}  // namespace

Result<NodeAddress> find_node(const Arguments& arguments, const node::config::Variables& variables) {
  NodeAddress node;
  if (const auto path = arguments.get("ready-file")) {
    if (Result<> done = from_ready_file(node, *path, "--ready-file"); !done)
      return std::unexpected(std::move(done.error()));
  } else if (const auto file = variables.get("GHMESH_NODE")) {
    if (Result<> done = from_ready_file(node, std::string(*file), "GHMESH_NODE"); !done)
      return std::unexpected(std::move(done.error()));
  } else {
    node = {io::Endpoint{io::IpAddress::loopback(), 8418}, io::Endpoint{io::IpAddress::loopback(), 8417},
            "the default address"};
  }
  // One address by hand leaves the other as it was found.
  const auto override_with = [&](std::optional<io::Endpoint>& to, std::string_view text,
                                 const std::string& source) -> Result<> {
    node.source = source;
    if (text == "off") {
      to.reset();
      return {};
    }
    return from_text(to, text, source);
  };
  const bool by_file = arguments.has("ready-file") || variables.get("GHMESH_NODE");
  for (const std::string_view name : {"listen", "admin"}) {
    auto& to = name == "listen" ? node.listen : node.admin;
    const std::string variable = name == "listen" ? "GHMESH_LISTEN" : "GHMESH_ADMIN";
    Result<> done;
    if (const auto flag = arguments.get(name)) {
      done = override_with(to, *flag, "--" + std::string(name));
    } else if (const auto value = variables.get(variable); value && !by_file) {
      done = override_with(to, *value, variable);
    }
    if (!done) return std::unexpected(std::move(done.error()));
  }
  if (node.listen) node.listen = reachable(*node.listen);
  if (node.admin) node.admin = reachable(*node.admin);
  return node;
}

Result<Reply> ask(const io::Endpoint& at, const Question& question, const std::function<void(const Reply&)>& on_head,
                  const std::function<void(std::string_view)>& on_piece) {
  io::EpollLoop loop;
  io::WorkPool pool(1, "resolve");
  io::SocketNetwork network(loop, pool);
  Exchange x{at, question, on_head, on_piece, std::nullopt};
  io::TaskGroup group(loop);
  group.spawn(drive(network, x, loop));
  loop.run();
  return std::move(*x.result);
}

Result<WholeReply> ask(const io::Endpoint& at, const Question& question) {
  WholeReply whole;
  bool over = false;
  const auto on_piece = [&](std::string_view piece) {
    over = over || whole.body.size() + piece.size() > kMaxBody;
    if (!over) whole.body += piece;
  };
  Result<Reply> reply = ask(at, question, [](const Reply&) {}, on_piece);
  if (!reply) return std::unexpected(std::move(reply.error()));
  if (over) return fail(ErrorCode::Limit, "the node's answer is over 64 MiB", Fault::Peer);
  if (!reply->complete) return fail(ErrorCode::Closed, "the node broke off within its answer", Fault::Peer);
  static_cast<Reply&>(whole) = std::move(*reply);
  return whole;
}

std::optional<std::string> authorization_of(const node::config::Variables& variables) {
  for (const std::string_view name : {"GH_TOKEN", "GITHUB_TOKEN"}) {
    if (const auto token = variables.get(name)) return "token " + std::string(*token);
  }
  return std::nullopt;
}

}  // namespace ghmesh::cli
