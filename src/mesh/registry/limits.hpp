// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/clock.hpp"

namespace ghmesh::mesh {

struct RegistryLimits {
  // A record with eight addresses has about 1.5 KiB; anyone may write into a shared directory.
  std::size_t file_bytes = 16u << 10;
  // Looked at per discovery, newest first; one contact is enough.
  std::size_t files = 512;
  std::size_t addresses = 8;
  std::size_t metadata_entries = 16;
  std::size_t text_bytes = 256;
  // The old system's; the heartbeat comes three times as often.
  Duration ttl = 30min;
  // Clocks of hosts that share a directory may differ by this much.
  Duration clock_skew = 15min;
  // One cleaner at a time; a dead one's lease is taken over.
  Duration cleaning_lease = 60s;
};

}  // namespace ghmesh::mesh
