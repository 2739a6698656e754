// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>

#include "base/random.hpp"
#include "store/limits.hpp"
#include "store/record_store.hpp"
#include "test_records.hpp"

// What every RecordStore promises, run against the memory tier, the disk tier and both together. A fixture makes the
// store under test and knows how to let its work finish.

namespace ghmesh::store {

class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual RecordStore& store() = 0;
  // Returns when everything asked for has happened and every callback ran.
  virtual void settle() = 0;

  EntryPtr get(const Key& key) {
    EntryPtr result;
    bool called = false;
    const bool under_way = store().get(key, [&](EntryPtr entry) {
      called = true;
      result = std::move(entry);
    });
    settle();
    EXPECT_EQ(called, under_way);
    return result;
  }
};

using MakeStore = std::function<std::unique_ptr<StoreUnderTest>(const Limits&)>;

class RecordStoreConformance : public testing::TestWithParam<MakeStore> {
 protected:
  std::unique_ptr<StoreUnderTest> under_ = GetParam()(Limits{.memory_bytes = 4u << 20, .disk_bytes = 8u << 20});
  RecordStore& store_ = under_->store();
};

TEST_P(RecordStoreConformance, GivesBackExactlyWhatWasPut) {
  for (const std::size_t body : {0u, 1u, 63u, 64u, 65u, 5000u, 100'000u}) {
    auto entry = std::make_shared<Entry>(*test_entry(body, 3, body, {1, 2, 3, 4, 5, 6, 7}));
    entry->useful_until_s = 4'000'000'000;
    store_.put(entry);
    for (int settled = 0; settled < 2; ++settled) {
      const EntryPtr back = under_->get(entry->key);
      ASSERT_TRUE(back) << body;
      EXPECT_TRUE(same(*back, *entry)) << body;
      EXPECT_TRUE(store_.contains(entry->key));
    }
  }
}

TEST_P(RecordStoreConformance, AbsentIsFalse) {
  EXPECT_FALSE(store_.get(test_key(1), [](EntryPtr) { FAIL(); }));
  EXPECT_FALSE(store_.contains(test_key(1)));
  EXPECT_FALSE(store_.remove(test_key(1)));
  EXPECT_EQ(store_.purge_group(9), 0u);
  EXPECT_EQ(store_.clear(), 0u);
}

TEST_P(RecordStoreConformance, TheNewestPutWins) {
  for (std::uint64_t version = 0; version < 20; ++version) {
    store_.put(test_entry(1, version));
    if (version % 3 == 0) under_->settle();
  }
  const EntryPtr back = under_->get(test_key(1));
  ASSERT_TRUE(back);
  EXPECT_TRUE(same(*back, *test_entry(1, 19)));
  EXPECT_EQ(store_.stats().entries, 1u);
}

TEST_P(RecordStoreConformance, RemovedIsGone) {
  for (const bool settled : {false, true}) {
    store_.put(test_entry(1));
    store_.put(test_entry(2));
    if (settled) under_->settle();
    EXPECT_TRUE(store_.remove(test_key(1)));
    EXPECT_FALSE(store_.remove(test_key(1)));
    EXPECT_FALSE(under_->get(test_key(1)));
    EXPECT_TRUE(under_->get(test_key(2)));
  }
}

TEST_P(RecordStoreConformance, PurgesByGroup) {
  for (const bool settled : {false, true}) {
    for (std::uint64_t n = 0; n < 60; ++n) store_.put(test_entry(n, 0, 300, {n % 3, 100 + n % 5}));
    if (settled) under_->settle();
    EXPECT_EQ(store_.purge_group(1), 20u);
    EXPECT_EQ(store_.purge_group(1), 0u);
    EXPECT_EQ(store_.stats().entries, 40u);
    EXPECT_EQ(store_.purge_group(104), 8u);
    for (std::uint64_t n = 0; n < 60; ++n)
      EXPECT_EQ(under_->get(test_key(n)) != nullptr, n % 3 != 1 && n % 5 != 4) << n;
    // The group itself is not banned.
    store_.put(test_entry(1, 2, 300, {1}));
    under_->settle();
    EXPECT_TRUE(under_->get(test_key(1)));
    store_.clear();
  }
}

TEST_P(RecordStoreConformance, AGroupPurgeHitsTheVersionThatIsThere) {
  store_.put(test_entry(1, 0, 300, {5}));
  under_->settle();
  store_.put(test_entry(1, 1, 300, {6}));  // moved to another group
  store_.purge_group(5);
  EXPECT_TRUE(under_->get(test_key(1)));
  store_.put(test_entry(1, 2, 300, {7}));
  store_.purge_group(7);
  EXPECT_FALSE(under_->get(test_key(1)));
}

TEST_P(RecordStoreConformance, PurgesByPredicate) {
  for (std::uint64_t n = 0; n < 50; ++n) {
    auto entry = std::make_shared<Entry>(*test_entry(n));
    entry->useful_until_s = static_cast<std::uint32_t>(1000 + n);
    store_.put(entry);
    if (n == 25) under_->settle();
  }
  EXPECT_EQ(store_.purge([](const Summary& summary) { return summary.useful_until_s < 1030; }), 30u);
  for (std::uint64_t n = 0; n < 50; ++n) EXPECT_EQ(under_->get(test_key(n)) != nullptr, n >= 30);
}

TEST_P(RecordStoreConformance, ClearsAndGoesOn) {
  for (std::uint64_t n = 0; n < 30; ++n) store_.put(test_entry(n));
  under_->settle();
  for (std::uint64_t n = 20; n < 40; ++n) store_.put(test_entry(n, 1));
  EXPECT_EQ(store_.clear(), 40u);
  EXPECT_EQ(store_.stats().entries, 0u);
  EXPECT_FALSE(under_->get(test_key(25)));
  store_.put(test_entry(3, 5));
  EXPECT_TRUE(under_->get(test_key(3)));
}

TEST_P(RecordStoreConformance, VisitsEveryKeyOnce) {
  std::set<Key> expected;
  for (std::uint64_t n = 0; n < 200; ++n) {
    store_.put(test_entry(n, 0, 20, {n % 2}));
    if (n == 100) under_->settle();
    if (n % 2 == 1) expected.insert(test_key(n));
  }
  store_.put(test_entry(7, 1, 20));
  store_.purge_group(0);
  std::multiset<Key> seen;
  store_.for_each_key([&](const Key& key) { seen.insert(key); });
  EXPECT_EQ(seen.size(), expected.size());
  EXPECT_TRUE(seen == std::multiset<Key>(expected.begin(), expected.end()));
}

TEST_P(RecordStoreConformance, StaysInsideItsBounds) {
  // Many times what fits; the bound is asked after each put.
  for (std::uint64_t n = 0; n < 4'000; ++n) {
    store_.put(test_entry(n, 0, n % 97 == 0 ? 200'000 : 6'000));
    if (n % 16 == 0) under_->settle();
    const Stats stats = store_.stats();
    ASSERT_LE(stats.memory_bytes, (4u << 20) + (1u << 20));  // the index of the disk tier comes on top
    ASSERT_LE(stats.disk_bytes, 8u << 20);
  }
  under_->settle();
  const Stats stats = store_.stats();
  EXPECT_GT(stats.evictions, 1'000u);
  EXPECT_GT(stats.entries, 100u);
  EXPECT_EQ(stats.corrupt_skipped, 0u);
}

TEST_P(RecordStoreConformance, AgreesWithAMapUnderRandomUse) {
  SeededRandom random(42);
  std::map<std::uint64_t, EntryPtr> model;
  for (int i = 0; i < 4'000; ++i) {
    const std::uint64_t n = random.below(64);
    switch (random.below(12)) {
      case 0: EXPECT_EQ(store_.remove(test_key(n)), model.erase(n) > 0); break;
      case 1:
        if (random.below(8) == 0) {
          store_.purge_group(n % 4);
          std::erase_if(model, [&](const auto& each) { return in_group(*each.second, n % 4); });
        }
        break;
      case 2: under_->settle(); break;
      case 3:
      case 4:
      case 5: {
        const EntryPtr back = under_->get(test_key(n));
        const auto at = model.find(n);
        ASSERT_EQ(back != nullptr, at != model.end()) << i;
        if (back) ASSERT_TRUE(same(*back, *at->second)) << i;
        break;
      }
      default: {
        const std::uint64_t version = random.below(1000);
        model[n] = test_entry(n, version, random.below(900), {version % 4, version % 7 + 10});
        store_.put(model[n]);
      }
    }
  }
  std::set<Key> keys;
  store_.for_each_key([&](const Key& key) { keys.insert(key); });
  EXPECT_EQ(keys.size(), model.size());
}

}  // namespace ghmesh::store
