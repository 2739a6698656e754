// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "standin/world.hpp"

// Fills a world: with the recorded answers at their real paths, or with as many made-up repositories as a test needs.
// Equal plans give equal bytes.

namespace ghmesh::standin {

struct SyntheticPlan {
  std::string owner = "octo-org";
  std::uint32_t repositories = 1;          // named repo-1, repo-2, …
  std::uint32_t private_repositories = 0;  // of these, the last so many
  std::uint32_t files = 10;                // contents of 1 to 200 KiB, sizes spread evenly over their logarithm
  std::uint32_t issues = 35;               // more than one page of 30
  std::uint32_t pulls = 4;
  std::uint32_t runs = 12;
  std::uint64_t seed = 1;
};

// Repositories with issues, comments, pulls (and their diff), labels, branches, refs, commits, contents (and raw),
// workflow runs with jobs and logs, a release with an asset, archives, and statistics that are 202 once.
// Returns the paths of the documents that a plain GET answers by 200 with an ETag, in a stable order.
std::vector<std::string> build_synthetic(World& world, const SyntheticPlan& plan, WallTime now,
                                         const std::string& api = "https://api.github.com");

// The readable recordings (GET, 200) at their paths. Returns those paths. A path that is there already is left alone.
std::vector<std::string> mount_recordings(World& world);

// Text of exactly that size: words, so that it compresses as text does.
std::string synthetic_text(std::uint64_t seed, std::size_t size);

}  // namespace ghmesh::standin
