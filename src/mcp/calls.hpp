// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "io/task.hpp"
#include "mcp/backend.hpp"
#include "session.hpp"

// What each method of MCP does (revisions 2025-03-26, 2025-06-18 and 2025-11-25), and the tables of tools, resources
// and prompts. Loop thread.

namespace ghmesh::mcp {

struct Shop {
  io::Loop& loop;
  Backend& backend;
  const Limits& limits;
  std::string version;  // of ghmesh
};

// The newest revision first; a client that asks for another one is offered the first.
bool is_known_revision(std::string_view text);
std::string_view newest_revision();

// initialize, without a session yet. Sets session.version.
RpcResult initialize(const Shop& shop, Session& session, const Json& params);
// Every other request.
io::Task<RpcResult> handle(const Shop& shop, Session& session, Call& call, std::string method, Json params);

// ---- tools.cpp
Json list_tools();
io::Task<RpcResult> call_tool(const Shop& shop, Call& call, Json params);

// ---- resources.cpp
Json list_resources();
bool is_resource(std::string_view uri);
// The resource's text; nothing for an unknown URI.
std::optional<std::string> read_resource(Backend& backend, std::string_view uri);
// What of that text tells whether it has changed: without what runs on by itself.
std::string fingerprint_of(std::string_view uri, const std::string& text);

// ---- prompts.cpp
Json list_prompts();
RpcResult get_prompt(Backend& backend, const Json& params);

// ---- github_get.cpp
// The tool's structured result, or an error that the reader can act on.
io::Task<Result<Json>> github_get(const Shop& shop, Call& call, const Json& arguments);
// A template and its values as origin-form: {name} one segment, {+name} with its slashes; what is left is the query.
Result<std::string> expand_target(const std::string& path, const Json& parameters);
// Path and query of the next page, from a Link field; nothing if there is none.
std::optional<std::string> next_target(std::string_view link);

}  // namespace ghmesh::mcp
