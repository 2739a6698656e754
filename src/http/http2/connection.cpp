// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::http::http2 {
namespace {

// Reads without letting others run.
constexpr unsigned kBurst = 16;

template <typename T, typename Free>
auto owned(T* object, Free free) {
  return std::unique_ptr<T, Free>(object, free);
}

std::string_view text_of(const std::uint8_t* octets, std::size_t size) {
  return {reinterpret_cast<const char*>(octets), size};
}

}  // namespace

bool Rate::note(TimePoint now) {
  if (count_ == 0 || now - since_ >= 60s) {
    since_ = now;
    count_ = 0;
  }
  return ++count_ > most_;
}

// What nghttp2 tells while it reads and writes. Each gets the connection as its last argument.
struct Connection::Callbacks {
  static Connection& of(void* self) { return *static_cast<Connection*>(self); }

  static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* self) {
    Connection& c = of(self);
    if (head->type == NGHTTP2_CONTINUATION && ++c.continuations_ > c.limits().continuations)
      c.calm("a head in too many pieces");
    if (head->type == NGHTTP2_HEADERS) {
      c.continuations_ = 0;
      c.head_begun_ = true;
      c.head_until_ = c.loop().now() + std::chrono::duration_cast<TimePoint::duration>(c.limits().head_read);
    }
    return 0;
  }

  static int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
    Connection& c = of(self);
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    // nghttp2 holds clients to the bound only once they have acknowledged our SETTINGS.
    if (c.streams_.size() >= c.limits().streams || c.calmed_) {
      ++c.server_.counts_.refused;
      if ((frame->hd.flags & NGHTTP2_FLAG_END_HEADERS) != 0) c.head_begun_ = false;
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
      return 0;
    }
    c.streams_.emplace(frame->hd.stream_id, std::make_unique<Stream>(c, frame->hd.stream_id, c.requests_++));
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
    Connection& c = of(self);
    Stream* stream = c.find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
      stream->text().add(text_of(name, name_size), text_of(value, value_size), c.limits().head);
    else
      stream->add_trailer(text_of(name, name_size), text_of(value, value_size));
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* self) {
    if (Stream* stream = of(self).find(id))
      stream->on_data(text_of(data, size));
    else
      nghttp2_session_consume(session, id, size);
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    Connection& c = of(self);
    Stream* stream = c.find(frame->hd.stream_id);
    const bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    bool idle = false;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        c.head_begun_ = false;
        if (stream == nullptr) break;
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
          c.on_request(*stream, !ended);
        else if (ended)
          stream->on_end();
        break;
      case NGHTTP2_DATA:
        if (stream != nullptr && ended) stream->on_end();
        idle = frame->hd.length == 0 && !ended;
        break;
      case NGHTTP2_WINDOW_UPDATE:
        if (frame->hd.stream_id == 0)
          c.look_at_window();
        else if (stream != nullptr)
          stream->look_at_window();
        break;
      case NGHTTP2_SETTINGS:
        c.head_begun_ = false;                                             // the preface is complete
        for (const auto& [id, each] : c.streams_) each->look_at_window();  // it may change them all
        idle = (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0;
        break;
      case NGHTTP2_PING:
      case NGHTTP2_PRIORITY: idle = true; break;
      case NGHTTP2_RST_STREAM: c.note_reset(); break;
      default: break;
    }
    if (idle && c.idle_frames_.note(c.loop().now())) c.calm("frames that carry nothing");
    return 0;
  }

  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int, void* self) {
    if (frame->hd.type == NGHTTP2_HEADERS) of(self).head_begun_ = false;
    return 0;
  }

  static int on_frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    Connection& c = of(self);
    if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR) c.note_reset();
    if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
      if (Stream* stream = c.find(frame->hd.stream_id)) stream->on_sent_end();
    if (frame->hd.type == NGHTTP2_DATA) c.on_data_sent(frame->hd.stream_id, frame->hd.length);
    return 0;
  }

  static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* self) {
    of(self).on_stream_closed(id);
    return 0;
  }

  static nghttp2_session* make_session(Connection& connection) {
    nghttp2_session_callbacks* raw_callbacks = nullptr;
    nghttp2_option* raw_options = nullptr;
    nghttp2_session* session = nullptr;
    GHMESH_CHECK(nghttp2_session_callbacks_new(&raw_callbacks) == 0 && nghttp2_option_new(&raw_options) == 0);
    const auto callbacks = owned(raw_callbacks, nghttp2_session_callbacks_del);
    const auto options = owned(raw_options, nghttp2_option_del);
    nghttp2_session_callbacks_set_on_begin_frame_callback(raw_callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(raw_callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(raw_callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(raw_callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(raw_callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(raw_callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(raw_callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(raw_callbacks, on_stream_close);
    // A window opens when the handler has read, not when octets came.
    nghttp2_option_set_no_auto_window_update(raw_options, 1);
    nghttp2_option_set_no_closed_streams(raw_options, 1);
    nghttp2_option_set_max_outbound_ack(raw_options, connection.limits().idle_frames_per_minute);
    GHMESH_CHECK(nghttp2_session_server_new2(&session, raw_callbacks, &connection, raw_options) == 0);
    return session;
  }
};

Connection::Connection(Server& server, std::unique_ptr<io::Stream> stream)
    : server_(server),
      stream_(std::move(stream)),
      input_(server.inputs_),
      read_wait_(*stream_),
      write_wait_(*stream_),
      write_patience_(server.limits_.send_stall),
      session_(Callbacks::make_session(*this)),
      resets_(server.limits_.resets_per_minute),
      idle_frames_(server.limits_.idle_frames_per_minute),
      head_begun_(true),
      quiet_since_(stream_->loop().now()),
      window_patience_(server.limits_.send_stall),
      wake_(stream_->loop()),
      written_(stream_->loop()),
      writer_(stream_->loop()),
      handlers_(stream_->loop()) {
  head_until_ = loop().now() + std::chrono::duration_cast<TimePoint::duration>(limits().head_read);
}

// Tasks refer to streams, and streams to the session.
Connection::~Connection() {
  handlers_.cancel();
  writer_.cancel();
}

Stream* Connection::find(std::int32_t id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

void Connection::calm(std::string_view why) {
  if (calmed_) return;
  calmed_ = true;
  ++server_.counts_.calmed;
  server_.logger_.info("an HTTP/2 connection was ended", {{"why", why}});
  nghttp2_session_terminate_session(session_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
}

void Connection::note_reset() {
  ++server_.counts_.resets;
  if (resets_.note(loop().now())) calm("requests given up");
}

void Connection::on_request(Stream& stream, bool has_body) {
  ++server_.counts_.requests;
  if (requests_ == limits().requests_per_connection) on_drain();
  if (!stream.parse_head(has_body)) {
    stream.refuse(stream.refusal_status(), stream.refusal());
    return;
  }
  if (stream.request().body.empty() && server_.handler_.try_answer(stream)) {
    ++server_.counts_.hot;
    return;
  }
  stream.has_task = true;
  handlers_.spawn(serve(stream));
}

io::Task<> Connection::serve(Stream& stream) {
  co_await server_.handler_.answer(stream);
  stream.has_task = false;
  stream.settle();
  if (stream.closed()) forget(stream.id());
}

void Connection::on_stream_closed(std::int32_t id) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->on_closed();
  if (!stream->has_task) forget(id);
  look_at_window();
}

void Connection::forget(std::int32_t id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  // The connection's window gets back what nobody will read.
  if (const std::size_t unread = found->second->unread(); unread > 0) {
    nghttp2_session_consume_connection(session_.get(), unread);
    wake_writer();
  }
  streams_.erase(found);
  if (!streams_.empty()) return;
  quiet_since_ = loop().now();
  if (!reading_) return;
  if (draining_) return read_wait_.interrupt();
  read_wait_.set_deadline(next_deadline());
}

void Connection::on_drain() {
  if (std::exchange(draining_, true) || !begun_) return;
  say_goodbye();
  if (reading_ && streams_.empty()) read_wait_.interrupt();
}

// One look at all streams per send_stall, however often octets come, unless one will have stalled before.
void Connection::end_stalled(TimePoint now) {
  stalls_from_ = now + std::chrono::duration_cast<TimePoint::duration>(limits().send_stall);
  const bool all = now >= window_patience_.ends();
  for (const auto& [id, stream] : streams_) {
    if (stream->ready() && (all || now >= stream->stalls_at()))
      stream->give_up();
    else
      stream->look_at_window();
  }
  look_at_window();
}

void Connection::watch(TimePoint stalls_at) {
  if (stalls_at >= stalls_from_) return;
  stalls_from_ = stalls_at;
  if (reading_) read_wait_.set_deadline(next_deadline());
}

void Connection::on_ready(Stream& stream) {
  stream.look_at_window();
  look_at_window();
}

void Connection::on_data_sent(std::int32_t id, std::size_t octets) {
  window_patience_.moved(octets, loop().now());
  if (Stream* stream = find(id)) stream->on_sent(octets);
  look_at_window();
}

// Streams that wait for the connection's window are judged together, by what the client takes of all of them, as the
// answers on a connection of HTTP/1.1 are.
void Connection::look_at_window() {
  if (nghttp2_session_get_remote_window_size(session_.get()) > 0) return window_patience_.rests(loop().now());
  if (std::ranges::none_of(streams_, [](const auto& each) { return each.second->ready(); })) {
    window_patience_ = wire::Patience(limits().send_stall);
    return;
  }
  window_patience_.waits(loop().now());
  watch(window_patience_.ends());
}

void Connection::say_goodbye() {
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_.get()),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  wake_writer();
}

io::Task<> Connection::run() {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits().streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits().stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits().head.head_bytes)},
  };
  nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(limits().connection_window));
  begun_ = true;
  if (draining_) say_goodbye();
  wake_writer();
  writer_.spawn(write_all());
  unsigned burst = 0;
  while (!calmed_ && (nghttp2_session_want_read(session_.get()) != 0)) {
    const io::IoStatus status = wire::read_once(*stream_, input_);
    if (status.kind == io::IoStatus::WouldBlock) {
      input_.release_if_empty();
      if (!co_await await_octets()) break;
      continue;
    }
    if (status.kind != io::IoStatus::Done) break;
    const std::string_view text = input_.text();
    const ssize_t used =
        nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    input_.consume(text.size());
    wake_writer();
    if (used < 0) {
      if (used == NGHTTP2_ERR_FLOODED || used == NGHTTP2_ERR_TOO_MANY_SETTINGS)
        calm("frames that carry nothing");
      else
        nghttp2_session_terminate_session(session_.get(), NGHTTP2_PROTOCOL_ERROR);
      break;
    }
    if (++burst % kBurst == 0) co_await loop().yield();
  }
  co_await leave();
}

// For whoever waits for octets.
TimePoint Connection::next_deadline() const {
  const TimePoint until =
      streams_.empty() ? quiet_since_ + std::chrono::duration_cast<TimePoint::duration>(limits().idle) : stalls_from_;
  return head_begun_ ? std::min(until, head_until_) : until;
}

// False: the connection is to end.
io::Task<bool> Connection::await_octets() {
  if (draining_ && streams_.empty()) co_return false;
  if (const TimePoint now = loop().now(); !streams_.empty() && now >= stalls_from_) end_stalled(now);
  read_wait_.set_deadline(next_deadline());
  reading_ = true;
  const bool woken = co_await read_wait_.readable();
  reading_ = false;
  if (woken) co_return true;
  // Requests that are being answered keep the connection; their own deadlines are those of their tasks, or, once no
  // task waits for the answer, that of end_stalled().
  if (!streams_.empty() && !(head_begun_ && loop().now() >= head_until_)) co_return true;
  nghttp2_session_terminate_session(session_.get(), NGHTTP2_NO_ERROR);
  co_return false;
}

io::Task<> Connection::write_all() {
  bool failed = false;
  while (!failed) {
    co_await wake_.wait();
    wake_.reset();
    while (!failed) {
      const std::uint8_t* octets = nullptr;
      ssize_t size = 0;
      while (output_.bytes() < limits().coalesced_bytes &&
             (size = nghttp2_session_mem_send(session_.get(), &octets)) > 0)
        output_.add(text_of(octets, static_cast<std::size_t>(size)));
      failed = size < 0;
      if (output_.empty()) break;
      const auto written = co_await wire::write_all(*stream_, output_, write_wait_, write_patience_, Fault::Client);
      failed = failed || !written;
    }
    if (leaving_) break;
    // A connection that nghttp2 has ended has no octets to wait for, whatever its requests are doing.
    if (reading_ && nghttp2_session_want_read(session_.get()) == 0) read_wait_.interrupt();
  }
  output_.clear();
  // So that the reader sees it, whatever it waits for.
  if (failed) stream_->abort(Error{ErrorCode::Closed, Fault::Client, Retry::No, "the client takes nothing"});
  written_.set();
}

// Ends what is going on; the last frames leave, and the client, too.
io::Task<> Connection::leave() {
  for (const auto& [id, stream] : streams_) stream->on_closed();
  leaving_ = true;
  wake_writer();
  co_await written_.wait();
  co_await handlers_.join();
  stream_->shutdown_write();
  // TLS may hold octets back until the layer below takes them: until the client has closed, they are on their way.
  const Duration patience = draining_ || server_.draining_ ? limits().linger : limits().send_stall;
  const TimePoint until = loop().now() + std::chrono::duration_cast<TimePoint::duration>(patience);
  for (std::size_t thrown = 0; thrown <= limits().connection_window;) {
    const io::IoStatus status = wire::read_once(*stream_, input_);
    input_.consume(input_.text().size());
    thrown += status.bytes;
    if (status.kind == io::IoStatus::End || status.kind == io::IoStatus::Failed) co_return;
    if (status.kind != io::IoStatus::WouldBlock) continue;
    read_wait_.set_deadline(until);
    if (!co_await read_wait_.readable()) co_return;
  }
}

}  // namespace ghmesh::http::http2
