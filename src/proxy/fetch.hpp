// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "proxy/proxy.hpp"

// Private to this room: one upstream exchange of a cacheable request, and what its phases share.

namespace ghmesh::proxy {

inline bool is_conditional(std::string_view name) {
  return http::iequals(name, "If-None-Match") || http::iequals(name, "If-Modified-Since") ||
         http::iequals(name, "If-Match") || http::iequals(name, "If-Unmodified-Since") ||
         http::iequals(name, "If-Range") || http::iequals(name, "Range");
}

// A copy without the client's own conditions: those are answered here, against what comes out (proof.md rule 2).
inline http::Fields without_conditions(http::FieldsView fields) {
  http::Fields out;
  for (const http::Field& field : fields)
    if (!is_conditional(field.name)) out.add(field.name, field.value);
  return out;
}

// Fields of a GitHub answer that are about its body and may be replayed; the rest belongs to the token or the moment.
inline http::Fields body_fields(http::FieldsView fields) {
  http::Fields out;
  for (const http::Field& field : fields)
    if (github::is_body_field(field.name) || http::iequals(field.name, "Date")) out.add(field.name, field.value);
  return out;
}

// The lines of a live answer that stand beside stored ones.
inline std::string live_lines(http::FieldsView fields) {
  http::Fields end_to_end(fields);
  http::remove_hop_by_hop(end_to_end);
  std::string out;
  for (const http::Field& field : end_to_end) {
    if (github::is_body_field(field.name) || http::iequals(field.name, "Content-Length") ||
        http::iequals(field.name, "Date") || http::iequals(field.name, "Age"))
      continue;
    out.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  return out;
}

// In the canonical form the coding is taken off; GitHub's W/ says only that there was one.
inline void uncode(http::Fields& fields) {
  const bool coded = fields.has("Content-Encoding");
  fields.remove("Content-Encoding");
  fields.remove("Content-Length");
  if (!coded) return;
  if (const auto tag = fields.first("ETag"); tag && tag->starts_with("W/"))
    fields.set("ETag", std::string(tag->substr(2)));
}

inline std::uint32_t unix_seconds(WallTime time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, 0xffffffff));
}

// How long after its last validation a record may still be of use: a tag serves for days, a clock only for a hint.
inline constexpr auto kUsefulFor = std::chrono::hours(24 * 7);

// Reads a body whole and takes its coding off. Nothing beyond max, or if it is broken.
io::Task<std::optional<Bytes>> read_whole(OriginAnswer& answer, std::size_t max);

struct Proxy::Fetch {
  http::server::Exchange& client;
  const Plan& plan;
  TimePoint began;
  Slot slot;
  cache::Exchange exchange;
  http::Fields stripped;  // what exchange.request.fields views, for canonical plans
  cache::SingleFlight::Lead lead;
  BodyFlights::Turn turn;
  http::Fields live;                      // of the 304 that proved a page, while its successor is probed
  crypto::Sha256 prefix;                  // of the tags that GitHub makes for this request
  std::optional<Sharing::Search> search;  // in the mesh; ends with what this fetch brings
};

}  // namespace ghmesh::proxy
