// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "cache/freshness.hpp"
#include "cache/time.hpp"
#include "http/message/etag.hpp"
#include "http/message/fields.hpp"

// A stored response: its head, kept as the bytes that go out again, and what decides over its reuse. The body lies
// elsewhere; the entry knows its length only. Bytes on disk: doc/formats/entry.md.
//
// Value type without IO, one owner; once shared between threads it is const.

namespace ghmesh::cache {

// What a request carried in a field that Vary names (RFC 9111 §4.1), normalised.
struct Selecting {
  std::string name;  // lower case
  std::string value;

  bool operator==(const Selecting&) const = default;
};

struct Received {
  Now requested;  // when the request that fetched or last validated it went out
  Now received;   // when its head was complete
};

class Entry {
 public:
  // fields: without hop-by-hop ones. Content-Length, Age and X-From-Cache are taken out, Date is added where it lacks
  // (RFC 9110 §6.6.1).
  static Entry make(int status, http::FieldsView fields, std::vector<Selecting> selecting, const Received& times,
                    const FreshnessPolicy& policy);

  int status() const { return status_; }
  // Status line and field lines, each with CRLF, without the empty line; what varies per answer is not in it:
  // Content-Length, Age, Cache-Status of ours, and the live lines.
  std::string_view head() const { return head_; }
  // The origin's rate-limit lines, for when nothing newer is known (draft names "x-ratelimit-…"), each with CRLF.
  std::string_view live() const { return live_; }
  // Copies of the stored fields, for the ways of serving that are not a plain hit: those of head(), or with the live
  // ones.
  http::Fields head_fields() const;
  http::Fields fields() const;
  std::optional<std::string_view> field(std::string_view name) const;  // first line

  const Freshness& freshness() const { return freshness_; }
  const std::vector<Selecting>& selecting() const { return selecting_; }
  bool selected_by(http::FieldsView request_fields, bool ignore_accept_encoding) const;
  std::optional<http::EntityTag> etag() const;
  std::optional<std::string_view> last_modified() const { return field("Last-Modified"); }
  bool has_validator() const { return etag().has_value() || last_modified().has_value(); }

  WallTime received_at() const { return received_; }
  // RFC 9111 §4.2.3. An entry from the future, whose age nobody knows, is older than any lifetime.
  Duration age(const Now& now) const;
  // With the policy's own lifetime applied; negative for AlwaysValidate.
  Duration lifetime(const FreshnessPolicy& policy) const;

  std::uint64_t body_size() const { return body_size_; }
  void set_body_size(std::uint64_t size) { body_size_ = size; }
  // Set when this node took a content coding off before storing: the tag then belongs to other bytes of the same
  // meaning.
  bool recoded() const { return recoded_; }
  void set_recoded(bool recoded) { recoded_ = recoded; }

  // Bytes held beside sizeof(Entry), for the accounting of a memory tier.
  std::size_t heap_bytes() const;

  Bytes encode() const;
  // Freshness is worked out anew, so that the operator's switches count also for what was stored before.
  static Result<Entry> decode(ByteView bytes, const FreshnessPolicy& policy);

 private:
  Entry() = default;
  void write_line(std::string_view name, std::string_view value);
  void assess(const FreshnessPolicy& policy);

  int status_ = 0;
  bool recoded_ = false;
  std::uint64_t body_size_ = 0;
  WallTime requested_{};
  WallTime received_{};
  std::optional<TimePoint> received_steady_;  // nothing after a restart: the monotonic clock began anew
  Duration initial_age_{0};
  Freshness freshness_;
  std::uint32_t etag_at_ = 0;  // its value in head_; 0 for none, since head_ begins with the status line
  std::uint32_t etag_size_ = 0;
  std::string head_;
  std::string live_;
  std::vector<Selecting> selecting_;
};

}  // namespace ghmesh::cache
