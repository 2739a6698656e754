// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "cache/variants.hpp"
#include "store/record.hpp"

// What lies under one key of the store, ready to be used: the variants of cache/variants.hpp, looked at once and kept
// with the record while it is in memory, so that a hit hands out pointers. Cheap to copy; loop thread only.

namespace ghmesh::proxy {

class Slot {
 public:
  Slot() = default;
  // Of a record from the store; fails if its metadata is not ours.
  static Result<Slot> of(store::EntryPtr record, const cache::FreshnessPolicy& policy);

  explicit operator bool() const { return record_ != nullptr; }
  std::size_t size() const { return view_ ? view_->variants.size() : 0; }
  const cache::Entry& entry(std::size_t variant) const { return view_->variants.entry(variant); }
  ByteView body(std::size_t variant) const { return view_->variants.body(variant); }
  // A variant's body under gzip, made at the first call, and what then stands for the entry's head; both empty if the
  // body would not be smaller.
  const Bytes& gzip_body(std::size_t variant) const { return packed(variant).body; }
  std::string_view gzip_head(std::size_t variant) const { return packed(variant).head; }
  // The groups of the answer, worked out once.
  template <typename Compute>
  const std::vector<store::GroupId>& groups(Compute compute) const {
    if (!view_->groups) view_->groups = compute();
    return *view_->groups;
  }
  // In the order of the variants, as cache::decide wants them.
  cache::Candidates candidates() const { return view_ ? cache::Candidates(view_->candidates) : cache::Candidates(); }
  const store::EntryPtr& record() const { return record_; }

  // The slot after an exchange with the origin: new entries first. body is the answer's own. Nothing if no variant is
  // left.
  std::optional<Slot> after(const cache::Outcome& outcome, ByteView body, const store::Key& key,
                            std::vector<store::GroupId> groups, std::uint32_t useful_until_s,
                            const cache::FreshnessPolicy& policy) const;

 private:
  struct Packed {
    Bytes body;
    std::string head;
  };
  // Attached to the record, so it borrows the record's bytes: owning them would be a circle.
  struct View {
    cache::VariantSet variants;
    std::vector<const cache::Entry*> candidates;
    mutable std::vector<std::unique_ptr<const Packed>> gzip;
    mutable std::optional<std::vector<store::GroupId>> groups;
  };

  const Packed& packed(std::size_t variant) const;

  store::EntryPtr record_;
  const View* view_ = nullptr;  // the record's attachment
};

}  // namespace ghmesh::proxy
