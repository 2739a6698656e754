// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
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
// An entry is a view of its encoded bytes that keeps their owner alive: attaching to a stored record copies nothing,
// and copies share. Immutable but for the two setters, which change this copy alone; any thread may read.

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
  static Entry make(int status, http::FieldsView fields, std::span<const Selecting> selecting, const Received& times,
                    const FreshnessPolicy& policy);

  int status() const { return status_; }
  // Status line and field lines, each with CRLF, without the empty line; what varies per answer is not in it:
  // Content-Length, Age, Cache-Status of ours, and the live lines.
  std::string_view head() const { return head_; }
  // The origin's rate-limit lines, for when nothing newer is known (names "x-ratelimit-…"), each with CRLF.
  std::string_view live() const { return live_; }
  // Copies of the stored fields, for the ways of serving that are not a plain hit: those of head(), or with the live
  // ones.
  http::Fields head_fields() const;
  http::Fields fields() const;
  std::optional<std::string_view> field(std::string_view name) const;  // first line

  const Freshness& freshness() const { return freshness_; }
  std::vector<Selecting> selecting() const;
  bool same_selecting(const Entry& other) const { return selecting_ == other.selecting_; }
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

  std::size_t encoded_size() const;
  void encode(Bytes& out) const;  // appends
  Bytes encode() const;

  // Copies bytes and checks everything: for bytes whose origin is not certain.
  static Result<Entry> decode(ByteView bytes, const FreshnessPolicy& policy);
  // Copies nothing and checks bounds only: for bytes that encode wrote and that came back authenticated. owner keeps
  // them alive. Freshness is worked out anew if the operator's switches have changed since.
  static Result<Entry> attach(ByteView bytes, std::shared_ptr<const void> owner, const FreshnessPolicy& policy);

 private:
  Entry() = default;
  void assess(const FreshnessPolicy& policy);
  bool has_honest_lines() const;
  std::uint32_t find_etag() const;

  std::shared_ptr<const void> owner_;
  std::string_view selecting_;  // encoded, as in the record
  std::string_view head_;
  std::string_view live_;
  int status_ = 0;
  bool recoded_ = false;
  bool heuristics_ = false;  // the switches that freshness_ was worked out under
  bool targeted_ = false;
  std::uint32_t etag_at_ = 0;  // its value in head_; 0 for none, since head_ begins with the status line
  std::uint32_t etag_size_ = 0;
  std::uint64_t body_size_ = 0;
  WallTime requested_{};
  WallTime received_{};
  TimePoint received_steady_{};
  std::uint64_t run_ = 0;  // of the monotonic clock
  bool has_steady_ = false;
  Duration initial_age_{0};
  Freshness freshness_;
};

}  // namespace ghmesh::cache
