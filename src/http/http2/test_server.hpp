// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <functional>
#include <map>

#include "http/http2/server.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"
#include "raw_frames.hpp"

namespace ghmesh::http::http2 {

using namespace std::chrono_literals;
using raw::frame;
using raw::head;
using raw::preface;
using List = std::vector<std::pair<std::string, std::string>>;

struct Play final : server::Handler {
  std::function<bool(server::Exchange&)> hot = [](server::Exchange&) { return false; };
  std::function<io::Task<>(server::Exchange&)> task;
  bool try_answer(server::Exchange& exchange) override { return hot(exchange); }
  io::Task<> answer(server::Exchange& exchange) override { return task(exchange); }
};

struct Reply {
  std::map<std::string, std::string> fields;
  std::vector<std::string> statuses;
  std::string body;
  std::size_t sent = 0;  // of the request's body
  bool closed = false;
  std::uint32_t error = 0;
};

// nghttp2 as a client, on the other end of a pipe.
class Http2 : public testing::Test {
 protected:
  void open(const Limits& limits = {}, std::size_t pipe_bytes = 1 << 20) {
    server_ = std::make_unique<Server>(loop_, play_, limits);
    auto [near, far] = io::make_pipe(loop_, {.capacity = pipe_bytes});
    near_ = std::move(near);
    tasks_.spawn(server_->serve(std::move(far)));
  }
  ~Http2() override {
    tasks_.cancel();
    nghttp2_session_del(session_);
  }

  void start_client() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
          Reply& reply = static_cast<Http2*>(self)->replies_[frame->hd.stream_id];
          const std::string key(reinterpret_cast<const char*>(name), name_size);
          const std::string text(reinterpret_cast<const char*>(value), value_size);
          if (key == ":status") reply.statuses.push_back(text);
          reply.fields[key] = text;
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks,
        [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size, void* self) {
          static_cast<Http2*>(self)->replies_[id].body.append(reinterpret_cast<const char*>(data), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session*, std::int32_t id, std::uint32_t error, void* self) {
          Reply& reply = static_cast<Http2*>(self)->replies_[id];
          reply.closed = true;
          reply.error = error;
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
          if (frame->hd.type == NGHTTP2_GOAWAY) static_cast<Http2*>(self)->goaway_ = frame->goaway.error_code;
          return 0;
        });
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, opens_no_window_ ? 1 : 0);
    nghttp2_session_client_new2(&session_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }

  // Octets of a body to send; it ends after them if ends.
  struct Body {
    std::size_t size;
    bool ends = true;
  };
  std::int32_t ask(const std::string& method, const List& more = {}, std::optional<Body> body = {}) {
    List list{{":method", method}, {":scheme", "https"}, {":path", "/a"}, {":authority", "api.github.com"}};
    list.insert(list.end(), more.begin(), more.end());
    std::vector<nghttp2_nv> pairs;
    for (auto& [name, value] : list)
      pairs.push_back({reinterpret_cast<std::uint8_t*>(name.data()), reinterpret_cast<std::uint8_t*>(value.data()),
                       name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    nghttp2_data_provider provider{};
    provider.source.ptr = this;
    provider.read_callback = [](nghttp2_session*, std::int32_t id, std::uint8_t* out, std::size_t room,
                                std::uint32_t* flags, nghttp2_data_source*, void* self) -> ssize_t {
      auto& me = *static_cast<Http2*>(self);
      const Body& given = me.bodies_[id];
      Reply& reply = me.replies_[id];
      const std::size_t count = std::min(room, given.size - reply.sent);
      std::fill_n(out, count, 'x');
      reply.sent += count;
      if (reply.sent < given.size) return static_cast<ssize_t>(count);
      if (given.ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return count == 0 && !given.ends ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(count);
    };
    const std::int32_t id =
        nghttp2_submit_request(session_, nullptr, pairs.data(), pairs.size(), body ? &provider : nullptr, nullptr);
    if (body) bodies_[id] = *body;
    return id;
  }

  void send(std::string_view octets) {
    const iovec part{const_cast<char*>(octets.data()), octets.size()};
    near_->try_write({&part, 1});
  }
  // Until neither side has anything to say.
  void pump() {
    Bytes room(65536);
    for (bool moved = true; moved;) {
      moved = false;
      const std::uint8_t* out = nullptr;
      for (ssize_t size = 0; session_ != nullptr && (size = nghttp2_session_mem_send(session_, &out)) > 0; moved = true)
        send({reinterpret_cast<const char*>(out), static_cast<std::size_t>(size)});
      loop_.run_until_idle();
      for (io::IoStatus status; (status = near_->try_read(room)).kind == io::IoStatus::Done; moved = true) {
        raw_.append(as_text(ByteView(room).first(status.bytes)));
        if (session_ != nullptr) nghttp2_session_mem_recv(session_, room.data(), status.bytes);
      }
      loop_.run_until_idle();
    }
  }
  void hang_up() {
    near_->shutdown_write();
    pump();
  }
  bool ended() const { return tasks_.size() == 0; }

  // The error of the GOAWAY frame that came, if any.
  std::optional<std::uint32_t> raw_goaway() const { return raw::goaway(raw_); }

  io::ManualLoop loop_;
  Play play_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<io::Stream> near_;
  io::TaskGroup tasks_{loop_};
  nghttp2_session* session_ = nullptr;
  bool opens_no_window_ = false;
  std::map<std::int32_t, Reply> replies_;
  std::map<std::int32_t, Body> bodies_;
  std::optional<std::uint32_t> goaway_;
  std::string raw_;
};

}  // namespace ghmesh::http::http2
