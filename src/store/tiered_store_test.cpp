// SPDX-License-Identifier: Apache-2.0
#include "store/tiered_store.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "store/memory_files.hpp"
#include "test_loop.hpp"
#include "test_records.hpp"

namespace ghmesh::store {
namespace {

class Tiered : public testing::Test {
 protected:
  Tiered() { reopen(); }

  void reopen() {
    store_.reset();
    auto disk = open_disk_store(files_.open(), limits_, clock_, random_, loop_, false);
    disk_ = disk.get();
    store_ = std::make_unique<TieredStore>(limits_, std::move(disk));
  }

  Limits limits_{.memory_bytes = 64u << 10, .disk_bytes = 8u << 20, .min_free_share = 0};
  MemoryDisk files_;
  ManualClock clock_;
  crypto::SecureRandom random_;
  TestLoop loop_;
  DiskStore* disk_ = nullptr;
  std::unique_ptr<TieredStore> store_;
};

TEST_F(Tiered, WhatIsReadFromDiskComesBackToMemory) {
  store_->put(test_entry(1, 1));
  reopen();
  EXPECT_FALSE(store_->find(test_key(1)));
  EXPECT_TRUE(store_->contains(test_key(1)));
  EntryPtr got;
  EXPECT_TRUE(store_->get_from_disk(test_key(1), [&](EntryPtr entry) { got = std::move(entry); }));
  loop_.settle(*disk_);
  ASSERT_TRUE(got);
  EXPECT_TRUE(same(*got, *test_entry(1, 1)));
  EXPECT_EQ(store_->find(test_key(1)).get(), got.get());
}

TEST_F(Tiered, OneReadServesAllWhoWait) {
  store_->put(test_entry(1, 1));
  reopen();
  const std::uint64_t before = files_.calls();
  int answered = 0;
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(store_->get_from_disk(test_key(1), [&](EntryPtr entry) { answered += entry ? 1 : 0; }));
  loop_.settle(*disk_);
  EXPECT_EQ(answered, 10);
  EXPECT_LE(files_.calls() - before, 4u);
}

// The race: a read is under way, the record changes, the read's result arrives.
//
//   owner   get ────────────── remove ──────────── on_read: must not bring it back
//   worker       ── read ──┐ post
TEST_F(Tiered, AReadThatWasOvertakenIsNotKept) {
  const auto overtaken_by = [&](const std::function<void()>& change) {
    store_->put(test_entry(1, 1, 300, {4}));
    reopen();
    bool called = false;
    EXPECT_TRUE(store_->get_from_disk(test_key(1), [&](EntryPtr entry) {
      called = true;
      EXPECT_FALSE(entry);
    }));
    disk_->flush();  // the old record is read and its result posted
    change();
    loop_.settle(*disk_);
    EXPECT_TRUE(called);
  };
  overtaken_by([&] { store_->remove(test_key(1)); });
  EXPECT_FALSE(store_->contains(test_key(1)));
  overtaken_by([&] { store_->purge_group(4); });
  EXPECT_FALSE(store_->contains(test_key(1)));
  overtaken_by([&] { store_->clear(); });
  EXPECT_FALSE(store_->contains(test_key(1)));
  overtaken_by([&] { store_->put(test_entry(1, 2)); });
  ASSERT_TRUE(store_->find(test_key(1)));
  EXPECT_EQ(store_->find(test_key(1))->flags, 2u);
}

TEST_F(Tiered, ALargeBodyLivesOnDiskOnly) {
  store_->put(test_entry(1, 1, 200'000));
  EXPECT_FALSE(store_->find(test_key(1)));
  EntryPtr got;
  EXPECT_TRUE(store_->get(test_key(1), [&](EntryPtr entry) { got = std::move(entry); }));
  loop_.settle(*disk_);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->body.size(), 200'000u);
}

TEST_F(Tiered, MemoryOnlyIsNoError) {
  TieredStore store(limits_, nullptr);
  store.put(test_entry(1));
  EXPECT_TRUE(store.find(test_key(1)));
  EXPECT_FALSE(store.get_from_disk(test_key(2), [](EntryPtr) { FAIL(); }));
  EXPECT_FALSE(store.stats().degraded);
  EXPECT_TRUE(TieredStore(limits_, nullptr, true).stats().degraded);
}

TEST_F(Tiered, StatisticsSpeakOfBoth) {
  for (std::uint64_t n = 0; n < 100; ++n) store_->put(test_entry(n, 1, 2000));
  loop_.settle(*disk_);
  const Stats stats = store_->stats();
  EXPECT_EQ(stats.entries, 100u);
  EXPECT_GT(stats.disk_bytes, 100'000u);
  EXPECT_GT(stats.evictions, 50u);  // from memory
  EXPECT_EQ(stats.write_drops, 0u);
}

}  // namespace
}  // namespace ghmesh::store
