// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "cache/entry.hpp"
#include "crypto/secret.hpp"
#include "http/http1/head.hpp"
#include "proxy/limits.hpp"
#include "proxy/plan.hpp"
#include "store/record.hpp"

// The request heads that led to a hit, parsed and planned, found again by their very octets. An answer is reused for
// the token, target and Accept that it was stored under, so nearly always the same program asks again with the same
// head; what it says and means need not be worked out twice. Same octets, same head, same plan: only plans that depend
// on nothing but their head may be remembered (no numbered repositories, whose names are learnt). Heads carry tokens,
// so they are wiped when they go. Loop thread.
//
// With a head lies what it was answered with last. The same head, the same record and no write since: then all that an
// answer rests on is the same but its age.

namespace ghmesh::proxy {

class PlanMemo {
 public:
  struct Ready {
    // Not kept alive: what the store drops is gone. A record is known by its object, not by its address.
    std::weak_ptr<const store::Entry> record;
    std::uint64_t invalidations = 0;  // Invalidations::changes() then
    // Views of the record:
    const cache::Entry* entry = nullptr;
    std::string_view body;
    Duration lifetime{0};  // fresh, and so answered like this, while its age is below
    std::string head;      // up to "Age: "

    bool is_of(const store::EntryPtr& other) const {
      return entry != nullptr && !record.owner_before(other) && !other.owner_before(record);
    }
  };
  struct Known {
    crypto::SecretText octets;
    std::vector<http::Field> fields;  // of head; they view octets
    http::http1::RequestHead head;
    Plan plan;
    mutable Ready ready = {};
  };

  // Null if that head is not known. Valid until the next remember().
  const Known* find(std::string_view head) const;
  // Keeps the plan without its views into the request and without its credential: enough for a hit, not for asking the
  // upstream. head is all of a head that http1 accepts. Pushes out the oldest of four, so no client can make this slow;
  // heads over Limits::kPlannedHeadBytes are left out.
  void remember(std::string_view head, const Plan& plan);

 private:
  struct Place {
    std::uint64_t hash = 0;
    std::unique_ptr<const Known> known;
  };
  // Heads whose hashes end alike share a set, the newest first; a set fills one line of the processor's cache.
  using Set = std::array<Place, 4>;

  std::array<Set, Limits::kPlannedHeads / 4> sets_;
};

}  // namespace ghmesh::proxy
