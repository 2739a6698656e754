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

// Calls visit(name, value) for each "Name: value" line; returns false if a line has another shape.
template <typename Visit>
bool for_each_line(std::string_view lines, Visit visit) {
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    if (end == std::string_view::npos) return false;
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !line.substr(colon + 1).starts_with(' ')) return false;
    visit(line.substr(0, colon), line.substr(colon + 2));
    lines.remove_prefix(end + 2);
  }
  return true;
}

std::string_view without_status_line(std::string_view head) { return head.substr(head.find("\r\n") + 2); }

std::string status_line(int status) {
  std::string line = "HTTP/1.1 " + std::to_string(status) + " ";
  line.append(http::reason_phrase(status)).append("\r\n");
  return line;
}

}  // namespace

Entry Entry::make(int status, http::FieldsView fields, std::vector<Selecting> selecting, const Received& times,
                  const FreshnessPolicy& policy) {
  Entry entry;
  entry.status_ = status;
  entry.selecting_ = std::move(selecting);
  entry.requested_ = times.requested.wall;
  entry.received_ = times.received.wall;
  entry.received_steady_ = times.received.steady;
  // Time between request and answer is measured on the clock that does not jump.
  const Duration delay = times.received.steady - times.requested.steady;
  entry.initial_age_ =
      initial_age(fields, entry.received_ - std::chrono::duration_cast<WallTime::duration>(delay), entry.received_);
  entry.head_ = status_line(status);
  for (const Field& field : fields)
    if (!is_generated(field.name)) entry.write_line(field.name, field.value);
  if (!fields.has("Date")) entry.write_line("Date", http::format_http_date(entry.received_));
  entry.assess(policy);
  return entry;
}

void Entry::write_line(std::string_view name, std::string_view value) {
  std::string& out = is_live(name) ? live_ : head_;
  out.append(name).append(": ");
  if (etag_at_ == 0 && iequals(name, "ETag")) {
    etag_at_ = static_cast<std::uint32_t>(out.size());
    etag_size_ = static_cast<std::uint32_t>(value.size());
  }
  out.append(value).append("\r\n");
}

void Entry::assess(const FreshnessPolicy& policy) {
  freshness_ = assess_freshness(status_, fields().view(), received_, policy);
}

http::Fields Entry::head_fields() const {
  http::Fields out;
  for_each_line(without_status_line(head_),
                [&](std::string_view name, std::string_view value) { out.add(name, value); });
  return out;
}

http::Fields Entry::fields() const {
  http::Fields out = head_fields();
  for_each_line(live_, [&](std::string_view name, std::string_view value) { out.add(name, value); });
  return out;
}

std::optional<std::string_view> Entry::field(std::string_view name) const {
  std::optional<std::string_view> found;
  for_each_line(is_live(name) ? std::string_view(live_) : without_status_line(head_),
                [&](std::string_view line_name, std::string_view value) {
                  if (!found && iequals(line_name, name)) found = value;
                });
  return found;
}

bool Entry::selected_by(http::FieldsView request_fields, bool ignore_accept_encoding) const {
  return std::all_of(selecting_.begin(), selecting_.end(), [&](const Selecting& mine) {
    if (ignore_accept_encoding && mine.name == "accept-encoding") return true;
    return http::selecting_value(request_fields, mine.name) == mine.value;
  });
}

std::optional<http::EntityTag> Entry::etag() const {
  if (etag_at_ == 0) return std::nullopt;
  return http::parse_etag(std::string_view(head_).substr(etag_at_, etag_size_));
}

Duration Entry::age(const Now& now) const {
  Duration resident = now.wall - received_;
  if (received_steady_)
    resident = std::max<Duration>(resident, now.steady - *received_steady_);
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

std::size_t Entry::heap_bytes() const {
  std::size_t bytes = head_.capacity() + live_.capacity() + selecting_.capacity() * sizeof(Selecting);
  for (const Selecting& one : selecting_) bytes += one.name.capacity() + one.value.capacity();
  return bytes;
}

}  // namespace ghmesh::cache
