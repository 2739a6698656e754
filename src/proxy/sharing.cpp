// SPDX-License-Identifier: Apache-2.0
#include "proxy/sharing.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "github/etag.hpp"
#include "github/scanner.hpp"
#include "proxy/limits.hpp"
#include "proxy/shared_head.hpp"

namespace ghmesh::proxy {
namespace {

std::int64_t milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::int64_t unix_milliseconds(WallTime time) { return milliseconds(time.time_since_epoch()); }

// Lower case, since names do not depend on it; a repository known by its number only stands for itself.
std::string repository_of(const Plan& plan) {
  if (plan.resource.repo.empty()) return std::string(plan.resource.repository_id);
  return http::to_lower(plan.resource.owner) + "/" + http::to_lower(plan.resource.repo);
}

}  // namespace

// ---- Search

Sharing::Search::Search(Search&& other) noexcept
    : sharing_(other.sharing_),
      result_(std::move(other.result_)),
      key_(other.key_),
      own_(other.own_),
      own_head_(std::move(other.own_head_)),
      answer_(std::move(other.answer_)),
      body_(std::move(other.body_)),
      from_(other.from_),
      publisher_(other.publisher_),
      from_peer_(other.from_peer_),
      formula_held_(other.formula_held_),
      open_(std::exchange(other.open_, false)) {}

Sharing::Search::~Search() {
  if (open_) sharing_->link_.abandon(result_.find, mesh::ReleaseOutcome::Failed);
}

// ---- Sharing

Sharing::Sharing(io::Loop& loop, mesh::Link& link, Planner& planner, SharingOptions options)
    : loop_(loop), link_(link), planner_(planner), options_(std::move(options)) {
  planner_.set_shared_secret(options_.lookup_key.expose());
}

Sharing::~Sharing() = default;

bool Sharing::takes_part(const Plan& plan, std::string_view method) const {
  // HEAD brings no body; a query of GraphQL can be proved by nobody.
  if (method != "GET" || !plan.cacheable || !plan.canonical || plan.graphql || !plan.policy.may_store) return false;
  return github::may_prove_across_tokens(plan.resource) &&
         (plan.resource.share == github::Share::Repository || plan.resource.share == github::Share::Public);
}

const mesh::TokenSealer& Sharing::sealer(const Plan& plan) {
  const auto known = sealers_.find(plan.partition);
  if (known != sealers_.end()) return known->second;
  if (sealers_.size() >= Limits::kSealers) sealers_.clear();
  const ByteView token = plan.request.anonymous ? ByteView() : as_bytes(plan.request.authorization.expose());
  return sealers_.emplace(plan.partition, mesh::TokenSealer(options_.lookup_key, token)).first->second;
}

Sharing::Described Sharing::describe(const Slot& slot, const crypto::Sha256& prefix) const {
  const cache::Entry& entry = slot.entry(0);
  const auto tag = entry.field("ETag");
  // Without any tag there is nothing to carry, and the formula may well hold.
  const bool by_formula = tag && github::etag_equals(*tag, github::etag_of(prefix, slot.body(0)));
  Described out{encode_shared_head(entry.head_fields(), by_formula), {}};
  out.version = mesh::version_of(out.head, slot.body(0));
  return out;
}

mesh::ItemPtr Sharing::make_item(const store::Key& key, std::vector<store::GroupId> groups, const Described& described,
                                 ByteView body) const {
  auto item = std::make_shared<mesh::Item>();
  item->key = key;
  item->publisher = link_.mesh().self().peer;
  item->version = described.version;
  item->groups = std::move(groups);
  item->metadata = described.head;
  item->body.assign(body.begin(), body.end());
  return item;
}

mesh::ItemPtr Sharing::find_item(const mesh::LookupKey& key, const mesh::Version& version) const {
  const auto found = offered_.find(version);
  if (found == offered_.end()) return nullptr;
  mesh::ItemPtr item = found->second();
  return item->key == key ? item : nullptr;
}

io::Task<Sharing::Search> Sharing::find(const Plan& plan, const crypto::Sha256& prefix, Slot own) {
  Search search(*this);
  search.key_ = planner_.shared_key(plan);
  auto offered = offered_.end();
  if (own && own.size() > 0 && own.entry(0).status() == 200) {
    Described described = describe(own, prefix);
    search.own_ = described.version;
    search.own_head_ = described.head;
    // Made only if the answer is a delta against it.
    offered = offered_.emplace(described.version, [this, own, key = search.key_, described] {
      return make_item(key, {}, described, own.body(0));
    });
  }
  struct Withdraw {
    ~Withdraw() {
      if (which != offers.end()) offers.erase(which);
    }
    Offered& offers;
    Offered::iterator which;
  } const withdraw{offered_, offered};
  mesh::Disbelieved disbelieved;
  while (true) {
    search.result_ = co_await link_.find(search.key_, sealer(plan).tag(), search.own_, disbelieved);
    search.open_ = search.result_.kind != mesh::FindResult::Kind::Fresh;
    const bool believed = judge(search, plan, prefix, own);
    // Whoever hands on what is true most of the time is not to blame for what others put.
    if (search.answer_ && search.body_ && search.from_peer_ && disbelieved.from.empty())
      link_.report(search.from_, search.publisher_, true);
    if (believed || !search.result_.item || disbelieved.from.size() == Limits::kDisbelieved) co_return search;
    // Somebody else may have the true one, which is cheaper than GitHub's.
    disbelieved.from.push_back(search.from_);
    disbelieved.publisher = search.publisher_;
    disbelieved.version = search.result_.item->version;
  }
}

// False: it was called fresh by nobody who could know.
bool Sharing::judge(Search& search, const Plan& plan, const crypto::Sha256& prefix, const Slot& own) {
  mesh::FindResult& result = search.result_;
  if (result.item && result.item->key != search.key_) result.item = nullptr;
  const mesh::PeerId self = link_.mesh().self().peer;
  mesh::PeerId from = result.from;
  // What lies on this node's own shelf was brought by somebody.
  if (result.item && (from == self || from == mesh::nobody()))
    from = link_.mesh().publisher(search.key_, result.item->version);
  search.from_ = from;
  search.publisher_ = result.item ? result.item->publisher : mesh::nobody();
  search.from_peer_ = from != self && from != mesh::nobody();
  if (result.kind == mesh::FindResult::Kind::Fresh) return judge_fresh(search, plan, prefix, own);
  if (!result.item || result.item->version == search.own_) return true;
  search.body_ = github::SharedBody(result.item, &result.item->body);
  const Result<SharedHead> head = decode_shared_head(result.item->metadata);
  search.formula_held_ = head && head->tag_by_formula;
  return true;
}

bool Sharing::judge_fresh(Search& search, const Plan& plan, const crypto::Sha256& prefix, const Slot& own) {
  const mesh::FindResult& result = search.result_;
  const mesh::Freshness& fresh = result.fresh;
  const bool is_own = !result.item || result.item->version == search.own_;
  if (is_own && search.own_ == mesh::Version{}) return true;
  const mesh::Version& version = is_own ? search.own_ : result.item->version;
  const bool sealed = fresh.tag == sealer(plan).tag() &&
                      sealer(plan).verify(search.key_, version, fresh.fetched_at_ms, fresh.fresh_ms, fresh.seal);
  Result<SharedHead> head = decode_shared_head(is_own ? search.own_head_ : result.item->metadata);
  if (!sealed || !head) {
    ++counts_.bad_seals;
    link_.report(search.from_, search.publisher_, false);
    return false;
  }
  const ByteView body = is_own ? own.body(0) : ByteView(result.item->body);
  if (!is_own) search.body_ = github::SharedBody(result.item, &result.item->body);
  Answer answer;
  answer.fields = std::move(head->fields);
  if (head->tag_by_formula) answer.fields.add("ETag", github::quoted_etag(github::etag_of(prefix, body)));
  // left is what the sender says, and it may replay an old answer; fetched_at is sealed. Where the clocks of fetcher
  // and reader differ the answer counts as too old, and costs a free proof.
  const std::int64_t told = std::int64_t{fresh.fresh_ms} - std::int64_t{std::min(fresh.left_ms, fresh.fresh_ms)};
  const std::int64_t by_clock = unix_milliseconds(loop_.wall_now()) - fresh.fetched_at_ms;
  answer.age = std::chrono::milliseconds(std::max({std::int64_t{0}, told, by_clock}));
  answer.from_here = !search.from_peer_;
  search.answer_ = std::move(answer);
  return true;
}

bool Sharing::may_leave(const Plan& plan, ByteView body) {
  if (body.size() > mesh::WireLimits::kBodyBytes) return false;
  if (options_.public_only && plan.resource.share != github::Share::Public) {
    const auto seen = public_.find(repository_of(plan));
    if (seen == public_.end() || loop_.now() - seen->second > Limits::kPublicFor) return false;
  }
  return github::scan_body(body) == github::Finding::Clean;
}

mesh::Freshness Sharing::freshness(const Search& search, const Plan& plan, const Slot& slot,
                                   const mesh::Version& version) {
  const cache::Now now{loop_.now(), loop_.wall_now()};
  const cache::Entry& entry = slot.entry(0);
  const std::int64_t age = std::clamp<std::int64_t>(milliseconds(entry.age(now)), 0, mesh::WireLimits::kFreshMs / 2);
  const std::int64_t life = plan.policy.lifetime.kind == cache::Lifetime::Kind::Forever
                                ? std::int64_t{mesh::WireLimits::kFreshMs}
                                : milliseconds(entry.lifetime(plan.policy));
  // What must always be proved is told for a moment all the same: those who waited for it get it at once.
  const std::int64_t whole =
      std::clamp<std::int64_t>(std::max(life, age + milliseconds(Limits::kJustFetched)), 0, mesh::WireLimits::kFreshMs);
  mesh::Freshness fresh;
  fresh.tag = sealer(plan).tag();
  fresh.fetched_at_ms = unix_milliseconds(now.wall) - age;
  fresh.fresh_ms = static_cast<std::uint32_t>(whole);
  fresh.left_ms = static_cast<std::uint32_t>(whole - age);
  fresh.seal = sealer(plan).seal(search.key_, version, fresh.fetched_at_ms, fresh.fresh_ms);
  return fresh;
}

void Sharing::publish(Search& search, const Plan& plan, const crypto::Sha256& prefix, const Slot& slot) {
  if (!search.open_) return;
  const Described described = describe(slot, prefix);
  const mesh::FindResult& result = search.result_;
  const bool known =
      (result.item && described.version == result.item->version) || (result.same && described.version == search.own_);
  if (known) {
    search.open_ = false;
    return link_.renew(result.find, described.version, freshness(search, plan, slot, described.version));
  }
  std::vector<store::GroupId> groups = planner_.groups(plan);
  if (groups.size() > mesh::WireLimits::kGroups || !may_leave(plan, slot.body(0))) {
    ++counts_.kept_back;
    // Another member may be allowed to tell what this one keeps to itself.
    return abandon(search, options_.public_only ? mesh::ReleaseOutcome::Failed : mesh::ReleaseOutcome::Pass);
  }
  search.open_ = false;
  link_.put(result.find, make_item(search.key_, std::move(groups), described, slot.body(0)),
            freshness(search, plan, slot, described.version));
}

void Sharing::queued(const Search& search, bool waits) {
  if (search.open_) link_.queued(search.result_.find, waits);
}

void Sharing::abandon(Search& search, mesh::ReleaseOutcome outcome) {
  if (!std::exchange(search.open_, false)) return;
  link_.abandon(search.result_.find, outcome);
}

void Sharing::report(const Search& search, bool proved) {
  // The newest version that was known when a fetch began is expected to change; only what was called current counts.
  if (search.confirmed() && search.body_) link_.report(search.from_, search.publisher_, proved);
}

void Sharing::saw_public(const Plan& plan) {
  if (!plan.resource.of_repository()) return;
  if (public_.size() >= Limits::kPublicRepositories) public_.clear();
  public_[repository_of(plan)] = loop_.now();
}

io::Task<> Sharing::invalidate(std::vector<store::GroupId> groups) {
  ++counts_.writes_told;
  for (std::size_t at = 0; at < groups.size(); at += mesh::WireLimits::kInvalidatedGroups) {
    const std::size_t end = std::min(groups.size(), at + mesh::WireLimits::kInvalidatedGroups);
    const mesh::InvalidateDone done = co_await link_.invalidate(
        {groups.begin() + static_cast<std::ptrdiff_t>(at), groups.begin() + static_cast<std::ptrdiff_t>(end)});
    counts_.unconfirmed += done.told - done.confirmed;
  }
}

io::Task<mesh::InvalidateDone> Sharing::purge(std::vector<store::GroupId> groups) {
  return link_.invalidate(std::move(groups), true);
}

mesh::TokenTag Sharing::bucket(const Plan& plan, std::string_view resource) {
  const crypto::Digest32 digest = crypto::sha256({sealer(plan).tag(), as_bytes(resource)});
  mesh::TokenTag out{};
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

void Sharing::pause(const Plan& plan, std::string_view resource, Duration length) {
  // Anonymous requests draw on their machine's address, which is no other member's.
  if (!plan.request.anonymous) link_.pause(bucket(plan, resource), length);
}

void Sharing::resumed(const Plan& plan, std::string_view resource) {
  if (!plan.request.anonymous) link_.resumed(bucket(plan, resource));
}

std::optional<TimePoint> Sharing::paused_until(const Plan& plan, std::string_view resource) {
  if (plan.request.anonymous) return std::nullopt;
  return link_.mesh().paused_until(bucket(plan, resource), loop_.now());
}

void Sharing::set_lookup_key(crypto::SecretKey32 key) {
  options_.lookup_key = std::move(key);
  sealers_.clear();
  planner_.set_shared_secret(options_.lookup_key.expose());
}

}  // namespace ghmesh::proxy
