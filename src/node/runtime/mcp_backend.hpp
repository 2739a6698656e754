// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "admin/source.hpp"
#include "http/client/pool.hpp"
#include "http/server/server.hpp"
#include "mcp/backend.hpp"

// What the MCP server asks of this node: the admin listener's own answers, and GETs that go in at the node's own front
// door, over a pipe in memory, so that they are counted, cached and paced as any client's. Loop thread; borrows.

namespace ghmesh::node {

class McpBackend final : public mcp::Backend {
 public:
  // upstream: the authority that requests are addressed to.
  McpBackend(admin::AdminSource& source, http::server::Server& front_door, std::string upstream);

  std::string stats() override;
  std::string quota() override;
  std::string activity() override;
  std::string peers() override;
  io::Task<std::string> verify() override;
  io::Task<Result<std::string>> explain(std::string target, std::optional<std::string> authorization,
                                        std::optional<std::string> accept) override;
  io::Task<Result<std::uint64_t>> purge(std::string pattern, bool mesh) override;
  io::Task<Result<mcp::Fetched>> get(std::string target, std::optional<std::string> authorization, std::string accept,
                                     std::size_t max_body) override;

 private:
  admin::AdminSource& source_;
  http::client::Pool pool_;
};

}  // namespace ghmesh::node
