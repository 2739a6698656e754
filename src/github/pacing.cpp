// SPDX-License-Identifier: Apache-2.0
#include "github/pacing.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::github {
namespace {

constexpr Duration kLeastPatience = std::chrono::seconds(1);

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
Duration from_seconds(double value) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

}  // namespace

void Pacer::Sent::add(TimePoint now) {
  const std::int64_t at = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  const auto size = static_cast<std::int64_t>(slots.size());
  for (std::int64_t s = std::max(second + 1, at - size + 1); s <= at; ++s)
    slots[static_cast<std::size_t>(s % size)] = 0;
  second = at;
  ++slots[static_cast<std::size_t>(at % size)];
  ++all;
}

std::uint32_t Pacer::Sent::recent(TimePoint now) const {
  const std::int64_t at = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  const auto size = static_cast<std::int64_t>(slots.size());
  std::uint32_t sum = 0;
  for (std::int64_t s = std::max<std::int64_t>(at - size + 2, 0); s <= second; ++s)
    sum += slots[static_cast<std::size_t>(s % size)];
  return sum;
}

Pacer::Token* Pacer::find(const Partition& token) {
  const auto found = tokens_.find(token);
  return found == tokens_.end() ? nullptr : &found->second;
}
const Pacer::Token* Pacer::find(const Partition& token) const {
  const auto found = tokens_.find(token);
  return found == tokens_.end() ? nullptr : &found->second;
}

std::size_t Pacer::in_flight(const Partition& token) const {
  const Token* found = find(token);
  return found == nullptr ? 0 : found->in_flight;
}

std::optional<TimePoint> Pacer::closed_until(const Partition& token, std::string_view resource) const {
  const Token* found = find(token);
  if (found == nullptr) return std::nullopt;
  TimePoint until = found->all.until;
  if (const auto closed = found->closed.find(resource); closed != found->closed.end())
    until = std::max(until, closed->second.until);
  if (until == TimePoint{}) return std::nullopt;
  return until;
}

Duration Pacer::with_jitter(Duration by) {
  const double share = static_cast<double>(random_.below(1u << 20)) / static_cast<double>(1u << 20);
  return by + from_seconds(seconds(by) * options_.jitter * share);
}

// Tokens of finished jobs: nothing waits, nothing flies, nothing is closed.
void Pacer::forget_idle(TimePoint now) {
  std::erase_if(tokens_, [&](const auto& item) {
    const Token& token = item.second;
    if (token.in_flight > 0 || token.waiting > 0 || token.all.until > now) return false;
    return std::all_of(token.closed.begin(), token.closed.end(), [&](const auto& c) { return c.second.until <= now; });
  });
}

void Pacer::enqueue(Ticket ticket, PacedRequest request, TimePoint now) {
  if (tokens_.size() >= options_.max_tokens && !tokens_.contains(request.token)) forget_idle(now);
  auto [place, is_new] = tokens_.try_emplace(request.token);
  Token& token = place->second;
  if (is_new) {
    token.allowance = options_.burst;
    token.write_allowance = options_.writes_burst;
    token.refilled = now;
  }
  token.shared = request.shared;
  if (token.waiting == 0) token.waits_since = now;
  const std::uint64_t client = request.client;
  // Whoever comes late is not sent away where it could go at once.
  const Duration least = std::min<Duration>(kLeastPatience, options_.max_queue);
  const TimePoint since = std::max(std::min(request.since, now), now + least - options_.max_queue);
  token.clients[client].push_back({ticket, std::move(request), since});
  ++token.waiting;
  ++waiting_;
  note_change(place->first, token);
}

void Pacer::cancel(Ticket ticket) {
  for (auto& [partition, token] : tokens_)
    for (auto& [client, queue] : token.clients) {
      const auto found = std::find_if(queue.begin(), queue.end(), [&](const Waiting& w) { return w.ticket == ticket; });
      if (found == queue.end()) continue;
      queue.erase(found);
      if (queue.empty()) token.clients.erase(client);
      --token.waiting;
      --waiting_;
      note_change(partition, token);
      return;
    }
}

void Pacer::note_change(const Partition& partition, Token& token) {
  if (token.shared && !std::exchange(token.changed, true)) changed_.push_back(partition);
}

std::vector<Partition> Pacer::take_changed(TimePoint now) {
  for (const Partition& partition : changed_)
    if (Token* token = find(partition)) {
      token->changed = false;
      token->told_waiting = demand(partition, now).waiting;
    }
  return std::exchange(changed_, {});
}

void Pacer::grant(const Partition& partition, std::uint64_t may_send, std::uint64_t may_write, std::size_t drawing,
                  TimePoint now) {
  Token* token = find(partition);
  if (token == nullptr) return;
  if (may_send > token->sent.all) token->granted = now;
  token->unheard = false;
  token->may_send = may_send;
  token->may_write = may_write;
  token->drawing = std::clamp<std::size_t>(drawing, 1, others_ + 1);
}

void Pacer::unheard(const Partition& partition) {
  if (Token* token = find(partition)) token->unheard = true;
}

Demand Pacer::demand(const Partition& partition, TimePoint now) const {
  Demand out;
  const Token* token = find(partition);
  if (token == nullptr) return out;
  out.sent = token->sent.all;
  out.sent_writes = token->sent_writes.all;
  out.recent = token->sent.recent(now);
  out.recent_writes = token->sent_writes.recent(now);
  out.in_flight = static_cast<std::uint32_t>(token->in_flight);
  out.drawing = static_cast<std::uint32_t>(token->drawing);
  // What could not go if it were let go does not ask for leave.
  for (const auto& [client, queue] : token->clients)
    for (const Waiting& each : queue) {
      if (closed_for(*token, each.request, now).kind != LimitKind::None) continue;
      ++out.waiting;
      out.waiting_writes += each.request.is_write ? 1 : 0;
    }
  return out;
}

TimePoint Pacer::free_at(const Token& token, TimePoint now) const {
  const Duration share = from_seconds(static_cast<double>(others_ + 1) / options_.per_second);
  const Duration rest = std::max(options_.free_every, share * 3);
  // No word for as long while something waits: then at a pace that leaves room for all the others.
  const TimePoint given_up = std::max(token.granted, token.waits_since) + rest;
  if (others_ + 1 > options_.free_nodes)
    return token.sent_at == TimePoint::min() ? given_up : std::max(given_up, token.sent_at + share);
  if (token.sent_at == TimePoint::min()) return TimePoint::min();
  if (token.unheard) {
    // Of what may go at once, and of the places in flight, each member has its part.
    const double members = static_cast<double>(others_ + 1);
    const double places = std::max(1.0, static_cast<double>(options_.max_in_flight) / members);
    if (token.sent.recent(now) < options_.burst / members && static_cast<double>(token.in_flight) < places)
      return TimePoint::min();
    return token.sent_at + std::min(rest, share);
  }
  return std::min(token.sent_at + rest, std::max(given_up, token.sent_at + share));
}

bool Pacer::others_let(const Token& token, bool is_write, TimePoint now) const {
  if (!is_led(token)) return true;
  if (token.sent.all < token.may_send && (!is_write || token.sent_writes.all < token.may_write)) return true;
  return now >= free_at(token, now);
}

void Pacer::refill(Token& token, TimePoint now) const {
  const double elapsed = seconds(now - token.refilled);
  if (elapsed <= 0) return;
  token.refilled = now;
  token.allowance = std::min(options_.burst, token.allowance + elapsed * options_.per_second);
  const double writes = static_cast<double>(options_.writes_per_minute);
  token.write_allowance = std::min(options_.writes_burst, token.write_allowance + elapsed * writes / 60);
}

Pacer::Closed Pacer::closed_for(const Token& token, const PacedRequest& request, TimePoint now) const {
  Closed out;
  if (token.all.until > now) out = token.all;
  if (const auto closed = token.closed.find(request.resource);
      closed != token.closed.end() && closed->second.until > now && closed->second.until > out.until)
    out = closed->second;
  return out;
}

// A wait that cannot end in time is better refused at once: the client can do something else.
void Pacer::refuse_hopeless(Token& token, TimePoint now, Turn& out) {
  std::size_t ahead = 0;
  const std::size_t clients = token.clients.size();
  for (auto& [client, queue] : token.clients) {
    std::size_t place = 0;
    std::erase_if(queue, [&](const Waiting& each) {
      const Closed closed = closed_for(token, each.request, now);
      const TimePoint open = std::max(closed.until, now);
      // Clients take turns, so this many go before it.
      const double pace = options_.per_second / static_cast<double>(is_led(token) ? token.drawing : 1);
      const Duration turns = from_seconds(static_cast<double>(place * clients) / pace);
      const bool too_long = open + turns - each.since > options_.max_queue;
      const bool full = ++ahead > options_.max_waiting;
      if (!too_long && !full) ++place;
      if (!too_long && !full) return false;
      out.refused.push_back({each.ticket, too_long ? Refusal::TooLong : Refusal::QueueFull,
                             closed.kind == LimitKind::None ? LimitKind::Secondary : closed.kind,
                             std::max<Duration>(open - now, std::chrono::seconds(1))});
      --token.waiting;
      --waiting_;
      return true;
    });
  }
  std::erase_if(token.clients, [](const auto& item) { return item.second.empty(); });
}

// One request of the next client in turn that may go now.
bool Pacer::release_one(Token& token, TimePoint now, Turn& out) {
  auto client = token.clients.upper_bound(token.last_client);
  for (std::size_t tried = 0; tried < token.clients.size(); ++tried, ++client) {
    if (client == token.clients.end()) client = token.clients.begin();
    Waiting& first = client->second.front();
    if (closed_for(token, first.request, now).kind != LimitKind::None) continue;
    if (first.request.is_write && token.write_allowance < 1) continue;
    if (!others_let(token, first.request.is_write, now)) continue;
    if (first.request.is_write) token.write_allowance -= 1;
    if (first.request.is_write) token.sent_writes.add(now);
    token.sent.add(now);
    token.sent_at = now;
    token.allowance -= 1;
    ++token.in_flight;
    token.last_client = client->first;
    out.released.push_back(first.ticket);
    client->second.pop_front();
    if (client->second.empty()) token.clients.erase(client);
    --token.waiting;
    --waiting_;
    return true;
  }
  return false;
}

// Releases what may go; tells when something could go by the passing of time alone.
std::optional<TimePoint> Pacer::release(Token& token, TimePoint now, Turn& out) {
  refill(token, now);
  while (token.waiting > 0 && token.in_flight < options_.max_in_flight && token.allowance >= 1 &&
         now >= token.next_release) {
    if (!release_one(token, now, out)) break;
    // After a back-off one goes at a time, spaced with jitter, until an answer says that all is well.
    if (token.recovering) token.next_release = now + with_jitter(from_seconds(1 / options_.per_second));
  }
  return next_release(token, now);
}

std::optional<TimePoint> Pacer::next_release(const Token& token, TimePoint now) const {
  if (token.waiting == 0) return std::nullopt;
  TimePoint open = TimePoint::max();
  TimePoint impatient = TimePoint::max();
  for (const auto& [client, queue] : token.clients) {
    const Closed closed = closed_for(token, queue.front().request, now);
    open = std::min(open, std::max(closed.until, now));
    impatient = std::min(impatient, queue.front().since + options_.max_queue);
  }
  // A full house opens by done(); until then only patience can end.
  if (token.in_flight >= options_.max_in_flight) return impatient + std::chrono::milliseconds(1);
  TimePoint at = std::max(open, token.next_release);
  if (token.allowance < 1) at = std::max(at, now + from_seconds((1 - token.allowance) / options_.per_second));
  if (is_led(token) && token.sent.all >= token.may_send) at = std::max(at, free_at(token, now));
  // Writes alone wait for their own allowance; a tick of it is soon enough to look again.
  if (at <= now) at = now + from_seconds(60.0 / static_cast<double>(options_.writes_per_minute));
  return std::min(at, impatient + std::chrono::milliseconds(1));
}

Pacer::Turn Pacer::turn(TimePoint now) {
  Turn out;
  for (auto& [partition, token] : tokens_) {
    if (token.waiting == 0) continue;
    const std::size_t before = token.waiting;
    refuse_hopeless(token, now, out);
    if (const auto at = release(token, now, out)) out.ask_again = out.ask_again ? std::min(*out.ask_again, *at) : *at;
    // Also where a back-off has ended, so that what stood behind it may go.
    if (token.waiting != before || (is_led(token) && demand(partition, now).waiting != token.told_waiting))
      note_change(partition, token);
  }
  return out;
}

void Pacer::done(const Partition& partition, std::string_view resource, const LimitVerdict& verdict, TimePoint now) {
  Token* token = find(partition);
  GHMESH_CHECK(token != nullptr && token->in_flight > 0);
  --token->in_flight;
  note_change(partition, *token);
  if (verdict.kind == LimitKind::None) {
    // Answers to what was in flight before the limit do not end a back-off.
    if (now >= token->all.until) {
      token->back_off = {};
      token->recovering = false;
    }
    return;
  }
  Duration wait = verdict.retry_after.value_or(Duration{});
  if (verdict.kind == LimitKind::Secondary) {
    // Many refusals of one burst count once: the first has closed the token already.
    if (now < token->all.until && !verdict.retry_after) return;
    token->back_off =
        token->back_off == Duration{} ? options_.first_back_off : std::min(token->back_off * 2, options_.max_back_off);
    if (!verdict.retry_after) wait = token->back_off;
    token->all = {std::max(token->all.until, now + with_jitter(wait)), LimitKind::Secondary};
    token->recovering = true;
  } else {
    if (wait == Duration{}) wait = options_.first_back_off;
    // The quota is back at that second: a tenth of an hour more would be lost for nothing.
    hold_until(partition, resource, now + std::min<Duration>(with_jitter(wait), wait + options_.max_primary_jitter));
  }
}

void Pacer::hold_until(const Partition& partition, std::string_view resource, TimePoint until) {
  Token& token = tokens_[partition];
  Closed& closed = token.closed[std::string(resource)];
  closed = {std::max(closed.until, until), LimitKind::Primary};
  token.recovering = true;
}

}  // namespace ghmesh::github
