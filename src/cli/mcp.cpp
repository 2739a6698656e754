// SPDX-License-Identifier: Apache-2.0
// MCP on stdio (MCP 2025-06-18, "Transports"): lines in, lines out. The server itself is the node's (src/mcp), at /mcp
// of its admin listener; this passes messages on and speaks for the client there: the token of GH_TOKEN or GITHUB_TOKEN
// goes along as a credential for GitHub. A node that was restarted gets a new session, set up as the old one was.
#include <unistd.h>

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "command.hpp"
#include "http/client/pool.hpp"
#include "io/epoll_loop.hpp"
#include "io/sockets.hpp"
#include "io/task_group.hpp"
#include "io/work_pool.hpp"
#include "node_client.hpp"

namespace ghmesh::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxLine = 1024 * 1024;             // as the server's own bound
constexpr std::size_t kMaxAnswer = 64u << 20;             // of one message from the node
constexpr std::size_t kMaxRemembered = 16;                // messages that set a session up
constexpr Duration kPatience = std::chrono::minutes(10);  // for one answer; pages of a long list take their time
constexpr Duration kAgain = 1s;                           // between attempts to reach the node

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string error_line(const Json& id, int code, const std::string& what) {
  return dump(Json{{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", what}}}});
}

http::client::Limits client_limits() {
  http::client::Limits out;
  out.first_byte = kPatience;
  return out;
}

class Bridge {
 public:
  Bridge(io::Network& network, io::EpollLoop& loop, const io::Endpoint& at, std::optional<std::string> token,
         std::ostream& out)
      : loop_(loop),
        where_(io::to_string(at)),
        pool_(loop, {where_, false, [&network, at] { return network.dial(at); }}, client_limits()),
        token_(std::move(token)),
        out_(out),
        ready_(loop),
        tasks_(loop),
        listening_(loop) {}

  void on_line(std::string line) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) tasks_.spawn(forward(std::move(line)));
  }
  // The client has closed its end: what it asked for is still answered, then the session ends.
  void on_end() { ending_.emplace(loop_).spawn(finish()); }

 private:
  struct Given {
    int status = 0;
    std::string session;
    bool streamed = false;
    std::string body;  // unless streamed
  };

  http::Fields fields(bool post) const {
    http::Fields out{{"Accept", post ? "application/json, text/event-stream" : "text/event-stream"}};
    if (post) out.add("Content-Type", "application/json");
    if (!session_.empty()) out.add("Mcp-Session-Id", session_);
    if (!session_.empty()) out.add("MCP-Protocol-Version", version_);
    if (token_) out.add("Authorization", *token_);
    return out;
  }

  void write(std::string_view line) {
    out_ << line << '\n';
    out_.flush();
  }

  // Events of a stream, as lines.
  void write_events(std::string& rest) {
    for (std::size_t end; (end = rest.find("\n\n")) != std::string::npos; rest.erase(0, end + 2)) {
      std::string_view block = std::string_view(rest).substr(0, end);
      while (!block.empty()) {
        const std::size_t stop = std::min(block.find('\n'), block.size());
        const std::string_view line = block.substr(0, stop);
        block.remove_prefix(std::min(stop + 1, block.size()));
        if (line.starts_with("data: ")) write(line.substr(6));
        if (line.starts_with("id: 0-")) last_id_ = line.substr(4);
      }
    }
  }

  io::Task<Result<Given>> post(const std::string& line) {
    const http::Fields sent = fields(true);
    http::client::TextBody body(line);
    http::client::Outgoing request{.method = "POST", .target = "/mcp", .fields = sent.view()};
    request.body = &body;
    Result<std::unique_ptr<http::client::Reply>> reply = co_await pool_.send(std::move(request));
    if (!reply) co_return std::unexpected(std::move(reply.error()));
    Given given{(*reply)->status(), std::string((*reply)->fields().first("Mcp-Session-Id").value_or("")), false, {}};
    given.streamed = (*reply)->fields().first("Content-Type").value_or("") == "text/event-stream";
    while (true) {
      const Result<std::string_view> piece = co_await (*reply)->read();
      if (!piece) co_return std::unexpected(piece.error());
      if (piece->empty()) break;
      given.body.append(*piece);
      if (given.body.size() > kMaxAnswer) co_return fail(ErrorCode::Limit, "the node's answer is too large");
      if (given.streamed) write_events(given.body);
    }
    co_return given;
  }

  io::Task<> forward(std::string line) {
    const Json message = Json::parse(line, nullptr, false);
    if (!message.is_object()) co_return write(error_line(nullptr, -32700, "the line is not a JSON object"));
    const Json id = message.contains("id") ? message["id"] : Json(nullptr);
    const std::string method =
        message.contains("method") && message["method"].is_string() ? message["method"].get<std::string>() : "";
    if (line.size() > kMaxLine) co_return write(error_line(id, -32600, "the message is too large"));
    if (method == "initialize") co_return co_await start(std::move(line), id);
    co_await ready_.wait();
    remember(method, message, line);
    for (int attempt = 0;; ++attempt) {
      const Result<Given> given = co_await post(line);
      if (given && given->status == 404 && attempt == 0 && co_await renew()) continue;
      if (!given && attempt == 0 && co_await renew()) continue;
      co_return write_answer(given, id);
    }
  }

  void write_answer(const Result<Given>& given, const Json& id) {
    if (!given) {
      if (!id.is_null()) write(error_line(id, -32000, "no node answers at " + where_ + ": " + given.error().message));
      return;
    }
    if (given->streamed || given->status == 202 || given->status == 204) return;
    Json answer = Json::parse(given->body, nullptr, false);
    if (!answer.is_object() || !answer.contains("jsonrpc"))
      return write(error_line(id, -32000, "the node says " + std::to_string(given->status)));
    if (answer.contains("error") && answer["id"].is_null()) answer["id"] = id;
    if (!answer["id"].is_null()) write(dump(answer));
  }

  io::Task<> start(std::string line, Json id) {
    session_.clear();
    const Result<Given> given = co_await post(line);
    if (given && given->status == 200) {
      initialize_ = std::move(line);
      take(*given);
      listening_.cancel();
      listening_.spawn(listen());
    }
    write_answer(given, id);
    ready_.set();
  }

  void take(const Given& given) {
    session_ = given.session;
    last_id_.clear();
    const Json answer = Json::parse(given.body, nullptr, false);
    if (answer.is_object() && answer.contains("result")) version_ = answer["result"].value("protocolVersion", "");
  }

  // What a new session of a restarted node must be told again.
  void remember(const std::string& method, const Json& message, const std::string& line) {
    const std::string uri = message.contains("params") ? message["params"].value("uri", "") : "";
    if (method == "resources/unsubscribe") remembered_.erase("resources/subscribe " + uri);
    if (method != "resources/subscribe" && method != "logging/setLevel" && method != "notifications/initialized")
      return;
    if (remembered_.size() < kMaxRemembered) remembered_[method + " " + uri] = line;
  }

  // A new session on the node that is there now. False: none is there, or there never was a session.
  io::Task<bool> renew() {
    if (initialize_.empty()) co_return false;
    const std::string before = session_;
    session_.clear();
    const Result<Given> given = co_await post(initialize_);
    if (!session_.empty()) co_return true;  // somebody else was quicker
    if (!given || given->status != 200) {
      session_ = before;
      co_return false;
    }
    take(*given);
    for (const auto& [key, line] : std::map(remembered_)) static_cast<void>(co_await post(line));
    co_return true;
  }

  // What answers no request: changed resources, log messages.
  io::Task<> listen() {
    while (true) {
      http::Fields sent = fields(false);
      if (!last_id_.empty()) sent.add("Last-Event-ID", last_id_);
      Result<std::unique_ptr<http::client::Reply>> reply =
          co_await pool_.send({.method = "GET", .target = "/mcp", .fields = sent.view()});
      const int status = reply ? (*reply)->status() : 0;
      std::string rest;
      while (status == 200) {
        const Result<std::string_view> piece = co_await (*reply)->read();
        if (!piece || piece->empty() || rest.size() > kMaxAnswer) break;
        rest.append(*piece);
        write_events(rest);
      }
      co_await loop_.sleep_for(kAgain);
      if (status == 404) co_await renew();
    }
  }

  io::Task<> finish() {
    co_await tasks_.join();
    listening_.cancel();
    if (!session_.empty()) {
      const http::Fields sent = fields(true);
      static_cast<void>(co_await io::until(
          loop_, pool_.send({.method = "DELETE", .target = "/mcp", .fields = sent.view()}), loop_.now() + 2s));
    }
    loop_.stop();
  }

  io::EpollLoop& loop_;
  const std::string where_;
  http::client::Pool pool_;
  const std::optional<std::string> token_;
  std::ostream& out_;
  std::string session_, version_, initialize_, last_id_;
  std::map<std::string, std::string> remembered_;
  io::Event ready_;  // the first initialize has been answered
  io::TaskGroup tasks_;
  io::TaskGroup listening_;
  std::optional<io::TaskGroup> ending_;
};

// Reads lines in a thread of its own: standard input may be anything, also what no loop can wait for. The thread
// outlives nobody: it posts only while the loop is there.
struct Inbox {
  std::mutex mutex;
  io::EpollLoop* loop = nullptr;
  Bridge* bridge = nullptr;

  void post(std::optional<std::string> line) {
    const std::scoped_lock lock(mutex);
    if (loop == nullptr) return;
    loop->post_from_any_thread([to = bridge, line = std::move(line)]() mutable {
      if (line) {
        to->on_line(*std::move(line));
      } else {
        to->on_end();
      }
    });
  }
};

void read_lines(const std::shared_ptr<Inbox>& inbox) {
  std::string rest;
  char piece[16 * 1024];
  while (true) {
    const ssize_t count = ::read(STDIN_FILENO, piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    rest.append(piece, static_cast<std::size_t>(count));
    for (std::size_t end; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1))
      inbox->post(rest.substr(0, end));
    if (rest.size() > 2 * kMaxLine) rest.resize(kMaxLine + 1);  // too large, and said so when its end comes
  }
  if (!rest.empty()) inbox->post(std::move(rest));
  inbox->post(std::nullopt);
}

}  // namespace

int mcp(const Arguments& arguments, Context& context) {
  const Result<NodeAddress> node = find_node(arguments, context.variables);
  if (!node) return complain(context, kFailed, "mcp: " + node.error().message);
  if (!node->admin) return complain(context, kNoNode, "mcp: the node's admin listener is off (--admin off)");
  const Result<WholeReply> alive = ask(*node->admin, {.target = "/healthz", .fields = {}, .body = {}});
  if (!alive)
    return complain(context, kNoNode,
                    "mcp: no node answers at " + io::to_string(*node->admin) + " (" + node->source +
                        "): " + alive.error().message + "; start one with: ghmesh serve");
  io::EpollLoop loop;
  io::WorkPool pool(1, "resolve");
  io::SocketNetwork network(loop, pool);
  Bridge bridge(network, loop, *node->admin, authorization_of(context.variables), context.out);
  const auto inbox = std::make_shared<Inbox>();
  inbox->loop = &loop;
  inbox->bridge = &bridge;
  std::thread([inbox] { read_lines(inbox); }).detach();
  loop.run();
  const std::scoped_lock lock(inbox->mutex);
  inbox->loop = nullptr;
  return kDone;
}

}  // namespace ghmesh::cli
