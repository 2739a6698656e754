// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "io/task.hpp"

// What the MCP server knows of a node, as the admin listener's JSON texts, and what it can ask of it. Loop thread.

namespace ghmesh::mcp {

// An answer that came through the cache, whole.
struct Fetched {
  int status = 0;
  std::string content_type;
  std::string link;
  std::string cache_status;
  std::string body;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string stats() = 0;     // /api/stats
  virtual std::string quota() = 0;     // /api/quota
  virtual std::string activity() = 0;  // /api/activity, without paths
  virtual std::string peers() = 0;     // /api/peers
  // {"ok":…,"checks":[{"name":…,"ok":…,"detail":…}]}
  virtual io::Task<std::string> verify() = 0;
  // What a GET would meet, as /api/explain says it: an object of texts. Malformed for what is no target or media type.
  virtual io::Task<Result<std::string>> explain(std::string target, std::optional<std::string> authorization,
                                                std::optional<std::string> accept) = 0;
  virtual io::Task<Result<std::uint64_t>> purge(std::string pattern, bool mesh) = 0;
  // A GET as any client of the node would make it. Limit if the body is larger than max_body.
  virtual io::Task<Result<Fetched>> get(std::string target, std::optional<std::string> authorization,
                                        std::string accept, std::size_t max_body) = 0;
};

}  // namespace ghmesh::mcp
