// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "github/quota.hpp"
#include "http/message/fields.hpp"
#include "mesh/wire/message.hpp"
#include "proxy/plan.hpp"

// What the request path knows of GitHub's limits: told every answer of the upstream, asked for what answers made here
// say. One loop.

namespace ghmesh::proxy {

// What an upstream request draws on, for the pacer.
struct Draw {
  std::string resource = "core";
  bool is_write = false;
};

class LiveFields {
 public:
  virtual ~LiveFields() = default;
  // The token's latest known rate-limit lines: complete, with CRLF; "" if nothing is known.
  virtual std::string_view lines(const Plan& plan) = 0;
  virtual std::optional<github::RateReading> latest(const Plan& plan, std::string_view resource) = 0;
  virtual bool may_spend(const Plan& plan, const Draw& draw, int reserve_percent) = 0;
  // Every answer of the upstream passes here. True if it was charged.
  virtual bool observe(const Plan& plan, std::string_view target, int status, http::FieldsView fields) = 0;

  // For a mesh: what this node saw of a token's limits, and spent; what a member says of them; and whether answers made
  // here have shown them since the last call, so that newer ones are worth knowing.
  virtual std::vector<mesh::RateRow> rates(const github::Partition& token) = 0;
  virtual void told(const github::Partition& token, const mesh::RateRow& row) = 0;
  virtual bool take_shown(const github::Partition& token) = 0;

  // For tokens of one bucket (repository_buckets.hpp). What a token was told itself in the open window.
  virtual std::optional<github::QuotaLedger::Own> own(const github::Partition& token, std::string_view resource) = 0;
  // What teller saw and spent of the bucket with other tokens. certain: both sides know that the token draws on it.
  virtual void told_of_bucket(const github::Partition& token, const std::string& teller, const mesh::RateRow& row,
                              bool certain) = 0;
  // Whether what was told of the bucket was lately found to be of another one.
  virtual bool doubts_bucket(const github::Partition& token, std::string_view resource) = 0;
};

}  // namespace ghmesh::proxy
