// SPDX-License-Identifier: Apache-2.0
#include "segment_format.hpp"

#include <algorithm>

namespace ghmesh::store {
namespace {

constexpr std::size_t kHintFixedBytes = 46;
constexpr std::size_t kNameDigits = 16;

bool known_kind(std::uint8_t kind) {
  return kind >= std::to_underlying(RecordKind::Put) && kind <= std::to_underlying(RecordKind::Clear);
}

std::string file_name(std::uint32_t id, std::string_view extension) {
  std::uint8_t raw[8];
  store_be(raw, std::uint64_t{id});
  return to_hex(raw).append(extension);
}

}  // namespace

std::array<std::uint8_t, kHeadBytes> encode_head(const RecordHead& head) {
  std::array<std::uint8_t, kHeadBytes> out{};
  out[0] = std::to_underlying(head.kind);
  out[1] = std::to_underlying(head.codec);
  out[2] = head.group_count;
  store_le(&out[4], head.flags);
  store_le(&out[8], head.useful_until_s);
  store_le(&out[12], head.metadata_bytes);
  store_le(&out[16], head.stored_body_bytes);
  store_le(&out[20], head.body_bytes);
  std::copy(head.key.begin(), head.key.end(), &out[24]);
  for (std::size_t i = 0; i < head.group_count; ++i) store_le(&out[56 + 8 * i], head.groups[i]);
  return out;
}

std::optional<RecordHead> decode_head(ByteView bytes, const Limits& limits) {
  if (bytes.size() != kHeadBytes || !known_kind(bytes[0])) return std::nullopt;
  if (bytes[1] > std::to_underlying(BodyCodec::ZstdDictionary) || bytes[2] > Limits::groups_per_record)
    return std::nullopt;
  RecordHead head;
  head.kind = static_cast<RecordKind>(bytes[0]);
  head.codec = static_cast<BodyCodec>(bytes[1]);
  head.group_count = bytes[2];
  head.flags = load_le<std::uint32_t>(&bytes[4]);
  head.useful_until_s = load_le<std::uint32_t>(&bytes[8]);
  head.metadata_bytes = load_le<std::uint32_t>(&bytes[12]);
  head.stored_body_bytes = load_le<std::uint32_t>(&bytes[16]);
  head.body_bytes = load_le<std::uint32_t>(&bytes[20]);
  std::copy_n(&bytes[24], head.key.size(), head.key.begin());
  for (std::size_t i = 0; i < head.group_count; ++i) head.groups[i] = load_le<std::uint64_t>(&bytes[56 + 8 * i]);
  if (head.metadata_bytes > limits.metadata_bytes || head.body_bytes > limits.body_bytes) return std::nullopt;
  if (head.stored_body_bytes > head.body_bytes) return std::nullopt;  // what does not shrink is stored as it is
  if (head.codec == BodyCodec::Identity && head.stored_body_bytes != head.body_bytes) return std::nullopt;
  if (head.kind != RecordKind::Put && head.payload_bytes() != 0) return std::nullopt;
  if (!std::ranges::equal(encode_head(head), bytes)) return std::nullopt;  // reserved bytes are zero
  return head;
}

HintEntry to_hint(const RecordHead& head, std::uint32_t offset) {
  return {.kind = head.kind,
          .group_count = head.group_count,
          .offset = offset,
          .length = static_cast<std::uint32_t>(head.record_bytes()),
          .useful_until_s = head.useful_until_s,
          .key = head.key,
          .groups = head.groups};
}

void encode_hint_entry(const HintEntry& entry, Bytes& out) {
  std::array<std::uint8_t, kHintFixedBytes + 8 * Limits::groups_per_record> raw{};
  raw[0] = std::to_underlying(entry.kind);
  raw[1] = entry.group_count;
  store_le(&raw[2], entry.offset);
  store_le(&raw[6], entry.length);
  store_le(&raw[10], entry.useful_until_s);
  std::copy(entry.key.begin(), entry.key.end(), &raw[14]);
  for (std::size_t i = 0; i < entry.group_count; ++i) store_le(&raw[kHintFixedBytes + 8 * i], entry.groups[i]);
  append(out, ByteView(raw).first(kHintFixedBytes + std::size_t{8} * entry.group_count));
}

std::optional<HintEntry> decode_hint_entry(ByteView& bytes) {
  if (bytes.size() < kHintFixedBytes || !known_kind(bytes[0]) || bytes[1] > Limits::groups_per_record)
    return std::nullopt;
  const std::size_t size = kHintFixedBytes + std::size_t{8} * bytes[1];
  if (bytes.size() < size) return std::nullopt;
  HintEntry entry;
  entry.kind = static_cast<RecordKind>(bytes[0]);
  entry.group_count = bytes[1];
  entry.offset = load_le<std::uint32_t>(&bytes[2]);
  entry.length = load_le<std::uint32_t>(&bytes[6]);
  entry.useful_until_s = load_le<std::uint32_t>(&bytes[10]);
  std::copy_n(&bytes[14], entry.key.size(), entry.key.begin());
  for (std::size_t i = 0; i < entry.group_count; ++i)
    entry.groups[i] = load_le<std::uint64_t>(&bytes[kHintFixedBytes + 8 * i]);
  if (entry.offset % kAlignment != 0 || entry.length < kSealedHeadBytes) return std::nullopt;
  bytes = bytes.subspan(size);
  return entry;
}

std::string segment_name(std::uint32_t id) { return file_name(id, ".seg"); }
std::string hint_name(std::uint32_t id) { return file_name(id, ".hint"); }

std::optional<std::uint32_t> parse_name(std::string_view name, std::string_view extension) {
  if (name.size() != kNameDigits + extension.size() || !name.ends_with(extension)) return std::nullopt;
  const auto raw = from_hex(name.substr(0, kNameDigits));
  if (!raw) return std::nullopt;
  const auto id = load_be<std::uint64_t>(raw->data());
  if (id == 0 || id > UINT32_MAX || file_name(static_cast<std::uint32_t>(id), extension) != name) return std::nullopt;
  return static_cast<std::uint32_t>(id);
}

}  // namespace ghmesh::store
