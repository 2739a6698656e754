// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "store/limits.hpp"
#include "store/record.hpp"

// The bytes of the disk tier, shared by writer and reader; doc/formats/store.md explains them. Integers are
// little-endian. Pure functions, any thread.
//
//   segment   ┌ header 64 ┬ record ┬ pad ┬ record ┬ pad ┬ …      records start at multiples of 64
//   record    ┌ head, sealed: 112 + 16 ┬ metadata and body, sealed: n + 16 ┐     removals have a head only
//   hint      ┌ header 64 ┬ entries, sealed together: n + 16 ┐

namespace ghmesh::store {

inline constexpr std::array<std::uint8_t, 8> kSegmentMagic{'g', 'h', 'm', 's', 'e', 'g', 0, 1};
inline constexpr std::array<std::uint8_t, 8> kHintMagic{'g', 'h', 'm', 'h', 'n', 't', 0, 1};
inline constexpr std::size_t kTagBytes = 16;
inline constexpr std::size_t kSaltBytes = 32;
inline constexpr std::size_t kFileHeaderBytes = 8 + 8 + kSaltBytes + kTagBytes;  // magic, segment id, salt, tag
inline constexpr std::size_t kHeadBytes = 56 + 8 * Limits::groups_per_record;
inline constexpr std::size_t kSealedHeadBytes = kHeadBytes + kTagBytes;
// Records begin at these steps so that a reader can find the next one behind a damaged head.
inline constexpr std::size_t kAlignment = 64;
static_assert(kFileHeaderBytes % kAlignment == 0 && kSealedHeadBytes == 128);

using Salt = std::array<std::uint8_t, kSaltBytes>;

constexpr std::uint64_t align_up(std::uint64_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; }

enum class RecordKind : std::uint8_t { Put = 1, Remove = 2, PurgeGroup = 3, Clear = 4 };
enum class BodyCodec : std::uint8_t { Identity = 0, Zstd = 1, ZstdDictionary = 2 };

// What precedes every record: enough to rebuild the index and to skip the payload unread.
struct RecordHead {
  RecordKind kind = RecordKind::Put;
  BodyCodec codec = BodyCodec::Identity;
  std::uint8_t group_count = 0;
  std::uint32_t flags = 0;
  std::uint32_t useful_until_s = 0;
  std::uint32_t metadata_bytes = 0;
  std::uint32_t stored_body_bytes = 0;
  std::uint32_t body_bytes = 0;  // after decompression
  Key key{};
  std::array<GroupId, Limits::groups_per_record> groups{};

  std::uint64_t payload_bytes() const { return std::uint64_t{metadata_bytes} + stored_body_bytes; }
  // On disk, without the padding behind it.
  std::uint64_t record_bytes() const {
    return kSealedHeadBytes + (kind == RecordKind::Put ? payload_bytes() + kTagBytes : 0);
  }
  friend bool operator==(const RecordHead&, const RecordHead&) = default;
};

// One line of a hint: what replaying the record at offset does to the index.
struct HintEntry {
  RecordKind kind = RecordKind::Put;
  std::uint8_t group_count = 0;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;  // without padding
  std::uint32_t useful_until_s = 0;
  Key key{};
  std::array<GroupId, Limits::groups_per_record> groups{};

  friend bool operator==(const HintEntry&, const HintEntry&) = default;
};

std::array<std::uint8_t, kHeadBytes> encode_head(const RecordHead& head);
// Nothing unless every field is one encode_head could have written within limits.
std::optional<RecordHead> decode_head(ByteView bytes, const Limits& limits);

HintEntry to_hint(const RecordHead& head, std::uint32_t offset);
void encode_hint_entry(const HintEntry& entry, Bytes& out);
// The next entry and advances bytes; nothing if bytes are empty or malformed (then bytes stay non-empty).
std::optional<HintEntry> decode_hint_entry(ByteView& bytes);

// The other files of a store directory.
inline constexpr std::string_view kKeyName = "key";
inline constexpr std::string_view kIntactName = "intact";

// "000000000000002a.seg" and "….hint".
std::string segment_name(std::uint32_t id);
std::string hint_name(std::uint32_t id);
// The id of a name made by one of the above, by extension ".seg" or ".hint".
std::optional<std::uint32_t> parse_name(std::string_view name, std::string_view extension);

}  // namespace ghmesh::store
