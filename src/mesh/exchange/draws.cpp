// SPDX-License-Identifier: Apache-2.0
#include "draws.hpp"

#include <algorithm>

namespace ghmesh::mesh {
namespace {

// While something is under way a member says so this often, and a keeper that has not heard of it ten times as long
// takes it for gone.
constexpr Duration kRepeat = 500ms;
constexpr Duration kStale = 5s;
// A keeper that says nothing for so long is looked at by membership; a loaded one takes some hundred ms.
constexpr Duration kSilence = 1s;
// Who sent nothing for so long does not draw any more.
constexpr Duration kIdle = 2s;
// Readings are passed on no more often than this, and less often the more members there are: the keeper sends each of n
// members n rows.
constexpr Duration kPush = 500ms;
constexpr Duration kPushEach = 40ms;
// And all of them again so often to a member that still speaks: while members disagree who keeps a bucket, it does not
// listen.
constexpr Duration kRetell = 5s;
// GitHub ends a request after ten seconds.
constexpr Duration kFlight = 10s;
// A bucket, or a member's word of it, that nobody touched for so long is forgotten: every window is over by then.
constexpr Duration kForget = 2h;
// How much more than its share of pace and places a member is believed to take.
constexpr double kBelieved = 1.5;
// So many places one member may have however many draw: with answers of half a second that is the whole pace.
constexpr std::uint64_t kLeastPlaces = 6;
// A member is told news this long after it spoke last.
constexpr Duration kListens = 30s;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
Duration from_seconds(double value) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

}  // namespace

bool Draws::Account::draws(TimePoint now) const {
  return requests.waiting > 0 || in_flight > 0 || (drew != TimePoint{} && now - drew <= kIdle);
}

// A write needs leave of both kinds; one that has no leave as a write yet must not hold a place among the requests.
bool Draws::Account::wants() const {
  const std::uint64_t held_back = writes.waiting > writes.outstanding() ? writes.waiting - writes.outstanding() : 0;
  return requests.waiting > requests.outstanding() + held_back;
}

std::uint64_t Draws::Account::places(std::uint64_t share) const {
  return std::min(in_flight + requests.outstanding(), std::max(share, lent.all()));
}

void Draws::Account::end() {
  in_flight = requests.waiting = writes.waiting = 0;
  requests.granted = requests.sent;
  writes.granted = writes.sent;
  drew = {};
}

void Draws::Lent::age(TimePoint now) {
  if (now - turned < kFlight) return;
  old = now - turned < 2 * kFlight ? young : 0;
  young = 0;
  turned = now;
}

void Draws::Level::refill(double per_second, double burst, Duration elapsed) {
  value = std::min(burst, value + seconds(elapsed) * per_second);
}

// ---- as a member

std::optional<PeerId> Draws::keeper(const TokenTag& bucket) const {
  const Ranks::Row& row = bus_.ranks.of(static_cast<std::uint8_t>(bucket.back() % kPartitions));
  if (row.empty()) return std::nullopt;
  return row.front();
}

void Draws::draw(Draw own, TimePoint now) {
  const TokenTag bucket = own.bucket;
  if (!own_.contains(bucket) && own_.size() >= limits_.buckets) {
    std::erase_if(own_, [&](const auto& entry) { return now - entry.second.touched > kListens; });
    if (own_.size() >= limits_.buckets) return;
  }
  Own& kept = own_[bucket];
  own.rates.resize(std::min(own.rates.size(), WireLimits::kOwnRates));
  for (RateRow& row : own.rates) row.peer = bus_.self;
  kept.draw = std::move(own);
  kept.touched = now;
  send(bucket, kept, now);
}

void Draws::send(const TokenTag& bucket, Own& own, TimePoint now) {
  const std::optional<PeerId> to = keeper(bucket);
  own.told_to = to.value_or(nobody());
  own.told = now;
  const bool waits = own.draw.waiting > 0;
  if (!waits || !to) own.unanswered.reset();
  if (!own.unanswered) own.reported = false;
  if (waits || own.draw.in_flight > 0) due_ = std::min(due_, now + kRepeat);
  if (!to) return;
  if (waits && !own.unanswered) own.unanswered = now;
  if (waits && !own.reported) due_ = std::min(due_, *own.unanswered + bus_.limits.patience);
  bus_.send(*to, own.draw);
}

void Draws::report(const TokenTag& bucket, Own& own) {
  if (!own.unanswered || std::exchange(own.reported, true)) return;
  unheard_.push_back({bucket});
}

void Draws::on_disconnected(const PeerId& peer) {
  for (auto& [bucket, own] : own_)
    if (own.told_to == peer) report(bucket, own);
}

void Draws::on_drawn(const PeerId& from, const Drawn& drawn) {
  const auto own = own_.find(drawn.bucket);
  if (own == own_.end() || keeper(drawn.bucket) != from) return;
  own->second.unanswered.reset();
  own->second.reported = false;
  if (news_.size() < limits_.buckets) news_.push_back(drawn);
}

// ---- as a keeper

Draws::Bucket* Draws::slot(const TokenTag& tag, TimePoint now) {
  if (!buckets_.contains(tag) && buckets_.size() >= limits_.buckets) {
    std::erase_if(buckets_, [&](const auto& entry) { return now - entry.second.refilled > kForget; });
    // Tokens of jobs come and go; the one that was used longest ago is the least missed.
    if (buckets_.size() >= limits_.buckets)
      buckets_.erase(std::ranges::min_element(buckets_, {}, [](const auto& entry) { return entry.second.refilled; }));
  }
  const auto [place, is_new] = buckets_.try_emplace(tag);
  Bucket& bucket = place->second;
  if (is_new) {
    bucket.requests.value = limits_.burst;
    bucket.writes.value = limits_.writes_burst;
  } else {
    bucket.requests.refill(limits_.per_second, limits_.burst, now - bucket.refilled);
    bucket.writes.refill(limits_.writes_per_second, limits_.writes_burst, now - bucket.refilled);
  }
  bucket.refilled = now;
  return &bucket;
}

// What count sent since it was last heard of. anew: the member introduces itself, or its process began again; then what
// it sent lately is what this keeper does not know of.
void Draws::take(Level& level, Count& count, std::uint64_t sent, std::uint32_t recent, bool anew, double allowed,
                 double burst) const {
  if (anew) {
    level.value -= std::min<double>(recent, burst);
    count.sent = count.granted = sent;
    return;
  }
  if (sent > count.granted) {
    // Without leave: a first one, or in a time of silence. No member is believed much more than its share of the pace,
    // so that one that lies about it cannot hold up the others.
    level.value -= std::min<double>(static_cast<double>(sent - count.granted), allowed);
    count.granted = sent;
  }
  count.sent = sent;
  // Whoever waited has gone: the leave is free again.
  if (count.outstanding() > count.waiting) {
    level.value += static_cast<double>(count.outstanding() - count.waiting);
    count.granted = sent + count.waiting;
  }
}

void Draws::note_rates(Bucket& bucket, const PeerId& from, Account& account, const Draw& draw, TimePoint now) const {
  for (const RateRow& told : draw.rates) {
    if (account.rates.size() >= WireLimits::kOwnRates && !account.rates.contains(told.resource)) continue;
    Rate& known = account.rates[told.resource];
    const RateRow& old = known.row;
    if (known.version > 0 && old.reset == told.reset && old.used == told.used && old.remaining == told.remaining &&
        old.spent == told.spent && old.limit == told.limit)
      continue;
    known.row = told;
    known.row.peer = from;  // of itself only
    known.observed = now - std::chrono::milliseconds(told.age_ms);
    known.version = ++bucket.version;
  }
}

std::size_t Draws::drawing(const Bucket& bucket, TimePoint now) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(bucket.accounts, [&](const auto& entry) { return entry.second.draws(now); }));
}

void Draws::on_draw(const PeerId& from, const Draw& draw, TimePoint now) {
  // Members disagree for a moment about who is first; the one that is not keeps nothing.
  if (keeper(draw.bucket) != bus_.self) return;
  const bool taken_over = !buckets_.contains(draw.bucket) && draw.drawing > 1;
  Bucket& bucket = *slot(draw.bucket, now);
  if (taken_over) {
    // Who kept it before is gone, and the others are heard of one by one: until then they sent as much as this one.
    const double others = std::min<double>(draw.drawing, static_cast<double>(bus_.members + 1)) - 1;
    bucket.requests.value = std::max(limits_.burst - others * draw.recent, 0.0);
    bucket.writes.value = std::max(limits_.writes_burst - others * draw.recent_writes, 0.0);
    bucket.guessed_until = now + kStale;
    bucket.guessed = static_cast<std::size_t>(others) + 1;
  }
  if (!bucket.accounts.contains(from) && bucket.accounts.size() >= limits_.members) {
    std::erase_if(bucket.accounts, [&](const auto& entry) { return now - entry.second.heard > kForget; });
    if (bucket.accounts.size() >= limits_.members) return;
  }
  const auto [place, is_new] = bucket.accounts.try_emplace(from);
  Account& account = place->second;
  const bool anew = is_new || draw.sent < account.requests.sent;
  if (anew ? draw.recent > 0 : draw.sent > account.requests.sent) account.drew = now;
  account.requests.waiting = std::min(draw.waiting, limits_.waiting);
  account.writes.waiting = std::min(draw.waiting_writes, account.requests.waiting);
  account.in_flight = draw.in_flight;
  const double share = kBelieved / static_cast<double>(std::max<std::size_t>(drawing(bucket, now), 1));
  const double elapsed = is_new ? 0 : seconds(now - account.heard);
  // A new keeper did not let them go, but somebody did.
  if (is_new) account.lent = {.young = draw.recent, .turned = now};
  const bool guessed = now < bucket.guessed_until && !taken_over;
  take(bucket.requests, account.requests, draw.sent, guessed ? 0 : draw.recent, anew,
       1 + share * limits_.per_second * elapsed, limits_.burst);
  take(bucket.writes, account.writes, draw.sent_writes, guessed ? 0 : draw.recent_writes, anew,
       1 + share * limits_.writes_per_second * elapsed, limits_.writes_burst);
  account.heard = now;
  account.answer = account.requests.waiting > 0;
  note_rates(bucket, from, account, draw, now);
  if (now - account.retold >= kRetell) {
    account.told_version = 0;
    account.retold = now;
  }
  serve(draw.bucket, bucket, now);
  if (account.requests.waiting > 0 || account.in_flight > 0) due_ = std::min(due_, now + kStale);
}

void Draws::on_gone(const PeerId& peer, TimePoint now) {
  for (auto& [tag, bucket] : buckets_) {
    const auto found = bucket.accounts.find(peer);
    if (found == bucket.accounts.end()) continue;
    found->second.end();
    due_ = std::min(due_, now);
  }
}

std::uint64_t Draws::share_in_flight(std::size_t drawing) const {
  return static_cast<std::uint64_t>(std::max(
      kBelieved * static_cast<double>(limits_.in_flight) / static_cast<double>(std::max<std::size_t>(drawing, 1)),
      1.0));
}

std::size_t Draws::room_in_flight(const Bucket& bucket, std::uint64_t share, TimePoint now) const {
  std::uint64_t taken = 0;
  for (const auto& [peer, account] : bucket.accounts) taken += account.places(share);
  // Those of whom a new keeper has not heard yet may hold theirs.
  if (now < bucket.guessed_until && bucket.guessed > bucket.accounts.size())
    taken += (bucket.guessed - bucket.accounts.size()) * limits_.in_flight / bucket.guessed;
  return taken >= limits_.in_flight ? 0 : limits_.in_flight - static_cast<std::size_t>(taken);
}

void Draws::serve(const TokenTag& tag, Bucket& bucket, TimePoint now) {
  const auto in_turn = [&](auto wants) {
    std::vector<std::pair<const PeerId, Account>*> out;
    for (auto it = bucket.accounts.upper_bound(bucket.last); it != bucket.accounts.end(); ++it)
      if (wants(it->second)) out.push_back(&*it);
    for (auto it = bucket.accounts.begin(); it != bucket.accounts.end() && it->first <= bucket.last; ++it)
      if (wants(it->second)) out.push_back(&*it);
    return out;
  };
  auto writers = in_turn([](const Account& account) { return account.writes.wants(); });
  for (std::size_t i = 0; !writers.empty() && bucket.writes.value >= 1; ++i) {
    auto* const next = writers[i % writers.size()];
    Account& account = next->second;
    ++account.writes.granted;
    bucket.writes.value -= 1;
    account.answer = true;
    if (!account.writes.wants()) std::erase(writers, next);
  }
  for (auto& [peer, account] : bucket.accounts) account.lent.age(now);
  const std::uint64_t share = share_in_flight(drawing(bucket, now));
  const auto may_go = [&](const Account& account) {
    return account.wants() && account.places(share) < std::max(share, kLeastPlaces);
  };
  std::size_t room = room_in_flight(bucket, share, now);
  auto waiting = in_turn(may_go);
  for (std::size_t i = 0; !waiting.empty() && room > 0 && bucket.requests.value >= 1; ++i, --room) {
    auto* const next = waiting[i % waiting.size()];
    auto& [peer, account] = *next;
    ++account.requests.granted;
    ++account.lent.young;
    bucket.requests.value -= 1;
    bucket.last = peer;
    account.answer = true;
    if (!may_go(account)) std::erase(waiting, next);
  }
  const Duration push = push_every(bucket);
  for (auto& [peer, account] : bucket.accounts) {
    const bool news = account.told_version < bucket.version && now - account.heard < kListens;
    if (account.answer || (news && account.told + push <= now)) {
      tell(tag, bucket, peer, account, now);
    } else if (news) {
      due_ = std::min(due_, account.told + push);
    }
  }
  // A tick more than computed: what falls short of one by a rounding would be looked at again in the same instant.
  if (!waiting.empty() && room > 0)
    due_ = std::min(due_, now + 1ms + from_seconds((1 - bucket.requests.value) / limits_.per_second));
  if (!writers.empty())
    due_ = std::min(due_, now + 1ms + from_seconds((1 - bucket.writes.value) / limits_.writes_per_second));
}

Duration Draws::push_every(const Bucket& bucket) const {
  return std::max<Duration>(kPush, kPushEach * static_cast<int>(bucket.accounts.size()));
}

void Draws::tell(const TokenTag& tag, Bucket& bucket, const PeerId& peer, Account& account, TimePoint now) {
  Drawn drawn{.bucket = tag,
              .may_send = account.requests.granted,
              .may_write = account.writes.granted,
              .drawing = static_cast<std::uint32_t>(drawing(bucket, now)),
              .rates = {}};
  account.answer = false;
  if (account.told + push_every(bucket) <= now || account.told == TimePoint{}) {
    std::vector<std::pair<std::uint64_t, const Rate*>> news;
    for (const auto& [other, each] : bucket.accounts) {
      if (other == peer) continue;
      for (const auto& [resource, rate] : each.rates)
        if (rate.version > account.told_version) news.emplace_back(rate.version, &rate);
    }
    std::ranges::sort(news, {}, &decltype(news)::value_type::first);
    account.told_version = news.size() > WireLimits::kRates ? news[WireLimits::kRates - 1].first : bucket.version;
    news.resize(std::min(news.size(), WireLimits::kRates));
    for (const auto& [version, rate] : news) {
      RateRow row = rate->row;
      const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - rate->observed).count();
      row.age_ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(age, 0, WireLimits::kPauseMs));
      drawn.rates.push_back(std::move(row));
    }
    account.told = now;
    if (account.told_version < bucket.version) due_ = std::min(due_, now + push_every(bucket));
    if (drawn.rates.empty() && account.requests.waiting == 0 && account.requests.outstanding() == 0) return;
  }
  bus_.send(peer, std::move(drawn));
}

void Draws::tick(TimePoint now) {
  if (now < due_) return;
  due_ = TimePoint::max();
  std::erase_if(own_, [&](const auto& entry) { return now - entry.second.touched > kForget; });
  for (auto& [bucket, own] : own_) {
    const bool pending = own.draw.waiting > 0 || own.draw.in_flight > 0;
    if (own.unanswered && !own.reported) {
      const TimePoint patient_until = *own.unanswered + bus_.limits.patience;
      if (patient_until <= now)
        report(bucket, own);
      else
        due_ = std::min(due_, patient_until);
    }
    if (own.unanswered && now - *own.unanswered >= kSilence) {
      bus_.silent(own.told_to, now);
      own.unanswered = now;
    }
    if (keeper(bucket).value_or(nobody()) != own.told_to || (pending && own.told + kRepeat <= now)) {
      // Readings have their own times, which a repetition must not make new.
      const auto old = std::chrono::duration_cast<std::chrono::milliseconds>(now - own.touched).count();
      for (RateRow& row : own.draw.rates)
        row.age_ms = static_cast<std::uint32_t>(std::min<std::int64_t>(row.age_ms + old, WireLimits::kPauseMs));
      own.touched = now;
      send(bucket, own, now);
    } else if (pending) {
      due_ = std::min(due_, own.told + kRepeat);
    }
  }
  // Kept by somebody else now; what happens there is not known here, if it comes back.
  std::erase_if(buckets_, [&](const auto& entry) { return keeper(entry.first) != bus_.self; });
  for (auto& [tag, bucket] : buckets_) {
    bool pending = false, freed = false;
    for (auto& [peer, account] : bucket.accounts) {
      const bool open = account.requests.waiting > 0 || account.in_flight > 0;
      if (open && now - account.heard >= kStale) {
        account.end();
        freed = true;
      } else if (open) {
        pending = true;
        due_ = std::min(due_, account.heard + kStale);
      }
    }
    const bool news = std::ranges::any_of(bucket.accounts, [&](const auto& entry) {
      return entry.second.told_version < bucket.version && now - entry.second.heard < kListens;
    });
    if (pending || freed || news) serve(tag, *slot(tag, now), now);
  }
}

}  // namespace ghmesh::mesh
