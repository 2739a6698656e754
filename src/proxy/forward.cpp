// SPDX-License-Identifier: Apache-2.0
#include "cache/target.hpp"
#include "github/pretty.hpp"
#include "http/message/etag.hpp"
#include "io/borrowed_stream.hpp"
#include "proxy/limits.hpp"
#include "proxy/proxy.hpp"

// Requests that no cache takes part in: streamed to the origin and back, nothing buffered beyond a piece.

namespace ghmesh::proxy {
namespace {

// The client's body, as the origin asks for it.
RequestBody body_of(http::server::Exchange& exchange) {
  RequestBody body;
  const http::http1::BodyFraming framing = exchange.request().body;
  if (framing.kind == http::http1::BodyKind::Length) body.length = framing.length;
  body.read = [&exchange] { return exchange.read(); };
  return body;
}

// The one protocol that is passed on. "h2c" is for the next hop, and the origins here are behind TLS.
bool wants_web_socket(const http::http1::RequestHead& head) { return http::iequals(head.upgrade, "websocket"); }

}  // namespace

io::Task<> Proxy::forward(Exchange& exchange, const Plan& plan, Origin& origin, Destination to, TimePoint began) {
  const http::http1::RequestHead& head = exchange.request();
  const bool is_upstream = to == Destination::Upstream;
  http::Request request{std::string(head.view.method), plan.target, {}};
  if (is_upstream) {
    request.fields = parts_.planner.upstream_fields(plan, head.view);
  } else {
    request.fields = http::Fields(head.view.fields);
    http::remove_hop_by_hop(request.fields);
    for (const char* name : {"Host", "Expect"}) request.fields.remove(name);
    // A credential for the API is nobody else's business, whatever host a redirect led to.
    if (to == Destination::Allowed)
      for (const char* name : {"Authorization", "Cookie"}) request.fields.remove(name);
  }
  if (wants_web_socket(head)) request.fields.set("Upgrade", head.upgrade);
  pass_on_trace(plan, request.fields);
  request.fields.remove("Content-Length");
  std::optional<RequestBody> body;
  if (!head.body.empty()) body = body_of(exchange);
  const Draw draw = draw_of(plan, head.view.method);
  if (is_upstream) {
    if (const auto refused = co_await enter_pace(plan, draw, exchange, began)) {
      const github::LocalAnswer local = limited_answer(plan, draw, *refused);
      count(exchange, plan, AnswerKind::Error, local.status, began);
      static_cast<void>(co_await exchange.respond(local.status, local.fields, local.body));
      co_return;
    }
    on_asked(plan);
  }
  const TimePoint asked = parts_.loop.now();
  Result<std::unique_ptr<OriginAnswer>> answer = co_await origin.call(
      std::move(request), std::move(body), [&exchange](int status, http::FieldsView fields) -> io::Task<> {
        static_cast<void>(co_await exchange.interim(status, fields));
      });
  http::CacheStatus cache_status;
  cache_status.forward = plan.bypass;
  if (!answer) {
    if (is_upstream) leave_pace(plan, draw, 0, {}, {});
    // A write whose fate nobody knows may have happened.
    if (is_upstream) co_await invalidate_everywhere(written_by(head.view, head.origin_target, 0));
    if (is_upstream) on_unanswered(plan);
    const bool clients = answer.error().fault == Fault::Client;
    const int code = clients ? 400 : answer.error().code == ErrorCode::Timeout ? 504 : 502;
    count(exchange, plan, AnswerKind::Error, code, began);
    if (clients) co_return;  // the server answers for a broken request body
    co_return co_await refuse(exchange, code, "the origin did not answer: " + answer.error().message, cache_status);
  }
  const int status = (*answer)->status();
  const std::string protocol((*answer)->fields().first("Upgrade").value_or(""));
  if (is_upstream) {
    // A client that asks GitHub itself would have been charged the same.
    if (on_answered(plan, status, (*answer)->fields(), asked)) {
      parts_.stats.direct_calls.add();
      ++plan.spent.direct;
    }
    // Its body passes unread, so a refusal is told by its fields alone.
    leave_pace(plan, draw, status, (*answer)->fields(), {});
    std::vector<store::GroupId> written = written_by(head.view, head.origin_target, status);
    // RFC 9111 §4.4: also what Location and Content-Location name on this host.
    for (const char* name : {"Location", "Content-Location"})
      if (const auto reference = (*answer)->fields().first(name); reference && !http::is_safe_method(head.view.method))
        if (const auto target = cache::resolve_target(parts_.upstream_authority, plan.target, *reference))
          for (const store::GroupId group : written_by(head.view, *target, status)) written.push_back(group);
    co_await invalidate_everywhere(std::move(written));
  }
  cache_status.forward_status = status;
  http::Fields fields((*answer)->fields());
  http::remove_hop_by_hop(fields);
  if (is_upstream) rewrite(exchange, fields);
  if (is_upstream) fields.add("Cache-Status", http::format_cache_status(cache_status));
  count(exchange, plan, AnswerKind::Bypass, status, began);
  if (status != 101) co_return co_await stream(exchange, **answer, std::move(fields), {});
  std::string early;
  const std::unique_ptr<io::Stream> far_end = (*answer)->take_stream(early);
  fields.set("Connection", "Upgrade");
  fields.set("Upgrade", protocol);
  const Result<Exchange::Tunnel> near_end = co_await exchange.tunnel(status, fields);
  if (!near_end || !far_end) co_return;
  io::BorrowedStream far_with_early(*far_end, early);
  co_await join(*near_end, far_with_early);
}

io::Task<> Proxy::respond_whole(Exchange& exchange, const Plan& plan, int status, http::Fields fields, ByteView body) {
  std::string indented;
  Bytes packed;
  std::string_view out = as_text(body);
  if (plan.pretty && github::is_json_media_type(fields.first("Content-Type").value_or(""))) {
    if (std::optional<std::string> made = github::pretty_print(out)) {
      indented = std::move(*made);
      out = indented;
    }
  }
  if (plan.canonical && out.size() >= Limits::kPackFromBytes && !fields.has("Content-Encoding") &&
      http::coding::accepts(exchange.request().view.fields.first("Accept-Encoding").value_or("identity"),
                            http::coding::Coding::Gzip)) {
    packed = http::coding::gzip_encode(as_bytes(out), 1);
    if (packed.size() < out.size()) {
      out = as_text(packed);
      fields.add("Content-Encoding", "gzip");
      if (const auto tag = fields.first("ETag")) fields.set("ETag", http::weaken_etag(*tag));
    }
  }
  static_cast<void>(co_await exchange.respond(status, fields, out));
}

io::Task<> Proxy::stream(Exchange& exchange, OriginAnswer& answer, http::Fields fields, std::string_view begun_with) {
  const std::optional<std::uint64_t> length = answer.length();
  // To HEAD the length of the body that is not there is an answer too.
  if (exchange.request().view.method != "HEAD") fields.remove("Content-Length");
  if (!exchange.begin(answer.status(), fields, length)) co_return;
  if (!begun_with.empty() && !co_await exchange.send(begun_with)) co_return;
  while (true) {
    const Result<std::string_view> piece = co_await answer.read();
    // Without finish() the server breaks the connection: the client sees that the body is not whole.
    if (!piece) co_return;
    if (piece->empty()) break;
    if (!co_await exchange.send(*piece)) co_return;
  }
  static_cast<void>(co_await exchange.finish());
}

// status 0: no answer came, so it may have happened or not.
std::vector<store::GroupId> Proxy::written_by(const http::RequestView& request, std::string_view target,
                                              int status) const {
  if (http::is_safe_method(request.method) || (status != 0 && (status < 200 || status >= 400))) return {};
  return parts_.planner.written(request.method, target);
}

}  // namespace ghmesh::proxy
