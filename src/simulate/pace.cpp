// SPDX-License-Identifier: Apache-2.0
#include "pace.hpp"

namespace ghmesh::simulate {
namespace {

constexpr std::uint32_t kLimit = 5000;

}  // namespace

Pace::Pace(Mesh& mesh, const TokenTag& token, Random& random, At at, std::function<TimePoint()> now)
    : mesh_(mesh), tag_(token), at_(std::move(at)), now_(std::move(now)), pacer_(random) {
  at_(github::DemandReport::kRefresh, [this] { refresh(); });
}

void Pace::enter(TimePoint since, Turn go) {
  pacer_.set_others(mesh_.sharers(tag_));
  report_.used(now_());
  const github::Ticket ticket = next_ticket_++;
  waiting_.emplace(ticket, std::move(go));
  pacer_.enqueue(ticket, {.token = token_, .client = ticket, .shared = true, .since = since}, now_());
  turn();
}

void Pace::turn() {
  github::Pacer::Turn turn = pacer_.turn(now_());
  for (const github::Ticket ticket : turn.released) waiting_.extract(ticket).mapped()(true);
  for (const github::Refused& refused : turn.refused) waiting_.extract(refused.ticket).mapped()(false);
  if (turn.ask_again && *turn.ask_again < turn_at_) {
    turn_at_ = *turn.ask_again;
    at_(std::max(turn_at_ - now_(), Duration::zero()), [this, when = turn_at_] {
      if (turn_at_ != when) return;
      turn_at_ = TimePoint::max();
      this->turn();
    });
  }
  tell_changes();
}

void Pace::done() {
  ++answers_;
  answered_ = now_();
  pacer_.done(token_, "core", {}, now_());
  if (pacer_.waiting() > 0) turn();
  tell_changes();
}

void Pace::on_drawn(const Drawn& drawn) {
  pacer_.grant(token_, drawn.may_send, drawn.may_write, drawn.drawing, now_());
  turn();
}

void Pace::on_unheard() {
  pacer_.unheard(token_);
  turn();
}

void Pace::tell_changes() {
  if (pacer_.take_changed(now_()).empty()) return;
  report_.changed(pacer_.demand(token_, now_()), now_());
  report();
}

void Pace::report() {
  if (report_.due() >= report_at_) return;
  report_at_ = report_.due();
  at_(report_at_ - now_(), [this, when = report_at_] {
    if (report_at_ != when) return;
    report_at_ = TimePoint::max();
    const github::Demand demand = pacer_.demand(token_, now_());
    report_.said(demand, now_());
    Draw draw{.bucket = tag_,
              .sent = demand.sent,
              .sent_writes = demand.sent_writes,
              .recent = demand.recent,
              .recent_writes = demand.recent_writes,
              .drawing = demand.drawing,
              .in_flight = demand.in_flight,
              .waiting = demand.waiting,
              .waiting_writes = demand.waiting_writes,
              .rates = {}};
    if (answers_ > 0)
      draw.rates = {{.peer = nobody(),
                     .resource = 0,
                     .limit = kLimit,
                     .remaining = kLimit - answers_ % kLimit,
                     .used = answers_,
                     .reset = 1'800'000'000,
                     .age_ms = static_cast<std::uint32_t>((now_() - answered_) / 1ms),
                     .spent = answers_}};
    mesh_.draw(std::move(draw), now_());
  });
}

void Pace::refresh() {
  if (report_.refreshes(now_())) {
    report_.changed(pacer_.demand(token_, now_()), now_());
    report();
  }
  at_(github::DemandReport::kRefresh, [this] { refresh(); });
}

}  // namespace ghmesh::simulate
