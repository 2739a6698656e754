// SPDX-License-Identifier: Apache-2.0
#include "segment_log.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::store {
namespace {

// A buffer that one large record stretched is not kept.
constexpr std::size_t kKeptBufferBytes = 1u << 20;

RecordHead head_of(const Entry& entry) {
  RecordHead head{.kind = RecordKind::Put,
                  .group_count = static_cast<std::uint8_t>(entry.groups.size()),
                  .flags = entry.flags,
                  .useful_until_s = entry.useful_until_s,
                  .metadata_bytes = static_cast<std::uint32_t>(entry.metadata.size()),
                  .body_bytes = static_cast<std::uint32_t>(entry.body.size()),
                  .key = entry.key};
  std::ranges::copy(entry.groups, head.groups.begin());
  return head;
}

std::unexpected<Error> damaged(std::string message) { return fail(ErrorCode::Authentic, std::move(message)); }

}  // namespace

SegmentLog::SegmentLog(Directory& directory, crypto::SecretKey32 key, const Limits& limits, ByteView dictionary,
                       Random& random)
    : directory_(directory), key_(std::move(key)), limits_(limits), random_(random), codec_(dictionary) {}

SegmentLog::~SegmentLog() = default;

Result<Location> SegmentLog::append(const Entry& entry) {
  if (entry.groups.size() > Limits::groups_per_record || entry.metadata.size() > limits_.metadata_bytes ||
      entry.body.size() > limits_.body_bytes)
    return fail(ErrorCode::Limit, "record is larger than the store keeps");
  RecordHead head = head_of(entry);
  const BodyCompressor::Compressed body = codec_.compress(entry.body);
  head.codec = body.codec;
  head.stored_body_bytes = static_cast<std::uint32_t>(body.bytes.size());
  return append_sealed(head, entry.metadata, body.bytes);
}

Result<Location> SegmentLog::append(const Stored& stored) { return append_sealed(stored.head, stored.payload, {}); }

Result<Location> SegmentLog::append_removal(const Key& key) {
  return append_sealed({.kind = RecordKind::Remove, .key = key}, {}, {});
}

Result<Location> SegmentLog::append_purge(GroupId group) {
  RecordHead head{.kind = RecordKind::PurgeGroup, .group_count = 1};
  head.groups[0] = group;
  return append_durable(head);
}

Result<Location> SegmentLog::append_clear() { return append_durable({.kind = RecordKind::Clear}); }

Result<Location> SegmentLog::append_durable(const RecordHead& head) {
  auto location = append_sealed(head, {}, {});
  if (!location) return location;
  if (auto synced = active_->segment.file->sync(); !synced) {
    // After a failed sync the kernel may have dropped the pages and call the file clean: nothing written there counts.
    abandon_segment();
    return std::unexpected(std::move(synced.error()));
  }
  return location;
}

Result<Location> SegmentLog::append_sealed(const RecordHead& head, ByteView metadata, ByteView body) {
  const std::uint64_t length = head.record_bytes();
  const std::uint64_t room = align_up(length);
  if (kFileHeaderBytes + room > limits_.segment_bytes) return fail(ErrorCode::Limit, "record is larger than a segment");
  if (active_ && active_->size + room > limits_.segment_bytes) finish_segment();
  if (!active_) {
    if (auto begun = begin_segment(); !begun) return std::unexpected(std::move(begun.error()));
  }
  const std::uint64_t offset = active_->size;
  if (buffer_.capacity() > kKeptBufferBytes) Bytes().swap(buffer_);
  buffer_.clear();
  buffer_.reserve(room);
  const auto plain_head = encode_head(head);
  ghmesh::append(buffer_, plain_head);
  buffer_.resize(kSealedHeadBytes);
  ghmesh::append(buffer_, metadata);
  ghmesh::append(buffer_, body);
  buffer_.resize(room);
  const MutableByteView record(buffer_);
  FileCipher& cipher = active_->segment.cipher;
  cipher.seal(offset, FileCipher::Part::Head, {}, record.first(kSealedHeadBytes));
  if (head.kind == RecordKind::Put)
    cipher.seal(offset, FileCipher::Part::Payload, codec_.binding(head.codec),
                record.subspan(kSealedHeadBytes, length - kSealedHeadBytes));
  if (auto written = active_->segment.file->write_at(offset, record); !written) {
    abandon_segment();
    return std::unexpected(std::move(written.error()));
  }
  active_->size += room;
  encode_hint_entry(to_hint(head, static_cast<std::uint32_t>(offset)), active_->hint);
  const std::uint32_t id = active_->segment.id;
  account(id, {active_->size, 0});
  return Location{id, static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(length)};
}

Result<> SegmentLog::begin_segment() {
  const std::uint32_t id = next_id_;
  if (id == UINT32_MAX) return fail(ErrorCode::Limit, "the store has used up its segment numbers");
  ++next_id_;
  FileHeader header{.segment = id};
  random_.fill(header.salt);
  FileCipher cipher(key_, FilePurpose::Segment, header.salt);
  auto file = directory_.open(segment_name(id), Directory::Mode::Create);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto bytes = seal_file_header(header, FilePurpose::Segment, cipher);
  if (auto written = (*file)->write_at(0, bytes); !written) {
    static_cast<void>(directory_.remove(segment_name(id)));  // an empty file is skipped at the next start in any case
    return written;
  }
  active_.emplace(OpenSegment{id, std::move(*file), std::move(cipher), header.salt}, kFileHeaderBytes, Bytes());
  account(id, {kFileHeaderBytes, 0});
  return {};
}

void SegmentLog::abandon_segment() {
  // Its size is no longer known; the largest it can have is what the bound has to count.
  account(active_->segment.id, {active_->size + buffer_.size(), 0});
  active_.reset();
}

void SegmentLog::finish_segment() {
  if (!active_) return;
  write_hint(active_->segment, active_->size, active_->hint);
  active_.reset();
}

// A hint is written once, whole, and sealed as one: a torn one does not open and the segment is scanned instead.
void SegmentLog::write_hint(const OpenSegment& segment, std::uint64_t covered, ByteView entries) {
  FileHeader header{.segment = segment.id};
  random_.fill(header.salt);
  FileCipher cipher(key_, FilePurpose::Hint, header.salt);
  Bytes bytes;
  bytes.reserve(kFileHeaderBytes + 8 + entries.size() + kTagBytes);
  ghmesh::append(bytes, seal_file_header(header, FilePurpose::Hint, cipher));
  bytes.resize(kFileHeaderBytes + 8);
  store_le(&bytes[kFileHeaderBytes], covered);
  ghmesh::append(bytes, entries);
  bytes.resize(bytes.size() + kTagBytes);
  cipher.seal(0, FileCipher::Part::Hint, segment.salt, MutableByteView(bytes).subspan(kFileHeaderBytes));

  const std::string name = hint_name(segment.id);
  auto file = directory_.open(name, Directory::Mode::Create);
  if (!file) return;
  if (!(*file)->write_at(0, bytes)) {
    static_cast<void>(directory_.remove(name));
    return;
  }
  account(segment.id, {covered, bytes.size()});
}

void SegmentLog::account(std::uint32_t id, Sizes sizes) {
  Sizes& known = segments_[id];
  disk_bytes_ = disk_bytes_ - known.segment - known.hint + sizes.segment + sizes.hint;
  known = sizes;
}

Result<> SegmentLog::remove(std::uint32_t segment) {
  GHMESH_CHECK(!active_ || active_->segment.id != segment);
  std::erase_if(readers_, [segment](const OpenSegment& open) { return open.id == segment; });
  const auto at = segments_.find(segment);
  if (at == segments_.end()) return {};
  // The segment before its hint: a hint alone means nothing, a segment alone would be scanned and come back.
  if (auto removed = directory_.remove(segment_name(segment)); !removed) return removed;
  if (at->second.hint != 0) static_cast<void>(directory_.remove(hint_name(segment)));
  account(segment, {});
  segments_.erase(at);
  return {};
}

std::uint32_t SegmentLog::oldest_finished() const {
  if (segments_.empty()) return 0;
  const std::uint32_t id = segments_.begin()->first;
  return active_ && active_->segment.id == id ? 0 : id;
}

std::uint64_t SegmentLog::segment_bytes(std::uint32_t segment) const {
  const auto at = segments_.find(segment);
  return at == segments_.end() ? 0 : at->second.segment;
}

Result<SegmentLog::OpenSegment> SegmentLog::open_segment(std::uint32_t id) {
  auto file = directory_.open(segment_name(id), Directory::Mode::Read);
  if (!file) return std::unexpected(std::move(file.error()));
  std::array<std::uint8_t, kFileHeaderBytes> bytes{};
  const auto got = (*file)->read_at(0, bytes);
  if (!got) return std::unexpected(got.error());
  auto opened = open_file_header(ByteView(bytes).first(*got), FilePurpose::Segment, id, key_);
  if (!opened) return damaged("segment " + segment_name(id) + " is not of this store");
  return OpenSegment{id, std::move(*file), std::move(opened->cipher), opened->header.salt};
}

Result<SegmentLog::OpenSegment*> SegmentLog::reader(std::uint32_t id) {
  if (active_ && active_->segment.id == id) return &active_->segment;
  const auto at = std::ranges::find(readers_, id, &OpenSegment::id);
  if (at != readers_.end()) {
    readers_.splice(readers_.begin(), readers_, at);
    return &readers_.front();
  }
  auto opened = open_segment(id);
  if (!opened) return std::unexpected(std::move(opened.error()));
  if (readers_.size() >= limits_.open_segments) readers_.pop_back();
  return &readers_.emplace_front(std::move(*opened));
}

Result<SegmentLog::Stored> SegmentLog::fetch(const Location& location, const Key& key) {
  auto segment = reader(location.segment);
  if (!segment) return std::unexpected(std::move(segment.error()));
  if (location.length < kSealedHeadBytes + kTagBytes) return damaged("record length");
  Stored stored;
  std::array<std::uint8_t, kSealedHeadBytes> sealed_head;
  // The head comes off on its own, so that the payload is read straight into the place where it stays.
  auto got = (*segment)->file->read_at(location.offset, sealed_head);
  if (!got) return std::unexpected(std::move(got.error()));
  if (*got != sealed_head.size() || !(*segment)->cipher.open(location.offset, FileCipher::Part::Head, {}, sealed_head))
    return damaged("record head");
  const auto head = decode_head(ByteView(sealed_head).first(kHeadBytes), limits_);
  if (!head || head->kind != RecordKind::Put || head->key != key || head->record_bytes() != location.length)
    return damaged("record head");
  stored.head = *head;
  stored.payload.resize(location.length - kSealedHeadBytes);
  got = (*segment)->file->read_at(std::uint64_t{location.offset} + kSealedHeadBytes, stored.payload);
  if (!got) return std::unexpected(std::move(got.error()));
  if (*got != stored.payload.size() ||
      !(*segment)->cipher.open(location.offset, FileCipher::Part::Payload, codec_.binding(head->codec), stored.payload))
    return damaged("record payload");
  stored.payload.resize(stored.payload.size() - kTagBytes);
  return stored;
}

Result<EntryPtr> SegmentLog::read(const Location& location, const Key& key) {
  auto stored = fetch(location, key);
  if (!stored) return std::unexpected(std::move(stored.error()));
  const RecordHead& head = stored->head;
  const ByteView payload(stored->payload);
  auto body = codec_.decompress(head.codec, payload.subspan(head.metadata_bytes), head.body_bytes);
  if (!body) return damaged("record body");
  const ByteView metadata = payload.first(head.metadata_bytes);
  return share({.key = key,
                .flags = head.flags,
                .useful_until_s = head.useful_until_s,
                .groups = {head.groups.begin(), head.groups.begin() + head.group_count},
                .metadata = {metadata.begin(), metadata.end()},
                .body = std::move(*body)});
}

}  // namespace ghmesh::store
