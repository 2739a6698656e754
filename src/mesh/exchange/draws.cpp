// SPDX-License-Identifier: Apache-2.0
#include "draws.hpp"

#include <algorithm>

namespace ghmesh::mesh {
namespace {

// A member that says nothing for so long, ten times as long as it may, is taken for gone.
constexpr Duration kStale = 5s;
// Who stands in for a silent keeper does so until it was not asked for so long; and who need not is not asked again for
// so long.
constexpr Duration kStandIn = 1min;
constexpr Duration kRefuse = 5s;
// Who sent nothing for so long does not draw any more.
constexpr Duration kIdle = 2s;
// Readings are passed on no more often than this, and less often the more members there are: the keeper sends each of n
// members n rows.
constexpr Duration kPush = 2s;
constexpr Duration kPushEach = 40ms;
// What a member has not heard so long after it was said is said again: while members disagree who keeps a bucket, it
// does not listen.
constexpr Duration kUnheard = 1s;
// GitHub ends a request after ten seconds.
constexpr Duration kFlight = 10s;
// How much more than its share of pace and places a member is believed to take.
constexpr double kBelieved = 1.5;
// So many places one member may have however many draw: with answers of half a second that is the whole pace.
constexpr std::uint64_t kLeastPlaces = 6;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
Duration from_seconds(double value) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

}  // namespace

bool Draws::Account::draws(TimePoint now) const { return is_open() || (drew != TimePoint{} && now - drew <= kIdle); }

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

Draws::Bucket* Draws::slot(const TokenTag& tag, TimePoint now) {
  if (!buckets_.contains(tag) && buckets_.size() >= limits_.buckets) {
    std::erase_if(buckets_, [&](const auto& entry) { return now - entry.second.refilled > DrawLimits::kForget; });
    // Tokens of jobs come and go; the one that was used longest ago is the least missed. Those that several members
    // draw on stay before those of one, of which a single member can name as many as it likes.
    if (buckets_.size() >= limits_.buckets)
      buckets_.erase(std::ranges::min_element(buckets_, {}, [](const auto& entry) {
        return std::pair(entry.second.accounts.size() > 1, entry.second.refilled);
      }));
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

std::size_t Draws::most_accounts() const { return bus_.members + 1 + DrawLimits::kGone; }

// Runners of one job each come and go by the thousand: who was not heard of for the longest time goes first.
void Draws::make_room(Bucket& bucket, TimePoint now) const {
  std::erase_if(bucket.accounts, [&](const auto& entry) { return now - entry.second.heard > DrawLimits::kForget; });
  while (bucket.accounts.size() >= most_accounts())
    bucket.accounts.erase(std::ranges::min_element(
        bucket.accounts, {}, [](const auto& entry) { return std::pair(entry.second.is_open(), entry.second.heard); }));
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

bool Draws::keeps(const TokenTag& bucket, TimePoint now) const {
  const Ranks::Row& row = row_of(bucket);
  if (!row.empty() && row.front() == bus_.self) return true;
  const auto deputy = deputies_.find(bucket);
  if (deputy == deputies_.end() || deputy->second.state != Deputy::State::StandingIn || deputy->second.until <= now)
    return false;
  for (const PeerId& peer : row) {
    if (peer == bus_.self) return true;
    if (std::ranges::find(deputy->second.asked, peer) == deputy->second.asked.end()) return false;
  }
  return false;
}

// Members disagree for a moment about who is first, or one cannot be heard by a few: whoever is not first keeps nothing
// unless all before it are silent to itself.
void Draws::stand_in(const PeerId& from, const Draw& draw, TimePoint now) {
  const Ranks::Row& row = row_of(draw.bucket);
  const auto self = std::ranges::find(row, bus_.self);
  if (self == row.end() || std::find(row.begin(), self, from) != self) return;
  if (!deputies_.contains(draw.bucket) && deputies_.size() >= limits_.buckets) {
    std::erase_if(deputies_, [&](const auto& entry) { return entry.second.until <= now; });
    if (deputies_.size() >= limits_.buckets) return;
  }
  const auto [place, is_new] = deputies_.try_emplace(draw.bucket);
  Deputy& deputy = place->second;
  if (is_new || (deputy.state != Deputy::State::Asking && deputy.until <= now) ||
      deputy.state == Deputy::State::StandingIn) {
    deputy = {.state = Deputy::State::Asking, .until = now, .asked = {row.begin(), self}, .waiting = {}};
    const auto own = own_.find(draw.bucket);
    Draw question = own == own_.end() ? Draw{.bucket = draw.bucket} : own->second.draw;
    question.waiting = std::max<std::uint32_t>(question.waiting, 1);  // only then is it owed an answer
    question.heard = 0;
    for (const PeerId& peer : deputy.asked) {
      // What it found out for itself need not be asked.
      if (own != own_.end() && std::ranges::find(own->second.passed_over, peer) != own->second.passed_over.end())
        continue;
      // Less than whoever waits for this one waits.
      deputy.until = now + silence() / 2;
      bus_.send(peer, question);
    }
  }
  if (deputy.state != Deputy::State::Asking) return;
  if (deputy.waiting.size() < most_accounts() || deputy.waiting.contains(from))
    deputy.waiting.insert_or_assign(from, draw);
  due_ = std::min(due_, deputy.until);
}

// Whom we were to stand in for lives, at least for us: two keepers would let twice as much go.
void Draws::note_answer(const PeerId& from, const TokenTag& bucket, TimePoint now) {
  const auto found = deputies_.find(bucket);
  if (found == deputies_.end()) return;
  Deputy& deputy = found->second;
  if (deputy.state != Deputy::State::Asking || std::ranges::find(deputy.asked, from) == deputy.asked.end()) return;
  deputy = {.state = Deputy::State::Refused, .until = now + kRefuse, .asked = {}, .waiting = {}};
  // What was asked for was an answer.
  const auto own = own_.find(bucket);
  Draw draw = own == own_.end() ? Draw{.bucket = bucket} : own->second.draw;
  if (own == own_.end() || own->second.told_to != from) draw.heard = 0;
  bus_.send(from, std::move(draw));
}

void Draws::tick_deputies(TimePoint now) {
  std::erase_if(deputies_, [&](const auto& entry) {
    return entry.second.state != Deputy::State::Asking && entry.second.until <= now;
  });
  std::vector<std::pair<PeerId, Draw>> waited;
  for (auto& [tag, deputy] : deputies_) {
    if (deputy.until > now) {
      due_ = std::min(due_, deputy.until);
      continue;
    }
    deputy.state = Deputy::State::StandingIn;
    deputy.until = now + kStandIn;
    for (auto& [peer, draw] : std::exchange(deputy.waiting, {})) waited.emplace_back(peer, std::move(draw));
  }
  for (const auto& [peer, draw] : waited) on_draw(peer, draw, now);
}

void Draws::on_draw(const PeerId& from, const Draw& draw, TimePoint now) {
  if (!keeps(draw.bucket, now)) return stand_in(from, draw, now);
  if (const auto deputy = deputies_.find(draw.bucket);
      deputy != deputies_.end() && deputy->second.state == Deputy::State::StandingIn)
    deputy->second.until = now + kStandIn;
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
  if (!bucket.accounts.contains(from)) make_room(bucket, now);
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
  const bool all_settled = now - account.told >= kUnheard;
  if (draw.heard < (all_settled ? account.told_version : account.settled))
    account.told_version = account.told_before = account.settled = draw.heard;
  serve(draw.bucket, bucket, now);
  if (account.is_open()) due_ = std::min(due_, now + kStale);
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
    const bool news = account.told_version < bucket.version && now - account.heard < DrawLimits::kListens;
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
  drawn.since = drawn.until = account.told_version;
  if (account.told + push_every(bucket) <= now || account.told == TimePoint{}) {
    std::vector<std::pair<std::uint64_t, const Rate*>> news;
    for (const auto& [other, each] : bucket.accounts) {
      if (other == peer) continue;
      for (const auto& [resource, rate] : each.rates)
        if (rate.version > account.told_version) news.emplace_back(rate.version, &rate);
    }
    std::ranges::sort(news, {}, &decltype(news)::value_type::first);
    if (now - account.settled_at >= kUnheard) {
      account.settled = std::exchange(account.told_before, account.told_version);
      account.settled_at = now;
    }
    account.told_version = news.size() > WireLimits::kRates ? news[WireLimits::kRates - 1].first : bucket.version;
    drawn.until = account.told_version;
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
  tick_own(now);
  tick_deputies(now);
  // Kept by somebody else now; what happens there is not known here, if it comes back.
  std::erase_if(buckets_, [&](const auto& entry) { return !keeps(entry.first, now); });
  for (auto& [tag, bucket] : buckets_) {
    bool pending = false, freed = false;
    for (auto& [peer, account] : bucket.accounts) {
      const bool open = account.is_open();
      if (open && now - account.heard >= kStale) {
        account.end();
        freed = true;
      } else if (open) {
        pending = true;
        due_ = std::min(due_, account.heard + kStale);
      }
    }
    const bool news = std::ranges::any_of(bucket.accounts, [&](const auto& entry) {
      return entry.second.told_version < bucket.version && now - entry.second.heard < DrawLimits::kListens;
    });
    if (pending || freed || news) serve(tag, *slot(tag, now), now);
  }
}

}  // namespace ghmesh::mesh
