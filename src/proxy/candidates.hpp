// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "github/proof.hpp"
#include "io/loop.hpp"
#include "store/tiered_store.hpp"

// Bodies that other tokens of this node have brought in, as candidates for a proof. A small record under the candidate
// key (the key without the token) names the entries; nothing of them but their bytes is handed on. Loop thread.

namespace ghmesh::proxy {

class NodeCandidates final : public github::CandidateSource {
 public:
  explicit NodeCandidates(store::TieredStore& store) : store_(store) {}

  void find(const github::Key& key, const github::Resource& resource, std::size_t max,
            std::function<void(std::vector<github::Candidate>)> done) override;
  std::size_t known(const github::Key& key) const;
  // The record that was fetched or proved last, if memory has it.
  store::EntryPtr newest(const github::Key& key) const;
  // An entry under entry_key holds a body for that candidate key.
  void remember(const github::Key& key, const store::Key& entry_key, const std::vector<store::GroupId>& groups);

 private:
  // Entries named per candidate key, newest first: bodies differ between tokens only where they show the viewer.
  static constexpr std::size_t kNamed = 4;
  store::TieredStore& store_;
};

}  // namespace ghmesh::proxy
