// SPDX-License-Identifier: Apache-2.0
#include "https_door.hpp"

#include "tls/tls_stream.hpp"

namespace ghmesh::node {
namespace {

// A client that opened a CONNECT is about to shake hands; two round trips on this machine.
constexpr Duration kHandshake = std::chrono::seconds(10);
// How often the CA's age is looked at: its changes have an hour of room.
constexpr Duration kRenewal = std::chrono::minutes(10);

template <typename Limits>
Limits limits_of(const HttpsDoorOptions& options) {
  Limits out;
  out.body_idle = std::max(out.body_idle, options.body_idle);
  out.body_total = std::max(out.body_total, options.body_total);
  return out;
}

}  // namespace

// The request path as it is seen from within an answered CONNECT.
class HttpsDoor::Inside final : public http::server::Handler {
 public:
  Inside(http::server::Handler& handler, const proxy::AuthorityRules& authorities)
      : handler_(handler), authorities_(authorities) {}

  bool try_answer(http::server::Exchange& exchange) override {
    return !is_misdirected(exchange.request()) && handler_.try_answer(exchange);
  }
  const http::http1::RequestHead* recall(std::string_view octets) override { return handler_.recall(octets); }
  io::Task<> answer(http::server::Exchange& exchange) override {
    if (!is_misdirected(exchange.request())) co_return co_await handler_.answer(exchange);
    const http::Fields fields{{"Content-Type", "application/json; charset=utf-8"}};
    const bool connect = exchange.request().form == http::http1::TargetForm::Authority;
    const int status = connect ? 405 : 421;
    const std::string body = http::server::error_body(
        status, connect ? "no CONNECT inside a CONNECT" : "this connection is for the API's hosts alone");
    static_cast<void>(co_await exchange.respond(status, fields, body));
  }

 private:
  // Without this a client inside could go where its CONNECT would not have led.
  bool is_misdirected(const http::http1::RequestHead& head) const {
    if (head.form == http::http1::TargetForm::Authority) return true;
    const proxy::Destination to = authorities_.decide(head.authority, head.origin_target);
    return to != proxy::Destination::Upstream && to != proxy::Destination::Beside;
  }

  http::server::Handler& handler_;
  const proxy::AuthorityRules& authorities_;
};

HttpsDoor::HttpsDoor(io::Loop& loop, http::server::Handler& handler, const proxy::AuthorityRules& authorities,
                     const HttpsDoorOptions& options, log::Logger logger)
    : loop_(loop),
      logger_(std::move(logger)),
      files_(options.directory, options.user_roots),
      renewal_(loop, [this] { renew(); }),
      inside_(std::make_unique<Inside>(handler, authorities)),
      http1_(loop, *inside_, limits_of<http::server::Limits>(options), logger_),
      http2_(loop, *inside_, limits_of<http::http2::Limits>(options), logger_) {}

HttpsDoor::~HttpsDoor() = default;

Result<std::unique_ptr<HttpsDoor>> HttpsDoor::open(io::Loop& loop, http::server::Handler& handler,
                                                   const proxy::AuthorityRules& authorities,
                                                   const HttpsDoorOptions& options, log::Logger logger) {
  std::unique_ptr<HttpsDoor> out(new HttpsDoor(loop, handler, authorities, options, std::move(logger)));
  auto authority = tls::LocalAuthority::make({.names = options.names, .alpn = {"h2", "http/1.1"}}, loop.wall_now());
  if (!authority) return std::unexpected(authority.error());
  out->authority_ = std::move(*authority);
  if (Result<> written = out->files_.write(out->authority_->trusted_pem()); !written)
    return std::unexpected(std::move(written.error()));
  for (const std::string& file : out->files_.left_out())
    out->logger_.warn("roots left out of the bundle", {{"why", file}});
  out->renewal_.arm_after(kRenewal);
  return out;
}

void HttpsDoor::renew() {
  renewal_.arm_after(kRenewal);
  const Result<bool> changed = authority_->renew(loop_.wall_now());
  if (!changed) return logger_.warn("renewing the local CA failed", {{"why", changed.error().message}});
  if (!*changed) return;
  if (const Result<> written = files_.write(authority_->trusted_pem()); !written)
    return logger_.warn("writing the local CA failed", {{"why", written.error().message}});
  logger_.info("the local CA was renewed", {{"certificate", files_.authority_path()}});
}

io::Task<> HttpsDoor::answer(std::unique_ptr<io::Stream> stream) {
  // A machine that slept has not seen its timers.
  renew();
  Result<tls::Connection> secured =
      co_await io::with_deadline(loop_, tls::accept(std::move(stream), authority_->context()), loop_.now() + kHandshake,
                                 "a client's TLS handshake");
  if (!secured) {
    // Most often a client that was not told to trust the CA; once is enough to be noticed.
    const log::Level level = std::exchange(told_of_distrust_, true) ? log::Level::Debug : log::Level::Warn;
    logger_.log(level, "a client's TLS handshake failed",
                {{"why", secured.error().message}, {"trust", files_.bundle_path()}});
    co_return;
  }
  if (secured->alpn == "h2")
    co_await http2_.serve(std::move(secured->stream));
  else
    co_await http1_.serve_inside(std::move(secured->stream));
}

io::Task<> HttpsDoor::drain() {
  http2_.drain();
  co_await http1_.drain();
}

}  // namespace ghmesh::node
