// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/uio.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "libp2p/yamux/byte_queue.hpp"
#include "libp2p/yamux/frame.hpp"
#include "libp2p/yamux/limits.hpp"

// One yamux connection as a state machine: octets and the time go in, events and octets come out; no IO, no clock.
// Follows hashicorp/yamux spec.md and libp2p/specs yamux/README.md. Written octets go straight into one output buffer
// as frames, so a loop turn's frames of all streams leave in one write and no stream holds a send buffer; a writer that
// finds no room waits for its Writable event, served in order of arrival.
//
// The owner: calls receive() with what arrived, drains next_event(), takes output() and says consume_output() what went
// out, and calls on_time() at next_deadline(). One thread. Streams are named by id; a stream stays in the table until
// its owner calls release(), also after a reset, so an id never changes its meaning under its owner.

namespace ghmesh::libp2p::yamux {

enum class Role { Client, Server };  // the dialer of the socket is the client and has the odd ids

enum class EventKind {
  Opened,    // the peer opened this stream; the receiver owns it from now on and must release() it
  Readable,  // read() had nothing, now it has octets, the end, or a reset
  Writable,  // write() took nothing, now it may take something (or the stream is reset)
  Drained,   // the peer announced that it accepts no further streams (go-away 0)
};

struct Event {
  EventKind kind;
  StreamId stream;
};

// As a reader sees it. End: all octets and the FIN were read. Reset: so were all octets that came before a reset by the
// peer or the loss of the connection, and no FIN.
enum class StreamState { Open, End, Reset, Gone };

// Memory promised to the peer as receive windows, counted for the connection and for the process.
class WindowBudget {
 public:
  virtual ~WindowBudget() = default;
  virtual bool try_reserve(std::size_t bytes) = 0;
  virtual void release(std::size_t bytes) = 0;
};

struct Counters {
  std::uint64_t opened_in = 0;
  std::uint64_t opened_out = 0;
  std::uint64_t refused = 0;  // inbound streams over a bound
  std::uint64_t resets_in = 0;
  std::uint64_t resets_out = 0;
  std::uint64_t late_frames = 0;  // for streams that are no more
  std::uint64_t window_growths = 0;
  std::uint64_t pings_dropped = 0;
};

class Session {
 public:
  // budget may be null (no bound but the limits') and must outlive the session.
  Session(Role role, Limits limits, TimePoint now, WindowBudget* budget = nullptr);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Takes octets in pieces of any size. An error is a violation of the protocol: the session has failed, all streams
  // are reset, and output() holds a last go-away for the peer.
  Result<> receive(ByteView bytes, TimePoint now);

  // Opens a stream. The announcement rides on the first octets written, or goes alone with the next output().
  // Limit: too many streams, too many not yet acknowledged, or no memory for its window; Closed after a go-away.
  Result<StreamId> open();

  // Takes octets for one frame, as many as window and output have room for. Call again until it takes none: then a
  // Writable event will follow.
  // Closed after close_write, reset or failure.
  Result<std::size_t> write(StreamId id, ByteView bytes);
  Result<std::size_t> write(StreamId id, std::span<const iovec> parts);
  // Moves octets out; 0 with state() Open means wait for Readable. May queue a window update.
  std::size_t read(StreamId id, MutableByteView out, TimePoint now);
  // Octets in place, and how many of them are done with.
  ByteView peek(StreamId id);
  void consume(StreamId id, std::size_t n, TimePoint now);
  StreamState state(StreamId id) const;
  // True if write() would take at least one octet now or fail at once.
  bool writable(StreamId id) const;
  // Half-close: sends FIN after all octets written; reading goes on. Nothing happens the second time.
  void close_write(StreamId id);
  // Both directions at once; queued octets of either are dropped. The id stays valid until release().
  void reset(StreamId id);
  // The owner is done with the stream. Finished on our side only: it waits without an owner for the peer's end, so that
  // what was written still arrives; anything but an end resets it. Not finished on our side: resets it.
  void release(StreamId id);
  // Arms Readable/Writable for a stream without reading or writing.
  void want_read(StreamId id);
  void want_write(StreamId id);

  std::optional<Event> next_event();
  bool has_events() const { return !events_.empty(); }

  // What is to be sent; valid until the next call of anything but next_event(). Announcements, acknowledgements and
  // window updates that wait are written here first.
  ByteView output();
  void consume_output(std::size_t n, TimePoint now);
  bool output_waits() const { return out_.size() > out_begin_ || !attention_.empty(); }

  // Sends go-away 0: the peer shall open no more streams; those that exist go on.
  void go_away();
  // Everything stops at once; all streams are reset. Output is dropped. With a code the fault is the peer's or the wish
  // our own: it is told by a go-away, and what streams have received is dropped, too; otherwise that can still be read.
  void abort(Error reason, std::optional<GoAwayCode> code = std::nullopt);

  // Keep-alive, time-outs, trimming; the next deadline is after now. Timeout when the peer let a ping or our output
  // lie.
  Result<> on_time(TimePoint now);
  TimePoint next_deadline() const;
  // Asks at once instead of at the next keep-alive.
  void ping(TimePoint now);

  bool failed() const { return error_.has_value(); }
  const std::optional<Error>& error() const { return error_; }
  bool draining() const { return remote_go_away_ || local_go_away_; }
  std::optional<Duration> round_trip() const { return rtt_; }
  std::size_t stream_count() const { return streams_.size(); }
  std::size_t buffered() const { return buffered_; }
  std::size_t reserved() const { return reserved_; }
  // Of one stream; 0 if it is gone.
  std::uint32_t send_window(StreamId id) const;
  std::uint32_t receive_window(StreamId id) const;
  const Counters& counters() const { return counters_; }

 private:
  struct Stream;

  Stream* find(StreamId id) const;
  Stream& add(StreamId id, bool ours);
  bool is_ours(StreamId id) const { return (id % 2 == 1) == (role_ == Role::Client); }

  Result<> on_header(const FrameHeader& header, TimePoint now);
  Result<> on_stream_frame(const FrameHeader& header, TimePoint now);
  Result<Stream*> on_syn(const FrameHeader& header, TimePoint now);
  Result<> on_flags(Stream& stream, const FrameHeader& header, TimePoint now);
  Result<> on_ping(const FrameHeader& header, TimePoint now);
  Result<> on_go_away(const FrameHeader& header);
  void on_payload(ByteView bytes);
  Result<> charge_abuse(TimePoint now);

  void consumed(Stream& stream, std::size_t n, TimePoint now);
  void grow(Stream& stream, TimePoint now);
  // What arrived before the end of the other side's doing is still its word; behind an end of our own nobody wants it.
  enum class Received { Keep, Drop };
  void mark_reset(Stream& stream, Received received);
  void forget(Stream& stream);
  void attend(Stream& stream);
  void write_attention();
  std::uint16_t take_opening_flags(Stream& stream);
  bool has_room_to_trim() const;
  void put(const FrameHeader& header);
  std::size_t output_size() const { return out_.size() - out_begin_; }
  bool reserve(std::size_t bytes);
  void unreserve(std::size_t bytes);
  void signal(Stream& stream, EventKind kind);
  void wait_for_room(Stream& stream, bool in_front);
  void grant_writers();
  std::unexpected<Error> violate(std::string what);

  const Role role_;
  const Limits limits_;
  WindowBudget* const budget_;
  ChunkPool pool_;
  std::unordered_map<StreamId, std::unique_ptr<Stream>> streams_;
  std::deque<Event> events_;
  std::deque<StreamId> attention_;  // streams with an announcement, acknowledgement or window update to write
  std::deque<StreamId> writers_;    // streams that wait for room in the output, in order

  struct Orphan {
    StreamId id;
    TimePoint since;
  };
  std::deque<Orphan> orphans_;  // released, waiting for the peer's end

  Bytes out_;
  std::size_t out_begin_ = 0;
  std::uint32_t pongs_queued_ = 0;

  std::uint8_t header_[kHeaderSize];
  std::size_t header_size_ = 0;
  std::uint32_t payload_left_ = 0;
  StreamId payload_stream_ = 0;  // 0: the payload is dropped
  bool payload_fin_ = false;

  StreamId next_id_;
  std::uint32_t unacknowledged_out_ = 0;
  bool local_go_away_ = false;
  bool remote_go_away_ = false;
  std::optional<Error> error_;

  std::uint32_t ping_value_ = 0;
  std::optional<TimePoint> ping_sent_;
  std::optional<Duration> rtt_;
  TimePoint last_received_;
  TimePoint last_activity_;
  std::optional<TimePoint> stalled_since_;

  double abuse_;  // tokens left
  TimePoint abuse_at_;
  std::size_t buffered_ = 0;
  std::size_t reserved_ = 0;
  Counters counters_;
};

}  // namespace ghmesh::libp2p::yamux
