// SPDX-License-Identifier: Apache-2.0
#include "cache/storing.hpp"

#include <algorithm>

#include "cache/limits.hpp"
#include "http/message/etag.hpp"
#include "http/message/vary.hpp"

namespace ghmesh::cache {
namespace {

using http::Field;
using http::Fields;
using http::FieldsView;
using http::iequals;

// Never kept, whatever the answer says: parts are not joined, a 304 is no response of its own, and the rest speak about
// one connection, one credential or one moment.
bool is_refused_status(int status) {
  constexpr int kRefused[] = {206, 304, 401, 407, 408, 421, 425, 429, 431, 511};
  return status < 200 || std::find(std::begin(kRefused), std::end(kRefused), status) != std::end(kRefused);
}

bool is_over_bounds(FieldsView fields) {
  std::size_t bytes = 0;
  for (const Field& field : fields) bytes += field.name.size() + field.value.size() + 4;
  return fields.size() > Limits::kFields || bytes > Limits::kHeadBytes / 2;
}

// §3.1: fields of the connection, and those that the response itself excludes from reuse.
Fields storable_fields(FieldsView received, Partition partition) {
  Fields fields(received);
  http::remove_hop_by_hop(fields);
  fields.remove("Proxy-Authentication-Info");
  const http::ResponseCacheControl control = http::parse_response_cache_control(received);
  for (const std::string& name : control.no_cache_fields) fields.remove(name);
  if (partition == Partition::Anonymous)
    for (const std::string& name : control.private_fields) fields.remove(name);
  return fields;
}

// Nothing if the response selects by something that cannot be matched again or that is too long to keep. Authorization
// is not compared: the partition is the credential, and its bytes stay out of the store.
std::optional<std::vector<Selecting>> make_selecting(const http::RequestView& request, FieldsView response) {
  const http::Vary vary = http::parse_vary(response);
  if (vary.any || vary.names.size() > Limits::kSelectingFields) return std::nullopt;
  std::vector<Selecting> selecting;
  std::size_t bytes = 0;
  for (const std::string& name : vary.names) {
    if (name == "authorization") continue;
    selecting.push_back({name, http::selecting_value(request.fields, name)});
    bytes += name.size() + selecting.back().value.size();
  }
  if (bytes > Limits::kSelectingBytes) return std::nullopt;
  return selecting;
}

bool is_permitted(const Entry& entry, const http::RequestView& request, const FreshnessPolicy& policy) {
  const Freshness& freshness = entry.freshness();
  const bool shared = policy.partition == Partition::Anonymous;
  if (freshness.no_store || is_refused_status(entry.status())) return false;
  if (shared && freshness.is_private) return false;
  if (shared && request.fields.has("Authorization") && !freshness.authorized_reuse) return false;
  // Explicit freshness lets any final status in; otherwise it must be one that is cacheable by default, or be marked
  // so.
  if (freshness.explicit_lifetime || freshness.is_public) return true;
  return is_heuristically_cacheable(entry.status()) || (!shared && freshness.is_private);
}

// A limit that was hit says when to come back; keeping it would outlive that.
bool is_momentary(FieldsView fields) { return fields.has("Retry-After"); }

// Cookies set for one client are handed to another only where the origin said how long; a guess is not enough (§7.3).
bool sets_cookies_by_guess(const Entry& entry, FieldsView fields) {
  return fields.has("Set-Cookie") && !entry.freshness().explicit_lifetime;
}

bool is_useful(const Entry& entry, const FreshnessPolicy& policy) {
  const Freshness& freshness = entry.freshness();
  if (entry.has_validator()) return true;
  if (freshness.no_cache) return false;
  return entry.lifetime(policy) > Duration(0) || freshness.stale_if_error > Seconds(0) ||
         freshness.stale_while_revalidate > Seconds(0);
}

std::optional<Entry> keep(const http::RequestView& request, int status, const Fields& fields, const Received& times,
                          const FreshnessPolicy& policy) {
  auto selecting = make_selecting(request, fields);
  if (!selecting || is_over_bounds(fields)) return std::nullopt;
  Entry entry = Entry::make(status, fields, *selecting, times, policy);
  if (!is_permitted(entry, request, policy) || is_momentary(fields) || sets_cookies_by_guess(entry, fields))
    return std::nullopt;
  if (!is_useful(entry, policy)) return std::nullopt;
  return entry;
}

// What a 304 cannot know: it describes bytes that were not sent.
bool is_kept_from_stored(std::string_view name, const Entry& stored) {
  if (iequals(name, "Content-Length") || iequals(name, "Transfer-Encoding")) return true;
  // A body whose coding was taken off is not encoded, whatever the origin's is.
  return stored.recoded() && iequals(name, "Content-Encoding");
}

// GitHub sends the strong form of a tag with the 304 of a weak one. The stored bytes are what they were: the weaker
// stays.
bool is_same_tag_stronger(std::string_view name, std::string_view value, const Entry& stored) {
  if (!iequals(name, "ETag")) return false;
  const auto mine = stored.etag();
  const auto theirs = http::parse_etag(value);
  return mine && theirs && mine->weak && http::weak_match(*mine, *theirs);
}

}  // namespace

std::optional<Entry> make_storable(const http::RequestView& request, const http::ResponseView& response,
                                   const Received& times, const FreshnessPolicy& policy) {
  if (request.method != "GET" || !policy.may_store) return std::nullopt;
  return keep(request, response.status, storable_fields(response.fields, policy.partition), times, policy);
}

std::optional<Entry> freshen(const Entry& stored, const http::RequestView& request, FieldsView update,
                             const Received& times, const FreshnessPolicy& policy) {
  const Fields news = storable_fields(update, policy.partition);
  Fields merged = stored.fields();
  std::vector<std::string_view> replaced;
  for (const Field& field : news) {
    if (is_kept_from_stored(field.name, stored) || is_same_tag_stronger(field.name, field.value, stored)) continue;
    const bool again =
        std::any_of(replaced.begin(), replaced.end(), [&](auto name) { return iequals(name, field.name); });
    if (!again) merged.remove(field.name);
    replaced.push_back(field.name);
    merged.add(field.name, field.value);
  }
  // Without a date of its own the answer is as old as its arrival.
  if (!news.has("Date")) merged.remove("Date");
  std::optional<Entry> entry = keep(request, stored.status(), merged, times, policy);
  if (!entry) return std::nullopt;
  entry->set_body_size(stored.body_size());
  entry->set_recoded(stored.recoded());
  return entry;
}

}  // namespace ghmesh::cache
