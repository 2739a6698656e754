// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.hpp"
#include "limits.hpp"
#include "mesh/wire/message.hpp"

// What a member holds for the mesh: per key up to two versions (tokens of different rights see different bodies), each
// with those who confirmed it lately; and the ledger, the keys that are known to exist even if their bodies are lost.
// Bounded in bytes; the least recently used go first. One thread.

namespace ghmesh::mesh {

struct KeyHash {
  std::size_t operator()(const LookupKey& key) const { return load_le<std::uint64_t>(key.data()); }
};

struct Validation {
  Freshness said;
  TimePoint until{};
  TimePoint at{};
};

struct Held {
  ItemPtr item;
  std::vector<Validation> validations;  // newest first
  TimePoint confirmed{};                // by anyone
  TimePoint appeared{};
  PeerId publisher = nobody();  // who brought it here

  const Validation* fresh_for(const TokenTag& tag, TimePoint now) const;
  const Validation* fresh_for_anyone(TimePoint now) const;
};

class Shelf {
 public:
  explicit Shelf(const ExchangeLimits& limits) : limits_(limits) {}

  // fresh may be null: bytes without a statement. An item above the whole bound is not kept.
  void put(ItemPtr item, const Freshness* fresh, const PeerId& publisher, TimePoint now);
  // That version is fresh for that token. False if it is not held.
  bool confirm(const LookupKey& key, const Version& version, const Freshness& fresh, TimePoint now);
  // The version confirmed last by anyone, unless that token confirmed the other one since: then tokens see different
  // bodies. Null if none.
  const Held* best(const LookupKey& key, const TokenTag& tag);
  bool holds(const LookupKey& key) const { return entries_.contains(key); }
  const Held* at(const LookupKey& key, const Version& version) const;
  // Nothing of these groups is fresh any more; the bytes stay as candidates. How many.
  std::size_t stale_groups(const std::vector<GroupId>& groups);
  void remove(const LookupKey& key);
  // That version only.
  void drop(const LookupKey& key, const Version& version);
  // Removes all of these groups, or everything if none is named. How many keys.
  std::size_t drop_groups(const std::vector<GroupId>& groups);

  // True if it is new.
  bool note_known(const LookupKey& key);
  bool known(const LookupKey& key) const { return ledger_.contains(key); }

  void for_each(const std::function<void(const LookupKey&, const Held&)>& visit) const;
  void for_each_known(const std::function<void(const LookupKey&)>& visit) const;
  std::size_t entries() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

  // What a validation says to someone else now.
  static Freshness restate(const Validation& validation, TimePoint now);

 private:
  static constexpr std::size_t kVariants = 2;
  struct Entry {
    std::vector<Held> variants;
    std::list<LookupKey>::iterator place;
  };
  void touch(Entry& entry);
  void evict();
  // With what the codec keeps packed: a quarter at most, and reckoned before it is there.
  static std::size_t cost(const Item& item) { return 256 + (item.metadata.size() + item.body.size()) / 4 * 5; }
  void add_validation(Held& held, const Freshness& fresh, TimePoint now);
  // What a token saw before of that key is outdated.
  static void forget_validations(Entry& entry, const TokenTag& tag);

  const ExchangeLimits& limits_;
  std::unordered_map<LookupKey, Entry, KeyHash> entries_;
  std::list<LookupKey> by_use_;  // most recent first
  std::unordered_set<LookupKey, KeyHash> ledger_;
  std::size_t bytes_ = 0;
};

}  // namespace ghmesh::mesh
