// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace ghmesh::mesh {

// Bounds of what members say to each other. Everything above them is Malformed or Limit and ends the connection.
struct WireLimits {
  // A shareable answer; larger ones stay on their node. GitHub's largest JSON pages are below 2 MiB.
  static constexpr std::size_t kBodyBytes = 4u << 20;
  // A response head after the hop-by-hop fields are gone.
  static constexpr std::size_t kMetadataBytes = 64u << 10;
  // One per segment of a path and four for its kind; deeper paths stay on their node.
  static constexpr std::size_t kGroups = 24;
  // A write touches its resource, parents and lists.
  static constexpr std::size_t kInvalidatedGroups = 64;
  // Who validated an answer lately; the newest win.
  static constexpr std::size_t kFreshnesses = 8;
  // A frame of repair carries at most this much of bodies before compression, so that it never blocks an answer long.
  static constexpr std::size_t kChunkBytes = 256u << 10;
  static constexpr std::size_t kChunkEntries = 64;
  // Keys of one partition that a puller names; 64 partitions of 10,000 keys hold 160 each.
  static constexpr std::size_t kPullKeys = 4096;
  static constexpr std::size_t kLedgerKeys = 1024;
  // Membership news in one message; a full exchange of 1,000 members takes several.
  static constexpr std::size_t kUpdates = 128;
  static constexpr std::size_t kAddresses = 8;
  static constexpr std::size_t kAddressBytes = 128;
  // Fleet counters: rows in one message, values in one row.
  static constexpr std::size_t kCounterRows = 16;
  static constexpr std::size_t kCounters = 32;
  // Resources of GitHub that one member draws on (core, search, graphql and nine more), and readings in one message.
  static constexpr std::size_t kOwnRates = 16;
  static constexpr std::size_t kRates = 64;
  // No answer is fresh for longer: immutable resources are asked for once a day.
  static constexpr std::uint32_t kFreshMs = 24u * 3600 * 1000;
  // A primary limit resets within the hour; whoever says longer is wrong.
  static constexpr std::uint32_t kPauseMs = 3600u * 1000;
};

}  // namespace ghmesh::mesh
