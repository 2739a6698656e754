// SPDX-License-Identifier: Apache-2.0
// The races between owner and worker, step by step.
#include "catalog.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "store/memory_files.hpp"
#include "test_records.hpp"

namespace ghmesh::store {
namespace {

constexpr Location kFirst{1, 64, 300};
constexpr Location kSecond{1, 384, 300};

TEST(Catalog, APutThatWasReplacedWhileItWasWrittenIsNotPublished) {
  Catalog catalog;
  const auto older = catalog.begin_put(test_entry(1, 1));
  ASSERT_TRUE(catalog.pending(test_key(1), older));
  const auto newer = catalog.begin_put(test_entry(1, 2));
  EXPECT_FALSE(catalog.pending(test_key(1), older));
  EXPECT_FALSE(catalog.publish(test_key(1), older, kFirst));
  EXPECT_FALSE(catalog.abandon_put(test_key(1), older));
  EXPECT_EQ(std::get<EntryPtr>(catalog.look_up(test_key(1)))->flags, 2u);
  EXPECT_TRUE(catalog.publish(test_key(1), newer, kSecond));
  EXPECT_EQ(std::get<Location>(catalog.look_up(test_key(1))), kSecond);
}

TEST(Catalog, APutThatWasRemovedWhileItWasWrittenIsNotPublished) {
  Catalog catalog;
  const auto removed = catalog.begin_put(test_entry(1, 1, 300, {4}));
  EXPECT_TRUE(catalog.erase(test_key(1)));
  EXPECT_FALSE(catalog.publish(test_key(1), removed, kFirst));
  const auto purged = catalog.begin_put(test_entry(1, 1, 300, {4}));
  EXPECT_EQ(catalog.erase_group(4).count, 1u);
  EXPECT_FALSE(catalog.publish(test_key(1), purged, kFirst));
  EXPECT_FALSE(catalog.contains(test_key(1)));
}

TEST(Catalog, ARecordThatChangedIsNeitherMovedNorDropped) {
  Catalog catalog;
  catalog.publish(test_key(1), catalog.begin_put(test_entry(1)), kSecond);
  EXPECT_FALSE(catalog.relocate(test_key(1), kFirst, {2, 64, 300}));
  EXPECT_FALSE(catalog.drop(test_key(1), kFirst));
  EXPECT_TRUE(catalog.relocate(test_key(1), kSecond, {2, 64, 300}));
  EXPECT_TRUE(catalog.drop(test_key(1), {2, 64, 300}));
  EXPECT_EQ(catalog.live_bytes(), 0u);
}

TEST(Catalog, AbandoningAPutTakesTheOlderVersionAlong) {
  Catalog catalog;
  catalog.publish(test_key(1), catalog.begin_put(test_entry(1, 1)), kFirst);
  const auto newer = catalog.begin_put(test_entry(1, 2));
  EXPECT_TRUE(catalog.abandon_put(test_key(1), newer));
  EXPECT_FALSE(catalog.contains(test_key(1)));
}

TEST(SegmentLog, ARecordIsReadUnderItsOwnKeyOnly) {
  MemoryDisk disk;
  const auto directory = disk.open();
  crypto::SecureRandom random;
  SegmentLog log(*directory, crypto::SecretKey32(), {}, {}, random);
  const auto where = log.append(*test_entry(1));
  ASSERT_TRUE(where);
  EXPECT_TRUE(log.read(*where, test_key(1)));
  const auto other = log.read(*where, test_key(2));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::Authentic);
}

}  // namespace
}  // namespace ghmesh::store
