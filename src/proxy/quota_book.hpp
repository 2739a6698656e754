// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "github/quota.hpp"
#include "proxy/live_fields.hpp"
#include "proxy/stats.hpp"

// Keeps the quota ledger up to date from the upstream's live answers and has each token's latest rate-limit lines ready
// for answers made here. Counts charged and free calls. One loop.

namespace ghmesh::proxy {

class QuotaBook final : public LiveFields {
 public:
  QuotaBook(const Clock& clock, Stats& stats) : clock_(clock), stats_(stats) {}

  std::string_view lines(const Plan& plan) override;
  std::optional<github::RateReading> latest(const Plan& plan, std::string_view resource) override;
  bool may_spend(const Plan& plan, const Draw& draw, int reserve_percent) override;
  bool observe(const Plan& plan, std::string_view target, int status, http::FieldsView fields) override;
  std::vector<mesh::RateRow> rates(const github::Partition& token) override;
  void told(const github::Partition& token, const mesh::RateRow& row) override;
  bool take_shown(const github::Partition& token) override;
  std::optional<github::QuotaLedger::Own> own(const github::Partition& token, std::string_view resource) override;
  void told_of_bucket(const github::Partition& token, const std::string& teller, const mesh::RateRow& row,
                      bool certain) override;
  bool doubts_bucket(const github::Partition& token, std::string_view resource) override;

  github::QuotaLedger& ledger() { return ledger_; }

 private:
  struct Ready {
    std::string text;
    github::UnixSeconds reset = 0;
    bool shown = false;
  };
  struct PartitionHash {
    std::size_t operator()(const github::Partition& p) const { return load_le<std::uint64_t>(p.data()); }
  };

  void make_ready(const github::Partition& token);
  void note_told(const github::Partition& token, const std::string& teller, const mesh::RateRow& row, github::Kin kin);

  const Clock& clock_;
  Stats& stats_;
  github::QuotaLedger ledger_;
  // Of the resource core, which is what cacheable requests draw on. At most kMaxReady tokens.
  std::unordered_map<github::Partition, Ready, PartitionHash> ready_;
};

}  // namespace ghmesh::proxy
