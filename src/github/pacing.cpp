// SPDX-License-Identifier: Apache-2.0
#include "github/pacing.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::github {
namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
Duration from_seconds(double value) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

}  // namespace

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
    token.write_allowance = static_cast<double>(options_.writes_per_minute) / 6;
    token.refilled = now;
  }
  const std::uint64_t client = request.client;
  token.clients[client].push_back({ticket, std::move(request), now});
  ++token.waiting;
  ++waiting_;
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
      return;
    }
}

void Pacer::refill(Token& token, TimePoint now) const {
  const double elapsed = seconds(now - token.refilled);
  if (elapsed <= 0) return;
  token.refilled = now;
  token.allowance = std::min(options_.burst, token.allowance + elapsed * options_.per_second);
  const double writes = static_cast<double>(options_.writes_per_minute);
  token.write_allowance = std::min(writes / 6, token.write_allowance + elapsed * writes / 60);
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
      const Duration turns = from_seconds(static_cast<double>(place * clients) / options_.per_second);
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
    if (first.request.is_write) token.write_allowance -= 1;
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
  // Writes alone wait for their own allowance; a tick of it is soon enough to look again.
  if (at <= now) at = now + from_seconds(60.0 / static_cast<double>(options_.writes_per_minute));
  return std::min(at, impatient + std::chrono::milliseconds(1));
}

Pacer::Turn Pacer::turn(TimePoint now) {
  Turn out;
  for (auto& [partition, token] : tokens_) {
    if (token.waiting == 0) continue;
    refuse_hopeless(token, now, out);
    if (const auto at = release(token, now, out)) out.ask_again = out.ask_again ? std::min(*out.ask_again, *at) : *at;
  }
  return out;
}

void Pacer::done(const Partition& partition, std::string_view resource, const LimitVerdict& verdict, TimePoint now) {
  Token* token = find(partition);
  GHMESH_CHECK(token != nullptr && token->in_flight > 0);
  --token->in_flight;
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
    hold_until(partition, resource, now + with_jitter(wait == Duration{} ? options_.first_back_off : wait));
  }
}

void Pacer::hold_until(const Partition& partition, std::string_view resource, TimePoint until) {
  Token& token = tokens_[partition];
  Closed& closed = token.closed[std::string(resource)];
  closed = {std::max(closed.until, until), LimitKind::Primary};
  token.recovering = true;
}

}  // namespace ghmesh::github
