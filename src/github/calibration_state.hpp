// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "github/calibration.hpp"

// What a node's next run shall know of the formula (calibration.hpp): which classes were Proven, and above all which
// are Tripped and for how long yet. doc/formats/proof-state.md has the bytes. Read as if anybody could have written
// them: bounded, and nothing in them makes a proof easier than GitHub's own 304 does. Times are relative to `saved`.

namespace ghmesh::github {

struct CalibrationState {
  struct Cell {
    std::string host, media_type;
    ResourceClass cls = ResourceClass::Default;
    ProofPhase phase = ProofPhase::Learning;
    Duration left{};   // of a Tripped one: until it may learn again
    Duration delay{};  // the last delay, which the next trip doubles
  };
  struct Family {  // set aside by itself
    std::string host, media_type, name;
    Duration left{};
  };
  WallTime saved{};
  Duration all_left{};  // a canary was answered 304: everything is Tripped
  Duration all_delay{};
  std::vector<Cell> cells;
  std::vector<Family> families;
};

// At most so many of each are written, those with bad news first, and read.
// A node has one host, a few media types and four classes; together they fit a record of the store.
constexpr std::size_t kMaxSavedCells = 128;
constexpr std::size_t kMaxSavedText = 256;

Bytes encode(const CalibrationState& state);
// Nothing for bytes of another version or that do not say all of this and no more.
std::optional<CalibrationState> decode_calibration(ByteView bytes);

}  // namespace ghmesh::github
