// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cache/exchange.hpp"
#include "cache/lookup.hpp"
#include "cache/response_head.hpp"

// The smallest complete user of the engine: one thread, a map for a store, a function for an origin. For tests and the
// conformance driver, and to read how the pieces are meant to be called. No coalescing; validation behind a stale
// answer runs at once.

namespace ghmesh::cache {

struct Message {
  int status = 0;
  http::Fields fields;
  std::string body;
};

class ModelCache {
 public:
  // Nothing: the origin cannot be reached.
  using Origin = std::function<std::optional<Message>(const http::Request& request)>;

  ModelCache(FreshnessPolicy anonymous, FreshnessPolicy credential, const Clock& clock, Origin origin)
      : anonymous_(anonymous), credential_(credential), clock_(&clock), origin_(std::move(origin)) {}

  // The answer with Age and Cache-Status as fields.
  Message request(const http::Request& client) {
    const auto authorization = client.fields.first("Authorization");
    const FreshnessPolicy& policy = authorization ? credential_ : anonymous_;
    Slot& slot = slots_[{std::string(authorization.value_or("")), client.target}];
    const std::vector<Stored> held = slot;
    std::vector<const Entry*> candidates;
    for (const Stored& one : held) candidates.push_back(&one.entry);
    Exchange exchange;
    exchange.request = client.view();
    exchange.candidates = candidates;
    exchange.requested = Now::of(*clock_);
    exchange.authority = "origin.example";
    exchange.decision = decide(exchange.request, candidates, policy, exchange.requested);
    last_ = exchange.decision;
    if (exchange.decision.serves()) {
      const Answer answer{exchange.decision.form, exchange.decision.range};
      const Stored& stored = held[*exchange.decision.entry];
      http::CacheStatus status;
      status.hit = true;
      status.detail = exchange.decision.stale ? "stale" : "memory";
      status.forward = exchange.decision.forward;
      Message message = answer_with(client, stored.entry, stored.body, answer, status);
      if (exchange.decision.action == Action::ServeAndRevalidate) forward(client, exchange, policy, slot, held);
      return message;
    }
    if (exchange.decision.action == Action::GatewayTimeout) return own_answer(504);
    return forward(client, exchange, policy, slot, held);
  }

  const Decision& last_decision() const { return last_; }
  std::size_t entries() const {
    std::size_t count = 0;
    for (const auto& [key, slot] : slots_) count += slot.size();
    return count;
  }

 private:
  struct Stored {
    Entry entry;
    std::string body;
  };
  using Slot = std::vector<Stored>;

  static Message own_answer(int status) {
    Message message;
    message.status = status;
    message.fields.add("Content-Length", "0");
    return message;
  }

  // Takes a written head apart again, as a client would.
  Message answer_with(const http::Request& client, const Entry& entry, const std::string& body, const Answer& answer,
                      const http::CacheStatus& status) const {
    HitFields hit;
    hit.age = entry.age(Now::of(*clock_));
    hit.status = status;
    std::string head;
    if (answer.form == Form::Full) {
      head = entry.head();
      append_tail(head, entry, hit);
    } else {
      append_head(head, entry, answer, hit);
    }
    Message message;
    message.status = std::stoi(head.substr(9, 3));
    std::size_t at = head.find("\r\n") + 2;
    while (head.compare(at, 2, "\r\n") != 0) {
      const std::size_t end = head.find("\r\n", at);
      const std::size_t colon = head.find(": ", at);
      message.fields.add(std::string_view(head).substr(at, colon - at),
                         std::string_view(head).substr(colon + 2, end - colon - 2));
      at = end + 2;
    }
    if (client.method == "HEAD" || answer.form == Form::NotModified || answer.form == Form::RangeNotSatisfiable)
      return message;
    message.body = answer.form == Form::Partial ? body.substr(answer.range.first, answer.range.length()) : body;
    return message;
  }

  Message forward(const http::Request& client, const Exchange& exchange, const FreshnessPolicy& policy, Slot& slot,
                  const std::vector<Stored>& held) {
    http::Request upstream{client.method, client.target, upstream_fields(exchange)};
    std::optional<Message> reply = origin_(upstream);
    if (!reply) {
      if (const auto stale = stale_instead(exchange, Failure::Unreachable, policy, Now::of(*clock_)))
        return answer_stale(client, exchange, held, *stale);
      return own_answer(502);
    }
    Outcome outcome = on_response(exchange, {reply->status, reply->fields}, policy, Now::of(*clock_));
    if (outcome.reply == Reply::Refetch) {
      apply(outcome, *reply, exchange.candidates, slot, held);
      upstream.fields = unconditional_fields(exchange);
      reply = origin_(upstream);
      if (!reply) return own_answer(502);
      Exchange again = exchange;
      again.refetched = true;
      outcome = on_response(again, {reply->status, reply->fields}, policy, Now::of(*clock_));
    }
    std::optional<Message> from_entry;
    http::CacheStatus status;
    status.hit = true;
    status.detail = "proof";
    if (outcome.reply == Reply::FromEntry && outcome.from_put) {
      const Put& put = outcome.put[*outcome.from_put];
      from_entry = answer_with(client, put.entry, held[*put.body_of].body, outcome.answer, status);
    } else if (outcome.reply == Reply::FromEntry && outcome.stale) {
      from_entry = answer_stale(client, exchange, held, *outcome.from_candidate);
    } else if (outcome.reply == Reply::FromEntry) {
      const Stored& stored = held[*outcome.from_candidate];
      from_entry = answer_with(client, stored.entry, stored.body, outcome.answer, status);
    }
    apply(outcome, *reply, exchange.candidates, slot, held);
    if (from_entry) return *std::move(from_entry);
    http::remove_hop_by_hop(reply->fields);
    return *std::move(reply);
  }

  Message answer_stale(const http::Request& client, const Exchange& exchange, const std::vector<Stored>& held,
                       std::size_t index) const {
    http::CacheStatus status;
    status.hit = true;
    status.detail = "stale";
    status.forward = http::Forward::Stale;
    return answer_with(client, held[index].entry, held[index].body, answer_from(exchange.request, held[index].entry),
                       status);
  }

  void apply(Outcome& outcome, const Message& reply, Candidates candidates, Slot& slot,
             const std::vector<Stored>& held) {
    Slot kept;
    for (std::size_t i = 0; i < candidates.size(); ++i)
      if (std::find(outcome.drop.begin(), outcome.drop.end(), i) == outcome.drop.end()) kept.push_back(held[i]);
    for (Put& put : outcome.put) {
      Stored stored{put.entry, put.body_of ? held[*put.body_of].body : reply.body};
      stored.entry.set_body_size(stored.body.size());
      kept.push_back(std::move(stored));
    }
    slot = std::move(kept);
    for (const std::string& target : outcome.invalidate)
      for (auto& [key, other] : slots_)
        if (key.second == target) other.clear();
  }

  FreshnessPolicy anonymous_;
  FreshnessPolicy credential_;
  const Clock* clock_;
  Origin origin_;
  Decision last_;
  std::map<std::pair<std::string, std::string>, Slot> slots_;
};

}  // namespace ghmesh::cache
