// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>

#include "base/random.hpp"
#include "body_codec.hpp"
#include "crypto/secret.hpp"
#include "segment_cipher.hpp"
#include "segment_format.hpp"
#include "store/files.hpp"

// The records on disk as one long log, cut into segment files with ascending numbers. It is a ring: records are only
// appended at the newest segment, and only the oldest segment is ever deleted, after its live records were appended
// anew. Therefore replaying the files in order always ends in the state before the stop, with no rule about which
// removal must outlive which record.
//
// A segment is appended to by the process that made it and by no other: after a restart or a failed write a new segment
// begins. When a segment is finished its index is written beside it as a hint, so a start reads hints and scans only
// the segment that was being written. Nothing is synced on the way, since losing the last records is fine and tags
// catch what a power loss mixes up; only removals that must not be forgotten ask for it.
//
// One thread at a time; blocking. Borrows the directory.

namespace ghmesh::store {

struct Location {
  std::uint32_t segment = 0;  // 0: nowhere
  std::uint32_t offset = 0;
  std::uint32_t length = 0;

  friend bool operator==(const Location&, const Location&) = default;
};

class SegmentLog {
 public:
  struct Damage {
    std::uint64_t corrupt = 0;  // records, hints and segments that did not verify
    std::uint64_t foreign = 0;  // files that are not of this store
  };
  using Replay = std::function<void(const HintEntry& entry, std::uint32_t segment)>;

  SegmentLog(Directory& directory, crypto::SecretKey32 key, const Limits& limits, ByteView dictionary, Random& random);
  ~SegmentLog();

  // Calls replay for every record in the order they were written. Segments that are not readable under the key are
  // deleted, other names left alone, both counted. Fails only if the directory cannot be listed.
  Result<> recover(const Replay& replay);

  // Appending. Limit: the record is larger than a segment. Any other error: the disk failed; the record is not there.
  Result<Location> append(const Entry& entry);
  Result<Location> append_removal(const Key& key);
  // Durable when it returns.
  Result<Location> append_purge(GroupId group);
  Result<Location> append_clear();

  // The record at a place, if it is intact and of that key; else Authentic, or Io if it could not be read.
  Result<EntryPtr> read(const Location& location, const Key& key);

  // The same without decompressing, for moving it to the log's end.
  struct Stored {
    RecordHead head;
    Bytes payload;
  };
  Result<Stored> fetch(const Location& location, const Key& key);
  Result<Location> append(const Stored& stored);

  // Ends the current segment and writes its hint; the next record begins a new one. No error: a hint only saves time.
  void finish_segment();
  // Deletes a segment and its hint. The caller keeps the order: the oldest first.
  Result<> remove(std::uint32_t segment);

  std::uint64_t disk_bytes() const { return disk_bytes_; }
  std::size_t segment_count() const { return segments_.size(); }
  // 0 if there is none. Never the one being written.
  std::uint32_t oldest_finished() const;
  std::uint64_t segment_bytes(std::uint32_t segment) const;
  const Damage& damage() const { return damage_; }

 private:
  struct OpenSegment {
    std::uint32_t id;
    std::unique_ptr<File> file;
    FileCipher cipher;
    Salt salt;
  };
  struct Active {
    OpenSegment segment;
    std::uint64_t size;
    Bytes hint;
  };
  struct Sizes {
    std::uint64_t segment = 0;
    std::uint64_t hint = 0;
  };

  Result<> begin_segment();
  Result<Location> append_sealed(const RecordHead& head, ByteView metadata, ByteView body);
  Result<Location> append_durable(const RecordHead& head);
  void abandon_segment();
  void write_hint(const OpenSegment& segment, std::uint64_t covered, ByteView entries);

  bool recover_segment(std::uint32_t id, const Replay& replay);
  std::optional<Bytes> load_hint(const OpenSegment& segment, std::uint64_t segment_size);
  // The entries of a segment without a usable hint.
  Bytes scan(OpenSegment& segment, std::uint64_t size);
  bool replay_entries(ByteView entries, std::uint32_t segment, std::uint64_t size, const Replay& replay);
  void discard(std::uint32_t id);

  Result<OpenSegment> open_segment(std::uint32_t id);
  Result<OpenSegment*> reader(std::uint32_t id);
  void account(std::uint32_t id, Sizes sizes);

  Directory& directory_;
  const crypto::SecretKey32 key_;
  const Limits limits_;
  Random& random_;
  BodyCompressor codec_;
  std::optional<Active> active_;
  std::map<std::uint32_t, Sizes> segments_;
  std::list<OpenSegment> readers_;  // most recently used first
  std::uint32_t next_id_ = 1;
  std::uint64_t disk_bytes_ = 0;
  Damage damage_;
  Bytes buffer_;
};

}  // namespace ghmesh::store
