// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "io/sync.hpp"
#include "io/task_group.hpp"
#include "json_rpc.hpp"
#include "mcp/limits.hpp"

// One client's connection in MCP's sense: what was agreed, what runs, and the messages on their way to it. Knows no
// transport. Loop thread.

namespace ghmesh::mcp {

// Messages of one stream in order, kept so that a client whose connection broke can fetch the rest.
class Outbox {
 public:
  Outbox(io::Loop& loop, const Limits& limits) : changed(loop), limits_(limits) {}

  void push(std::string text);
  // Nothing more will come.
  void end();
  bool ended() const { return ended_; }
  // The next message behind number after, or null.
  struct Item {
    std::uint64_t number = 0;
    std::string text;
  };
  const Item* next(std::uint64_t after) const;
  std::uint64_t last() const { return last_; }

  io::Event changed;          // for the one who reads it
  std::uint64_t readers = 0;  // a newer reader takes the stream over from an older one

 private:
  const Limits& limits_;
  std::deque<Item> items_;
  std::size_t bytes_ = 0;
  std::uint64_t last_ = 0;
  bool ended_ = false;
};

// RFC 5424, as MCP's logging names them; higher is worse.
enum class LogLevel { Debug, Info, Notice, Warning, Error, Critical, Alert, Emergency };
std::optional<LogLevel> parse_log_level(std::string_view text);
std::string_view to_string(LogLevel level);

// A request that is being answered.
struct Call {
  Call(io::Loop& loop, Json request_id) : id(std::move(request_id)), group(loop) {}
  Json id;
  Json progress_token;                       // null: no progress is wanted
  std::optional<std::string> authorization;  // for GitHub, of the request that brought it
  std::shared_ptr<Outbox> out;
  bool begun = false;
  io::TaskGroup group;  // destroyed: cancelled

  void progress(double done, std::optional<double> total, std::string message) const;
};

struct Session {
  Session(io::Loop& loop, const Limits& limits, std::string name);
  ~Session();

  // For messages that answer no request (stream 0).
  void notify(std::string_view method, const Json& params) { standalone->push(format_notification(method, params)); }
  // A stream of its own for one request; old ones that have ended go.
  std::uint64_t open_stream(std::shared_ptr<Outbox> out);
  void close();

  const std::string id;
  std::string version;
  std::optional<LogLevel> log_level;
  std::shared_ptr<Outbox> standalone;
  std::map<std::uint64_t, std::shared_ptr<Outbox>> streams;  // 0 is standalone
  std::map<std::string, std::unique_ptr<Call>> calls;        // by dump(id)
  std::map<std::string, std::string> subscriptions;          // URI → what was last told
  TimePoint used{};
  std::size_t readers = 0;
  bool closed = false;

 private:
  const Limits& limits_;
  std::uint64_t next_stream_ = 1;
};

}  // namespace ghmesh::mcp
