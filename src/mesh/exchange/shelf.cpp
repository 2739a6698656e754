// SPDX-License-Identifier: Apache-2.0
#include "shelf.hpp"

#include <algorithm>

namespace ghmesh::mesh {

const Validation* Held::fresh_for(const TokenTag& tag, TimePoint now) const {
  for (const Validation& each : validations)
    if (each.said.tag == tag && each.until > now) return &each;
  return nullptr;
}

const Validation* Held::fresh_for_anyone(TimePoint now) const {
  for (const Validation& each : validations)
    if (each.until > now) return &each;
  return nullptr;
}

Freshness Shelf::restate(const Validation& validation, TimePoint now) {
  Freshness fresh = validation.said;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(validation.until - now).count();
  fresh.left_ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 0, fresh.fresh_ms));
  return fresh;
}

void Shelf::touch(Entry& entry) { by_use_.splice(by_use_.begin(), by_use_, entry.place); }

void Shelf::add_validation(Held& held, const Freshness& fresh, TimePoint now) {
  const std::uint32_t left = std::min({fresh.left_ms, fresh.fresh_ms, WireLimits::kFreshMs});
  const Validation validation{fresh, now + std::chrono::milliseconds(left), now};
  std::erase_if(held.validations,
                [&](const Validation& each) { return each.said.tag == fresh.tag || each.until <= now; });
  held.validations.insert(held.validations.begin(), validation);
  if (held.validations.size() > WireLimits::kFreshnesses) held.validations.pop_back();
  held.confirmed = now;
}

void Shelf::forget_validations(Entry& entry, const TokenTag& tag) {
  for (Held& held : entry.variants)
    std::erase_if(held.validations, [&](const Validation& each) { return each.said.tag == tag; });
}

void Shelf::put(ItemPtr item, const Freshness* fresh, const PeerId& publisher, TimePoint now) {
  if (cost(*item) > limits_.shelf_bytes / 8) return;
  note_known(item->key);
  auto [it, added] = entries_.try_emplace(item->key);
  Entry& entry = it->second;
  if (added) {
    by_use_.push_front(item->key);
    entry.place = by_use_.begin();
  } else {
    touch(entry);
  }
  const auto same = std::find_if(entry.variants.begin(), entry.variants.end(),
                                 [&](const Held& held) { return held.item->version == item->version; });
  if (same != entry.variants.end()) {
    if (fresh == nullptr) return;
    forget_validations(entry, fresh->tag);
    add_validation(*same, *fresh, now);
    return;
  }
  Held held{.item = std::move(item), .validations = {}, .confirmed = now, .appeared = now, .publisher = publisher};
  if (fresh != nullptr) add_validation(held, *fresh, now);
  // What this token saw before is outdated; a version that another token holds fresh now may be that token's own.
  const auto outdated = std::find_if(entry.variants.begin(), entry.variants.end(), [&](const Held& old) {
    return old.fresh_for_anyone(now) == nullptr ||
           (fresh != nullptr && std::any_of(old.validations.begin(), old.validations.end(),
                                            [&](const Validation& v) { return v.said.tag == fresh->tag; }));
  });
  if (fresh != nullptr) forget_validations(entry, fresh->tag);
  bytes_ += cost(*held.item);
  if (outdated != entry.variants.end()) {
    bytes_ -= cost(*outdated->item);
    *outdated = std::move(held);
  } else {
    if (entry.variants.size() == kVariants) {
      const auto oldest = std::min_element(entry.variants.begin(), entry.variants.end(),
                                           [](const Held& a, const Held& b) { return a.confirmed < b.confirmed; });
      bytes_ -= cost(*oldest->item);
      entry.variants.erase(oldest);
    }
    entry.variants.push_back(std::move(held));
  }
  evict();
}

bool Shelf::confirm(const LookupKey& key, const Version& version, const Freshness& fresh, TimePoint now) {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return false;
  touch(it->second);
  for (Held& held : it->second.variants) {
    if (held.item->version != version) continue;
    forget_validations(it->second, fresh.tag);
    add_validation(held, fresh, now);
    return true;
  }
  return false;
}

const Held* Shelf::best(const LookupKey& key, const TokenTag& tag) {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return nullptr;
  touch(it->second);
  const Held* newest = nullptr;
  for (const Held& held : it->second.variants)
    if (newest == nullptr || held.confirmed > newest->confirmed) newest = &held;
  for (const Held& held : it->second.variants)
    for (const Validation& validation : held.validations)
      if (validation.said.tag == tag && validation.at >= newest->appeared) return &held;
  return newest;
}

const Held* Shelf::at(const LookupKey& key, const Version& version) const {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return nullptr;
  for (const Held& held : it->second.variants)
    if (held.item->version == version) return &held;
  return nullptr;
}

std::size_t Shelf::stale_groups(const std::vector<GroupId>& groups) {
  std::size_t count = 0;
  for (auto& [key, entry] : entries_)
    for (Held& held : entry.variants)
      for (const GroupId group : held.item->groups)
        if (std::find(groups.begin(), groups.end(), group) != groups.end()) {
          held.validations.clear();
          ++count;
          break;
        }
  return count;
}

std::size_t Shelf::drop_groups(const std::vector<GroupId>& groups) {
  std::vector<LookupKey> gone;
  for (const auto& [key, entry] : entries_)
    if (groups.empty() || std::any_of(entry.variants.begin(), entry.variants.end(), [&](const Held& held) {
          return std::any_of(groups.begin(), groups.end(), [&](const GroupId group) {
            return std::find(held.item->groups.begin(), held.item->groups.end(), group) != held.item->groups.end();
          });
        }))
      gone.push_back(key);
  for (const LookupKey& key : gone) remove(key);
  return gone.size();
}

void Shelf::remove(const LookupKey& key) {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return;
  for (const Held& held : it->second.variants) bytes_ -= cost(*held.item);
  by_use_.erase(it->second.place);
  entries_.erase(it);
}

void Shelf::drop(const LookupKey& key, const Version& version) {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return;
  std::erase_if(it->second.variants, [&](const Held& held) {
    if (held.item->version != version) return false;
    bytes_ -= cost(*held.item);
    return true;
  });
  if (it->second.variants.empty()) remove(key);
}

void Shelf::evict() {
  while (!by_use_.empty() && (bytes_ > limits_.shelf_bytes || entries_.size() > limits_.shelf_entries)) {
    const LookupKey last = by_use_.back();
    remove(last);
  }
}

bool Shelf::note_known(const LookupKey& key) {
  // A full ledger forgets everything: it only ever saves charges, and a wrong "known" costs one question to all.
  if (ledger_.size() >= limits_.ledger_keys) ledger_.clear();
  return ledger_.insert(key).second;
}

void Shelf::for_each(const std::function<void(const LookupKey&, const Held&)>& visit) const {
  for (const auto& [key, entry] : entries_)
    for (const Held& held : entry.variants) visit(key, held);
}

void Shelf::for_each_known(const std::function<void(const LookupKey&)>& visit) const {
  for (const LookupKey& key : ledger_) visit(key);
}

}  // namespace ghmesh::mesh
