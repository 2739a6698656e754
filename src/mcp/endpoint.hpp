// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "base/random.hpp"
#include "http/server/exchange.hpp"
#include "mcp/backend.hpp"
#include "mcp/limits.hpp"

// The MCP server over streamable HTTP (MCP 2025-06-18, "Transports"; revisions 2025-03-26 to 2025-11-25 are spoken):
//
//   POST    one message; requests are answered as JSON, or as a stream of events where progress is wanted
//   GET     a stream of what answers no request: changed resources, log messages; with Last-Event-ID the rest of a
//           stream that broke
//   DELETE  ends the session
//
// The client's Authorization is a credential for GitHub, as it is everywhere at this node: it goes into github_get and
// explain_request, and is kept no longer than the request. Who may reach the listener at all (Host, Origin) is decided
// before, by admin. Loop thread; borrows what it is made of.

namespace ghmesh::mcp {

class Endpoint final : public http::server::Handler {
 public:
  // random: the secure one; ids of sessions must not be guessed.
  Endpoint(io::Loop& loop, Random& random, Backend& backend, std::string version, const Limits& limits = {});
  ~Endpoint() override;

  io::Task<> answer(http::server::Exchange& exchange) override;

  // Something happened at the node: told to sessions that want log messages of that level. data is a JSON object.
  void log(log::Level level, std::string_view logger, const std::string& data);
  // Ends all sessions and their streams; there are no new ones.
  void close();
  std::size_t sessions() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ghmesh::mcp
