// SPDX-License-Identifier: Apache-2.0
// What changed lately, and how it is passed on.
#include <algorithm>
#include <cmath>

#include "membership.hpp"

namespace ghmesh::mesh {

unsigned Membership::resend_limit() const {
  return static_cast<unsigned>(std::ceil(3 * std::log10(static_cast<double>(live_ + 2)))) + 1;
}

void Membership::announce(const PeerId& peer) {
  Member& member = *known(peer);
  // What was said of it before is outdated, and left out where it turns up.
  ++member.edition;
  if (!std::exchange(member.is_news, true)) ++news_;
  if (rumours_.empty()) rumours_.emplace_back();
  std::deque<Rumour>& unsent = rumours_.front();
  if (unsent.size() > 2 * members_.size() + 64)
    std::erase_if(unsent, [&](const Rumour& each) {
      const Member* of = find(each.peer);
      return of == nullptr || of->edition != each.edition;
    });
  unsent.push_front({peer, member.edition});
}

void Membership::announce_self(TimePoint now) {
  static_cast<void>(now);
  announce(self_.peer);
  changed_.push_back(self_.peer);
}

std::vector<PeerId> Membership::sample(std::size_t count) {
  std::vector<PeerId> picked;
  // order_ holds everybody we know; a few wrong picks cost less than a second list.
  for (std::size_t tries = 0; tries < 4 * count + 8 && picked.size() < count && !order_.empty(); ++tries) {
    const PeerId& peer = order_[random_.below(order_.size())];
    const auto it = members_.find(peer);
    if (it == members_.end() || !it->second.in_mesh()) continue;
    if (std::find(picked.begin(), picked.end(), peer) == picked.end()) picked.push_back(peer);
  }
  return picked;
}

std::vector<MemberUpdate> Membership::pick_news(std::size_t count, TimePoint now, const PeerId* about) {
  std::vector<MemberUpdate> updates;
  if (about != nullptr)
    if (const Member* member = find(*about); member != nullptr && member->state != MemberState::Alive)
      updates.push_back(describe(*member, now));
  // Few are known yet to a fleet that founds itself, and more will be.
  const unsigned limit = resend_limit() * (founding(now) ? 2 : 1);
  // The least sent go first; what is sent often enough is news no more.
  std::vector<std::pair<std::size_t, Rumour>> sent;
  for (std::size_t times = 0; times < rumours_.size() && sent.size() < count; ++times) {
    for (auto& row = rumours_[times]; !row.empty() && sent.size() < count; row.pop_front()) {
      const Member* member = find(row.front().peer);
      if (member == nullptr || member->edition != row.front().edition) continue;
      updates.push_back(describe(*member, now));
      sent.emplace_back(times + 1, row.front());
    }
  }
  for (auto& [times, rumour] : sent) {
    if (times >= limit) {
      known(rumour.peer)->is_news = false;
      --news_;
    } else {
      if (rumours_.size() <= times) rumours_.resize(times + 1);
      rumours_[times].push_back(rumour);
    }
  }
  return updates;
}

void Membership::gossip(TimePoint now) {
  // While a fleet founds itself everybody is news to everybody, and asked already.
  next_gossip_ = now + (founding(now) ? limits_.founding_gossip_every : limits_.gossip_every);
  for (const PeerId& peer : sample(limits_.gossip_to)) {
    auto updates = pick_news(limits_.gossip_updates, now);
    if (updates.empty()) return;
    send(peer, News{.updates = std::move(updates)});
  }
}

}  // namespace ghmesh::mesh
