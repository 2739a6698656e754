// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/endpoint.hpp"

// The ready file: how a node says that all its listeners are bound, and where. One JSON object; whoever waits for the
// file sees the whole of it or none. Members that are off are null; unknown members are skipped.
//
//   {"listen":"127.0.0.1:8418","socket":null,"admin":"127.0.0.1:8417","p2p":[],"peer_id":null,"pid":4711}

namespace ghmesh::node::config {

struct Ready {
  std::optional<io::Endpoint> listen;
  std::optional<std::string> socket;
  std::optional<io::Endpoint> admin;
  std::vector<std::string> p2p;  // multiaddrs
  std::optional<std::string> peer_id;
  std::int64_t pid = 0;
};

std::string format_ready(const Ready& ready);
// Malformed names the member.
Result<Ready> parse_ready(std::string_view text);

// Written beside path, synced and renamed over it; mode 0600.
Result<> write_ready_file(const std::string& path, const Ready& ready);

}  // namespace ghmesh::node::config
