// SPDX-License-Identifier: Apache-2.0
#include "stage.hpp"

#include "io/pipe.hpp"
#include "standin/coding.hpp"

namespace ghmesh::scenario {
namespace {

constexpr Duration kOriginGivesUp = 30s;  // http/client's first_byte

class ModelAnswer final : public proxy::OriginAnswer {
 public:
  ModelAnswer(io::Loop& loop, standin::Response response) : loop_(loop), response_(std::move(response)) {}
  int status() const override { return response_.status; }
  http::FieldsView fields() const override { return response_.fields; }
  std::optional<std::uint64_t> length() const override {
    const auto text = response_.fields.first("Content-Length");
    return text ? std::optional<std::uint64_t>(std::stoull(std::string(*text))) : std::nullopt;
  }
  io::Task<Result<std::string_view>> read() override {
    const standin::Delivery& how = response_.delivery;
    const std::size_t end = std::min(how.cut_after.value_or(response_.body.size()), response_.body.size());
    if (at_ >= end) {
      if (how.cut_after) co_return fail(ErrorCode::Closed, "the origin closed in the middle of a body", Fault::Origin);
      co_return std::string_view();
    }
    if (at_ > 0 && how.slow_gap > Duration{0}) co_await loop_.sleep_for(how.slow_gap);
    // Pieces, as they come from a connection.
    const std::size_t piece = std::min(how.slow_chunk > 0 ? how.slow_chunk : std::size_t{16 * 1024}, end - at_);
    const std::string_view out = std::string_view(response_.body).substr(at_, piece);
    at_ += piece;
    co_return out;
  }

 private:
  io::Loop& loop_;
  standin::Response response_;
  std::size_t at_ = 0;
};

http::Url upstream_url() { return *http::parse_url("https://api.github.com"); }

// Building a world takes longer than copying one.
struct Built {
  standin::World world;
  std::vector<std::string> paths;
};
const Built& built() {
  static const Built made = [] {
    Built out;
    standin::SyntheticPlan plan;
    plan.repositories = 2;
    plan.private_repositories = 1;
    plan.files = 6;
    plan.pulls = 3;
    out.paths = standin::build_synthetic(out.world, plan, ManualClock().wall_now());
    return out;
  }();
  return made;
}

}  // namespace

io::Task<Result<std::unique_ptr<proxy::OriginAnswer>>> ModelOrigin::call(http::Request request,
                                                                         std::optional<proxy::RequestBody> body,
                                                                         proxy::OnInterim) {
  standin::Request out;
  out.method = std::move(request.method);
  out.target = std::move(request.target);
  out.fields = std::move(request.fields);
  if (body) {
    while (true) {
      const Result<std::string_view> piece = co_await body->read();
      if (!piece) co_return std::unexpected(piece.error());
      if (piece->empty()) break;
      out.body.append(*piece);
    }
  }
  struct Flying {
    explicit Flying(std::uint32_t& c) : count(c) { ++count; }
    ~Flying() { --count; }
    std::uint32_t& count;
  } const flying(in_flight_[std::string(out.fields.first("Authorization").value_or(""))]);
  most_in_flight = std::max(most_in_flight, flying.count);
  co_await loop_.sleep_for(latency / 2);
  out.in_flight = flying.count;
  if (record) seen.push_back(out);
  standin::Response response = model_.handle(out, loop_.wall_now());
  if (middle) middle(out, response);
  co_await loop_.sleep_for(latency / 2 + response.delivery.delay);
  if (response.delivery.reset) co_return fail(ErrorCode::Closed, "connection reset", Fault::Origin);
  if (response.delivery.hang) {
    co_await loop_.sleep_for(kOriginGivesUp);
    co_return fail(ErrorCode::Timeout, "first octet of the answer", Fault::Origin);
  }
  co_return std::make_unique<ModelAnswer>(loop_, std::move(response));
}

NodeOptions quick() { return quick(github::FreshnessPolicy::Strict); }
NodeOptions quick(github::FreshnessPolicy freshness) {
  NodeOptions out;
  out.freshness = freshness;
  out.calibration.matches = out.calibration.matches_elsewhere = 1;
  return out;
}

Node::Node(Stage& s, const NodeOptions& options)
    : stage(s), authorities(upstream_url()), stats(registry), activity(s.loop.clock()), quota(s.loop.clock(), stats) {
  Bytes lookup(32, 7);
  Bytes partition(32, 9);
  store =
      *store::TieredStore::open({}, s.loop.clock(), s.random,
                                [&s](std::move_only_function<void()> action) { s.loop.post(std::move(action)); }, {});
  proxy::PlannerOptions planning{
      upstream_url(), {options.freshness, options.ttl}, options.stale_if_error, &s.loop.clock()};
  planner = options.freshness == github::FreshnessPolicy::Http
                ? proxy::make_http_planner(std::move(planning), lookup, partition)
                : proxy::make_github_planner(std::move(planning), lookup, partition);
  proxy::JobOfNode job{options.job_repository, {}};
  if (!options.job_authorization.empty())
    job.token = planner->plan({"GET", "/", 1, http::Fields{{"Authorization", options.job_authorization}}}, "/", false)
                    .partition;
  proxy::ProofOptions proof;
  proof.gate.enabled = options.proof;
  proof.gate.trusted_origin = options.trusted_origin;
  proof.reserve_percent = options.reserve_percent;
  proof.url_prefix = "https://api.github.com";
  proof.vouched = options.vouched;
  proof.calibration = options.calibration;
  proof.pacing = options.pacing;
  proxy = std::make_unique<proxy::Proxy>(
      proxy::Parts{s.loop,
                   s.random,
                   *planner,
                   *store,
                   s.origin,
                   [](std::string) -> std::shared_ptr<proxy::Origin> { return nullptr; },
                   [](proxy::TunnelTo, std::string, std::uint16_t) -> io::Task<Result<std::unique_ptr<io::Stream>>> {
                     co_return fail(ErrorCode::Refused, "no tunnels here");
                   },
                   authorities,
                   quota,
                   stats,
                   activity,
                   {},
                   "api.github.com",
                   store::Key{1},
                   std::move(proof),
                   false,
                   store::Key{2},
                   {},
                   {},
                   options.mesh ? options.mesh(*planner) : nullptr,
                   "",
                   1,
                   std::move(job)});
  server = std::make_unique<http::server::Server>(s.loop, *proxy);
  http::client::Limits limits;
  limits.connections = 1000;
  limits.waiting = 100'000;
  limits.wait = limits.first_byte = limits.between_bytes = std::chrono::hours(2);
  const http::client::Connector connect = [this]() -> io::Task<Result<std::unique_ptr<io::Stream>>> {
    auto [near, far] = io::make_pipe(stage.loop);
    server->adopt(std::move(far));
    co_return std::move(near);
  };
  clients =
      std::make_unique<http::client::Pool>(s.loop, http::client::Origin{"api.github.com", false, connect}, limits);
}

io::Task<> Node::run(Ask ask, std::shared_ptr<Got> got) {
  const TimePoint began = stage.loop.now();
  http::client::Outgoing outgoing;
  outgoing.method = ask.method;
  outgoing.target = ask.target;
  http::Fields fields(ask.more);
  if (!fields.has("User-Agent")) fields.add("User-Agent", "scenario/1");
  if (!fields.has("Accept")) fields.add("Accept", "application/vnd.github+json");
  // "-" says that there is to be none at all.
  if (fields.first("Accept") == "-") fields.remove("Accept");
  if (!ask.authorization.empty()) fields.add("Authorization", ask.authorization);
  outgoing.fields = fields;
  http::client::TextBody body(ask.body);
  if (!ask.body.empty()) outgoing.body = &body;
  Result<std::unique_ptr<http::client::Reply>> reply = co_await clients->send(std::move(outgoing));
  if (!reply) {
    got->problem = reply.error().message;
  } else {
    got->status = (*reply)->status();
    got->fields = http::Fields((*reply)->fields());
    Result<std::string> whole = co_await (*reply)->read_all(64u << 20);
    got->whole = whole.has_value();
    if (whole) {
      got->body = std::move(*whole);
    } else {
      got->problem = whole.error().message;
    }
  }
  got->took = stage.loop.now() - began;
  got->done = true;
}

std::shared_ptr<Got> Node::start(Ask ask, io::TaskGroup* group) {
  auto got = std::make_shared<Got>();
  (group != nullptr ? *group : *stage.tasks).spawn(run(std::move(ask), got));
  return got;
}

proxy::Plan Node::plan(const Ask& ask) const {
  http::Fields fields(ask.more);
  if (!fields.has("Accept")) fields.add("Accept", "application/vnd.github+json");
  if (!ask.authorization.empty()) fields.add("Authorization", ask.authorization);
  return planner->plan({ask.method, ask.target, 1, fields}, ask.target, false).detached();
}

bool Node::forge(const Ask& whose, std::string_view bytes) {
  const store::EntryPtr there = store->find(plan(whose).key);
  if (!there) return false;
  store::Entry altered;
  altered.key = there->key;
  altered.flags = there->flags;
  altered.useful_until_s = there->useful_until_s;
  altered.groups = there->groups;
  altered.metadata = there->metadata;
  altered.body = to_bytes(bytes);
  store->put(store::share(std::move(altered)));
  return true;
}

bool Node::holds(const Ask& whose) { return store->find(plan(whose).key) != nullptr; }

Stage::Stage() : tasks(std::make_unique<io::TaskGroup>(loop)) {
  github.world = built().world;
  paths = built().paths;
  for (const char* name : {"alice", "carol"})
    github.tokens.add_user(std::string(name) + "-secret", name, {"octo-org/repo-1", "octo-org/repo-2"});
  github.tokens.add_user("bob-secret", "bob");
}

Stage::~Stage() {
  // Clients first: their connections are served by the nodes.
  tasks.reset();
  nodes_.clear();
}

Node& Stage::node(const NodeOptions& options) {
  nodes_.push_back(std::make_unique<Node>(*this, options));
  return *nodes_.back();
}

Got Stage::ask(Node& node, Ask what) {
  const std::shared_ptr<Got> got = node.start(std::move(what));
  loop.run_until([&] { return got->done; });
  EXPECT_TRUE(got->done) << "no answer within an hour";
  return std::move(*got);
}

Got Stage::get(Node& node, std::string_view target, std::string_view authorization, http::Fields more) {
  return ask(node, {"GET", std::string(target), std::string(authorization), std::move(more)});
}

bool Stage::run_all(const std::vector<std::shared_ptr<Got>>& gots, Duration limit) {
  return loop.run_until([&] { return std::ranges::all_of(gots, [](const auto& got) { return got->done; }); }, limit);
}

standin::Response Stage::direct(const Ask& what) {
  standin::Journal journal;
  standin::QuotaBook quota;
  standin::FaultList faults;
  const auto exchange_books = [&] {
    std::swap(journal, github.journal);
    std::swap(quota, github.quota);
    std::swap(faults, github.faults);
  };
  standin::Request request{what.method, what.target, what.more, what.body};
  if (!request.fields.has("User-Agent")) request.fields.add("User-Agent", "scenario/1");
  if (!request.fields.has("Accept")) request.fields.add("Accept", "application/vnd.github+json");
  if (!what.authorization.empty()) request.fields.add("Authorization", what.authorization);
  exchange_books();
  standin::Response out = github.handle(request, loop.wall_now());
  exchange_books();
  return out;
}

std::uint64_t Stage::newly_charged() { return charged() - std::exchange(charged_before_, charged()); }
std::uint64_t Stage::newly_asked() { return upstream() - std::exchange(asked_before_, upstream()); }

}  // namespace ghmesh::scenario
