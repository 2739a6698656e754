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
    Route{"/metrics", "GET, HEAD"},
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
  http::Fields fields{{"Content-Type", reply.type},
                      {"Cache-Control", "no-store"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
                      {"Cross-Origin-Resource-Policy", "same-origin"}};
  if (!reply.allow.empty()) fields.add("Allow", reply.allow);
  // A client that has gone needs no answer.
  static_cast<void>(co_await exchange.respond(reply.status, fields.view(), reply.body));
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
  std::optional<std::string> authorization;
  if (const auto field = exchange.request().view.fields.first("Authorization")) authorization = std::string(*field);
  const Result<Explanation> explanation = co_await source_.explain(*target, std::move(authorization));
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

}  // namespace ghmesh::admin
