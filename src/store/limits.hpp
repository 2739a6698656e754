// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

// Every bound of the room. The operator's ones are memory_bytes and disk_bytes; the rest follows from the reasons
// given.

namespace ghmesh::store {

struct Limits {
  // The hot tier: about 1,500 typical answers (12 KiB, metadata and bookkeeping included) on a laptop or a runner.
  std::size_t memory_bytes = 32u << 20;
  // One record may take at most this share of the hot tier, so that a single large body does not empty it.
  std::size_t memory_entry_divisor = 8;

  // The disk tier, all files of ours together.
  std::uint64_t disk_bytes = 1u << 30;
  // Index memory is at most 130 bytes each, so two million stay near 256 MiB.
  std::size_t disk_entries = 2'000'000;
  // A segment is the unit of eviction and of scanning after a crash: 16 MiB scan in under 20 ms. At most disk_bytes
  // / 8.
  std::uint32_t segment_bytes = 16u << 20;
  // Stop growing when the file system has less than this share free, as a cache must not be what fills a disk.
  double min_free_share = 0.10;
  // Open files: the node's budget may be 64 descriptors in all.
  std::size_t open_segments = 16;

  // Writes waiting for the worker: more than this and the disk is slower than the origin; then newest puts are dropped.
  std::size_t queued_puts = 1024;
  std::size_t queued_put_bytes = 32u << 20;
  // Reads waiting for the worker: beyond it a miss is quicker than the wait.
  std::size_t queued_reads = 4096;

  // Metadata is a response head (64 KiB at most on the wire) in another form.
  std::size_t metadata_bytes = 256u << 10;
  // The largest body the cache stores, before compression. Also bounds what decompression may produce.
  std::size_t body_bytes = 64u << 20;
  static constexpr std::size_t groups_per_record = 7;  // what fits the record head of doc/formats/store.md

  // After an I/O error writing pauses this long: often enough to come back soon, rarely enough not to flood a full
  // disk.
  Duration retry_after = 30s;
};

}  // namespace ghmesh::store
