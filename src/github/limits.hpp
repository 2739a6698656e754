// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.hpp"

// Every bound of this room, with the reason for its number.

namespace ghmesh::github {

struct Limits {
  // Targets: what GitHub's front end takes itself; longer ones go past the cache.
  std::size_t max_target = 8 * 1024;
  // Authorization: GITHUB_TOKEN is about 520 characters since April 2026 and may grow; 16 KiB is the field limit of the
  // server.
  std::size_t max_authorization = 16 * 1024;
  // Accept: real ones are below 200 bytes.
  std::size_t max_accept = 1024;

  // JSON: depth and size up to which a body is looked into. Larger or deeper ones are not shared.
  std::size_t max_json_depth = 64;
  std::size_t max_scan = 4u << 20;

  // Prefix states of the ETag formula kept: tokens × media types in use at once on one runner, with room for a matrix.
  std::size_t max_prefix_states = 1024;

  // Known repository numbers; each is about 100 bytes. Ten minutes bound how long a reused name can mislead.
  std::size_t max_repository_names = 4096;
  Duration repository_name_life = std::chrono::minutes(10);

  // Proof state cells: (host, family, media type). The table has about 350 families; few hosts, few media types.
  std::size_t max_proof_cells = 4096;

  // Quota ledger: tokens × resources. A runner sees a token per job; old ones expire with their window.
  std::size_t max_ledger_entries = 4096;
  // Members of a mesh whose spending is remembered, each for a token and resource.
  std::size_t max_told = 1024;
  // Requests that GitHub may have counted on one token while an answer was on its way: as many as it lets be in flight.
  std::int64_t counted_in_flight = 100;

  // GraphQL: GitHub refuses documents far below these; they bound our work.
  std::size_t max_graphql_document = 256 * 1024;
  std::size_t max_graphql_tokens = 64 * 1024;
  std::size_t max_graphql_depth = 64;

  // Pages of Link: more relations than these four never appear.
  std::size_t max_links = 8;
  // Members of an If-None-Match list looked at; clients send one.
  std::size_t max_etags = 64;
};

inline constexpr Limits kLimits{};

}  // namespace ghmesh::github
