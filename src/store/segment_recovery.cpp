// SPDX-License-Identifier: Apache-2.0
// The start of a SegmentLog: hints where they are whole, a scan of heads where not.
#include <algorithm>

#include "segment_log.hpp"

namespace ghmesh::store {
namespace {

// Reads a file forwards in large steps and shows any part of it that lies ahead.
class ForwardWindow {
 public:
  ForwardWindow(File& file, std::uint64_t size) : file_(file), size_(size) {}

  // length bytes at offset, or fewer if the file ends or fails there. Offsets never go back.
  ByteView at(std::uint64_t offset, std::size_t length) {
    if (offset < start_ || offset + length > start_ + filled_) {
      start_ = offset;
      buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kStepBytes, size_ - std::min(size_, offset))));
      const auto got = file_.read_at(start_, buffer_);
      filled_ = got.value_or(0);
    }
    const std::size_t skip = static_cast<std::size_t>(offset - start_);
    return ByteView(buffer_)
        .first(filled_)
        .subspan(std::min(skip, filled_))
        .first(std::min(length, filled_ - std::min(skip, filled_)));
  }

 private:
  static constexpr std::size_t kStepBytes = 256u << 10;
  File& file_;
  const std::uint64_t size_;
  Bytes buffer_;
  std::uint64_t start_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace

Result<> SegmentLog::recover(const Replay& replay) {
  auto names = directory_.list();
  if (!names) return std::unexpected(std::move(names.error()));
  std::vector<std::uint32_t> ids;
  std::vector<std::uint32_t> hints;
  for (const std::string& name : *names) {
    if (const auto id = parse_name(name, ".seg"))
      ids.push_back(*id);
    else if (const auto hint = parse_name(name, ".hint"))
      hints.push_back(*hint);
    else if (name != kKeyName && name != kIntactName)
      ++damage_.foreign;
  }
  std::ranges::sort(ids);
  for (const std::uint32_t id : hints) {
    if (std::ranges::binary_search(ids, id)) continue;
    static_cast<void>(directory_.remove(hint_name(id)));  // a stop between the two deletions of remove()
    next_id_ = std::max(next_id_, id + 1);
  }
  for (const std::uint32_t id : ids) {
    next_id_ = std::max(next_id_, id == UINT32_MAX ? id : id + 1);
    if (!recover_segment(id, replay)) discard(id);
  }
  return {};
}

// False: nothing in it is of use.
bool SegmentLog::recover_segment(std::uint32_t id, const Replay& replay) {
  auto segment = open_segment(id);
  if (!segment) {
    ++(segment.error().code == ErrorCode::Authentic ? damage_.corrupt : damage_.foreign);
    return false;
  }
  const auto size = segment->file->size();
  if (!size) return false;
  if (const auto hint = load_hint(*segment, *size)) {
    account(id, {*size, kFileHeaderBytes + 8 + hint->size() + kTagBytes});
    return replay_entries(*hint, id, *size, replay);
  }
  static_cast<void>(directory_.remove(hint_name(id)));
  const Bytes entries = scan(*segment, *size);
  if (entries.empty()) return false;
  account(id, {*size, 0});
  replay_entries(entries, id, *size, replay);
  write_hint(*segment, *size, entries);
  return true;
}

std::optional<Bytes> SegmentLog::load_hint(const OpenSegment& segment, std::uint64_t segment_size) {
  auto file = directory_.open(hint_name(segment.id), Directory::Mode::Read);
  if (!file) return std::nullopt;
  // No segment has more records than heads fit into it, so no hint is longer than the segment itself and a header.
  auto content = read_all(**file, segment_size + kFileHeaderBytes + 8 + kTagBytes);
  const auto unusable = [this] {
    ++damage_.corrupt;
    return std::nullopt;
  };
  if (!content) return unusable();
  auto opened = open_file_header(*content, FilePurpose::Hint, segment.id, key_);
  if (!opened) return unusable();
  const MutableByteView sealed = MutableByteView(*content).subspan(kFileHeaderBytes);
  if (sealed.size() < 8 + kTagBytes || !opened->cipher.open(0, FileCipher::Part::Hint, segment.salt, sealed))
    return unusable();
  // A segment that got shorter lost records: which ones, a scan tells.
  if (load_le<std::uint64_t>(sealed.data()) > segment_size) return unusable();
  const ByteView entries = sealed.subspan(8, sealed.size() - 8 - kTagBytes);
  return Bytes(entries.begin(), entries.end());
}

Bytes SegmentLog::scan(OpenSegment& segment, std::uint64_t size) {
  Bytes entries;
  ForwardWindow window(*segment.file, size);
  bool in_damage = false;
  for (std::uint64_t offset = kFileHeaderBytes; offset < size;) {
    std::array<std::uint8_t, kSealedHeadBytes> sealed{};
    const ByteView bytes = window.at(offset, sealed.size());
    if (bytes.empty()) {  // the file does not read further
      if (!in_damage) ++damage_.corrupt;
      break;
    }
    std::ranges::copy(bytes, sealed.begin());
    std::optional<RecordHead> head;
    if (bytes.size() == sealed.size() && segment.cipher.open(offset, FileCipher::Part::Head, {}, sealed))
      head = decode_head(ByteView(sealed).first(kHeadBytes), limits_);
    if (head && offset + head->record_bytes() <= size) {
      in_damage = false;
      encode_hint_entry(to_hint(*head, static_cast<std::uint32_t>(offset)), entries);
      offset += align_up(head->record_bytes());
      continue;
    }
    // A record cut off by the end, or a damaged head: the length is lost, so every step may begin the next record.
    if (!in_damage) ++damage_.corrupt;
    in_damage = true;
    offset += kAlignment;
  }
  return entries;
}

bool SegmentLog::replay_entries(ByteView entries, std::uint32_t segment, std::uint64_t size, const Replay& replay) {
  while (const auto entry = decode_hint_entry(entries)) {
    if (std::uint64_t{entry->offset} + entry->length <= size) replay(*entry, segment);
  }
  return true;
}

void SegmentLog::discard(std::uint32_t id) {
  static_cast<void>(directory_.remove(segment_name(id)));
  static_cast<void>(directory_.remove(hint_name(id)));
  if (segments_.contains(id)) {
    account(id, {});
    segments_.erase(id);
  }
}

}  // namespace ghmesh::store
