// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "arguments.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/message/fields.hpp"
#include "io/endpoint.hpp"
#include "node/config/variables.hpp"

// Commands ask a running node over its own listeners, as any client would. Blocking: a command has nothing else to do.

namespace ghmesh::cli {

struct NodeAddress {
  std::optional<io::Endpoint> listen;  // nothing: the ready file names none
  std::optional<io::Endpoint> admin;   // nothing: the admin listener is off
  std::string source;                  // "--ready-file x.json", "the default address": for messages
};

// By flags, by --ready-file, by GHMESH_LISTEN and GHMESH_ADMIN, by GHMESH_NODE, else the default addresses. Malformed
// names what could not be read.
Result<NodeAddress> find_node(const Arguments& arguments, const node::config::Variables& variables);

struct Question {
  std::string_view method = "GET";
  std::string target;
  http::Fields fields;
  std::string body;
  // A node that fetches a large answer for the first time may take as long as its own deadlines allow.
  Duration patience = std::chrono::minutes(10);
};

struct Reply {
  int status = 0;
  http::Fields fields;
  bool complete = true;  // false: the node broke off; the pieces before were handed on
};

// Sends it and hands the body on in pieces. Refused: nothing listens there. on_head comes first.
Result<Reply> ask(const io::Endpoint& at, const Question& question, const std::function<void(const Reply&)>& on_head,
                  const std::function<void(std::string_view)>& on_piece);
// The same with the body as a whole, 64 MiB at most.
struct WholeReply : Reply {
  std::string body;
};
Result<WholeReply> ask(const io::Endpoint& at, const Question& question);

// "token …" of GH_TOKEN or GITHUB_TOKEN, as gh sends it.
std::optional<std::string> authorization_of(const node::config::Variables& variables);

}  // namespace ghmesh::cli
