// SPDX-License-Identifier: Apache-2.0
#include "proxy/plan_memo.hpp"

#include <algorithm>
#include <functional>

namespace ghmesh::proxy {

// The octets are compared only when the whole hash is equal. So nobody can feel his way along another's head, with its
// token, by how long a comparison takes: that head's hash is as unknown as the token.
const Plan* PlanMemo::find(std::string_view head) const {
  const std::size_t hash = std::hash<std::string_view>()(head);
  for (const Place& place : sets_[hash % sets_.size()])
    if (place.known && place.hash == hash && place.known->head.expose() == head) return &place.known->plan;
  return nullptr;
}

void PlanMemo::remember(std::string_view head, const Plan& plan) {
  if (head.size() > Limits::kPlannedHeadBytes) return;
  auto known = std::make_unique<Known>(Known{crypto::SecretText(std::string(head)), plan.detached()});
  known->plan.request.authorization = {};
  const std::size_t hash = std::hash<std::string_view>()(head);
  Set& set = sets_[hash % sets_.size()];
  std::move_backward(set.begin(), set.end() - 1, set.end());
  set.front() = {hash, std::move(known)};
}

}  // namespace ghmesh::proxy
