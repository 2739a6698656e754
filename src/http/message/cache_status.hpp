// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

// Cache-Status (RFC 9211): one member of the list, this node's. Written in one fixed order of parameters, so that
// people and tests can compare it as text.

namespace ghmesh::http {

enum class Forward { None, Bypass, Method, UriMiss, VaryMiss, Miss, Request, Stale, Partial };

std::string_view to_string(Forward reason);  // "uri-miss"; "" for None

struct CacheStatus {
  bool hit = false;
  std::string_view detail = {};  // a token of ours: memory, disk, peer, proof …; empty for none
  Forward forward = Forward::None;
  int forward_status = 0;  // 0 for none
  std::optional<std::chrono::seconds> ttl = std::nullopt;
  bool stored = false;
  bool collapsed = false;
};

// Appends "ghmesh; hit; detail=memory" to out.
void append_cache_status(std::string& out, const CacheStatus& status);
std::string format_cache_status(const CacheStatus& status);

}  // namespace ghmesh::http
