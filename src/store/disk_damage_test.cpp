// SPDX-License-Identifier: Apache-2.0
// Whatever happens to the files: a record comes back whole or not at all, and what is missing was counted.
#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "segment_format.hpp"
#include "store/memory_files.hpp"
#include "test_loop.hpp"
#include "test_records.hpp"

namespace ghmesh::store {
namespace {

constexpr std::uint64_t kRecords = 6;

class DiskDamage : public testing::Test {
 protected:
  DiskDamage() {
    auto store = open();
    for (std::uint64_t n = 0; n < kRecords; ++n) store->put(test_entry(n, 1, 40 + 90 * n, {n}));
  }

  std::unique_ptr<DiskStore> open() { return open_disk_store(disk_.open(), limits_, clock_, random_, loop_, false); }

  struct Seen {
    std::size_t good = 0;
    std::size_t wrong = 0;
    Stats stats;
  };
  Seen look() {
    Seen seen;
    auto store = open();
    if (!store) return seen;
    for (std::uint64_t n = 0; n < 2 * kRecords; ++n) {
      EntryPtr entry;
      store->get(test_key(n), [&](EntryPtr got) { entry = std::move(got); });
      loop_.settle(*store);
      if (!entry) continue;
      ++(same(*entry, *test_entry(n, 1, 40 + 90 * n, {n})) ? seen.good : seen.wrong);
    }
    seen.stats = store->stats();
    return seen;
  }

  std::map<std::string, Bytes> snapshot() const {
    std::map<std::string, Bytes> files;
    for (const std::string& name : disk_.names()) files[name] = disk_.content(name);
    return files;
  }
  void restore(const std::map<std::string, Bytes>& files) {
    for (const std::string& name : disk_.names()) disk_.erase(name);
    for (const auto& [name, bytes] : files) disk_.set_content(name, bytes);
  }

  Limits limits_{.disk_bytes = 1u << 20, .min_free_share = 0};
  MemoryDisk disk_;
  ManualClock clock_;
  crypto::SecureRandom random_;
  TestLoop loop_;
};

TEST_F(DiskDamage, UndamagedIsComplete) {
  const Seen seen = look();
  EXPECT_EQ(seen.good, kRecords);
  EXPECT_EQ(seen.stats.corrupt_skipped, 0u);
  EXPECT_EQ(seen.stats.foreign_files, 0u);
}

// With the hint and without: the index comes from another place, the verdict must not.
TEST_F(DiskDamage, EveryFlippedByteOfASegmentIsFound) {
  for (const bool with_hint : {true, false}) {
    auto files = snapshot();
    if (!with_hint) files.erase(hint_name(1));
    const Bytes segment = files.at(segment_name(1));
    for (std::size_t at = 0; at < segment.size(); ++at) {
      files[segment_name(1)][at] ^= static_cast<std::uint8_t>(1u << at % 8);
      restore(files);
      files[segment_name(1)] = segment;
      const Seen seen = look();
      ASSERT_EQ(seen.wrong, 0u) << at;
      // One record at most is lost, all if it was the file's header. Bytes between records mean nothing.
      ASSERT_GE(seen.good, at < kFileHeaderBytes ? 0 : kRecords - 1) << at;
      if (seen.good < kRecords) ASSERT_GE(seen.stats.corrupt_skipped, 1u) << at;
    }
  }
}

TEST_F(DiskDamage, EveryFlippedByteOfHintAndKeyIsFound) {
  const auto files = snapshot();
  for (const std::string& name : {hint_name(1), std::string(kKeyName)}) {
    for (std::size_t at = 0; at < files.at(name).size(); ++at) {
      auto changed = files;
      changed[name][at] ^= 0x10;
      restore(changed);
      const Seen seen = look();
      ASSERT_EQ(seen.wrong, 0u) << name << at;
      ASSERT_GE(seen.stats.corrupt_skipped, 1u) << name << at;
      ASSERT_EQ(seen.good, name == kKeyName ? 0 : kRecords) << name << at;
    }
  }
}

TEST_F(DiskDamage, EveryTruncationIsFound) {
  for (const bool with_hint : {true, false}) {
    auto files = snapshot();
    if (!with_hint) files.erase(hint_name(1));
    const Bytes segment = files.at(segment_name(1));
    std::size_t most = 0;
    for (std::size_t length = 0; length < segment.size(); ++length) {
      files[segment_name(1)] = Bytes(segment.begin(), segment.begin() + static_cast<std::ptrdiff_t>(length));
      restore(files);
      const Seen seen = look();
      ASSERT_EQ(seen.wrong, 0u) << length;
      ASSERT_GE(seen.good, most) << length;  // more bytes, never fewer records
      if (with_hint) ASSERT_GE(seen.stats.corrupt_skipped, 1u) << length;
      most = seen.good;
    }
    EXPECT_EQ(most, kRecords);
  }
}

TEST_F(DiskDamage, TruncatedHintsMeanAScan) {
  const auto files = snapshot();
  for (std::size_t length = 0; length < files.at(hint_name(1)).size(); ++length) {
    auto changed = files;
    changed[hint_name(1)].resize(length);
    restore(changed);
    ASSERT_EQ(look().good, kRecords) << length;
  }
}

TEST_F(DiskDamage, ADamagedHeadCostsOneRecordAndTheScanGoesOn) {
  auto files = snapshot();
  files.erase(hint_name(1));
  files[segment_name(1)][kFileHeaderBytes + 5] ^= 1;
  restore(files);
  const Seen seen = look();
  EXPECT_EQ(seen.good, kRecords - 1);
  EXPECT_EQ(seen.stats.corrupt_skipped, 1u);
}

TEST_F(DiskDamage, SwappedAndForeignFilesAreRefused) {
  {
    auto store = open();
    for (std::uint64_t n = 0; n < kRecords; ++n) store->put(test_entry(100 + n, 1, 600));
  }
  auto files = snapshot();
  ASSERT_TRUE(files.contains(segment_name(2)));
  std::swap(files[segment_name(1)], files[segment_name(2)]);
  restore(files);
  Seen seen = look();
  EXPECT_EQ(seen.good + seen.wrong, 0u);
  EXPECT_GE(seen.stats.corrupt_skipped, 2u);

  std::swap(files[segment_name(1)], files[segment_name(2)]);
  std::swap(files[hint_name(1)], files[hint_name(2)]);
  restore(files);
  seen = look();
  EXPECT_EQ(seen.good, kRecords);
  EXPECT_EQ(seen.stats.corrupt_skipped, 2u);

  // The segment of another store under a name of ours, and files that are nobody's.
  MemoryDisk other;
  {
    open_disk_store(other.open(), limits_, clock_, random_, loop_, false)->put(test_entry(3, 1));
  }
  files[segment_name(9)] = other.content(segment_name(1));
  files["notes.txt"] = to_bytes("mine");
  files["1.seg"] = to_bytes("not a name of ours");
  restore(files);
  seen = look();
  EXPECT_EQ(seen.good, kRecords);
  EXPECT_EQ(seen.wrong, 0u);
  EXPECT_EQ(seen.stats.foreign_files, 2u);
  EXPECT_EQ(disk_.content("notes.txt"), to_bytes("mine"));
  EXPECT_EQ(disk_.content(segment_name(9)), Bytes());
}

// Two records of one shape change places, whole or only by their heads: every part is authentic, at another offset.
TEST_F(DiskDamage, RecordsMovedInsideASegmentAreRefused) {
  {
    auto store = open();
    for (const std::uint64_t n : {20u, 21u}) store->put(test_entry(n, 1, 40, {n}));
  }
  auto files = snapshot();
  ASSERT_TRUE(files.contains(segment_name(2)));
  files.erase(hint_name(2));
  const std::size_t size = align_up(kSealedHeadBytes + 40 + 40 + kTagBytes);
  const auto found = [&](std::uint64_t n) {
    auto store = open();
    EntryPtr entry;
    store->get(test_key(n), [&](EntryPtr got) { entry = std::move(got); });
    loop_.settle(*store);
    return entry;
  };
  restore(files);
  for (const std::uint64_t n : {20u, 21u}) ASSERT_TRUE(found(n)) << n;
  for (const std::size_t moved : {kSealedHeadBytes, size}) {
    auto swapped = files;
    const auto first = swapped[segment_name(2)].begin() + kFileHeaderBytes;
    std::swap_ranges(first, first + static_cast<std::ptrdiff_t>(moved), first + static_cast<std::ptrdiff_t>(size));
    restore(swapped);
    for (const std::uint64_t n : {20u, 21u}) EXPECT_FALSE(found(n)) << n << " of " << moved;
  }
}

TEST_F(DiskDamage, NothingOfARecordIsReadableInTheFiles) {
  {
    open()->put(share({.key = test_key(77), .metadata = to_bytes("SECRET-META"), .body = to_bytes("SECRET-BODY")}));
  }
  for (const auto& [name, bytes] : snapshot()) {
    EXPECT_EQ(as_text(bytes).find("SECRET"), std::string_view::npos) << name;
    EXPECT_EQ(as_text(bytes).find(as_text(test_key(77))), std::string_view::npos) << name;
  }
}

TEST_F(DiskDamage, AStartWithoutTheMarkerDiscardsAll) {
  disk_.erase(std::string(kIntactName));
  EXPECT_EQ(look().good, 0u);
  EXPECT_FALSE(disk_.content(segment_name(1)).size());
}

TEST_F(DiskDamage, AnotherDictionaryIsAMissAndNotGarbage) {
  MemoryDisk disk;
  const auto with = [&](std::string_view dictionary) {
    return std::move(*DiskStore::open(disk.open(),
                                      {.limits = limits_, .dictionary = to_bytes(dictionary), .own_thread = false},
                                      clock_, random_, loop_.post(), {}));
  };
  const auto get = [&](DiskStore& store) {
    EntryPtr entry;
    store.get(test_key(1), [&](EntryPtr got) { entry = std::move(got); });
    loop_.settle(store);
    return entry;
  };
  const std::string text =
      R"({"id":12345,"node_id":"MDEwOlJlcG9zaXRvcnkx","name":"hello","full_name":"octocat/hello","private":false})";
  with(text)->put(share({.key = test_key(1), .body = to_bytes(text + text)}));
  {
    auto store = with(text);
    const EntryPtr entry = get(*store);
    ASSERT_TRUE(entry);
    EXPECT_EQ(as_text(entry->body), text + text);
  }
  std::string other = text;
  other[20] = '?';
  auto store = with(other);
  EXPECT_FALSE(get(*store));
  EXPECT_EQ(store->stats().corrupt_skipped, 1u);
}

}  // namespace
}  // namespace ghmesh::store
