// SPDX-License-Identifier: Apache-2.0
// The formula's state as it lies in the store: what is read says the same when it is written again, and whatever it
// says, no class is Proven without bounds on its trips.
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "github/calibration_state.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghmesh;
  using namespace ghmesh::github;
  const auto state = decode_calibration({data, size});
  if (!state) return 0;
  GHMESH_CHECK(state->cells.size() <= kMaxSavedCells && state->families.size() <= kMaxSavedCells);
  const Bytes again = encode(*state);
  const auto same = decode_calibration(again);
  GHMESH_CHECK(same && same->cells.size() == state->cells.size() && encode(*same) == again);
  const ManualClock clock;
  SeededRandom random(1);
  Calibration calibration(random);
  calibration.restore(*state, clock.now(), clock.wall_now());
  for (const ProofCellView& view : calibration.cells(clock.now()))
    GHMESH_CHECK(view.retry_in <= CalibrationOptions{}.max_delay);
  return 0;
}
