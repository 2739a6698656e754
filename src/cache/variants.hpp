// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cache/exchange.hpp"

// What one record of a store holds: the variants of a key (RFC 9111 §4.1), most often one, with their bodies one behind
// the other. Bytes: doc/formats/entry.md. A set is a view of its record; changes make a new one.

namespace ghmesh::cache {

struct VariantRecord {
  Bytes metadata;
  Bytes body;
};

class VariantSet {
 public:
  VariantSet() = default;

  // A view of a record that came back authenticated; owner keeps its bytes alive.
  static Result<VariantSet> attach(ByteView metadata, ByteView body, std::shared_ptr<const void> owner,
                                   const FreshnessPolicy& policy);

  bool empty() const { return variants_.empty(); }
  std::size_t size() const { return variants_.size(); }
  const Entry& entry(std::size_t index) const { return variants_[index].entry; }
  ByteView body(std::size_t index) const { return variants_[index].body; }
  // For decide() and Exchange; valid as long as this set stands where it is.
  std::vector<const Entry*> candidates() const;

  // The record that remains after outcome, its new entries first in their order, then those that still stand (the
  // oldest go when there are too many): nothing if none of this key is left. body is the answer's own, for a Put
  // that brings one. Not to be called for a body that was cut short.
  std::optional<VariantRecord> after(const Outcome& outcome, ByteView body) const;

  static constexpr std::uint8_t kVersion = 1;

 private:
  struct Variant {
    Entry entry;
    ByteView body;
  };

  std::vector<Variant> variants_;
};

}  // namespace ghmesh::cache
