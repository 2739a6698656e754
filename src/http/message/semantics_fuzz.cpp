// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "http/message/cache_control.hpp"
#include "http/message/date.hpp"
#include "http/message/etag.hpp"
#include "http/message/range.hpp"
#include "http/message/structured.hpp"
#include "http/message/vary.hpp"

// Every parser of field values on the same bytes: the first byte picks one, so a corpus serves them all.

namespace {

using namespace ghmesh::http;

void require(bool condition) {
  if (!condition) std::abort();
}

void fuzz_date(std::string_view text) {
  const ghmesh::WallTime now{std::chrono::seconds(1767225600)};
  const auto time = parse_http_date(text, now);
  if (!time) return;
  // What is written is read back as itself.
  require(parse_http_date(format_http_date(*time), now).has_value());
}

void fuzz_etags(std::string_view text) {
  for (const EntityTag& tag : parse_etag_list(text).tags) {
    const std::string written = tag.to_string();
    const auto again = parse_etag(written);
    require(again && weak_match(*again, tag) && again->weak == tag.weak);
  }
}

void fuzz_range(std::string_view text) {
  for (const std::uint64_t size : {0ull, 1ull, 10ull, ~0ull}) {
    const RangeRequest request = parse_range(text, size);
    if (request.outcome != RangeOutcome::Satisfiable) continue;
    require(request.range.first <= request.range.last && request.range.last < size);
  }
}

void fuzz_cache_control(std::string_view text) {
  const Field field{"Cache-Control", text};
  const FieldsView fields(std::span(&field, 1));
  const ResponseCacheControl response = parse_response_cache_control(fields);
  if (response.max_age) require(response.max_age->count() >= 0 && *response.max_age <= kMaxDeltaSeconds);
  const RequestCacheControl request = parse_request_cache_control(fields);
  if (request.min_fresh) require(*request.min_fresh <= kMaxDeltaSeconds);
  (void)parse_targeted_cache_control(fields, "cache-control");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0: fuzz_cache_control(text); break;
    case 1: fuzz_date(text); break;
    case 2: fuzz_etags(text); break;
    case 3: fuzz_range(text); break;
    default: {
      (void)parse_structured_dictionary(text);
      const Field field{"Vary", text};
      (void)parse_vary(FieldsView(std::span(&field, 1)));
    }
  }
  return 0;
}
