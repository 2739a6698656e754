// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "github/key.hpp"
#include "http/message/fields.hpp"

// What each token may still spend, learnt from the x-ratelimit-* fields of live answers, per token and resource (core,
// search, graphql, …). Readings arrive out of order and /rate_limit lags behind, so a reading may lower what is left in
// a window but never raise it. What members of a mesh saw is a hint: it shows in local answers, and may stop this node
// for half a minute without a look of its own, never longer. So are readings of other tokens that draw, or may draw, on
// the same bucket (job tokens of one repository); those count only where they fit what this token was told itself.
// Also: which kind of limit a refusal is, and answers made here in GitHub's own words. Reset times are wall-clock
// seconds, since that is what GitHub counts in. One thread; bounded by Limits::max_ledger_entries.

namespace ghmesh::github {

using UnixSeconds = std::int64_t;
UnixSeconds unix_seconds(WallTime time);

struct RateReading {
  std::string resource = "core";
  std::int64_t limit = 0, remaining = 0, used = 0;
  UnixSeconds reset = 0;
};
// Nothing unless limit, remaining and reset are there and numbers.
std::optional<RateReading> parse_rate_fields(http::FieldsView fields);

enum class ReadingSource : std::uint8_t { Live, RateLimitEndpoint };

// Kinds of request that a caller may tell apart.
inline constexpr std::size_t kSpendingKinds = 16;

struct QuotaView {
  std::string token;  // fingerprint
  std::string resource;
  std::int64_t limit = 0, remaining = 0, used = 0;
  UnixSeconds reset = 0;
  std::int64_t spent_by_this_node = 0;  // in this window
  // By other members of the mesh, as each last said, in this window; by name.
  std::vector<std::pair<std::string, std::int64_t>> spent_by_member;
  std::int64_t spent_by_members = 0;  // the sum of them, as far as it can be true
  std::int64_t spent_by_others = 0;   // used, less all of the above
  // At the pace of this window so far: what will be left at reset (may be negative), and when it runs out. Nothing
  // while too little was seen to say so.
  std::optional<std::int64_t> forecast_remaining;
  std::optional<UnixSeconds> empty_at;
  // spent_by_this_node by the caller's kinds of request, each counted in one; by the kind's number.
  std::array<std::uint32_t, kSpendingKinds> spent_by_kind{};
};

// Whose reading is told of, beside the token itself.
enum class Kin : std::uint8_t {
  SameToken,
  Known,    // another token of the same bucket, as both sides know
  Guessed,  // of the same bucket, as far as one side guesses
};

class QuotaLedger {
 public:
  // charged: this answer to this node lowered the quota (a 200, not an authorised 304). kind: of the request, below
  // kSpendingKinds; its meaning is the caller's.
  void on_answer(const Partition& token, const RateReading& reading, ReadingSource source, bool charged, WallTime now,
                 std::size_t kind = 0);

  // A member of the mesh says what it read at observed, and what it spent itself in that window. A wrong guess does
  // little: readings of a guessed kin count only where this token has one of its own with the same limit, whose window
  // ends in the same seconds (one in several hundred, for windows of an hour), and no longer than what was used grows
  // with it; where it does not, that member is not listened to for ten minutes. And like every hint they stop this
  // token for half a minute at most before it looks for itself.
  void on_told(const Partition& token, const std::string& member, const RateReading& reading, std::int64_t spent,
               WallTime observed, WallTime now, Kin kin = Kin::SameToken);
  // Whether readings of other tokens have lately been found not to be of this token's bucket.
  bool doubts_kin(const Partition& token, std::string_view resource, WallTime now) const;

  // The latest reading of an open window, for local answers, own or a
  // member's; nothing once it has been reset.
  std::optional<RateReading> latest(const Partition& token, std::string_view resource, WallTime now) const;
  // x-ratelimit-* of that reading and X-From-Cache: 1 for answers made without an upstream call. go-github ignores rate
  // fields only when X-From-Cache is set; both are needed.
  void add_local_fields(http::Fields& out, const Partition& token, std::string_view resource, WallTime now) const;

  // Whether a request may be spent: reserve_percent of the limit is kept for writes.
  bool may_spend(const Partition& token, std::string_view resource, bool is_write, int reserve_percent, WallTime now);

  std::vector<QuotaView> view(WallTime now) const;
  // What this node read and spent itself in open windows; for telling members of the mesh.
  struct Own {
    RateReading reading;
    std::int64_t spent = 0;
    WallTime observed{};
  };
  std::vector<Own> own(const Partition& token, WallTime now) const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Told {
    UnixSeconds reset = 0;
    std::int64_t spent = 0;
    std::int64_t used = 0;  // said since this node last looked itself
    WallTime disbelieved_until{};
  };
  struct Entry {
    RateReading reading;  // as this node last saw it
    bool own = false;     // false: nothing but what members say
    WallTime observed{};
    std::map<std::string, Told> told;  // by member
    std::map<std::string, Told> kin;   // by member, of other tokens of the bucket
    // What members say since this node last looked: the lowest.
    std::optional<RateReading> hint;
    WallTime hinted{};
    std::optional<WallTime> stopped;  // since when their word alone has stopped this node
    UnixSeconds first_seen = 0;
    std::int64_t first_used = 0;
    std::int64_t spent_here = 0;
    std::array<std::uint32_t, kSpendingKinds> spent_by_kind{};
  };
  Entry& slot(const Partition& token, const std::string& resource, UnixSeconds seconds);
  static void begin(Entry& entry, const RateReading& reading, UnixSeconds seconds);
  static void disbelieve(Entry& entry, WallTime now);
  static std::map<std::string, std::int64_t> spent_by_member(const Entry& entry);
  static RateReading newest(const Entry& entry);

  std::map<std::pair<Partition, std::string>, Entry> entries_;
};

// Which resource a path draws on when no answer has told yet.
std::string_view expected_resource(std::string_view rest_path);

enum class LimitKind : std::uint8_t { None, Primary, Secondary };
struct LimitVerdict {
  LimitKind kind = LimitKind::None;
  // Earliest time to try again, as GitHub says it; empty for a secondary limit without Retry-After (then 60 s,
  // doubling).
  std::optional<Duration> retry_after;
};
// Reads a 403 or 429: Retry-After, the fields, the message and its documentation_url, as GitHub's clients do. A GraphQL
// 200 with an error of type RATE_LIMITED is primary. body may be the first few KiB.
LimitVerdict classify_limit(int status, http::FieldsView fields, std::string_view body, WallTime now);

// An answer in GitHub's own words, for a client whose wait would exceed its patience. Octokit's throttling, go-github
// and PyGithub recognise it: 403, message and documentation_url; primary with x-ratelimit-remaining 0, secondary with
// Retry-After and without it.
struct LocalAnswer {
  int status = 403;
  http::Fields fields;
  std::string body;
};
LocalAnswer primary_limit_answer(const RateReading& reading);
LocalAnswer secondary_limit_answer(std::chrono::seconds retry_after, const std::optional<RateReading>& reading);

}  // namespace ghmesh::github
