// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/random.hpp"
#include "store/record.hpp"

// Records whose every byte follows from a number and a version, so that a test can tell what it got.

namespace ghmesh::store {

inline Key test_key(std::uint64_t n) {
  Key key;
  SeededRandom(n * 2 + 1).fill(key);
  return key;
}

inline Bytes test_bytes(std::uint64_t seed, std::size_t size) {
  Bytes bytes(size);
  // Half random, half text, so that compression has something to do.
  SeededRandom(seed).fill(MutableByteView(bytes).first(size / 2));
  for (std::size_t i = size / 2; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>("{\"id\": 1, \"name\": \"x\"} "[i % 23]);
  return bytes;
}

// The record of number n in its given version: every part follows from the two.
inline EntryPtr test_entry(std::uint64_t n, std::uint64_t version = 0, std::size_t body = 300,
                           std::vector<GroupId> groups = {}) {
  return share({.key = test_key(n),
                .flags = static_cast<std::uint32_t>(version),
                .groups = std::move(groups),
                .metadata = test_bytes(n * 1000 + version + 7, 40),
                .body = test_bytes(n * 1000 + version, body)});
}

inline bool same(const Entry& a, const Entry& b) {
  return a.key == b.key && a.flags == b.flags && a.useful_until_s == b.useful_until_s && a.groups == b.groups &&
         a.metadata == b.metadata && a.body == b.body;
}

}  // namespace ghmesh::store
