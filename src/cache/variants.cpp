// SPDX-License-Identifier: Apache-2.0
#include "cache/variants.hpp"

#include <algorithm>

#include "cache/limits.hpp"

namespace ghmesh::cache {
namespace {

std::unexpected<Error> malformed(const char* what) {
  return fail(ErrorCode::Malformed, std::string("stored variants: ") + what);
}

void append_variant(VariantRecord& record, const Entry& entry, ByteView body) {
  std::uint8_t size[4];
  store_be(size, static_cast<std::uint32_t>(entry.encoded_size()));
  append(record.metadata, ByteView(size));
  entry.encode(record.metadata);
  append(record.body, body);
  ++record.metadata[1];
}

}  // namespace

Result<VariantSet> VariantSet::attach(ByteView metadata, ByteView body, std::shared_ptr<const void> owner,
                                      const FreshnessPolicy& policy) {
  if (metadata.size() < 2) return malformed("cut short");
  if (metadata[0] != kVersion) return fail(ErrorCode::Unsupported, "stored variants: unknown version");
  const std::size_t count = metadata[1];
  if (count == 0 || count > Limits::kVariants) return malformed("count");
  metadata = metadata.subspan(2);
  VariantSet set;
  set.variants_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (metadata.size() < 4) return malformed("cut short");
    const std::size_t size = load_be<std::uint32_t>(metadata.data());
    if (metadata.size() - 4 < size) return malformed("cut short");
    auto entry = Entry::attach(metadata.subspan(4, size), owner, policy);
    if (!entry) return std::unexpected(std::move(entry.error()));
    metadata = metadata.subspan(4 + size);
    if (entry->body_size() > body.size()) return malformed("body cut short");
    const auto body_size = static_cast<std::size_t>(entry->body_size());
    set.variants_.push_back({*std::move(entry), body.first(body_size)});
    body = body.subspan(body_size);
  }
  if (!metadata.empty() || !body.empty()) return malformed("bytes behind the last");
  return set;
}

std::vector<const Entry*> VariantSet::candidates() const {
  std::vector<const Entry*> out;
  out.reserve(variants_.size());
  for (const Variant& variant : variants_) out.push_back(&variant.entry);
  return out;
}

std::optional<VariantRecord> VariantSet::after(const Outcome& outcome, ByteView body) const {
  VariantRecord record;
  record.metadata = {kVersion, 0};
  for (const Put& put : outcome.put) {
    if (record.metadata[1] == Limits::kVariants) break;
    const ByteView its_body = put.body_of ? variants_[*put.body_of].body : body;
    Entry entry = put.entry;
    entry.set_body_size(its_body.size());
    append_variant(record, entry, its_body);
  }
  for (std::size_t i = 0; i < variants_.size() && record.metadata[1] < Limits::kVariants; ++i) {
    if (std::find(outcome.drop.begin(), outcome.drop.end(), i) != outcome.drop.end()) continue;
    append_variant(record, variants_[i].entry, variants_[i].body);
  }
  if (record.metadata[1] == 0) return std::nullopt;
  return record;
}

}  // namespace ghmesh::cache
