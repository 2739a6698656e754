// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "github/calibration.hpp"
#include "io/loop.hpp"
#include "store/tiered_store.hpp"

// Carries the formula's state (github/calibration_state.hpp) over restarts, in a record of the store. What the last run
// wrote may come from disk a moment after the first requests; until it has, nothing is written over it. Loop thread.

namespace ghmesh::proxy {

class ProofMemory {
 public:
  // All three outlive this.
  ProofMemory(io::Loop& loop, store::TieredStore& store, const store::Key& key, github::Calibration& calibration);

  // Writes down what is known now. Also to be called when the store was emptied, which takes the record along.
  void save();

 private:
  void on_record(const store::EntryPtr& record);

  io::Loop& loop_;
  store::TieredStore& store_;
  store::Key key_;
  github::Calibration& calibration_;
  bool loaded_ = false;
  bool news_ = false;  // since before it was loaded
};

}  // namespace ghmesh::proxy
