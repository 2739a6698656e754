// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "cache/entry.hpp"
#include "cache/limits.hpp"
#include "http/message/message.hpp"

// Bytes of an entry: doc/formats/entry.md.

namespace ghmesh::cache {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kRecodedFlag = 1;

class Writer {
 public:
  template <typename Unsigned>
  void number(Unsigned value) {
    std::uint8_t bytes[sizeof(Unsigned)];
    store_be(bytes, value);
    append(out_, ByteView(bytes));
  }
  void time(WallTime time) { number(static_cast<std::uint64_t>(Duration(time.time_since_epoch()).count())); }
  template <typename Length>
  void text(std::string_view value) {
    number(static_cast<Length>(value.size()));
    append(out_, value);
  }
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

// After the first short read everything reads as zero and ok() is false.
class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  template <typename Unsigned>
  Unsigned number() {
    const ByteView field = take(sizeof(Unsigned));
    return ok_ ? load_be<Unsigned>(field.data()) : Unsigned{0};
  }
  WallTime time() {
    const Duration since_epoch(static_cast<std::int64_t>(number<std::uint64_t>()));
    return WallTime(std::chrono::duration_cast<WallTime::duration>(since_epoch));
  }
  template <typename Length>
  std::string_view text(std::size_t limit) {
    const std::size_t size = number<Length>();
    if (size > limit) ok_ = false;
    return as_text(take(size));
  }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && bytes_.empty(); }

 private:
  ByteView take(std::size_t size) {
    if (!ok_ || bytes_.size() < size) {
      ok_ = false;
      return {};
    }
    const ByteView head = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return head;
  }

  ByteView bytes_;
  bool ok_ = true;
};

bool is_sane_time(WallTime time) {
  // A century around now: arithmetic on such times cannot overflow.
  constexpr WallTime kEarliest{std::chrono::hours(0)};
  constexpr WallTime kLatest{std::chrono::hours(24 * 365 * 130)};
  return time >= kEarliest && time <= kLatest;
}

// The lines go out to clients as they are, so each one is checked as if it came from the network.
bool read_lines(std::string_view lines, http::Fields& out) {
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    if (end == std::string_view::npos) return false;
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) return false;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 2);
    if (!http::is_token(name) || !http::is_field_value(value) || out.size() >= Limits::kFields) return false;
    out.add(name, value);
    lines.remove_prefix(end + 2);
  }
  return true;
}

bool read_selecting(Reader& in, std::vector<Selecting>& out) {
  const std::size_t count = in.number<std::uint16_t>();
  if (count > Limits::kSelectingFields) return false;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    const std::string_view name = in.text<std::uint16_t>(Limits::kSelectingBytes);
    const std::string_view value = in.text<std::uint16_t>(Limits::kSelectingBytes);
    if (!http::is_token(name)) return false;
    out.push_back({std::string(name), std::string(value)});
  }
  return in.ok();
}

std::unexpected<Error> malformed(std::string what) {
  return fail(ErrorCode::Malformed, "stored entry: " + std::move(what));
}

}  // namespace

Bytes Entry::encode() const {
  Writer out;
  out.number(kVersion);
  out.number(recoded_ ? kRecodedFlag : std::uint8_t{0});
  out.number(static_cast<std::uint16_t>(status_));
  out.time(requested_);
  out.time(received_);
  out.number(static_cast<std::uint64_t>(initial_age_.count()));
  out.number(body_size_);
  out.number(static_cast<std::uint16_t>(selecting_.size()));
  for (const Selecting& one : selecting_) {
    out.text<std::uint16_t>(one.name);
    out.text<std::uint16_t>(one.value);
  }
  const std::string_view head = head_;
  out.text<std::uint32_t>(head.substr(head.find("\r\n") + 2));
  out.text<std::uint32_t>(live_);
  return out.take();
}

Result<Entry> Entry::decode(ByteView bytes, const FreshnessPolicy& policy) {
  Reader in(bytes);
  if (in.number<std::uint8_t>() != kVersion) return fail(ErrorCode::Unsupported, "stored entry: unknown version");
  const auto flags = in.number<std::uint8_t>();
  if ((flags & ~kRecodedFlag) != 0) return malformed("unknown flags");
  Entry entry;
  entry.recoded_ = (flags & kRecodedFlag) != 0;
  entry.status_ = in.number<std::uint16_t>();
  if (entry.status_ < 200 || entry.status_ > 999) return malformed("status");
  entry.requested_ = in.time();
  entry.received_ = in.time();
  const auto age = in.number<std::uint64_t>();
  const auto longest = static_cast<std::uint64_t>(Duration(2 * http::kMaxDeltaSeconds).count());
  if (!is_sane_time(entry.requested_) || !is_sane_time(entry.received_) || age > longest) return malformed("times");
  entry.initial_age_ = Duration(static_cast<std::int64_t>(age));
  entry.body_size_ = in.number<std::uint64_t>();
  if (!read_selecting(in, entry.selecting_)) return malformed("selecting fields");
  const std::string_view head = in.text<std::uint32_t>(Limits::kHeadBytes);
  const std::string_view live = in.text<std::uint32_t>(Limits::kHeadBytes);
  http::Fields fields;
  if (!in.done() || !read_lines(head, fields) || !read_lines(live, fields)) return malformed("field lines");
  entry.head_ = "HTTP/1.1 " + std::to_string(entry.status_) + " ";
  entry.head_.append(http::reason_phrase(entry.status_)).append("\r\n");
  for (const http::Field& field : fields) entry.write_line(field.name, field.value);
  entry.assess(policy);
  return entry;
}

}  // namespace ghmesh::cache
