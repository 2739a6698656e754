// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/clock.hpp"

namespace ghmesh::mesh {

struct LinkLimits {
  // A proof is two round trips; a peer that takes longer is not worth a place.
  Duration admission = 5s;
  // Waiting to be written to one peer: more, and it is slower than GitHub. Counted before compression.
  std::size_t queued_messages = 1024;
  std::size_t queued_bytes = 16u << 20;
  // Questions, heartbeats and news are shorter than this encoded, and so is the probe's entry, which goes before its
  // question; what is longer carries a body, and lets them by.
  std::size_t short_bytes = 2u << 10;
  // It goes in parts of this size, so that they wait for one of them at most: a millisecond of 100 Mbit/s.
  std::size_t part_bytes = 16u << 10;
  // What the muxer of the host below may hold ready (the host's maker sets it). Nothing overtakes that, nor as much
  // again that the secure channel has sealed and the socket not taken yet.
  static constexpr std::size_t kMuxOutput = 16u << 10;
  // Bytes taken from one stream at once.
  std::size_t read_bytes = 64u << 10;
  // A peer that does not hold the secret is not dialled again so soon.
  Duration refused_pause = 60s;
  // Static contacts are tried again this often while there is no member, doubling up to the second.
  Duration contact_retry = 1s;
  Duration contact_retry_max = 30s;
  // Looking for owners without a connection.
  Duration owners_every = 500ms;
  // Peers whose traffic is counted apart: as many as there may be members.
  std::size_t remembered_peers = 4096;
  // How long the addresses of a member are good for dialling.
  Duration address_life = 30min;
};

}  // namespace ghmesh::mesh
