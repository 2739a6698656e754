// SPDX-License-Identifier: Apache-2.0
#include "proxy/plan_memo.hpp"

#include <algorithm>
#include <cstring>

namespace ghmesh::proxy {
namespace {

std::uint64_t word_at(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Both halves of a product, so that every bit of either factor tells on every bit of the result.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Sixteen octets a step: a head is hashed with every request, and std::hash would be a tenth of the work of a hit.
// Whoever crafts heads that collide only pushes out what four others remember.
std::uint64_t hash_of(std::string_view head) {
  constexpr std::uint64_t kFirst = 0x9e3779b97f4a7c15;  // odd, with bits set all over
  constexpr std::uint64_t kSecond = 0xc2b2ae3d27d4eb4f;
  std::uint64_t hash = head.size() * kFirst;
  const char* at = head.data();
  std::size_t left = head.size();
  for (; left >= 16; at += 16, left -= 16) hash = fold(word_at(at) ^ kFirst, word_at(at + 8) ^ hash ^ kSecond);
  char rest[16] = {};
  std::memcpy(rest, at, left);
  return fold(word_at(rest) ^ kFirst, word_at(rest + 8) ^ hash ^ kSecond);
}

}  // namespace

// The octets are compared only when the whole hash is equal. So nobody can feel his way along another's head, with its
// token, by how long a comparison takes: that head's hash is as unknown as the token.
const PlanMemo::Known* PlanMemo::find(std::string_view head) const {
  const std::uint64_t hash = hash_of(head);
  for (const Place& place : sets_[hash % sets_.size()])
    if (place.known && place.hash == hash && place.known->octets.expose() == head) return place.known.get();
  return nullptr;
}

void PlanMemo::remember(std::string_view head, const Plan& plan) {
  if (head.size() > Limits::kPlannedHeadBytes) return;
  auto known = std::make_unique<Known>(Known{crypto::SecretText(std::string(head)),
                                             std::vector<http::Field>(http::http1::kRequestHeadLimits.fields),
                                             {},
                                             plan.detached(),
                                             {}});
  known->plan.request.authorization = {};
  http::http1::RequestParser parser;
  if (parser.parse(known->octets.expose(), known->fields) != http::http1::ParseState::Done) return;
  known->head = parser.head();
  if (known->head.octets.size() != head.size()) return;
  known->fields.resize(known->head.view.fields.size());
  known->fields.shrink_to_fit();
  known->head.view.fields = http::FieldsView::indexed(known->fields);
  const std::uint64_t hash = hash_of(head);
  Set& set = sets_[hash % sets_.size()];
  std::move_backward(set.begin(), set.end() - 1, set.end());
  set.front() = {hash, std::move(known)};
}

}  // namespace ghmesh::proxy
