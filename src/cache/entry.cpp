// SPDX-License-Identifier: Apache-2.0
#include "cache/entry.hpp"

#include <algorithm>

#include "cache/limits.hpp"
#include "http/message/date.hpp"
#include "http/message/message.hpp"
#include "http/message/vary.hpp"

namespace ghmesh::cache {
namespace {

using http::Field;
using http::iequals;

constexpr std::string_view kLivePrefix = "x-ratelimit-";

bool is_live(std::string_view name) {
  return name.size() >= kLivePrefix.size() && iequals(name.substr(0, kLivePrefix.size()), kLivePrefix);
}

// Fields that each answer gets anew.
bool is_generated(std::string_view name) {
  return iequals(name, "Content-Length") || iequals(name, "Age") || iequals(name, "X-From-Cache");
}

// Calls visit(name, value) for each "Name: value" line until it returns false; false if a line has another shape.
template <typename Visit>
bool for_each_line(std::string_view lines, Visit visit) {
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    if (end == std::string_view::npos) return false;
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !line.substr(colon + 1).starts_with(' ')) return false;
    if (!visit(line.substr(0, colon), line.substr(colon + 2))) return true;
    lines.remove_prefix(end + 2);
  }
  return true;
}

std::string_view without_status_line(std::string_view head) {
  const std::size_t end = head.find("\r\n");
  return end == std::string_view::npos ? std::string_view() : head.substr(end + 2);
}

std::string status_line(int status) {
  std::string line = "HTTP/1.1 " + std::to_string(status) + " ";
  return line.append(http::reason_phrase(status)).append("\r\n");
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

template <typename Unsigned>
void append_number(Bytes& out, Unsigned value) {
  std::uint8_t bytes[sizeof(Unsigned)];
  store_be(bytes, value);
  append(out, ByteView(bytes));
}

// Selecting fields as the record holds them: length and name, length and value.
void append_selecting(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint16_t>(text.size());
  out.push_back(static_cast<char>(size >> 8));
  out.push_back(static_cast<char>(size & 0xff));
  out.append(text);
}

std::optional<std::string_view> take_selecting(std::string_view& rest) {
  if (rest.size() < 2) return std::nullopt;
  const std::size_t size = load_be<std::uint16_t>(as_bytes(rest).data());
  if (rest.size() - 2 < size) return std::nullopt;
  const std::string_view text = rest.substr(2, size);
  rest.remove_prefix(2 + size);
  return text;
}

// Calls visit(name, value) until it returns false; false if the bytes have another shape.
template <typename Visit>
bool for_each_selecting(std::string_view rest, Visit visit) {
  while (!rest.empty()) {
    const auto name = take_selecting(rest);
    const auto value = name ? take_selecting(rest) : std::nullopt;
    if (!value) return false;
    if (!visit(*name, *value)) return true;
  }
  return true;
}

// Mostly the field has one line, spelled as its normalised form: then nothing is built to compare.
bool selects(http::FieldsView request_fields, std::string_view name, std::string_view stored) {
  std::size_t lines = 0;
  bool equal = stored.empty();
  for (const Field& field : request_fields) {
    if (!iequals(field.name, name)) continue;
    ++lines;
    equal = field.value == stored;
  }
  if (equal && lines <= 1) return true;
  return lines > 0 && http::selecting_value(request_fields, name) == stored;
}

// The fixed part of the record; doc/formats/entry.md.
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kFixedBytes = 88;
enum RecordFlag : std::uint8_t { kRecoded = 1, kHeuristics = 2, kTargeted = 4, kRecordFlags = 7 };
enum FreshnessFlag : std::uint32_t {
  kExplicit = 1,
  kNoStore = 2,
  kNoCache = 4,
  kPrivate = 8,
  kPublic = 16,
  kForbidsStale = 32,
  kAuthorizedReuse = 64,
  kFreshnessFlags = 127
};

std::uint32_t pack(const Freshness& freshness) {
  return (freshness.explicit_lifetime ? kExplicit : 0u) | (freshness.no_store ? kNoStore : 0u) |
         (freshness.no_cache ? kNoCache : 0u) | (freshness.is_private ? kPrivate : 0u) |
         (freshness.is_public ? kPublic : 0u) | (freshness.forbids_stale ? kForbidsStale : 0u) |
         (freshness.authorized_reuse ? kAuthorizedReuse : 0u);
}

void unpack(std::uint32_t flags, Freshness& freshness) {
  freshness.explicit_lifetime = (flags & kExplicit) != 0;
  freshness.no_store = (flags & kNoStore) != 0;
  freshness.no_cache = (flags & kNoCache) != 0;
  freshness.is_private = (flags & kPrivate) != 0;
  freshness.is_public = (flags & kPublic) != 0;
  freshness.forbids_stale = (flags & kForbidsStale) != 0;
  freshness.authorized_reuse = (flags & kAuthorizedReuse) != 0;
}

std::uint64_t to_number(WallTime time) { return static_cast<std::uint64_t>(Duration(time.time_since_epoch()).count()); }

WallTime to_time(std::uint64_t number) {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(Duration(static_cast<std::int64_t>(number))));
}

// Between 1970 and 2099: arithmetic on such times cannot overflow.
bool is_sane(WallTime time) {
  constexpr WallTime kLatest{std::chrono::hours(24 * 365 * 130)};
  return time >= WallTime{} && time <= kLatest;
}

bool is_sane(Seconds seconds) { return seconds <= http::kMaxDeltaSeconds; }

std::unexpected<Error> malformed(const char* what) {
  return fail(ErrorCode::Malformed, std::string("stored entry: ") + what);
}

}  // namespace

Entry Entry::make(int status, http::FieldsView fields, std::span<const Selecting> selecting, const Received& times,
                  const FreshnessPolicy& policy) {
  std::string buffer;
  for (const Selecting& one : selecting) {
    append_selecting(buffer, one.name);
    append_selecting(buffer, one.value);
  }
  const std::size_t head_at = buffer.size();
  buffer.append(status_line(status));
  for (const Field& field : fields)
    if (!is_generated(field.name) && !is_live(field.name)) append_line(buffer, field.name, field.value);
  if (!fields.has("Date")) append_line(buffer, "Date", http::format_http_date(times.received.wall));
  const std::size_t live_at = buffer.size();
  for (const Field& field : fields)
    if (is_live(field.name)) append_line(buffer, field.name, field.value);

  Entry entry;
  const auto owner = std::make_shared<const std::string>(std::move(buffer));
  const std::string_view whole = *owner;
  entry.owner_ = owner;
  entry.selecting_ = whole.substr(0, head_at);
  entry.head_ = whole.substr(head_at, live_at - head_at);
  entry.live_ = whole.substr(live_at);
  entry.status_ = status;
  entry.requested_ = times.requested.wall;
  entry.received_ = times.received.wall;
  entry.received_steady_ = times.received.steady;
  entry.run_ = times.received.run;
  entry.has_steady_ = true;
  // Time between request and answer is measured on the clock that does not jump.
  const Duration delay = times.received.steady - times.requested.steady;
  entry.initial_age_ =
      initial_age(fields, entry.received_ - std::chrono::duration_cast<WallTime::duration>(delay), entry.received_);
  entry.etag_at_ = entry.find_etag();
  if (const auto value = entry.field("ETag")) entry.etag_size_ = static_cast<std::uint32_t>(value->size());
  entry.assess(policy);
  return entry;
}

void Entry::assess(const FreshnessPolicy& policy) {
  heuristics_ = policy.heuristics;
  targeted_ = policy.targeted;
  freshness_ = assess_freshness(status_, head_fields().view(), received_, policy);
}

std::uint32_t Entry::find_etag() const {
  const auto value = field("ETag");
  return value ? static_cast<std::uint32_t>(value->data() - head_.data()) : 0;
}

http::Fields Entry::head_fields() const {
  http::Fields out;
  for_each_line(without_status_line(head_), [&](std::string_view name, std::string_view value) {
    out.add(name, value);
    return true;
  });
  return out;
}

http::Fields Entry::fields() const {
  http::Fields out = head_fields();
  for_each_line(live_, [&](std::string_view name, std::string_view value) {
    out.add(name, value);
    return true;
  });
  return out;
}

std::optional<std::string_view> Entry::field(std::string_view name) const {
  std::optional<std::string_view> found;
  for_each_line(is_live(name) ? live_ : without_status_line(head_),
                [&](std::string_view line_name, std::string_view value) {
                  if (iequals(line_name, name)) found = value;
                  return !found;
                });
  return found;
}

std::vector<Selecting> Entry::selecting() const {
  std::vector<Selecting> out;
  for_each_selecting(selecting_, [&](std::string_view name, std::string_view value) {
    out.push_back({std::string(name), std::string(value)});
    return true;
  });
  return out;
}

bool Entry::selected_by(http::FieldsView request_fields, bool ignore_accept_encoding) const {
  bool selected = true;
  const bool whole = for_each_selecting(selecting_, [&](std::string_view name, std::string_view value) {
    selected = (ignore_accept_encoding && name == "accept-encoding") || selects(request_fields, name, value);
    return selected;
  });
  return whole && selected;
}

std::optional<http::EntityTag> Entry::etag() const {
  if (etag_at_ == 0) return std::nullopt;
  return http::parse_etag(head_.substr(etag_at_, etag_size_));
}

Duration Entry::age(const Now& now) const {
  Duration resident = now.wall - received_;
  if (has_steady_ && run_ == now.run)
    resident = std::max<Duration>(resident, now.steady - received_steady_);
  else if (resident < Duration(0))
    return http::kMaxDeltaSeconds;
  return initial_age_ + std::max<Duration>(resident, Duration(0));
}

Duration Entry::lifetime(const FreshnessPolicy& policy) const {
  switch (policy.lifetime.kind) {
    case Lifetime::Kind::Origin: return freshness_.lifetime;
    case Lifetime::Kind::Fixed: return policy.lifetime.fixed;
    case Lifetime::Kind::Forever: return Duration::max();
    case Lifetime::Kind::AlwaysValidate: return Duration(-1);
  }
  return Duration(-1);
}

// ---- bytes: doc/formats/entry.md

std::size_t Entry::encoded_size() const { return kFixedBytes + selecting_.size() + head_.size() + live_.size(); }

void Entry::encode(Bytes& out) const {
  out.reserve(out.size() + encoded_size());
  append_number(out, kVersion);
  append_number(out, static_cast<std::uint8_t>((recoded_ ? kRecoded : 0) | (heuristics_ ? kHeuristics : 0) |
                                               (targeted_ ? kTargeted : 0)));
  append_number(out, static_cast<std::uint16_t>(status_));
  append_number(out, pack(freshness_));
  append_number(out, to_number(requested_));
  append_number(out, to_number(received_));
  append_number(out, static_cast<std::uint64_t>(initial_age_.count()));
  append_number(out, body_size_);
  append_number(out, static_cast<std::uint32_t>(freshness_.lifetime.count()));
  append_number(out, static_cast<std::uint32_t>(freshness_.stale_while_revalidate.count()));
  append_number(out, static_cast<std::uint32_t>(freshness_.stale_if_error.count()));
  append_number(out, etag_at_);
  append_number(out, etag_size_);
  append_number(out, static_cast<std::uint32_t>(selecting_.size()));
  append_number(out, static_cast<std::uint32_t>(head_.size()));
  append_number(out, static_cast<std::uint32_t>(live_.size()));
  const Duration steady = run_ != 0 ? Duration(received_steady_.time_since_epoch()) : Duration(0);
  append_number(out, static_cast<std::uint64_t>(steady.count()));
  append_number(out, run_);
  append(out, selecting_);
  append(out, head_);
  append(out, live_);
}

Bytes Entry::encode() const {
  Bytes out;
  encode(out);
  return out;
}

Result<Entry> Entry::attach(ByteView bytes, std::shared_ptr<const void> owner, const FreshnessPolicy& policy) {
  if (bytes.empty() || bytes[0] != kVersion) return fail(ErrorCode::Unsupported, "stored entry: unknown version");
  if (bytes.size() < kFixedBytes) return malformed("cut short");
  const std::uint8_t* at = bytes.data();
  const std::uint8_t flags = at[1];
  const auto freshness_flags = load_be<std::uint32_t>(at + 4);
  if ((flags & ~kRecordFlags) != 0 || (freshness_flags & ~kFreshnessFlags) != 0) return malformed("unknown flags");
  Entry entry;
  entry.recoded_ = (flags & kRecoded) != 0;
  entry.heuristics_ = (flags & kHeuristics) != 0;
  entry.targeted_ = (flags & kTargeted) != 0;
  entry.status_ = load_be<std::uint16_t>(at + 2);
  if (entry.status_ < 200 || entry.status_ > 999) return malformed("status");
  unpack(freshness_flags, entry.freshness_);
  entry.requested_ = to_time(load_be<std::uint64_t>(at + 8));
  entry.received_ = to_time(load_be<std::uint64_t>(at + 16));
  const auto initial_age = load_be<std::uint64_t>(at + 24);
  constexpr auto kLongest = static_cast<std::uint64_t>(Duration(2 * http::kMaxDeltaSeconds).count());
  if (!is_sane(entry.requested_) || !is_sane(entry.received_) || initial_age > kLongest) return malformed("times");
  entry.initial_age_ = Duration(static_cast<std::int64_t>(initial_age));
  entry.body_size_ = load_be<std::uint64_t>(at + 32);
  entry.freshness_.lifetime = Seconds(load_be<std::uint32_t>(at + 40));
  entry.freshness_.stale_while_revalidate = Seconds(load_be<std::uint32_t>(at + 44));
  entry.freshness_.stale_if_error = Seconds(load_be<std::uint32_t>(at + 48));
  if (!is_sane(entry.freshness_.lifetime) || !is_sane(entry.freshness_.stale_while_revalidate) ||
      !is_sane(entry.freshness_.stale_if_error))
    return malformed("lifetimes");
  entry.etag_at_ = load_be<std::uint32_t>(at + 52);
  entry.etag_size_ = load_be<std::uint32_t>(at + 56);
  const std::size_t selecting = load_be<std::uint32_t>(at + 60);
  const std::size_t head = load_be<std::uint32_t>(at + 64);
  const std::size_t live = load_be<std::uint32_t>(at + 68);
  if (bytes.size() - kFixedBytes != selecting + head + live || head + live > Limits::kHeadBytes)
    return malformed("lengths");
  const Duration steady(static_cast<std::int64_t>(load_be<std::uint64_t>(at + 72)));
  entry.run_ = load_be<std::uint64_t>(at + 80);
  entry.has_steady_ = entry.run_ != 0;  // without a number no one knows whose monotonic clock it was
  if (steady < Duration(0) || steady > std::chrono::hours(24 * 365 * 130)) return malformed("times");
  entry.received_steady_ = TimePoint(std::chrono::duration_cast<TimePoint::duration>(steady));
  const std::string_view rest = as_text(bytes.subspan(kFixedBytes));
  entry.selecting_ = rest.substr(0, selecting);
  entry.head_ = rest.substr(selecting, head);
  entry.live_ = rest.substr(selecting + head);
  if (std::size_t{entry.etag_at_} + entry.etag_size_ > head) return malformed("entity tag");
  entry.owner_ = std::move(owner);
  if (entry.heuristics_ != policy.heuristics || entry.targeted_ != policy.targeted) entry.assess(policy);
  return entry;
}

// The lines go out to clients as they are, so each one is checked as if it came from the network.
bool Entry::has_honest_lines() const {
  std::size_t count = 0;
  const auto is_honest = [&](std::string_view name, std::string_view value, bool live) {
    return ++count <= Limits::kFields && http::is_token(name) && http::is_field_value(value) && !is_generated(name) &&
           is_live(name) == live;
  };
  bool honest = head_.starts_with(status_line(status_));
  honest = for_each_line(without_status_line(head_),
                         [&](auto name, auto value) { return honest = honest && is_honest(name, value, false); }) &&
           honest;
  honest =
      for_each_line(live_, [&](auto name, auto value) { return honest = honest && is_honest(name, value, true); }) &&
      honest;
  std::size_t selecting = 0;
  honest = for_each_selecting(selecting_,
                              [&](auto name, auto) {
                                return honest =
                                           honest && ++selecting <= Limits::kSelectingFields && http::is_token(name);
                              }) &&
           honest;
  const auto tag = field("ETag");
  return honest && etag_at_ == find_etag() && etag_size_ == (tag ? tag->size() : 0);
}

Result<Entry> Entry::decode(ByteView bytes, const FreshnessPolicy& policy) {
  const auto copy = std::make_shared<const Bytes>(bytes.begin(), bytes.end());
  Result<Entry> entry = attach(*copy, copy, policy);
  if (!entry) return entry;
  if (!entry->has_honest_lines()) return malformed("field lines");
  entry->assess(policy);
  return entry;
}

}  // namespace ghmesh::cache
