// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "io/stream.hpp"
#include "libp2p/yamux/session.hpp"

// A yamux session joined to a byte stream: every yamux stream is an io::Stream. Frames that the coroutines of one loop
// turn write leave in one write of the stream below. Back-pressure is the protocol's: a reader that does not read fills
// its window, and the writer on the other side would block. One loop.

namespace ghmesh::libp2p::yamux {

class Connection {
 public:
  // Called with each stream the peer opens, from the loop.
  using OnStream = std::move_only_function<void(std::unique_ptr<io::Stream>)>;
  // Called once, from the loop, when the connection has ended for whatever reason but its own destruction. It may
  // destroy the connection.
  using OnClosed = std::move_only_function<void(const Error& why)>;

  // Takes the stream below; budget may be null.
  Connection(std::unique_ptr<io::Stream> lower, Role role, Limits limits, std::shared_ptr<WindowBudget> budget,
             OnStream on_stream, OnClosed on_closed);
  // Ends the connection at once; streams that still live fail.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Errors of Session::open.
  Result<std::unique_ptr<io::Stream>> open();
  // No new streams in either direction; those that exist go on.
  void go_away();
  // Tells the peer with a go-away of this code if it can be told at once, then ends.
  void close(Error why, GoAwayCode code = GoAwayCode::Normal);

  const Session& session() const;
  // Streams in either direction whose owner still holds them.
  std::size_t streams_held() const;
  std::uint64_t bytes_in() const;
  std::uint64_t bytes_out() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ghmesh::libp2p::yamux
