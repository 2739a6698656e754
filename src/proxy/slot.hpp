// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "cache/entry.hpp"
#include "cache/lookup.hpp"
#include "cache/policy.hpp"
#include "store/record.hpp"

// What lies under one key of the store, decoded: the variants that Vary told apart (nearly always one), their bodies
// one behind the other in the record's body. Decoding happens once: the result stays attached to the record in memory,
// so that a hit hands out pointers. Cheap to copy; loop thread only. Record bytes: doc/formats/entry.md.

namespace ghmesh::proxy {

class Slot {
 public:
  Slot() = default;
  // Of a record from the store; fails if its metadata is not ours. Freshness is worked out by policy, once.
  static Result<Slot> of(store::EntryPtr record, const cache::FreshnessPolicy& policy);

  explicit operator bool() const { return record_ != nullptr; }
  std::size_t size() const { return parsed_->entries.size(); }
  const cache::Entry& entry(std::size_t variant) const { return parsed_->entries[variant]; }
  ByteView body(std::size_t variant) const;
  // gzip of a variant's body, made at the first call; empty if it would not be smaller.
  const Bytes& gzip_body(std::size_t variant) const;
  // In the order of the variants, as cache::decide wants them.
  cache::Candidates candidates() const {
    return parsed_ ? cache::Candidates(parsed_->candidates) : cache::Candidates();
  }
  const store::EntryPtr& record() const { return record_; }

 private:
  friend class SlotBuilder;
  struct Parsed {
    std::vector<cache::Entry> entries;
    std::vector<const cache::Entry*> candidates;
    std::vector<std::size_t> offsets;  // of each body
    mutable std::vector<std::unique_ptr<Bytes>> gzip;

    void finish();
  };

  store::EntryPtr record_;
  std::shared_ptr<const Parsed> parsed_;
};

// Puts a record together from kept variants of an earlier slot and new ones.
class SlotBuilder {
 public:
  // Newest first; more than cache::Limits::kVariants are dropped from the end. body is copied by build().
  void add(cache::Entry entry, ByteView body);
  bool empty() const { return entries_.empty(); }
  Slot build(const store::Key& key, std::vector<store::GroupId> groups, std::uint32_t useful_until_s) &&;

 private:
  std::vector<cache::Entry> entries_;
  std::vector<ByteView> bodies_;
};

}  // namespace ghmesh::proxy
