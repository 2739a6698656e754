// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libp2p/yamux/session.hpp"

// What a session knows about one stream. Private to the room.

namespace ghmesh::libp2p::yamux {

// At all times: remaining + received.size() + unreported == window, while the peer may still send.
struct Session::Stream {
  Stream(StreamId stream_id, bool is_ours, std::uint32_t initial_window, ChunkPool& pool)
      : id(stream_id),
        ours(is_ours),
        window(initial_window),
        remaining(initial_window),
        send_window(initial_window),
        received(pool) {}

  const StreamId id;
  const bool ours;

  std::uint32_t window;          // promised to the peer
  std::uint32_t remaining;       // of it, what the peer may still send
  std::uint32_t unreported = 0;  // read by the owner, not yet given back to the peer
  std::uint32_t send_window;     // what we may still send
  ByteQueue received;
  std::optional<TimePoint> updated;  // when the window was last given back

  bool syn_pending = false;
  bool ack_pending = false;
  bool acknowledged = false;  // ours: the peer has answered
  bool update_pending = false;
  bool in_attention = false;
  bool in_writers = false;
  bool granted = false;  // its turn in the queue of writers has come
  bool want_read = false;
  bool want_write = false;
  bool remote_fin = false;
  bool local_fin = false;
  bool reset = false;
  bool orphan = false;

  bool finished() const { return reset || (remote_fin && local_fin); }
};

}  // namespace ghmesh::libp2p::yamux
