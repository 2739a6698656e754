// SPDX-License-Identifier: Apache-2.0
#include "proxy/repository_buckets.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "proxy/limits.hpp"

namespace ghmesh::proxy {
namespace {

// Between two tellings of what was read, unless nothing is left.
constexpr Duration kTellEvery = 500ms;
// And less often the more tokens there are, since each is told.
constexpr Duration kTellEach = 5ms;
// So often a keeper hears that this node listens (it forgets a silent one after 30 s, and answers with all it knows) …
constexpr Duration kRefresh = 20s;
// … while a token was used lately; that of this node's own job, always.
constexpr Duration kListens = 10min;
// Of its tokens, those are told of news that were used in so long: a node of many jobs has many that are done.
constexpr Duration kIsTold = 1min;
// The longest that a token follows a pause without a look of its own, where its bucket is not known for sure.
constexpr Duration kFollows = 5min;
// At the end of a pause the tokens of a node come back one after the other, as the members of a mesh do
// (mesh/exchange/pause.cpp), and it is remembered for as long.
constexpr Duration kStep = 400ms;
constexpr std::size_t kPlaces = 16;
constexpr Duration kTail = kStep * static_cast<int>(kPlaces);
// Ends of one window lie within so many seconds (QuotaLedger); two steps cover them.
constexpr github::UnixSeconds kSameEnd = 5;
constexpr github::UnixSeconds kEndStep = 16;

// Which of a token's repositories is meant: those asked about a little beside do not matter.
constexpr std::size_t kAskedRepositories = 4;
constexpr std::size_t kPauses = 1024;

// In a row of the mesh: the sender guesses that its token draws on this bucket.
constexpr std::uint8_t kGuessed = 0x80;
const std::string kHere = "other tokens here";

bool looks_like_a_job(const Plan& plan) {
  return std::string_view(plan.request.authorization.expose()).starts_with("Bearer ghs_");
}

}  // namespace

RepositoryBuckets::RepositoryBuckets(io::Loop& loop, LiveFields& live, Sharing* sharing, std::string authority,
                                     const JobOfNode& job)
    : loop_(loop),
      live_(live),
      sharing_(sharing),
      authority_(std::move(authority)),
      home_(http::to_lower(job.repository)),
      flush_timer_(loop, [this] { flush(); }),
      refresh_timer_(loop, [this] { refresh(); }) {
  if (!job.token || *job.token == github::kAnonymousPartition || home_.empty()) return;
  Member& own = members_[*job.token];
  own.known = true;
  own.seen = loop_.now();
  join(*job.token, own, home_);
}

void RepositoryBuckets::join(const github::Partition& token, Member& member, const std::string& repository) {
  if (member.repository == repository) return;
  leave(token, member);
  member.repository = repository;
  Bucket& bucket = buckets_[repository];
  if (sharing_ != nullptr && bucket.tokens.empty()) bucket.tag = sharing_->repository_tag(authority_, repository);
  bucket.tokens.insert(token);
  mark(repository, false);
  if (!refresh_timer_.armed()) refresh_timer_.arm_at(loop_.now() + kRefresh);
}

void RepositoryBuckets::leave(const github::Partition& token, Member& member) {
  const auto bucket = buckets_.find(member.repository);
  if (bucket == buckets_.end()) return;
  bucket->second.tokens.erase(token);
  if (bucket->second.tokens.empty()) buckets_.erase(bucket);
  member.repository.clear();
  member.windows.clear();
}

void RepositoryBuckets::asks(const Plan& plan) {
  auto found = members_.find(plan.partition);
  if (found == members_.end()) {
    if (plan.request.anonymous || !looks_like_a_job(plan) || members_.size() >= Limits::kSealers) return;
    found = members_.emplace(plan.partition, Member{}).first;
  }
  Member& member = found->second;
  member.seen = loop_.now();
  if (member.known) return;
  guess(plan, member);
  const auto most = std::ranges::max_element(member.asked, {}, &std::pair<std::string, std::uint32_t>::second);
  if (most != member.asked.end()) {
    join(plan.partition, member, most->first);
  } else if (!home_.empty()) {
    join(plan.partition, member, home_);
  }
}

void RepositoryBuckets::guess(const Plan& plan, Member& member) {
  if (plan.resource.repo.empty()) return;
  const std::string name = http::to_lower(plan.resource.owner) + "/" + http::to_lower(plan.resource.repo);
  const auto known = std::ranges::find(member.asked, name, &std::pair<std::string, std::uint32_t>::first);
  if (known != member.asked.end()) {
    ++known->second;
  } else if (member.asked.size() < kAskedRepositories) {
    member.asked.emplace_back(name, name == home_ ? 2 : 1);
  }
}

// ---- pauses

std::optional<RepositoryBuckets::Window> RepositoryBuckets::window(const Plan& plan, Member& member,
                                                                   std::string_view resource) {
  if (const auto own = live_.own(plan.partition, resource)) {
    const Window now{own->reading.limit, own->reading.reset, true, member.known || own->reading.remaining <= 0};
    member.windows.insert_or_assign(std::string(resource), now);
    return now;
  }
  const auto last = member.windows.find(resource);
  // Nothing is held against a token by guess before it was told something itself.
  if (const auto told = member.known ? live_.latest(plan, resource) : std::nullopt) {
    const Window now{told->limit, told->reset, false, false};
    member.windows.insert_or_assign(std::string(resource), now);
    return now;
  }
  if (last == member.windows.end()) return std::nullopt;
  // Over, but its pause ends for one after the other.
  const auto since = std::chrono::seconds(github::unix_seconds(loop_.wall_now()) - last->second.reset);
  return since <= kTail ? std::optional(last->second) : std::nullopt;
}

std::vector<RepositoryBuckets::WindowKey> RepositoryBuckets::keys(const Member& member, std::string_view resource,
                                                                  const Window& window) const {
  std::vector<WindowKey> out;
  for (const github::UnixSeconds end : {window.reset, window.reset - kSameEnd, window.reset + kSameEnd}) {
    WindowKey key{member.repository, std::string(resource), window.limit, end / kEndStep};
    if (std::ranges::find(out, key) == out.end()) out.push_back(std::move(key));
  }
  return out;
}

mesh::TokenTag RepositoryBuckets::pause_tag(const WindowKey& key) const {
  const auto& [repository, resource, limit, end] = key;
  const auto bucket = buckets_.find(repository);
  if (bucket == buckets_.end()) return {};
  std::uint8_t numbers[16];
  store_be(numbers, static_cast<std::uint64_t>(limit));
  store_be(numbers + 8, static_cast<std::uint64_t>(end));
  const crypto::Digest32 digest = crypto::sha256({bucket->second.tag, numbers, as_bytes(resource)});
  mesh::TokenTag out{};
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

std::optional<TimePoint> RepositoryBuckets::paused_until(const Plan& plan, std::string_view resource) {
  const auto found = members_.find(plan.partition);
  if (found == members_.end() || found->second.repository.empty()) return std::nullopt;
  Member& member = found->second;
  const std::optional<Window> mine = window(plan, member, resource);
  if (!mine || live_.doubts_bucket(plan.partition, resource)) return std::nullopt;
  const TimePoint now = loop_.now();
  TimePoint until{};
  Pause* board = nullptr;
  for (const WindowKey& key : keys(member, resource, *mine)) {
    const auto pause = pauses_.find(key);
    if (pause != pauses_.end() && now < pause->second.until + kTail) {
      board = &pause->second;
      until = std::max(until, pause->second.until);
    }
    if (sharing_ == nullptr) continue;
    if (const auto told = sharing_->link().mesh().paused_until(pause_tag(key), now)) {
      if (board == nullptr) board = &pauses_[key];
      until = std::max(until, *told);
    }
  }
  if (board == nullptr) {
    member.follows_since.reset();
    return std::nullopt;
  }
  // The first to ask comes back first.
  auto place = std::ranges::find(board->places, plan.partition);
  if (place == board->places.end() && board->places.size() < kPlaces)
    place = board->places.insert(place, plan.partition);
  until += kStep * static_cast<int>(place - board->places.begin());
  if (!mine->sure) {
    if (!member.follows_since) member.follows_since = now;
    until = std::min(until, *member.follows_since + kFollows);
  }
  return until > now ? std::optional(until) : std::nullopt;
}

void RepositoryBuckets::answered(const Plan& plan, std::string_view resource, Duration pause) {
  const auto found = members_.find(plan.partition);
  if (found == members_.end() || found->second.repository.empty()) return;
  Member& member = found->second;
  member.follows_since.reset();
  const auto last = member.windows.find(resource);
  const std::optional<Window> before = last != member.windows.end() ? std::optional(last->second) : std::nullopt;
  const std::optional<Window> mine = window(plan, member, resource);
  mark(member.repository, pause > Duration::zero());
  if (!mine || !mine->own) return;
  if (pause <= Duration::zero()) {
    release(member, resource, *mine);
    if (before) release(member, resource, *before);
    return;
  }
  if (pauses_.size() >= kPauses) {
    std::erase_if(pauses_, [&](const auto& each) { return each.second.until + kTail <= loop_.now(); });
    if (pauses_.size() >= kPauses) return;
  }
  const WindowKey key{member.repository, std::string(resource), mine->limit, mine->reset / kEndStep};
  Pause& own = pauses_[key];
  own.until = std::max(own.until, loop_.now() + pause);
  if (sharing_ != nullptr) sharing_->link().pause(pause_tag(key), pause);
}

void RepositoryBuckets::release(const Member& member, std::string_view resource, const Window& window) {
  for (const WindowKey& key : keys(member, resource, window)) {
    pauses_.erase(key);
    if (sharing_ != nullptr) sharing_->link().resumed(pause_tag(key));
  }
}

// ---- readings

bool RepositoryBuckets::listens(const Member& member) const {
  return member.known || loop_.now() - member.seen < kIsTold;
}

void RepositoryBuckets::mark(const std::string& repository, bool urgent) {
  const auto bucket = buckets_.find(repository);
  if (bucket == buckets_.end()) return;
  bucket->second.dirty = true;
  const Duration every = kTellEvery + kTellEach * static_cast<int>(bucket->second.tokens.size());
  if (urgent || !flush_timer_.armed())
    flush_timer_.arm_at(urgent ? loop_.now() : std::max(loop_.now(), flushed_ + every));
}

void RepositoryBuckets::flush() {
  flushed_ = loop_.now();
  for (auto& [repository, bucket] : buckets_)
    if (std::exchange(bucket.dirty, false)) tell(repository, bucket);
}

// What the tokens of this node read and spent goes to each other and, as one sum, to the keeper of the bucket.
void RepositoryBuckets::tell(const std::string& repository, Bucket& bucket) {
  struct Group {
    bool known = false;
    std::vector<std::pair<github::Partition, std::uint32_t>> spent;
    mesh::RateRow row;
  };
  std::map<std::uint8_t, std::vector<Group>> resources;
  for (const github::Partition& token : bucket.tokens) {
    const bool known = members_[token].known;
    for (const mesh::RateRow& row : live_.rates(token)) {
      std::vector<Group>& groups = resources[row.resource];
      auto group = std::ranges::find_if(groups, [&](const Group& each) {
        const auto apart = static_cast<std::int64_t>(each.row.reset) - static_cast<std::int64_t>(row.reset);
        return each.row.limit == row.limit && std::abs(apart) <= kSameEnd;
      });
      if (group == groups.end()) {
        group = groups.insert(group, Group{known, {{token, row.spent}}, row});
        continue;
      }
      group->known = group->known || known;
      group->spent.emplace_back(token, row.spent);
      const std::uint32_t spent = group->row.spent + row.spent;
      if (row.used > group->row.used) group->row = row;
      group->row.spent = spent;
    }
  }
  std::vector<mesh::RateRow> rates;
  for (auto& [resource, groups] : resources) {
    for (const Group& group : groups)
      for (const auto& [token, spent] : group.spent) {
        mesh::RateRow row = group.row;
        row.spent -= spent;
        if (group.spent.size() > 1 && listens(members_[token])) live_.told_of_bucket(token, kHere, row, false);
      }
    // Of tokens that do not fit together, the job's own; else those that are more.
    const auto& most = *std::ranges::max_element(
        groups, {}, [](const Group& each) { return std::tuple(each.known, each.spent.size(), ~each.row.age_ms); });
    rates.push_back(most.row);
    if (!most.known) rates.back().resource |= kGuessed;
  }
  if (sharing_ == nullptr) return;
  // The mesh may have changed its secret.
  bucket.tag = sharing_->repository_tag(authority_, repository);
  // Only readings: the pace is each token's own, so nothing waits here for leave.
  sharing_->link().draw({.bucket = bucket.tag, .rates = std::move(rates)});
}

void RepositoryBuckets::refresh() {
  const TimePoint now = loop_.now();
  std::erase_if(pauses_, [&](const auto& each) { return each.second.until + kTail <= now; });
  for (auto it = members_.begin(); it != members_.end();) {
    Member& member = it->second;
    if (member.known || now - member.seen < kListens) {
      mark(member.repository, false);
      ++it;
    } else {
      leave(it->first, member);
      it = members_.erase(it);
    }
  }
  if (!members_.empty()) refresh_timer_.arm_at(now + kRefresh);
}

void RepositoryBuckets::on_drawn(const mesh::Drawn& drawn) {
  const auto bucket = std::ranges::find(buckets_, drawn.bucket, [](const auto& each) { return each.second.tag; });
  if (bucket == buckets_.end()) return;
  for (mesh::RateRow row : drawn.rates) {
    const bool guessed = (row.resource & kGuessed) != 0;
    row.resource &= static_cast<std::uint8_t>(~kGuessed);
    const std::string teller = row.peer.text();
    for (const github::Partition& token : bucket->second.tokens)
      if (const Member& member = members_[token]; listens(member))
        live_.told_of_bucket(token, teller, row, !guessed && member.known);
  }
}

}  // namespace ghmesh::proxy
