// SPDX-License-Identifier: Apache-2.0
#include "proxy/proof_memory.hpp"

#include "github/calibration_state.hpp"

namespace ghmesh::proxy {

ProofMemory::ProofMemory(io::Loop& loop, store::TieredStore& store, const store::Key& key,
                         github::Calibration& calibration)
    : loop_(loop), store_(store), key_(key), calibration_(calibration) {
  calibration_.on_change([this] { save(); });
  if (!store_.get(key_, [this](store::EntryPtr record) { on_record(record); })) loaded_ = true;
}

void ProofMemory::on_record(const store::EntryPtr& record) {
  loaded_ = true;
  if (record)
    if (const auto state = github::decode_calibration(record->metadata))
      calibration_.restore(*state, loop_.now(), loop_.wall_now());
  if (news_) save();
}

void ProofMemory::save() {
  if (!loaded_) {
    news_ = true;
    return;
  }
  store::Entry record;
  record.key = key_;
  record.metadata = encode(calibration_.state(loop_.now(), loop_.wall_now()));
  store_.put(store::share(std::move(record)));
}

}  // namespace ghmesh::proxy
