// SPDX-License-Identifier: Apache-2.0
#include "proxy/client_origin.hpp"

#include "tls/tls_stream.hpp"

namespace ghmesh::proxy {
namespace {

class PulledBody final : public http::client::BodySource {
 public:
  explicit PulledBody(RequestBody body) : body_(std::move(body)) {}
  std::optional<std::uint64_t> length() const override { return body_.length; }
  io::Task<Result<std::string_view>> read() override { return body_.read(); }

 private:
  RequestBody body_;
};

// Owns what the reply borrows.
class ClientAnswer final : public OriginAnswer {
 public:
  ClientAnswer(std::unique_ptr<PulledBody> body, std::unique_ptr<http::client::Reply> reply)
      : body_(std::move(body)), reply_(std::move(reply)) {}
  int status() const override { return reply_->status(); }
  http::FieldsView fields() const override { return reply_->fields(); }
  std::optional<std::uint64_t> length() const override { return reply_->length(); }
  io::Task<Result<std::string_view>> read() override { return reply_->read(); }
  std::unique_ptr<io::Stream> take_stream(std::string& early) override { return reply_->take_stream(early); }

 private:
  std::unique_ptr<PulledBody> body_;
  std::unique_ptr<http::client::Reply> reply_;
};

Error internal(const std::string& host) {
  return {ErrorCode::Refused, Fault::Client, Retry::No, "'" + host + "' leads to an internal address"};
}

io::Task<Result<std::unique_ptr<io::Stream>>> connect(io::Network& network, std::string host, std::uint16_t port,
                                                      std::shared_ptr<const tls::ClientContext> tls, DialRules rules) {
  Result<std::unique_ptr<io::Stream>> stream = co_await dial_host(network, host, port, rules);
  if (!stream || !tls) co_return stream;
  Result<tls::Connection> secured = co_await tls::connect(std::move(*stream), std::move(tls), host);
  if (!secured) co_return std::unexpected(secured.error());
  co_return std::move(secured->stream);
}

}  // namespace

io::Task<Result<std::unique_ptr<io::Stream>>> dial_host(io::Network& network, std::string host, std::uint16_t port,
                                                        DialRules rules) {
  if (rules.known != nullptr)
    for (const KnownHost& one : *rules.known)
      if (one.port == port && http::iequals(one.host, host)) co_return co_await network.dial(one.at);
  // A bracketed IPv6 literal is an address without its brackets.
  std::string name = host;
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') name = name.substr(1, name.size() - 2);
  if (rules.way_out != nullptr && rules.way_out->leads_to(host, port)) {
    // What a name leads to, the proxy decides; what is written down is judged here.
    const auto literal = io::IpAddress::parse(name);
    if (rules.public_only && literal && literal->is_internal()) co_return std::unexpected(internal(host));
    co_return co_await rules.way_out->connect(network, std::move(host), port);
  }
  const Result<std::vector<io::IpAddress>> addresses = co_await network.resolve(name);
  if (!addresses) co_return std::unexpected(addresses.error());
  Error last = internal(host);
  for (const io::IpAddress& address : *addresses) {
    // The address that was checked is the one that is dialled: a second look-up could say something else.
    if (rules.public_only && address.is_internal()) continue;
    Result<std::unique_ptr<io::Stream>> stream = co_await network.dial({address, port});
    if (stream) co_return stream;
    last = stream.error();
  }
  co_return std::unexpected(last);
}

http::client::Connector make_connector(io::Network& network, std::string host, std::uint16_t port,
                                       std::shared_ptr<const tls::ClientContext> tls, DialRules rules) {
  return [&network, host = std::move(host), port, tls = std::move(tls), rules] {
    return connect(network, host, port, tls, rules);
  };
}

io::Task<Result<std::unique_ptr<OriginAnswer>>> ClientOrigin::call(http::Request request,
                                                                   std::optional<RequestBody> body,
                                                                   OnInterim on_interim) {
  std::unique_ptr<PulledBody> source;
  if (body) source = std::make_unique<PulledBody>(std::move(*body));
  http::client::Outgoing outgoing;
  outgoing.method = request.method;
  outgoing.target = request.target;
  outgoing.fields = request.fields;
  outgoing.upgrade = request.fields.first("Upgrade").value_or("");
  outgoing.body = source.get();
  if (on_interim)
    outgoing.on_interim = [&on_interim](const http::ResponseView& head) {
      return on_interim(head.status, head.fields);
    };
  Result<std::unique_ptr<http::client::Reply>> reply = co_await pool_.send(std::move(outgoing));
  if (!reply) co_return std::unexpected(reply.error());
  co_return std::make_unique<ClientAnswer>(std::move(source), std::move(*reply));
}

}  // namespace ghmesh::proxy
