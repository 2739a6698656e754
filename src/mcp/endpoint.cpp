// SPDX-License-Identifier: Apache-2.0
#include "mcp/endpoint.hpp"

#include <algorithm>
#include <charconv>

#include "base/bytes.hpp"
#include "calls.hpp"
#include "http/message/fields.hpp"

namespace ghmesh::mcp {
namespace {

using http::server::Exchange;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kEvents = "text/event-stream";

bool accepts(http::FieldsView fields, std::string_view type) {
  const std::string accept = fields.joined("Accept");
  bool found = false;
  http::for_each_member(accept, [&](std::string_view member) {
    const std::string_view range = http::trim(member.substr(0, member.find(';')));
    const std::string_view main = type.substr(0, type.find('/'));
    found = found || http::iequals(range, type) || range == "*/*" || http::iequals(range, std::string(main) + "/*");
  });
  return found;
}

http::Fields fields_for(std::string_view type, const Session* session) {
  http::Fields out{{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  if (!type.empty()) out.add("Content-Type", type);
  if (session != nullptr) out.add("Mcp-Session-Id", session->id);
  return out;
}

// Which message of which stream: "3-17".
struct EventId {
  std::uint64_t stream = 0;
  std::uint64_t number = 0;
};
std::optional<EventId> parse_event_id(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  EventId out;
  const auto read = [](std::string_view part, std::uint64_t& to) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), to);
    return error == std::errc() && end == part.data() + part.size() && !part.empty();
  };
  if (!read(text.substr(0, dash), out.stream) || !read(text.substr(dash + 1), out.number)) return std::nullopt;
  return out;
}

LogLevel level_of(log::Level level) {
  switch (level) {
    case log::Level::Debug: return LogLevel::Debug;
    case log::Level::Info: return LogLevel::Info;
    case log::Level::Warn: return LogLevel::Warning;
    default: return LogLevel::Error;
  }
}

}  // namespace

struct Endpoint::State {
  State(io::Loop& l, Random& r, Backend& backend, std::string version, const Limits& given)
      : loop(l), random(r), limits(given), shop{l, backend, limits, std::move(version)}, tick(l, [this] {
          on_tick();
        }) {}

  io::Loop& loop;
  Random& random;
  const Limits limits;
  const Shop shop;
  std::map<std::string, std::shared_ptr<Session>, std::less<>> sessions;
  io::Timer tick;
  bool closed = false;

  io::Task<> post(Exchange& exchange);
  io::Task<> get(Exchange& exchange);
  io::Task<> remove(Exchange& exchange);
  io::Task<> refuse(Exchange& exchange, int status, int code, std::string_view what, const Json& id = nullptr);

  std::shared_ptr<Session> make_session();
  // The request's session; without one the answer has been given.
  io::Task<std::shared_ptr<Session>> session_of(Exchange& exchange);
  io::Task<> start(Exchange& exchange, Message message);
  io::Task<> request(Exchange& exchange, std::shared_ptr<Session> session, Message message);
  io::Task<> run(Session& session, std::weak_ptr<Session> weak, Call& call, Message message);
  io::Task<> stream(Exchange& exchange, std::shared_ptr<Session> session, std::shared_ptr<Outbox> out,
                    std::uint64_t number, std::uint64_t after, bool primed);
  void on_notification(Session& session, const Message& message);
  void on_tick();
  void arm();
};

io::Task<> Endpoint::State::refuse(Exchange& exchange, int status, int code, std::string_view what, const Json& id) {
  const std::string body = format_error(id, {code, std::string(what), nullptr});
  static_cast<void>(co_await exchange.respond(status, fields_for(kJson, nullptr), body));
}

// ---- Sessions.

std::shared_ptr<Session> Endpoint::State::make_session() {
  if (sessions.size() >= limits.sessions) {
    // The one that has been idle longest makes room; one that is read from or busy does not.
    auto oldest = sessions.end();
    for (auto one = sessions.begin(); one != sessions.end(); ++one)
      if (one->second->readers == 0 && one->second->calls.empty() &&
          (oldest == sessions.end() || one->second->used < oldest->second->used))
        oldest = one;
    if (oldest == sessions.end()) return nullptr;
    oldest->second->close();
    sessions.erase(oldest);
  }
  std::array<std::uint8_t, 16> name{};
  random.fill(name);
  auto session = std::make_shared<Session>(loop, limits, to_hex(name));
  session->used = loop.now();
  sessions.emplace(session->id, session);
  arm();
  return session;
}

io::Task<std::shared_ptr<Session>> Endpoint::State::session_of(Exchange& exchange) {
  const http::FieldsView fields = exchange.request().view.fields;
  const auto name = fields.first("Mcp-Session-Id");
  if (!name) {
    co_await refuse(exchange, 400, kInvalidRequest, "Mcp-Session-Id is missing; a session begins with initialize");
    co_return nullptr;
  }
  const auto found = sessions.find(*name);
  if (found == sessions.end()) {
    co_await refuse(exchange, 404, kInvalidRequest, "there is no such session; begin a new one with initialize");
    co_return nullptr;
  }
  if (const auto version = fields.first("MCP-Protocol-Version"); version && !is_known_revision(*version)) {
    co_await refuse(exchange, 400, kInvalidRequest, "this MCP-Protocol-Version is not spoken here");
    co_return nullptr;
  }
  found->second->used = loop.now();
  co_return found->second;
}

// ---- POST.

io::Task<> Endpoint::State::post(Exchange& exchange) {
  const http::FieldsView fields = exchange.request().view.fields;
  const std::string_view type = fields.first("Content-Type").value_or("");
  // A page of another site cannot send this type without asking first.
  if (!http::iequals(http::trim(type.substr(0, type.find(';'))), kJson))
    co_return co_await refuse(exchange, 415, kInvalidRequest, "Content-Type must be application/json");
  if (!accepts(fields, kJson) || !accepts(fields, kEvents))
    co_return co_await refuse(exchange, 406, kInvalidRequest,
                              "Accept must name application/json and text/event-stream");
  const Result<std::string> body = co_await exchange.read_all(limits.message_bytes);
  if (!body) co_return;  // the server answers for a broken or too large body
  std::expected<Message, RpcError> message = parse_message(*body, limits.json_depth);
  if (!message) co_return co_await refuse(exchange, 400, message.error().code, message.error().message);
  if (message->method == "initialize" && message->kind == Message::Kind::Request)
    co_return co_await start(exchange, std::move(*message));
  std::shared_ptr<Session> session = co_await session_of(exchange);
  if (!session) co_return;
  if (message->kind == Message::Kind::Request) co_return co_await request(exchange, session, std::move(*message));
  if (message->kind == Message::Kind::Notification) on_notification(*session, *message);
  static_cast<void>(co_await exchange.respond(202, fields_for("", session.get()), ""));
}

io::Task<> Endpoint::State::start(Exchange& exchange, Message message) {
  if (closed) co_return co_await refuse(exchange, 503, kBusy, "the node is going down", message.id);
  const std::shared_ptr<Session> session = make_session();
  if (!session) co_return co_await refuse(exchange, 503, kBusy, "too many sessions", message.id);
  const RpcResult result = initialize(shop, *session, message.params);
  if (!result) {
    sessions.erase(session->id);
    co_return co_await refuse(exchange, 400, result.error().code, result.error().message, message.id);
  }
  static_cast<void>(
      co_await exchange.respond(200, fields_for(kJson, session.get()), format_result(message.id, *result)));
}

void Endpoint::State::on_notification(Session& session, const Message& message) {
  if (message.method != "notifications/cancelled") return;
  const auto id = message.params.find("requestId");
  if (id == message.params.end()) return;
  const auto call = session.calls.find(dump(*id));
  if (call == session.calls.end()) return;
  const std::shared_ptr<Outbox> out = call->second->out;
  session.calls.erase(call);  // cancels what it does; a cancelled request gets no answer
  out->end();
}

// Owned by the call, and with it by the session: so it holds neither.
io::Task<> Endpoint::State::run(Session& session, std::weak_ptr<Session> weak, Call& call, Message message) {
  const RpcResult result = co_await handle(shop, session, call, std::move(message.method), std::move(message.params));
  call.out->push(result ? format_result(call.id, *result) : format_error(call.id, result.error()));
  call.out->end();
  // A task cannot destroy its own group.
  loop.post([weak = std::move(weak), key = dump(call.id), out = call.out] {
    const std::shared_ptr<Session> held = weak.lock();
    if (!held) return;
    const auto found = held->calls.find(key);
    if (found != held->calls.end() && found->second->out == out) held->calls.erase(found);
  });
}

io::Task<> Endpoint::State::request(Exchange& exchange, std::shared_ptr<Session> session, Message message) {
  const std::string key = dump(message.id);
  if (session->calls.contains(key))
    co_return co_await refuse(exchange, 400, kInvalidRequest, "a request with this id is being answered", message.id);
  if (session->calls.size() >= limits.calls)
    co_return co_await refuse(exchange, 200, kBusy, "too many requests at once in this session", message.id);
  auto made = std::make_unique<Call>(loop, message.id);
  Call& call = *made;
  session->calls.emplace(key, std::move(made));
  const std::shared_ptr<Outbox> out = call.out = std::make_shared<Outbox>(loop, limits);
  if (const auto field = exchange.request().view.fields.first("Authorization"))
    call.authorization = std::string(*field);
  if (const auto meta = message.params.find("_meta"); meta != message.params.end() && meta->is_object())
    if (const auto token = meta->find("progressToken");
        token != meta->end() && (token->is_string() || token->is_number()))
      call.progress_token = *token;
  const bool streamed = message.method == "tools/call" && !call.progress_token.is_null();
  call.group.spawn(run(*session, session, call, std::move(message)));
  if (streamed) {
    const std::uint64_t number = session->open_stream(out);
    // From 2025-11-25 on a stream begins with an id, so that it can be resumed before its first message.
    co_return co_await stream(exchange, session, out, number, 0, session->version >= "2025-11-25");
  }
  while (!out->ended()) {
    out->changed.reset();
    co_await out->changed.wait();
  }
  const Outbox::Item* item = out->next(0);
  if (item == nullptr) {  // cancelled
    static_cast<void>(co_await exchange.respond(202, fields_for("", session.get()), ""));
    co_return;
  }
  const std::string text = item->text;
  static_cast<void>(co_await exchange.respond(200, fields_for(kJson, session.get()), text));
}

// ---- Streams.

io::Task<> Endpoint::State::stream(Exchange& exchange, std::shared_ptr<Session> session, std::shared_ptr<Outbox> out,
                                   std::uint64_t number, std::uint64_t after, bool primed) {
  struct Reader {
    explicit Reader(Session& s) : session(s) { ++session.readers; }
    ~Reader() { --session.readers; }
    Session& session;
  } reader(*session);
  // Each message goes to one connection only: a newer reader ends the older one.
  const std::uint64_t turn = ++out->readers;
  out->changed.set();
  if (!exchange.begin(200, fields_for(kEvents, session.get()))) co_return;
  std::string text = primed ? "id: " + std::to_string(number) + "-" + std::to_string(after) + "\ndata:\n\n" : "";
  while (out->readers == turn) {
    while (const Outbox::Item* item = out->next(after)) {
      after = item->number;
      text += "id: " + std::to_string(number) + "-" + std::to_string(after) + "\nevent: message\ndata: " + item->text +
              "\n\n";
      if (text.size() > 64 * 1024) break;
    }
    if (!text.empty()) {
      if (!co_await exchange.send(std::exchange(text, {}))) co_return;
      session->used = loop.now();
      continue;
    }
    if (out->ended()) break;
    out->changed.reset();
    if (!co_await out->changed.wait_for(limits.heartbeat)) text = ":\n\n";
  }
  static_cast<void>(co_await exchange.finish());
}

io::Task<> Endpoint::State::get(Exchange& exchange) {
  const http::FieldsView fields = exchange.request().view.fields;
  if (!accepts(fields, kEvents))
    co_return co_await refuse(exchange, 406, kInvalidRequest, "Accept must name text/event-stream");
  std::shared_ptr<Session> session = co_await session_of(exchange);
  if (!session) co_return;
  const auto last = fields.first("Last-Event-ID");
  if (!last) {
    // What was said while nobody read is not repeated to a client that did not ask for it.
    const std::uint64_t seen = session->standalone->readers == 0 ? 0 : session->standalone->last();
    co_return co_await stream(exchange, session, session->standalone, 0, seen, session->version >= "2025-11-25");
  }
  const auto id = parse_event_id(*last);
  const auto found = id ? session->streams.find(id->stream) : session->streams.end();
  if (found == session->streams.end())
    co_return co_await refuse(exchange, 400, kInvalidRequest, "Last-Event-ID names no stream that is kept");
  const std::shared_ptr<Outbox> out = found->second;
  if (out->ended() && out->next(id->number) == nullptr) {
    // No content tells an event source not to come back (HTML Living Standard §9.2).
    static_cast<void>(co_await exchange.respond(204, fields_for("", session.get()), ""));
    co_return;
  }
  co_await stream(exchange, session, out, id->stream, id->number, false);
}

io::Task<> Endpoint::State::remove(Exchange& exchange) {
  const std::shared_ptr<Session> session = co_await session_of(exchange);
  if (!session) co_return;
  session->close();
  sessions.erase(session->id);
  static_cast<void>(co_await exchange.respond(204, fields_for("", nullptr), ""));
}

// ---- Time.

void Endpoint::State::arm() {
  tick.arm_at(loop.now() + std::chrono::duration_cast<TimePoint::duration>(limits.subscription_every));
}

void Endpoint::State::on_tick() {
  std::map<std::string, std::string> looked;  // each resource once, for all sessions
  for (auto one = sessions.begin(); one != sessions.end();) {
    Session& session = *one->second;
    const bool idle = session.readers == 0 && session.calls.empty();
    if (idle && loop.now() - session.used > limits.session_idle) {
      session.close();
      one = sessions.erase(one);
      continue;
    }
    for (auto& [uri, told] : session.subscriptions) {
      std::string& now = looked[uri];
      if (now.empty()) now = fingerprint_of(uri, *read_resource(shop.backend, uri));
      if (std::exchange(told, now) != now) session.notify("notifications/resources/updated", Json{{"uri", uri}});
    }
    ++one;
  }
  if (!sessions.empty()) arm();
}

Endpoint::Endpoint(io::Loop& loop, Random& random, Backend& backend, std::string version, const Limits& limits)
    : state_(std::make_unique<State>(loop, random, backend, std::move(version), limits)) {}

Endpoint::~Endpoint() { close(); }

io::Task<> Endpoint::answer(Exchange& exchange) {
  const std::string_view method = exchange.request().view.method;
  if (method == "POST") return state_->post(exchange);
  if (method == "GET") return state_->get(exchange);
  return state_->remove(exchange);
}

void Endpoint::log(log::Level level, std::string_view logger, const std::string& data) {
  const LogLevel here = level_of(level);
  Json params{{"level", to_string(here)}, {"logger", logger}, {"data", Json::parse(data, nullptr, false)}};
  for (const auto& [id, session] : state_->sessions)
    if (session->log_level && here >= *session->log_level) session->notify("notifications/message", params);
}

void Endpoint::close() {
  state_->closed = true;
  for (const auto& [id, session] : state_->sessions) session->close();
  state_->sessions.clear();
}

std::size_t Endpoint::sessions() const { return state_->sessions.size(); }

}  // namespace ghmesh::mcp
