// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"

// The keeper's patience, for it and for those who wait for it.

namespace ghmesh::cli {

// The node's own drain is bounded by 10 s; a mesh that is left takes its share of them.
constexpr Duration kNodeStop = std::chrono::seconds(15);
constexpr Duration kKeeperStop = kNodeStop + std::chrono::seconds(5);

}  // namespace ghmesh::cli
