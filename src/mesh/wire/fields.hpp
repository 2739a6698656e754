// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "message.hpp"

// The fields of every message in the order of the wire, once for writing, measuring and reading: what differs is the
// archive. Private to the room.

namespace ghmesh::mesh::wire {

template <typename Archive>
void fields(Archive& a, Freshness& m) {
  a(m.tag), a(m.fetched_at_ms), a.number(m.fresh_ms, WireLimits::kFreshMs), a.number(m.left_ms, WireLimits::kFreshMs),
      a(m.seal);
}
template <typename Archive>
void fields(Archive& a, Ask& m) {
  a(m.id), a(m.key), a(m.tag), a(m.have), a.number(m.hop, 1), a.optional_peer(m.origin);
}
template <typename Archive>
void fields(Archive& a, Same& m) {
  a(m.id), a(m.version), fields(a, m.fresh), a(m.candidate);
}
template <typename Archive>
void fields(Archive& a, Body& m) {
  a(m.id), a(m.base), a.item(m.item, m.base, true), fields(a, m.fresh), a(m.candidate);
}
template <typename Archive>
void fields(Archive& a, Wait& m) {
  a(m.id), a(m.next_ms), a.choice(m.what, Wait::For::Turn);
}
template <typename Archive>
void fields(Archive& a, Lease& m) {
  a(m.id), a(m.lease), a(m.key), a(m.deadline_ms), a(m.stale), a(m.base), a.item(m.item, m.base, false),
      a.optional_peer(m.shadow);
}
template <typename Archive>
void fields(Archive& a, Pass& m) {
  a(m.id), a(m.for_ms);
}
template <typename Archive>
void fields(Archive& a, Try& m) {
  a(m.id), a(m.peer);
}
template <typename Archive>
void fields(Archive& a, Put& m) {
  a(m.lease), a(m.base), a.item(m.item, m.base, true), fields(a, m.fresh);
}
template <typename Archive>
void fields(Archive& a, Renew& m) {
  a(m.lease), a(m.key), a(m.version), fields(a, m.fresh);
}
template <typename Archive>
void fields(Archive& a, Release& m) {
  a(m.lease), a(m.key), a.choice(m.outcome, ReleaseOutcome::Negative);
}
template <typename Archive>
void fields(Archive& a, Hold& m) {
  a(m.lease), a(m.key), a(m.next_ms), a(m.queued);
}
template <typename Archive>
void fields(Archive& a, Shadow& m) {
  a(m.lease), a(m.key), a(m.ask), a(m.holder), a(m.deadline_ms);
}
template <typename Archive>
void fields(Archive& a, Peek& m) {
  a(m.id), a(m.key), a(m.have);
}
template <typename Archive>
void fields(Archive& a, Found& m) {
  a(m.id), a(m.key), a(m.version), a.item(m.item, Version{}, false), a.list(m.freshnesses, WireLimits::kFreshnesses);
}
template <typename Archive>
void fields(Archive& a, WhoHas& m) {
  a(m.id), a(m.key);
}
template <typename Archive>
void fields(Archive& a, Have& m) {
  a(m.id), a(m.key), a(m.version), a(m.age_ms);
}
template <typename Archive>
void fields(Archive& a, Pull& m) {
  a(m.id), a(m.partition), a.list(m.have, WireLimits::kPullKeys);
}
template <typename Archive>
void fields(Archive& a, ChunkEntry& m) {
  a.item(m.item, Version{}, true), a.list(m.freshnesses, WireLimits::kFreshnesses);
}
template <typename Archive>
void fields(Archive& a, Chunk& m) {
  a(m.id), a(m.partition), a(m.last), a.list(m.entries, WireLimits::kChunkEntries),
      a.list(m.ledger, WireLimits::kLedgerKeys);
}
template <typename Archive>
void fields(Archive& a, Ledger& m) {
  a.list(m.keys, WireLimits::kLedgerKeys);
}
template <typename Archive>
void fields(Archive& a, Invalidate& m) {
  a(m.id), a.list(m.groups, WireLimits::kInvalidatedGroups), a(m.drop);
}
template <typename Archive>
void fields(Archive& a, Ack& m) {
  a(m.id);
}
template <typename Archive>
void fields(Archive& a, Pause& m) {
  a(m.bucket), a.number(m.for_ms, WireLimits::kPauseMs);
}
template <typename Archive>
void fields(Archive& a, MemberUpdate& m) {
  a(m.peer), a.varint(m.incarnation), a.choice(m.state, MemberState::Left), a.flags(m.reachable, m.stable, m.draining),
      a.varint(m.age_ms), a.blobs(m.addresses, WireLimits::kAddresses, WireLimits::kAddressBytes);
}
template <typename Archive>
void fields(Archive& a, CounterRow& m) {
  a(m.peer), a.varint(m.started_ms), a.varint(m.sequence), a.varint(m.gone_ms),
      a.varints(m.values, WireLimits::kCounters);
}
template <typename Archive>
void fields(Archive& a, Ping& m) {
  a(m.sequence), a(m.digest), a.list(m.updates, WireLimits::kUpdates), a.list(m.counters, WireLimits::kCounterRows);
}
template <typename Archive>
void fields(Archive& a, Pong& m) {
  a(m.sequence), a(m.digest), a.list(m.updates, WireLimits::kUpdates);
}
template <typename Archive>
void fields(Archive& a, PingRequest& m) {
  a(m.sequence), a(m.target);
}
template <typename Archive>
void fields(Archive& a, News& m) {
  a.list(m.updates, WireLimits::kUpdates);
}
template <typename Archive>
void fields(Archive& a, Sync& m) {
  a(m.answer), a.list(m.known, WireLimits::kPullKeys);
}
template <typename Archive>
void fields(Archive& a, RateRow& m) {
  a(m.peer), a(m.resource), a.varint(m.limit), a.varint(m.remaining), a.varint(m.used), a.varint(m.reset),
      a.varint(m.age_ms), a.varint(m.spent);
}
template <typename Archive>
void fields(Archive& a, Draw& m) {
  a(m.bucket), a.varint(m.sent), a.varint(m.sent_writes), a.varint(m.recent), a.varint(m.recent_writes),
      a.varint(m.drawing), a.varint(m.in_flight), a.varint(m.waiting), a.varint(m.waiting_writes), a.varint(m.heard),
      a.list(m.rates, WireLimits::kOwnRates);
}
template <typename Archive>
void fields(Archive& a, Drawn& m) {
  a(m.bucket), a.varint(m.may_send), a.varint(m.may_write), a.varint(m.drawing), a.varint(m.since), a.varint(m.until),
      a.list(m.rates, WireLimits::kRates);
}

}  // namespace ghmesh::mesh::wire
