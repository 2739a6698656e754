// SPDX-License-Identifier: Apache-2.0
#include "stand_ins.hpp"

#include <algorithm>

namespace ghmesh::simulate {
namespace {

void read_item(ItemPtr& item) {
  if (item == nullptr || item->version == version_of(item->body)) return;
  auto read = std::make_shared<Item>(*item);
  read->version = version_of(read->body);
  item = std::move(read);
}

}  // namespace

std::uint64_t mixed(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

PeerId peer_of(std::uint64_t number) {
  // As long as a real one: an identity multihash of 36 bytes.
  std::array<std::uint8_t, 38> raw{0, 36};
  for (std::size_t i = 0; i < 4; ++i) store_be(raw.data() + 2 + 8 * i, mixed(number * 4 + i));
  return *PeerId::decode(raw);
}

LookupKey lookup_key(std::uint32_t key) {
  LookupKey made{};
  for (std::size_t i = 0; i < 4; ++i) store_be(made.data() + 8 * i, mixed((std::uint64_t{key} << 8) + i + 1));
  store_be(made.data() + 4, key);
  return made;
}

Bytes origin_bytes(std::uint32_t key, std::uint64_t version) {
  // Sizes as measured: median 12 KiB, mean 22, some 200.
  const std::uint64_t draw = mixed(key + 77) % 100;
  const std::uint32_t size = draw < 50   ? 4096 + static_cast<std::uint32_t>(draw) * 160
                             : draw < 95 ? 12288 + static_cast<std::uint32_t>(draw - 50) * 800
                                         : 120'000;
  Bytes body(kBodyBytes);
  store_be(body.data(), size);
  store_be(body.data() + 4, key);
  store_be(body.data() + 8, version);
  return body;
}
std::uint64_t number_in(ByteView body) {
  return body.size() == kBodyBytes ? load_be<std::uint64_t>(body.data() + 8) : ~std::uint64_t{0};
}

Version version_of(ByteView body) {
  Version made{};
  std::uint64_t state = mixed(body.size());
  for (const std::uint8_t octet : body) state = mixed(state ^ octet);
  store_be(made.data(), state);
  store_be(made.data() + 8, mixed(state));
  return made;
}

void read_items(Message& message) {
  if (auto* body = std::get_if<Body>(&message)) read_item(body->item);
  if (auto* put = std::get_if<Put>(&message)) read_item(put->item);
  if (auto* lease = std::get_if<Lease>(&message)) read_item(lease->item);
  if (auto* found = std::get_if<Found>(&message)) read_item(found->item);
  if (auto* chunk = std::get_if<Chunk>(&message))
    for (ChunkEntry& entry : chunk->entries) read_item(entry.item);
}
bool carries(const Message& message, const LookupKey& key) {
  const auto is = [&](const ItemPtr& item) { return item != nullptr && item->key == key; };
  if (const auto* body = std::get_if<Body>(&message)) return is(body->item);
  if (const auto* put = std::get_if<Put>(&message)) return is(put->item);
  if (const auto* lease = std::get_if<Lease>(&message)) return is(lease->item);
  if (const auto* found = std::get_if<Found>(&message)) return is(found->item);
  if (const auto* have = std::get_if<Have>(&message)) return have->key == key && have->version != Version{};
  if (const auto* chunk = std::get_if<Chunk>(&message))
    return std::ranges::any_of(chunk->entries, [&](const ChunkEntry& entry) { return is(entry.item); });
  return false;
}

TokenTag token_tag(std::uint32_t token) {
  TokenTag tag{};
  store_be(tag.data(), std::uint64_t{token} + 1);
  return tag;
}

AnswerSeal seal_of(std::uint32_t token, const LookupKey& key, const Version& version, const Freshness& fresh) {
  std::uint64_t state = mixed(token + 0xfeed);
  for (const std::uint64_t part : {load_be<std::uint64_t>(key.data()), load_be<std::uint64_t>(version.data()),
                                   static_cast<std::uint64_t>(fresh.fetched_at_ms), std::uint64_t{fresh.fresh_ms}})
    state = mixed(state ^ part);
  AnswerSeal seal{};
  store_be(seal.data(), state);
  return seal;
}

}  // namespace ghmesh::simulate
