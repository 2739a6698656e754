// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>

#include <map>
#include <memory>

#include "base/intrusive_list.hpp"
#include "http/http2/server.hpp"
#include "http/wire/read.hpp"
#include "io/sync.hpp"
#include "io/task_group.hpp"
#include "stream.hpp"

// Inside http2 only: one connection. One coroutine reads and feeds nghttp2, one writes what nghttp2 has to say, and
// each request that is not answered at once has its own.

namespace ghmesh::http::http2 {

// How often something happened in the running minute.
class Rate {
 public:
  explicit Rate(std::size_t most) : most_(most) {}
  // True once it is more than allowed.
  bool note(TimePoint now);

 private:
  const std::size_t most_;
  std::size_t count_ = 0;
  TimePoint since_{};
};

class Connection final : public ListNode {
 public:
  Connection(Server& server, std::unique_ptr<io::Stream> stream);
  ~Connection();

  io::Task<> run();
  void on_drain();

  // ---- For its streams.
  Stream* find(std::int32_t id);
  nghttp2_session* session() { return session_.get(); }
  const Limits& limits() const { return server_.limits_; }
  io::Loop& loop() const { return stream_->loop(); }
  std::optional<io::Endpoint> remote() const { return stream_->remote_endpoint(); }
  Counts& counts() { return server_.counts_; }
  // nghttp2 may have something to say.
  void wake_writer() { wake_.set(); }
  // It has something to send.
  void on_ready(Stream& stream);
  // The client will have stalled at that time, if nothing moves.
  void watch(TimePoint stalls_at);

 private:
  struct Callbacks;
  struct SessionDeleter {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  io::Task<> write_all();
  io::Task<bool> await_octets();
  io::Task<> leave();
  io::Task<> serve(Stream& stream);
  void on_request(Stream& stream, bool has_body);
  void on_stream_closed(std::int32_t id);
  void forget(std::int32_t id);
  void note_reset();
  // Gives up the answers for which the client opens too little window.
  void end_stalled(TimePoint now);
  void on_data_sent(std::int32_t id, std::size_t octets);
  void look_at_window();
  TimePoint next_deadline() const;
  void say_goodbye();
  // Ends the connection for what it has done too often.
  void calm(std::string_view why);

  Server& server_;
  std::unique_ptr<io::Stream> stream_;
  wire::Input input_;
  wire::Output output_;
  wire::TimedWait read_wait_;
  wire::TimedWait write_wait_;
  wire::Patience write_patience_;
  std::unique_ptr<nghttp2_session, SessionDeleter> session_;
  std::map<std::int32_t, std::unique_ptr<Stream>> streams_;
  Rate resets_;
  Rate idle_frames_;
  std::uint64_t requests_ = 0;
  std::size_t continuations_ = 0;
  bool head_begun_ = false;  // of a request, or the preface
  TimePoint head_until_{};
  TimePoint quiet_since_{};
  wire::Patience window_patience_;  // for the connection's window
  TimePoint stalls_from_{};         // no answer has stalled before
  bool calmed_ = false;
  bool begun_ = false;  // the first frame is on its way
  bool draining_ = false;
  bool reading_ = false;  // waits for octets
  bool leaving_ = false;  // the writer ends once nothing is left
  io::Event wake_;
  io::Event written_;  // the writer has ended
  io::TaskGroup writer_;
  io::TaskGroup handlers_;
};

}  // namespace ghmesh::http::http2
