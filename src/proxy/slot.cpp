// SPDX-License-Identifier: Apache-2.0
#include "proxy/slot.hpp"

#include "cache/limits.hpp"
#include "http/coding/coding.hpp"

namespace ghmesh::proxy {
namespace {

constexpr std::uint8_t kVersion = 1;
// Over loopback time counts more than size: level 1 takes a third of the time of level 6.
constexpr int kGzipLevel = 1;

// version, number of variants, then per variant: length of the entry, length of the body, the entry.
constexpr std::size_t kHeadBytes = 2;
constexpr std::size_t kVariantBytes = 12;

}  // namespace

void Slot::Parsed::finish() {
  for (const cache::Entry& one : entries) candidates.push_back(&one);
  gzip.resize(entries.size());
}

Result<Slot> Slot::of(store::EntryPtr record, const cache::FreshnessPolicy& policy) {
  Slot out;
  if (record->attachment) {
    out.parsed_ = std::static_pointer_cast<const Parsed>(record->attachment);
    out.record_ = std::move(record);
    return out;
  }
  const auto malformed = [] { return fail(ErrorCode::Malformed, "a stored record's head cannot be read"); };
  const ByteView metadata = record->metadata;
  if (metadata.size() < kHeadBytes || metadata[0] != kVersion) return malformed();
  const std::size_t count = metadata[1];
  if (count == 0 || count > cache::Limits::kVariants) return malformed();
  auto parsed = std::make_shared<Parsed>();
  std::size_t at = kHeadBytes;
  std::size_t body_at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (metadata.size() - at < kVariantBytes) return malformed();
    const std::size_t entry_size = load_be<std::uint32_t>(metadata.data() + at);
    const std::size_t body_size = load_be<std::uint64_t>(metadata.data() + at + 4);
    at += kVariantBytes;
    if (metadata.size() - at < entry_size || record->body.size() - body_at < body_size) return malformed();
    Result<cache::Entry> entry = cache::Entry::decode(metadata.subspan(at, entry_size), policy);
    if (!entry) return std::unexpected(entry.error());
    if (entry->body_size() != body_size) return malformed();
    parsed->entries.push_back(std::move(*entry));
    parsed->offsets.push_back(body_at);
    at += entry_size;
    body_at += body_size;
  }
  if (at != metadata.size() || body_at != record->body.size()) return malformed();
  parsed->finish();
  out.parsed_ = std::move(parsed);
  record->attachment = out.parsed_;
  out.record_ = std::move(record);
  return out;
}

ByteView Slot::body(std::size_t variant) const {
  return ByteView(record_->body).subspan(parsed_->offsets[variant], entry(variant).body_size());
}

const Bytes& Slot::gzip_body(std::size_t variant) const {
  std::unique_ptr<Bytes>& made = parsed_->gzip[variant];
  if (!made) {
    made = std::make_unique<Bytes>(http::coding::gzip_encode(body(variant), kGzipLevel));
    if (made->size() >= body(variant).size()) made->clear();
    made->shrink_to_fit();
  }
  return *made;
}

void SlotBuilder::add(cache::Entry entry, ByteView body) {
  if (entries_.size() >= cache::Limits::kVariants) return;
  entry.set_body_size(body.size());
  entries_.push_back(std::move(entry));
  bodies_.push_back(body);
}

Slot SlotBuilder::build(const store::Key& key, std::vector<store::GroupId> groups, std::uint32_t useful_until_s) && {
  store::Entry record;
  record.key = key;
  record.groups = std::move(groups);
  record.useful_until_s = useful_until_s;
  record.metadata = {kVersion, static_cast<std::uint8_t>(entries_.size())};
  auto parsed = std::make_shared<Slot::Parsed>();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Bytes encoded = entries_[i].encode();
    std::uint8_t lengths[kVariantBytes];
    store_be(lengths, static_cast<std::uint32_t>(encoded.size()));
    store_be(lengths + 4, std::uint64_t{bodies_[i].size()});
    append(record.metadata, ByteView(lengths));
    append(record.metadata, encoded);
    parsed->offsets.push_back(record.body.size());
    append(record.body, bodies_[i]);
  }
  parsed->entries = std::move(entries_);
  parsed->finish();
  Slot out;
  out.parsed_ = std::move(parsed);
  record.attachment = out.parsed_;
  out.record_ = store::share(std::move(record));
  return out;
}

}  // namespace ghmesh::proxy
