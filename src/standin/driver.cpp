// SPDX-License-Identifier: Apache-2.0
#include "standin/driver.hpp"

#include <map>

#include "http/message/message.hpp"
#include "http/server/server.hpp"
#include "io/task_group.hpp"
#include "tls/certificate.hpp"
#include "tls/tls_stream.hpp"

namespace ghmesh::standin {
namespace {

using http::server::Exchange;

constexpr std::size_t kLargestRequestBody = 32u << 20;  // a release asset of a test
constexpr Duration kHandshake = 10s;
constexpr Duration kHang = 24h;        // longer than any deadline that a fault is there to try
constexpr Duration kBeforeCut = 50ms;  // so that the break does not overtake what was sent
const std::string kDefaultStorage = Settings().storage_base;

Request take_request(const Exchange& exchange) {
  Request r;
  r.method = std::string(exchange.request().view.method);
  r.target = std::string(exchange.request().origin_target);
  r.fields = http::Fields(exchange.request().view.fields);
  if (const std::optional<io::Endpoint> remote = exchange.remote()) r.client = to_string(remote->address);
  return r;
}

// As the model wrote it, octet for octet: the server's own writer would put Date and length in its own places.
void answer_whole(Exchange& exchange, Response response) {
  std::string head =
      "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(http::reason_phrase(response.status)) + "\r\n";
  for (const http::Field& field : response.fields)
    head.append(field.name).append(": ").append(field.value).append("\r\n");
  http::server::Answer answer;
  answer.head = head;
  const auto body = std::make_shared<const std::string>(std::move(response.body));
  answer.body = *body;
  answer.owner = body;
  exchange.answer(answer);
}

class ModelHandler final : public http::server::Handler {
 public:
  explicit ModelHandler(GithubModel& model) : model_(model) {}

  bool try_answer(Exchange& exchange) override {
    if (latency > Duration{0} || model_.faults.size() > 0) return false;
    Request request = take_request(exchange);
    request.in_flight = in_flight_of(request) + 1;
    answer_whole(exchange, model_.handle(request, exchange.loop().wall_now()));
    return true;
  }

  io::Task<> answer(Exchange& exchange) override {
    Request request = take_request(exchange);
    const InFlight guard(*this, std::string(request.fields.first("Authorization").value_or("")));
    Result<std::string> body = co_await exchange.read_all(kLargestRequestBody);
    if (!body) co_return;
    request.body = std::move(*body);
    request.in_flight = in_flight_of(request);
    Response response = model_.handle(request, exchange.loop().wall_now());
    const bool steering = request.target.starts_with("/_model/");
    if (latency > Duration{0} && !steering) co_await exchange.loop().sleep_for(latency);
    if (response.delivery.plain()) {
      answer_whole(exchange, std::move(response));
      co_return;
    }
    co_await deliver(exchange, std::move(response));
  }

  Duration latency{0};

 private:
  struct InFlight {
    InFlight(ModelHandler& h, std::string key) : handler(h), who(std::move(key)) { ++handler.in_flight_[who]; }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() {
      const auto found = handler.in_flight_.find(who);
      if (--found->second == 0) handler.in_flight_.erase(found);
    }
    ModelHandler& handler;
    std::string who;
  };
  std::uint32_t in_flight_of(const Request& request) const {
    const auto found = in_flight_.find(request.fields.first("Authorization").value_or(""));
    return found == in_flight_.end() ? 0 : found->second;
  }

  static io::Task<> deliver(Exchange& exchange, Response response) {
    const Delivery& how = response.delivery;
    if (how.delay > Duration{0}) co_await exchange.loop().sleep_for(how.delay);
    if (how.hang) co_await exchange.loop().sleep_for(kHang);
    for (std::uint32_t i = 0; i < how.informational; ++i)
      if (!co_await exchange.interim(103, http::Fields{{"Link", "</style.css>; rel=preload"}})) co_return;
    const std::size_t whole = response.body.size();
    if (!how.reset && !how.cut_after && how.slow_chunk == 0) {
      answer_whole(exchange, std::move(response));
      co_return;
    }
    // An answer begun and not finished breaks the connection: before its first octet if nothing was sent.
    if (!exchange.begin(response.status, response.fields, whole) || how.reset) co_return;
    const std::string_view body = std::string_view(response.body).substr(0, how.cut_after.value_or(whole));
    const std::size_t piece = how.slow_chunk > 0 ? how.slow_chunk : std::max<std::size_t>(1, body.size());
    for (std::size_t at = 0; at < body.size(); at += piece) {
      if (!co_await exchange.send(body.substr(at, piece))) co_return;
      if (how.slow_gap > Duration{0}) co_await exchange.loop().sleep_for(how.slow_gap);
    }
    if (how.cut_after) {
      co_await exchange.loop().sleep_for(kBeforeCut);
      co_return;
    }
    co_await exchange.finish();
  }

  GithubModel& model_;
  std::map<std::string, std::uint32_t, std::less<>> in_flight_;
};

http::server::Limits server_limits() {
  http::server::Limits limits;
  limits.connections = 8192;  // load tests bring more clients than a node has
  limits.requests_per_connection = 1'000'000;
  return limits;
}

}  // namespace

struct Driver::State {
  State(io::Loop& l, GithubModel& model)
      : loop(l), handler(model), server(l, handler, server_limits()), accepting(l), handshakes(l) {}

  io::Task<> accept_tls() {
    while (true) {
      Result<std::unique_ptr<io::Stream>> lower = co_await tls_listener->accept();
      if (!lower) co_return;
      handshakes.spawn(shake_hands(std::move(*lower)));
    }
  }
  io::Task<> shake_hands(std::unique_ptr<io::Stream> lower) {
    Result<tls::Connection> secured = co_await io::with_deadline(
        loop, tls::accept(std::move(lower), tls_context),
        loop.now() + std::chrono::duration_cast<TimePoint::duration>(kHandshake), "handshake");
    if (secured) server.adopt(std::move(secured->stream));
  }

  io::Loop& loop;
  ModelHandler handler;
  http::server::Server server;
  std::unique_ptr<io::Listener> tls_listener;
  std::shared_ptr<const tls::ServerContext> tls_context;
  io::TaskGroup accepting;
  io::TaskGroup handshakes;
};

Driver::Driver(std::unique_ptr<State> state) : state_(std::move(state)) {}
Driver::~Driver() = default;

Result<std::unique_ptr<Driver>> Driver::start(io::Network& network, GithubModel& model, const DriverOptions& options) {
  std::unique_ptr<Driver> driver(new Driver(std::make_unique<State>(network.loop(), model)));
  driver->set_latency(options.latency);
  for (io::Endpoint* address : {&driver->addresses_.http, &driver->addresses_.storage}) {
    // Storage has a port of its own, as it has a host of its own: another origin, to which no token may follow.
    const io::Endpoint at{options.at.address, address == &driver->addresses_.http ? options.at.port : std::uint16_t{0}};
    Result<std::unique_ptr<io::Listener>> listener = network.listen(at);
    if (!listener) return std::unexpected(std::move(listener.error()).with_context("stand-in"));
    *address = (*listener)->local_endpoint().value_or(at);
    driver->state_->server.listen(std::move(*listener));
  }
  if (options.https)
    if (Result<> done = driver->listen_https(network, options); !done) return std::unexpected(std::move(done.error()));
  if (model.settings.storage_base == kDefaultStorage)
    model.settings.storage_base = "http://" + to_string(driver->addresses_.storage);
  return driver;
}

Result<> Driver::listen_https(io::Network& network, const DriverOptions& options) {
  tls::AuthorityOptions authority_options;
  authority_options.common_name = "stand-in CA";
  authority_options.permitted_dns = {"localhost", "github.com", "githubusercontent.com", "ghe.com"};
  authority_options.permitted_ip = {"127.0.0.1"};
  const WallTime now = state_->loop.wall_now();
  const Result<tls::Identity> authority = tls::make_authority(authority_options, now);
  if (!authority) return std::unexpected(authority.error());
  const Result<tls::Identity> leaf =
      tls::make_leaf(*authority,
                     {"localhost", "127.0.0.1", "api.github.com", "github.com", "uploads.github.com",
                      "objects.githubusercontent.com", "api.octo.ghe.com", "uploads.octo.ghe.com"},
                     24h, now);
  if (!leaf) return std::unexpected(leaf.error());
  tls::ServerOptions server_options;
  server_options.certificate_chain_pem = leaf->certificate_pem;
  server_options.private_key_pem = &leaf->private_key_pem;
  server_options.alpn = {"http/1.1"};
  Result<std::shared_ptr<const tls::ServerContext>> context = tls::ServerContext::make(server_options);
  if (!context) return std::unexpected(context.error());
  Result<std::unique_ptr<io::Listener>> listener = network.listen({options.at.address, 0});
  if (!listener) return std::unexpected(listener.error());
  addresses_.https = (*listener)->local_endpoint().value_or(io::Endpoint{});
  addresses_.authority_pem = authority->certificate_pem;
  state_->tls_context = std::move(*context);
  state_->tls_listener = std::move(*listener);
  state_->accepting.spawn(state_->accept_tls());
  return {};
}

void Driver::listen(std::unique_ptr<io::Listener> listener) { state_->server.listen(std::move(listener)); }
void Driver::set_latency(Duration latency) { state_->handler.latency = latency; }

io::Task<> Driver::drain() {
  if (state_->tls_listener) state_->tls_listener->close();
  co_await state_->server.drain();
}

}  // namespace ghmesh::standin
