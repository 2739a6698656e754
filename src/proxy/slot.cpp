// SPDX-License-Identifier: Apache-2.0
#include "proxy/slot.hpp"

#include "base/check.hpp"
#include "cache/response_head.hpp"
#include "http/coding/coding.hpp"

namespace ghmesh::proxy {
namespace {

// Over loopback time counts more than size: level 1 takes a third of the time of level 6.
constexpr int kGzipLevel = 1;

}  // namespace

Result<Slot> Slot::of(store::EntryPtr record, const cache::FreshnessPolicy& policy) {
  Slot out;
  if (!record->attachment) {
    auto variants = cache::VariantSet::attach(record->metadata, record->body, nullptr, policy);
    if (!variants) return std::unexpected(variants.error());
    auto view = std::make_shared<View>();
    view->variants = std::move(*variants);
    view->candidates = view->variants.candidates();
    view->gzip.resize(view->variants.size());
    record->attachment = std::move(view);
  }
  out.view_ = static_cast<const View*>(record->attachment.get());
  out.record_ = std::move(record);
  return out;
}

const Slot::Packed& Slot::packed(std::size_t variant) const {
  std::unique_ptr<const Packed>& known = view_->gzip[variant];
  if (!known) {
    auto made = std::make_unique<Packed>();
    Bytes packed = http::coding::gzip_encode(body(variant), kGzipLevel);
    if (packed.size() < body(variant).size()) {
      packed.shrink_to_fit();
      made->body = std::move(packed);
      cache::append_recoded_head(made->head, entry(variant), "gzip");
      made->head.shrink_to_fit();
    }
    known = std::move(made);
  }
  return *known;
}

std::optional<Slot> Slot::after(const cache::Outcome& outcome, ByteView body, const store::Key& key,
                                std::vector<store::GroupId> groups, std::uint32_t useful_until_s,
                                const cache::FreshnessPolicy& policy) const {
  static const cache::VariantSet kNone;
  std::optional<cache::VariantRecord> made = (view_ ? view_->variants : kNone).after(outcome, body);
  if (!made) return std::nullopt;
  store::Entry record;
  record.key = key;
  record.groups = std::move(groups);
  record.useful_until_s = useful_until_s;
  record.metadata = std::move(made->metadata);
  record.body = std::move(made->body);
  Result<Slot> slot = of(store::share(std::move(record)), policy);
  GHMESH_CHECK(slot.has_value());
  return *std::move(slot);
}

}  // namespace ghmesh::proxy
