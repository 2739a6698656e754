// SPDX-License-Identifier: Apache-2.0
#include "admin/admin.hpp"

#include <array>

#include "admin/metrics_text.hpp"
#include "browser_rules.hpp"
#include "query.hpp"

namespace ghmesh::admin {

namespace {

constexpr std::string_view kJson = "application/json; charset=utf-8";
constexpr std::string_view kText = "text/plain; charset=utf-8";

struct Route {
  std::string_view path;
  std::string_view methods;  // as Allow says them
};
constexpr std::array kRoutes{
    Route{"/healthz", "GET, HEAD"},   Route{"/readyz", "GET, HEAD"},      Route{"/api/stats", "GET, HEAD"},
    Route{"/api/quota", "GET, HEAD"}, Route{"/api/explain", "GET, HEAD"}, Route{"/api/purge", "POST"},
    Route{"/metrics", "GET, HEAD"},   Route{"/api/events", "GET"},        Route{"/api/activity", "GET, HEAD"},
    Route{"/api/peers", "GET, HEAD"}, Route{"/api/verify", "POST"},       Route{"/mcp", "GET, POST, DELETE"},
};

int status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::Malformed: return 400;
    case ErrorCode::Limit: return 414;
    case ErrorCode::NotFound: return 404;
    case ErrorCode::Refused: return 403;
    case ErrorCode::Unsupported: return 501;
    case ErrorCode::Timeout: return 504;
    default: return 500;
  }
}

// Every answer but the dashboard's files forbids caching; all forbid framing and sniffing.
http::Fields fields_for(std::string_view type) {
  return {{"Content-Type", type},
          {"Cache-Control", "no-store"},
          {"X-Content-Type-Options", "nosniff"},
          {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
          {"Cross-Origin-Resource-Policy", "same-origin"}};
}

// Someone on this machine. Paths may name private repositories; they are shown to nobody else.
bool is_local(const http::server::Exchange& exchange) {
  const std::optional<io::Endpoint> remote = exchange.remote();
  return remote && remote->address.is_loopback();
}

}  // namespace

struct Admin::Reply {
  int status = 200;
  std::string_view type = kJson;
  std::string body;
  std::string_view allow = {};

  void fail(int code, std::string_view what) {
    status = code;
    type = kJson;
    body = http::server::error_body(code, what);
  }
};

io::Task<> Admin::answer(Exchange& exchange) {
  const http::RequestView& request = exchange.request().view;
  Reply reply;
  const SplitTarget target = split_target(request.target);
  if (const std::string_view reason = refusal(request.fields, bound_); !reason.empty()) {
    reply.fail(403, reason);
  } else if (target.query.size() > limits_.max_query) {
    reply.fail(414, "the query is too long");
  } else if (const PageFile* file = find_page(target.path); file != nullptr) {
    const std::string_view method = request.method;
    if (method == "GET" || method == "HEAD") co_return co_await show(exchange, *file);
    reply.fail(405, "the method does not fit the page");
    reply.allow = "GET, HEAD";
  } else {
    const auto known =
        std::find_if(kRoutes.begin(), kRoutes.end(), [&](const Route& route) { return route.path == target.path; });
    if (known == kRoutes.end()) {
      reply.fail(404, "there is no such page");
    } else if (!http::FieldsView(std::array{http::Field{"Allow", known->methods}}).has_token("Allow", request.method)) {
      reply.fail(405, "the method does not fit the page");
      reply.allow = known->methods;
    } else {
      co_await route(exchange, target.path, target.query, reply);
    }
  }
  // A stream that has ended, or an answer made elsewhere; or a body that the server itself answers for.
  if (exchange.begun() || (target.path == "/mcp" && reply.status == 200)) co_return;
  http::Fields fields = fields_for(reply.type);
  if (!reply.allow.empty()) fields.add("Allow", reply.allow);
  // A client that has gone needs no answer.
  static_cast<void>(co_await exchange.respond(reply.status, fields.view(), reply.body));
}

io::Task<> Admin::show(Exchange& exchange, const PageFile& file) {
  const PageAnswer answer = answer_page(file, exchange.request().view.fields);
  static_cast<void>(co_await exchange.respond(answer.status, answer.fields.view(), answer.body));
}

io::Task<> Admin::route(Exchange& exchange, std::string_view path, std::string_view query, Reply& reply) {
  if (path == "/healthz") {
    reply.type = kText;
    reply.body = "ok\n";
  } else if (path == "/readyz") {
    const auto reason = source_.not_ready();
    reply.type = kText;
    reply.status = reason ? 503 : 200;
    reply.body = reason.value_or("ready") + "\n";
  } else if (path == "/api/stats") {
    reply.body = to_json(source_.stats());
  } else if (path == "/api/quota") {
    reply.body = to_json(source_.quota());
  } else if (path == "/metrics") {
    const MetricsFormat format = choose_format(exchange.request().view.fields.joined("Accept"));
    reply.type = content_type(format);
    reply.body = format_metrics(registry_, format);
  } else if (path == "/api/activity") {
    reply.body = to_json(source_.activity(), is_local(exchange));
  } else if (path == "/api/events") {
    co_await stream_events(exchange, query, reply);
  } else if (path == "/mcp") {
    if (mcp_ == nullptr) co_return reply.fail(404, "there is no MCP server here");
    co_await mcp_->answer(exchange);
  } else if (path == "/api/peers") {
    reply.body = to_json(source_.mesh());
  } else if (path == "/api/verify") {
    reply.body = to_json(co_await source_.verify());
  } else if (path == "/api/explain") {
    co_await explain(exchange, query, reply);
  } else {
    co_await purge(query, reply);
  }
}

io::Task<> Admin::explain(Exchange& exchange, std::string_view query, Reply& reply) {
  const auto target = query_value(query, "target");
  if (!target || target->empty()) {
    reply.fail(400, "needs one target=, a path or URL in percent-encoding");
    co_return;
  }
  Explained request{*target, {}, query_value(query, "accept")};
  if (const auto field = exchange.request().view.fields.first("Authorization"))
    request.authorization = std::string(*field);
  const Result<Explanation> explanation = co_await source_.explain(std::move(request));
  if (explanation) {
    reply.body = to_json(*explanation);
  } else {
    reply.fail(status_of(explanation.error()), explanation.error().message);
  }
}

io::Task<> Admin::purge(std::string_view query, Reply& reply) {
  const auto pattern = query_value(query, "pattern");
  const std::string mesh = query_value(query, "mesh").value_or("off");
  if (!pattern || pattern->empty() || pattern->size() > limits_.max_pattern || (mesh != "on" && mesh != "off")) {
    reply.fail(400, "needs one pattern=, a path of at most " + std::to_string(limits_.max_pattern) +
                        " octets, and mesh=on or off if at all");
    co_return;
  }
  const Result<std::uint64_t> purged = co_await source_.purge(*pattern, mesh == "on");
  if (purged) {
    reply.body = "{\"purged\":" + std::to_string(*purged) + "}\n";
  } else {
    reply.fail(status_of(purged.error()), purged.error().message);
  }
}

// Server-sent events (HTML Living Standard §9.2): until the reader goes, takes nothing any more, or the node ends.
io::Task<> Admin::stream_events(Exchange& exchange, std::string_view query, Reply& reply) {
  std::array<bool, kEventKinds> wanted;
  wanted.fill(true);
  if (query_has(query, "kinds")) {
    wanted.fill(false);
    bool known = true;
    http::for_each_member(query_value(query, "kinds").value_or("?"), [&](std::string_view name) {
      const auto kind = parse_event_kind(name);
      known = known && kind;
      if (kind) wanted[static_cast<std::size_t>(*kind)] = true;
    });
    if (!known) co_return reply.fail(400, "kinds= is a list of stats, request, peer, breaker, store, quota");
  }
  if (events_.full()) co_return reply.fail(503, "too many readers of events");
  EventHub::Listener listener(events_, exchange.request().view.fields.first("Last-Event-ID").value_or(""), wanted,
                              is_local(exchange));
  if (!exchange.begin(200, fields_for("text/event-stream"))) co_return;
  TimePoint quiet_since = exchange.loop().now();
  while (!listener.closed()) {
    std::string text = listener.take();
    if (text.empty()) {
      const TimePoint due = quiet_since + std::chrono::duration_cast<TimePoint::duration>(limits_.heartbeat);
      if (co_await listener.wait_until(due)) continue;
      text = ":\n\n";
    }
    quiet_since = exchange.loop().now();
    if (const Result<> sent = co_await exchange.send(text); !sent) {
      if (sent.error().code == ErrorCode::Timeout) events_.count_dropped();
      co_return;
    }
  }
  static_cast<void>(co_await exchange.finish());
}

}  // namespace ghmesh::admin
