// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "http/client/pool.hpp"
#include "http/http1/body.hpp"
#include "http/wire/read.hpp"
#include "io/sync.hpp"
#include "io/task_group.hpp"

// Inside client only: one connection to the origin and the request it carries.

namespace ghmesh::http::client {

class Connection {
 public:
  Connection(std::shared_ptr<PoolState> pool, std::unique_ptr<io::Stream> stream);
  ~Connection();

  // Whether an idle connection can carry a request. Octets that nobody asked for make it useless: they would be taken
  // for the answer.
  bool usable();
  // Until the final head. After an error the connection is of no use.
  io::Task<Result<>> exchange(const Outgoing& request);
  io::Task<Result<std::string_view>> read();
  // Forgets the exchange. False if the connection cannot carry another one.
  bool recycle();

  // Whether sending the same again can do no harm.
  bool untouched() const { return !answered_ && !body_touched_; }
  bool complete() const { return body_.done() || (ended_ && body_.complete_at_end()); }

  const Limits& limits() const;

  std::unique_ptr<io::Stream> stream;
  TimePoint idle_since{};
  bool reused = false;

 private:
  friend class Reply;

  Result<> add_head(const Outgoing& request);
  io::Task<Result<>> receive_head(const Outgoing& request);
  io::Task<Result<>> receive_octets();
  io::Task<> upload(BodySource& source, bool wait_for_continue);
  // What is in output_, to an origin that takes some of it now and then.
  io::Task<Result<>> send_output();
  io::Task<Result<>> upload_pieces(BodySource& source, bool wait_for_continue);
  Result<> parse_error() const;
  void keep_head_in_place(http1::RequestKind kind);

  std::shared_ptr<PoolState> pool_;
  wire::Input input_;
  wire::Output output_;
  wire::TimedWait read_wait_;
  wire::TimedWait write_wait_;
  http1::ResponseParser parser_;
  http1::ResponseHead head_;
  std::vector<Field> fields_;
  http1::BodyDecoder body_;
  std::optional<Error> source_error_;
  io::Event continue_;
  unsigned pieces_ = 0;
  bool chunked_upload_ = false;
  bool answered_ = false;      // an octet of the answer came
  bool body_touched_ = false;  // of the request
  bool uploading_ = false;
  bool ended_ = false;    // the origin ended the stream
  bool settled_ = false;  // the final head came
  bool failed_ = false;
  io::TaskGroup uploads_;  // last: its task uses all of the above
};

struct PoolState {
  PoolState(io::Loop& l, Origin o, const Limits& lim);

  io::Task<Result<std::unique_ptr<Connection>>> acquire(std::shared_ptr<PoolState> self, bool fresh);
  io::Task<Result<>> wait_for_place();
  void give_back(std::unique_ptr<Connection> connection);
  void close_idle(TimePoint idle_before);

  // Looks after idle connections.
  class Reaper final : public io::TimerNode {
   public:
    explicit Reaper(PoolState& state) : TimerNode(state.loop), state_(state) {}

   private:
    void fire() override;
    PoolState& state_;
  };

  io::Loop& loop;
  Origin origin;
  const Limits limits;
  Counts counts;
  wire::BufferPool buffers;
  std::vector<Field> scratch;
  std::vector<std::unique_ptr<Connection>> idle;  // the one used last is at the back
  io::Semaphore places;
  Reaper reaper;
  bool closed = false;
};

}  // namespace ghmesh::http::client
