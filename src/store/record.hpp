// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/bytes.hpp"

// What the room keeps: an opaque record under a 32-byte key. The room never looks inside; the cache serialises a
// response's head into metadata and keeps the body in identity coding.
// An Entry never changes once it is shared, so that a hit hands out a pointer and copies nothing; any thread may read
// it.

namespace ghmesh::store {

// The output of an HMAC: uniformly distributed, says nothing about what it was made from. Its first bytes serve as
// hash.
using Key = std::array<std::uint8_t, 32>;

// A tag by which many records go at once, such as all answers about one repository. The caller gives them meaning.
using GroupId = std::uint64_t;

struct Entry {
  Key key{};
  std::uint32_t flags = 0;           // the caller's
  std::uint32_t useful_until_s = 0;  // Unix seconds; a hint: later the record may be dropped first. 0: no hint.
  std::vector<GroupId> groups;       // at most Limits::groups_per_record
  Bytes metadata;
  Bytes body;
  // What the owner made of metadata, kept while the record is in memory; never stored. Set by the owner thread only and
  // at most once. The memory tier reckons with twice the metadata's size for it.
  mutable std::shared_ptr<const void> attachment;
};

using EntryPtr = std::shared_ptr<const Entry>;

inline EntryPtr share(Entry entry) { return std::make_shared<const Entry>(std::move(entry)); }

inline bool in_group(const Entry& entry, GroupId group) {
  for (const GroupId each : entry.groups)
    if (each == group) return true;
  return false;
}

// Keys are uniform already, so eight of their bytes are as good as any hash of them.
struct KeyHash {
  std::size_t operator()(const Key& key) const { return load_le<std::uint64_t>(key.data()); }
};

}  // namespace ghmesh::store
