// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "libp2p/core/peer_id.hpp"
#include "limits.hpp"
#include "mesh/admission/token_seal.hpp"

// What members say to each other (doc/formats/mesh.md). Plain values; an Item never changes once it is shared. No
// message holds a path, an owner, a token or anything else that an outsider could read.

namespace ghmesh::mesh {

using libp2p::PeerId;

// Stands where a peer id has not been read yet; no key has this id.
inline const PeerId& nobody() {
  static const PeerId id = *PeerId::decode(std::array<std::uint8_t, 3>{0, 1, 0});
  return id;
}

// A tag by which many answers are invalidated at once: a keyed hash that the caller makes.
using GroupId = std::uint64_t;

// One answer as members hold it.
struct Item {
  LookupKey key{};
  Version version{};            // of metadata and body; computed by whoever reads it from the wire
  PeerId publisher = nobody();  // who says that it fetched this, as told by whoever handed it on: for blame alone
  std::vector<GroupId> groups;
  Bytes metadata;  // the caller's: status, kept fields
  Bytes body;      // identity coding

  // Metadata and body compressed with the dictionary, as they came from the wire or first went there: an owner does not
  // compress again what it hands on. The codec's alone, on its thread. Absent: not known; empty: it does not get
  // shorter.
  mutable std::optional<Bytes> packed;
};
using ItemPtr = std::shared_ptr<const Item>;

// That one token's holder saw GitHub confirm a version.
struct Freshness {
  TokenTag tag{};
  std::int64_t fetched_at_ms = 0;  // Unix time at the fetcher, as sealed
  std::uint32_t fresh_ms = 0;      // from then, as sealed
  std::uint32_t left_ms = 0;       // from now, as the sender sees it: the receiver's clock needs not be right
  AnswerSeal seal{};
};

enum class ReleaseOutcome : std::uint8_t {
  Failed = 0,    // nothing learned: the next one may fetch
  Pass = 1,      // not to be shared: everybody fetches for themselves for a while
  Negative = 2,  // refused or absent for that token: the same, for a short while
};

// A resource is needed; have is the version the asker holds, or zeros.
struct Ask {
  std::uint64_t id = 0;
  LookupKey key{};
  TokenTag tag{};
  Version have{};
  std::uint8_t hop = 0;          // 1: relayed by rank 2, never to be relayed again
  std::optional<PeerId> origin;  // set with hop 1: who asked
};
// The version you named: fresh for your token, or (candidate) confirmed just now for another.
struct Same {
  std::uint64_t id = 0;
  Version version{};
  Freshness fresh;
  bool candidate = false;
};
struct Body {
  std::uint64_t id = 0;
  ItemPtr item;
  Version base{};  // the asker's version, against which the body is a delta; zeros: none
  Freshness fresh;
  bool candidate = false;
};
// Repeated as a heartbeat, the less often the longer it takes.
struct Wait {
  enum class For : std::uint8_t {
    Search,  // for a body that is known to exist
    Fetch,   // somebody has the lease
    Turn     // and waits for its turn at GitHub
  };
  std::uint64_t id = 0;
  std::uint16_t next_ms = 0;  // another word comes within this
  For what = For::Search;
};
// Fetch it yourself; give the result to me and to shadow.
struct Lease {
  std::uint64_t id = 0;
  std::uint64_t lease = 0;
  LookupKey key{};
  std::uint32_t deadline_ms = 0;
  Version stale{};  // the newest known version, or zeros
  ItemPtr item;     // with that version, unless the asker has it
  Version base{};
  std::optional<PeerId> shadow;
};
// Not shared: fetch for yourself, keep the result.
struct Pass {
  std::uint64_t id = 0;
  std::uint32_t for_ms = 0;
};
// I do not own that key as I see it; ask this member.
struct Try {
  std::uint64_t id = 0;
  PeerId peer = nobody();
};
struct Put {
  std::uint64_t lease = 0;
  ItemPtr item;
  Version base{};
  Freshness fresh;
};
struct Renew {
  std::uint64_t lease = 0;
  LookupKey key{};
  Version version{};
  Freshness fresh;
};
struct Release {
  std::uint64_t lease = 0;
  LookupKey key{};
  ReleaseOutcome outcome = ReleaseOutcome::Failed;
};
// The fetch goes on.
struct Hold {
  std::uint64_t lease = 0;
  LookupKey key{};
  std::uint16_t next_ms = 0;  // another word comes within this
  bool queued = false;        // it waits for its turn at GitHub
};
// To rank 2: I gave this lease.
struct Shadow {
  std::uint64_t lease = 0;
  LookupKey key{};
  std::uint64_t ask = 0;
  PeerId holder = nobody();
  std::uint32_t deadline_ms = 0;
};
// Do you hold this?
struct Peek {
  std::uint64_t id = 0;
  LookupKey key{};
  Version have{};
};
struct Found {
  std::uint64_t id = 0;
  LookupKey key{};
  Version version{};  // zeros: no
  ItemPtr item;       // absent if it is the version that was named
  std::vector<Freshness> freshnesses;
};
struct WhoHas {
  std::uint64_t id = 0;
  LookupKey key{};
};
struct Have {
  std::uint64_t id = 0;
  LookupKey key{};
  Version version{};
  std::uint32_t age_ms = 0;
};
// What I lack of a partition. have names what I hold, by the first eight bytes of key and version.
struct Pull {
  std::uint64_t id = 0;
  std::uint8_t partition = 0;
  std::vector<std::array<std::uint64_t, 2>> have;
};
struct ChunkEntry {
  ItemPtr item;
  std::vector<Freshness> freshnesses;
};
// A part of a partition: the answer to Pull, or (id 0) handed over by a member that leaves.
struct Chunk {
  std::uint64_t id = 0;
  std::uint8_t partition = 0;
  bool last = true;
  std::vector<ChunkEntry> entries;
  std::vector<LookupKey> ledger;  // keys known to exist
};
struct Ledger {
  std::vector<LookupKey> keys;
};
// drop: the bytes go as well; without groups, all there are.
struct Invalidate {
  std::uint64_t id = 0;
  std::vector<GroupId> groups;
  bool drop = false;
};
struct Ack {
  std::uint64_t id = 0;
};
// GitHub told the sender to stop using this bucket (a keyed hash); 0: it works again.
struct Pause {
  TokenTag bucket{};
  std::uint32_t for_ms = 0;
};

// What one member saw of a limit, and took of it itself in that window.
struct RateRow {
  PeerId peer = nobody();     // whose
  std::uint8_t resource = 0;  // the caller's number for it
  std::uint32_t limit = 0;
  std::uint32_t remaining = 0;
  std::uint32_t used = 0;
  std::uint64_t reset = 0;   // Unix seconds
  std::uint32_t age_ms = 0;  // since GitHub said so
  std::uint32_t spent = 0;
};
// To the keeper of a bucket: what this member sent so far, and what waits here. Counts are of this process and grow.
struct Draw {
  TokenTag bucket{};
  std::uint64_t sent = 0;  // requests, writes among them
  std::uint64_t sent_writes = 0;
  std::uint32_t recent = 0;  // of sent, lately: what a keeper has to know who kept nothing before
  std::uint32_t recent_writes = 0;
  std::uint32_t drawing = 1;  // members that draw, as the last keeper said
  std::uint32_t in_flight = 0;
  std::uint32_t waiting = 0;
  std::uint32_t waiting_writes = 0;
  std::uint64_t heard = 0;     // of the keeper's count of readings, up to where it has them
  std::vector<RateRow> rates;  // the sender's own
};
// From the keeper: how far the receiver's counts may go, and what the others saw since it was last told.
struct Drawn {
  TokenTag bucket{};
  std::uint64_t may_send = 0;
  std::uint64_t may_write = 0;
  std::uint32_t drawing = 0;  // members that draw on it now
  // Readings of others, counted: rates are those after `since` up to `until`.
  std::uint64_t since = 0, until = 0;
  std::vector<RateRow> rates;
};

enum class MemberState : std::uint8_t { Alive = 0, Suspect = 1, Dead = 2, Left = 3 };

struct MemberUpdate {
  PeerId peer = nobody();
  std::uint32_t incarnation = 0;
  MemberState state = MemberState::Alive;
  bool reachable = false;
  bool stable = false;
  bool draining = false;
  std::uint32_t age_ms = 0;      // since it joined
  std::vector<Bytes> addresses;  // binary multiaddrs
};

struct CounterRow {
  PeerId peer = nobody();
  std::uint64_t started_ms = 0;  // Unix time of the process's start: a restarted member counts from zero
  std::uint64_t sequence = 0;
  std::uint32_t gone_ms = 0;  // so long ago it left or died, as the sender knows; 0: it lives
  std::vector<std::uint64_t> values;
};

// SWIM. digest is of the sender's whole view; where they differ, Sync follows.
struct Ping {
  std::uint32_t sequence = 0;
  std::uint64_t digest = 0;
  std::vector<MemberUpdate> updates;
  std::vector<CounterRow> counters;
};
struct Pong {
  std::uint32_t sequence = 0;
  std::uint64_t digest = 0;
  std::vector<MemberUpdate> updates;
};
struct PingRequest {
  std::uint32_t sequence = 0;
  PeerId target = nobody();
};
struct News {
  std::vector<MemberUpdate> updates;
};
// Short fingerprints of all I know; the other side answers with News of what differs.
struct Sync {
  std::vector<std::array<std::uint64_t, 2>> known;  // hash of peer, incarnation and state
  bool answer = true;
};

using Message =
    std::variant<Ask, Same, Body, Wait, Lease, Pass, Try, Put, Renew, Release, Hold, Shadow, Peek, Found, WhoHas, Have,
                 Pull, Chunk, Ledger, Invalidate, Ack, Pause, Ping, Pong, PingRequest, News, Sync, Draw, Drawn>;

}  // namespace ghmesh::mesh
