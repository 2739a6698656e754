// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/clock.hpp"

namespace ghmesh::mcp {

// Bounds of the MCP server: its clients are the programs of one person, but any process of the machine may be one.
struct Limits {
  std::size_t message_bytes = 1024 * 1024;  // one JSON-RPC message of a client: arguments are small
  std::size_t json_depth = 64;              // ours go down to four levels, GitHub's answers to a dozen
  std::size_t sessions = 64;                // an agent has one, a person some; idle ones make room
  Duration session_idle = std::chrono::hours(1);
  std::size_t calls = 16;               // in flight in one session; an agent asks in parallel, not in hundreds
  std::size_t subscriptions = 16;       // there are three resources
  Duration subscription_every = 1s;     // how often a subscribed resource is looked at
  std::size_t stream_messages = 1024;   // kept of one stream for a client that reconnects
  std::size_t stream_bytes = 32 << 20;  // the same in octets: one answer of github_get and its progress
  std::size_t ended_streams = 8;        // of which the rest can still be fetched
  std::size_t answer_bytes = 8 << 20;   // of all pages of one github_get; more is no help to a reader
  int pages = 100;                      // GitHub's lists end at 1,000 results for searches, 100 pages otherwise
  Duration heartbeat = 15s;             // a comment on a silent stream
};

}  // namespace ghmesh::mcp
