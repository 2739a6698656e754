// SPDX-License-Identifier: Apache-2.0
// top: asks the node's admin listener once a second, reads its events as they come, and draws. Keys and signals come
// from threads of their own, which may have to wait for ever; they post to the loop only while it is there.
#include <signal.h>

#include <iostream>
#include <mutex>
#include <thread>

#include "command.hpp"
#include "http/client/pool.hpp"
#include "io/epoll_loop.hpp"
#include "io/sockets.hpp"
#include "io/sync.hpp"
#include "io/task_group.hpp"
#include "io/work_pool.hpp"
#include "node_client.hpp"
#include "terminal.hpp"
#include "top_view.hpp"

namespace ghmesh::cli {

namespace {

constexpr Duration kPatience = std::chrono::seconds(5);
constexpr Duration kAgain = std::chrono::seconds(1);  // between attempts to read events
constexpr std::size_t kMaxAnswer = 4u << 20;          // of /api/stats and /api/peers
constexpr std::size_t kMaxEvent = 64u << 10;          // of one event; stats are not asked for

bool wants_colours(const node::config::Variables& variables) {
  return !variables.get("NO_COLOR") && variables.get("TERM").value_or("dumb") != "dumb";
}

class Top {
 public:
  Top(io::Network& network, io::EpollLoop& loop, const io::Endpoint& at, TopModel& model, Terminal& terminal,
      Duration interval, bool colours)
      : loop_(loop),
        model_(model),
        terminal_(terminal),
        interval_(interval),
        colours_(colours),
        pool_(loop, {io::to_string(at), false, [&network, at] { return network.dial(at); }}, {}),
        tasks_(loop) {
    draw();
    tasks_.spawn(sample());
    tasks_.spawn(watch());
  }

  void on_key(int key) {
    constexpr int kOrders = 4;
    const int order = static_cast<int>(model_.order);
    switch (key) {
      case 's': model_.order = static_cast<PeerOrder>((order + 1) % kOrders); break;
      case 'S': model_.order = static_cast<PeerOrder>((order + kOrders - 1) % kOrders); break;
      case 'r': model_.reversed = !model_.reversed; break;
      case 'p': model_.paused = !model_.paused; break;
      case ' ': tasks_.spawn(ask_once()); break;
      case 'q':
      case 'Q':
      case -1: return loop_.stop();  // -1: the terminal has gone
      default: return;
    }
    draw();
  }

  void on_signal(int number) {
    if (number == SIGTSTP) terminal_.suspend();
    if (number == SIGWINCH || number == SIGTSTP) return draw();
    ended_by_ = number;
    loop_.stop();
  }
  int ended_by() const { return ended_by_; }

 private:
  void draw() {
    const TerminalSize size = terminal_.size();
    terminal_.show(model_.draw(size.columns, size.rows, colours_, loop_.wall_now()));
  }

  io::Task<Result<std::string>> get(std::string_view target) {
    Result<std::unique_ptr<http::client::Reply>> reply =
        co_await pool_.send({.method = "GET", .target = target, .fields = {}});
    if (!reply) co_return std::unexpected(std::move(reply.error()));
    std::string body;
    while (body.size() < kMaxAnswer) {
      const Result<std::string_view> piece = co_await (*reply)->read();
      if (!piece) co_return std::unexpected(piece.error());
      if (piece->empty()) co_return body;
      body.append(*piece);
    }
    co_return fail(ErrorCode::Limit, "the node's answer is too large", Fault::Peer);
  }

  io::Task<> ask_once() {
    const Result<std::string> stats = co_await get("/api/stats");
    const Result<std::string> peers = stats ? co_await get("/api/peers") : stats;
    if (!stats) {
      model_.trouble = "no node answers: " + stats.error().message;
    } else if (!model_.take_stats(*stats)) {
      model_.trouble = "what answers is no ghmesh node";
    } else {
      model_.trouble.reset();
    }
    if (peers) model_.take_peers(*peers);
    draw();
  }

  io::Task<> sample() {
    while (true) {
      if (!model_.paused) co_await ask_once();
      co_await loop_.sleep_for(interval_);
    }
  }

  void take_events(std::string& rest) {
    for (std::size_t end; (end = rest.find("\n\n")) != std::string::npos; rest.erase(0, end + 2)) {
      std::string_view block = std::string_view(rest).substr(0, end), name, data;
      while (!block.empty()) {
        const std::size_t stop = std::min(block.find('\n'), block.size());
        const std::string_view line = block.substr(0, stop);
        block.remove_prefix(std::min(stop + 1, block.size()));
        if (line.starts_with("event: ")) name = line.substr(7);
        if (line.starts_with("data: ")) data = line.substr(6);
      }
      if (!model_.paused) model_.take_event(name, data);
    }
  }

  io::Task<> watch() {
    while (true) {
      Result<std::unique_ptr<http::client::Reply>> reply = co_await pool_.send(
          {.method = "GET", .target = "/api/events?kinds=request,peer,breaker,store,quota", .fields = {}});
      std::string rest;
      while (reply && (*reply)->status() == 200) {
        const Result<std::string_view> piece = co_await (*reply)->read();
        if (!piece || piece->empty() || rest.size() > kMaxEvent) break;
        rest.append(*piece);
        take_events(rest);
      }
      co_await loop_.sleep_for(kAgain);
    }
  }

  io::EpollLoop& loop_;
  TopModel& model_;
  Terminal& terminal_;
  const Duration interval_;
  const bool colours_;
  http::client::Pool pool_;
  io::TaskGroup tasks_;
  int ended_by_ = 0;
};

// Where the two threads bring what they got; they outlive the loop and then bring nothing.
struct Door {
  std::mutex mutex;
  io::EpollLoop* loop = nullptr;
  Top* top = nullptr;

  bool post(void (Top::*what)(int), int value) {
    const std::scoped_lock lock(mutex);
    if (loop == nullptr) return false;
    loop->post_from_any_thread([to = top, what, value] { (to->*what)(value); });
    return true;
  }
};

void read_keys(const std::shared_ptr<Door>& door) {
  while (true) {
    const int key = read_key();
    if (!door->post(&Top::on_key, key) || key < 0) return;
  }
}

void read_signals(const std::shared_ptr<Door>& door, const sigset_t& set) {
  for (int number = 0; ::sigwait(&set, &number) == 0;)
    if (!door->post(&Top::on_signal, number)) return;
}

int once(const io::Endpoint& admin, TopModel& model, Context& context) {
  for (const char* target : {"/api/stats", "/api/peers"}) {
    const Result<WholeReply> reply = ask(admin, {.target = target, .fields = {}, .body = {}, .patience = kPatience});
    const bool taken =
        reply && reply->status == 200 &&
        (std::string_view(target) == "/api/stats" ? model.take_stats(reply->body) : model.take_peers(reply->body));
    if (!taken)
      return complain(context, kFailed,
                      "top: " + std::string(target) + " of " + io::to_string(admin) + " gave nothing to show");
  }
  for (const std::string& line : model.draw(80, 0, false, SystemClock().wall_now())) context.out << line << '\n';
  return kDone;
}

int live(const io::Endpoint& admin, TopModel& model, Duration interval, Context& context) {
  // Blocked before any thread is there, so that only read_signals() gets them.
  sigset_t set, old;
  ::sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP}) ::sigaddset(&set, number);
  ::pthread_sigmask(SIG_BLOCK, &set, &old);
  int ended_by = 0;
  {
    Result<Terminal> terminal = Terminal::open();
    if (!terminal)
      return complain(context, kUsage, "top: " + terminal.error().message + "; for a log: ghmesh top --once");
    io::EpollLoop loop;
    io::WorkPool pool(1, "resolve");
    io::SocketNetwork network(loop, pool);
    Top top(network, loop, admin, model, *terminal, interval, wants_colours(context.variables));
    const auto door = std::make_shared<Door>();
    door->loop = &loop;
    door->top = &top;
    std::thread([door] { read_keys(door); }).detach();
    std::thread([door, set] { read_signals(door, set); }).detach();
    loop.run();
    const std::scoped_lock lock(door->mutex);
    door->loop = nullptr;
    ended_by = top.ended_by();
  }
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  return ended_by == 0 || ended_by == SIGINT ? kDone : 128 + ended_by;
}

}  // namespace

int top(const Arguments& arguments, Context& context) {
  const Result<NodeAddress> node = find_node(arguments, context.variables);
  if (!node) return complain(context, kFailed, "top: " + node.error().message);
  if (!node->admin) return complain(context, kNoNode, "top: the node's admin listener is off (--admin off)");
  const auto given = arguments.get("interval");
  const int seconds = given ? std::atoi(given->c_str()) : 1;
  if (seconds < 1 || seconds > 60)
    return complain(context, kUsage, "top: --interval " + *given + " is not 1 to 60 seconds");
  if (!arguments.has("once") && !Terminal::is_there())
    return complain(context, kUsage, "top: standard input and output are no terminal; for a log: ghmesh top --once");
  const Result<WholeReply> alive =
      ask(*node->admin, {.target = "/healthz", .fields = {}, .body = {}, .patience = kPatience});
  if (!alive)
    return complain(context, kNoNode,
                    "top: no node answers at " + io::to_string(*node->admin) + " (" + node->source +
                        "): " + alive.error().message + "; start one with: ghmesh serve");
  TopModel model;
  model.where = io::to_string(node->listen ? *node->listen : *node->admin);
  return arguments.has("once") ? once(*node->admin, model, context)
                               : live(*node->admin, model, std::chrono::seconds(seconds), context);
}

}  // namespace ghmesh::cli
