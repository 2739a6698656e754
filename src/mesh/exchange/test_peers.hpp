// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "mesh/wire/message.hpp"

// Names for tests. Private to the room.

namespace ghmesh::mesh {

inline PeerId peer(std::uint8_t n) { return *PeerId::decode(std::array<std::uint8_t, 3>{0, 1, n}); }

inline TokenTag tag(std::uint8_t n) {
  TokenTag t{};
  t.fill(n);
  return t;
}

}  // namespace ghmesh::mesh
