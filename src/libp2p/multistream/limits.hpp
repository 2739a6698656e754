// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/clock.hpp"

namespace ghmesh::libp2p::multistream {

// Bounds of one negotiation, each with its reason.
struct Limits {
  // js-libp2p's cap; protocol ids of this world are below 64 octets. Must stay below 2^14: lengths are two octets.
  std::size_t max_line = 1024;
  // Proposals in one negotiation: an honest peer knows from identify what we speak.
  std::size_t max_tries = 8;
  // From the first octet awaited to the agreement; js and go take 10 s.
  Duration deadline = std::chrono::seconds(5);
};

}  // namespace ghmesh::libp2p::multistream
