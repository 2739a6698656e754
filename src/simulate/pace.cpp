// SPDX-License-Identifier: Apache-2.0
#include "pace.hpp"

namespace ghmesh::mesh::simulate {
namespace {

// Of github::PacingOptions and proxy::FleetDraw.
constexpr Duration kFreeEvery = 5s;
constexpr std::size_t kFreeNodes = 30;
constexpr Duration kFlushEvery = 20ms;
constexpr Duration kRefresh = 5s;
constexpr Duration kListens = 1min;
constexpr Duration kRecent = 14s;
constexpr std::uint32_t kLimit = 5000;

}  // namespace

Pace::Pace(Mesh& mesh, const TokenTag& token, At at, std::function<TimePoint()> now)
    : mesh_(mesh), at_(std::move(at)), now_(std::move(now)) {
  said_.bucket = token;
  flushed_ = last_sent_ = now_() - kFreeEvery;
  at_(kRefresh, [this] { refresh(); });
}

void Pace::enter(std::function<void()> go) {
  waiting_.push_back(std::move(go));
  turn();
  mark();
}

bool Pace::may_go() const {
  const std::size_t others = mesh_.sharers(said_.bucket);
  if (others == 0 || unheard_ || said_.sent < may_send_) return true;
  return others < kFreeNodes && now_() - last_sent_ >= kFreeEvery;
}

void Pace::turn() {
  while (!waiting_.empty() && may_go()) {
    ++said_.sent;
    ++said_.in_flight;
    last_sent_ = now_();
    recent_.push_back(last_sent_);
    std::function<void()> go = std::move(waiting_.front());
    waiting_.pop_front();
    go();
  }
}

void Pace::done() {
  --said_.in_flight;
  ++answers_;
  answered_ = now_();
  mark();
}

void Pace::on_drawn(const Drawn& drawn) {
  may_send_ = std::max(may_send_, drawn.may_send);
  said_.drawing = std::max<std::uint32_t>(drawn.drawing, 1);
  unheard_ = false;
  const std::uint64_t before = said_.sent;
  turn();
  if (said_.sent != before) mark();
}

void Pace::on_unheard() {
  unheard_ = true;
  turn();
  mark();
}

void Pace::mark() {
  dirty_ = true;
  const bool urgent = !waiting_.empty() && said_.sent >= told_;
  const TimePoint when = urgent ? now_() : std::max(now_(), flushed_ + kFlushEvery);
  if (flush_at_ <= when) return;
  flush_at_ = when;
  at_(when - now_(), [this, when] {
    if (flush_at_ == when) flush();
  });
}

void Pace::flush() {
  flush_at_ = TimePoint::max();
  flushed_ = now_();
  if (!std::exchange(dirty_, false)) return;
  while (!recent_.empty() && now_() - recent_.front() > kRecent) recent_.pop_front();
  said_.recent = static_cast<std::uint32_t>(recent_.size());
  said_.waiting = static_cast<std::uint32_t>(waiting_.size());
  told_ = said_.sent + said_.waiting;
  Draw draw = said_;
  if (answers_ > 0) {
    const std::uint32_t spent = answers_;
    draw.rates = {{.peer = nobody(),
                   .resource = 0,
                   .limit = kLimit,
                   .remaining = kLimit - spent % kLimit,
                   .used = spent,
                   .reset = 1'800'000'000,
                   .age_ms = static_cast<std::uint32_t>((now_() - answered_) / 1ms),
                   .spent = spent}};
  }
  mesh_.draw(std::move(draw), now_());
}

void Pace::refresh() {
  if (now_() - last_sent_ <= kListens && said_.sent > 0 && now_() - flushed_ >= kRefresh) mark();
  at_(kRefresh, [this] { refresh(); });
}

}  // namespace ghmesh::mesh::simulate
