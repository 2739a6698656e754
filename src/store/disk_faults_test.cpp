// SPDX-License-Identifier: Apache-2.0
// Each file operation fails in turn, as SQLite's tests do it: for every n, the n-th call fails, or the n-th and all
// behind it. Whatever is read, then and after a restart, must be the newest version or nothing.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "crypto/random.hpp"
#include "segment_format.hpp"
#include "store/memory_files.hpp"
#include "store/tiered_store.hpp"
#include "test_loop.hpp"
#include "test_records.hpp"

namespace ghmesh::store {
namespace {

using Fault = MemoryDisk::Fault;

class DiskFaults : public testing::Test {
 protected:
  // Small segments, so that a short script finishes, hints, cleans and deletes some.
  Limits limits_{.disk_bytes = 64u << 10, .segment_bytes = 8u << 10, .min_free_share = 0};
  ManualClock clock_;
  crypto::SecureRandom random_;
  TestLoop loop_;

  Result<std::unique_ptr<DiskStore>> open(MemoryDisk& disk) {
    return DiskStore::open(disk.open(), {.limits = limits_, .own_thread = false}, clock_, random_, loop_.post(), {});
  }

  EntryPtr get(DiskStore& store, std::uint64_t n) {
    EntryPtr entry;
    store.get(test_key(n), [&](EntryPtr got) { entry = std::move(got); });
    loop_.settle(store);
    return entry;
  }

  static constexpr std::uint64_t kKeys = 40;
  using Model = std::map<std::uint64_t, std::uint64_t>;  // number → newest version; absent: removed

  static EntryPtr record(std::uint64_t n, std::uint64_t version) {
    return test_entry(n, version, 200 + 13 * n, {n % 3});
  }

  void expect_newest_or_nothing(DiskStore& store, const Model& model, const std::string& when) {
    for (std::uint64_t n = 0; n < kKeys; ++n) {
      const EntryPtr entry = get(store, n);
      if (!entry) continue;
      const auto at = model.find(n);
      ASSERT_TRUE(at != model.end()) << when << ": removed record " << n << " is back";
      ASSERT_TRUE(same(*entry, *record(n, at->second))) << when << ": record " << n << " in an older version";
    }
  }

  void script(DiskStore& store, Model& model) {
    std::uint64_t version = 0;
    for (int round = 0; round < 6; ++round) {
      for (std::uint64_t n = 0; n < kKeys; n += 1 + n % 2) {
        store.put(record(n, ++version));
        model[n] = version;
        loop_.settle(store);
      }
      store.remove(test_key(static_cast<std::uint64_t>(round)));
      model.erase(static_cast<std::uint64_t>(round));
      if (round % 2 == 1) {
        store.purge_group(2);
        std::erase_if(model, [](const auto& each) { return each.first % 3 == 2; });
      }
      loop_.settle(store);
      expect_newest_or_nothing(store, model, "round " + std::to_string(round));
      clock_.advance(20s);  // every second round is late enough for another attempt
    }
  }

  // Returns the number of calls; 0 if the plan never struck.
  void run(const MemoryDisk::Plan& plan, const std::string& what, bool crash) {
    MemoryDisk disk;
    Model model;
    disk.set_plan(plan);
    if (auto store = open(disk)) {
      script(**store, model);
      if (HasFatalFailure()) return;
      // A killed process does nothing more: not even the writes of an orderly end.
      if (crash) disk.set_plan([](std::uint64_t, std::string_view) { return Fault::Io; });
    }
    disk.set_plan({});
    auto store = open(disk);
    ASSERT_TRUE(store) << what << ": " << store.error().message;
    expect_newest_or_nothing(**store, model, what + ", after the restart");
    (*store)->put(record(1, 999'999));
    loop_.settle(**store);
    EXPECT_TRUE(get(**store, 1)) << what;
  }

  std::uint64_t calls_of_the_script() {
    MemoryDisk disk;
    Model model;
    {
      auto store = open(disk);
      script(**store, model);
      EXPECT_GT((*store)->stats().cleanings, 2u);
      for (const auto& [n, version] : model) EXPECT_TRUE(get(**store, n) || (*store)->stats().evictions > 0);
    }
    return disk.calls();
  }
};

TEST_F(DiskFaults, TheNthCallFails) {
  const std::uint64_t calls = calls_of_the_script();
  ASSERT_GT(calls, 300u);
  for (const Fault fault : {Fault::Io, Fault::NoSpace, Fault::ShortWrite}) {
    for (std::uint64_t n = 1; n <= calls; n += fault == Fault::Io ? 1 : 5) {
      // A marker that could not be deleted when a removal is owed is the one case nothing helps against; a second
      // fault is needed for it.
      run([=](std::uint64_t call, std::string_view) { return call == n ? fault : Fault::None; },
          "call " + std::to_string(n) + " fails", n % 2 == 0);
      ASSERT_FALSE(HasFailure()) << n;
    }
  }
}

TEST_F(DiskFaults, AllWritesFromTheNthFail) {
  const std::uint64_t calls = calls_of_the_script();
  for (std::uint64_t n = 1; n <= calls; n += 3) {
    run(
        [=](std::uint64_t call, std::string_view operation) {
          return call >= n && (operation == "write" || operation == "sync") ? Fault::NoSpace : Fault::None;
        },
        "writes from call " + std::to_string(n) + " fail", n % 2 == 0);
    ASSERT_FALSE(HasFailure()) << n;
  }
}

TEST_F(DiskFaults, EveryThirdCallFails) {
  for (std::uint64_t seed = 1; seed < 40; ++seed) {
    MemoryDisk disk;
    Model model;
    auto store = open(disk);
    disk.set_plan([random = std::make_shared<SeededRandom>(seed)](std::uint64_t, std::string_view operation) {
      return operation != "remove" && random->below(3) == 0 ? Fault::Io : Fault::None;
    });
    script(**store, model);
    ASSERT_FALSE(HasFatalFailure()) << seed;
    store->reset();
    disk.set_plan({});
    auto again = open(disk);
    ASSERT_TRUE(again);
    expect_newest_or_nothing(**again, model, "after the restart");
    ASSERT_FALSE(HasFatalFailure()) << seed;
  }
}

TEST_F(DiskFaults, TornWritesThatReportSuccessAreNeverServed) {
  const std::uint64_t calls = calls_of_the_script();
  for (std::uint64_t n = 1; n <= calls; n += 2) {
    MemoryDisk disk;
    Model model;
    disk.set_plan([=](std::uint64_t call, std::string_view) { return call == n ? Fault::TornWrite : Fault::None; });
    if (auto store = open(disk)) script(**store, model);
    ASSERT_FALSE(HasFatalFailure()) << n;
    disk.set_plan({});
    auto store = open(disk);
    ASSERT_TRUE(store);
    for (std::uint64_t k = 0; k < kKeys; ++k) {
      // A disk that lies may bring back an older version, never one that was not put.
      if (const EntryPtr entry = get(**store, k)) ASSERT_TRUE(same(*entry, *record(k, entry->flags)));
    }
  }
}

TEST_F(DiskFaults, PowerLossLosesTailsOnly) {
  for (std::uint64_t seed = 1; seed < 60; ++seed) {
    MemoryDisk disk;
    Model model;
    {
      auto store = open(disk);
      script(**store, model);
      disk.set_plan([](std::uint64_t, std::string_view) { return Fault::Io; });
    }
    disk.set_plan({});
    SeededRandom random(seed);
    disk.crash([&](std::uint64_t unsynced) { return random.below(unsynced + 1); });
    auto store = open(disk);
    if (!store) continue;  // the key file may be among what was lost; it was synced, so it is not
    for (std::uint64_t k = 0; k < kKeys; ++k)
      if (const EntryPtr entry = get(**store, k)) ASSERT_TRUE(same(*entry, *record(k, entry->flags)));
  }
}

TEST_F(DiskFaults, AFullDiskDegradesWithOneWarningAndComesBack) {
  MemoryDisk disk;
  std::vector<std::string> lines;
  auto opened = DiskStore::open(
      disk.open(), {.limits = limits_, .own_thread = false}, clock_, random_, loop_.post(),
      log::Logger(log::Level::Debug, log::Format::Text, [&](std::string_view line) { lines.emplace_back(line); }));
  ASSERT_TRUE(opened);
  DiskStore& store = **opened;
  store.put(record(1, 1));
  store.put(record(2, 1));
  loop_.settle(store);
  disk.set_capacity(0);
  for (std::uint64_t i = 0; i < 200; ++i) {
    store.put(record(3 + i % 20, i));
    loop_.settle(store);
    clock_.advance(1s);
  }
  store.put(record(1, 2));  // the older version must not outlive this
  loop_.settle(store);
  EXPECT_TRUE(store.stats().degraded);
  EXPECT_EQ(store.stats().write_drops, 201u);
  EXPECT_GT(store.stats().io_errors, 3u);
  EXPECT_EQ(lines.size(), 1u);
  EXPECT_TRUE(get(store, 2));  // reading goes on
  EXPECT_FALSE(get(store, 1));
  EXPECT_TRUE(disk.content(std::string(kIntactName)).empty());

  disk.set_capacity(std::nullopt);
  clock_.advance(limits_.retry_after);
  store.put(record(5, 7));
  loop_.settle(store);
  EXPECT_FALSE(store.stats().degraded);
  EXPECT_EQ(lines.size(), 2u);
  opened->reset();
  auto again = open(disk);
  ASSERT_TRUE(again);
  EXPECT_TRUE(get(**again, 2));
  EXPECT_TRUE(get(**again, 5));
  EXPECT_FALSE(get(**again, 1));
}

// An offset that was sealed once is never sealed again, even if the write failed: the nonce is used up.
TEST_F(DiskFaults, AFailedWriteEndsTheSegmentForGood) {
  for (const Fault fault : {Fault::ShortWrite, Fault::NoSpace, Fault::Io}) {
    MemoryDisk disk;
    auto opened = open(disk);
    (*opened)->put(record(1, 1));
    loop_.settle(**opened);
    disk.set_plan(
        [=](std::uint64_t, std::string_view operation) { return operation == "write" ? fault : Fault::None; });
    (*opened)->put(record(2, 1));
    loop_.settle(**opened);
    const Bytes left = disk.content(segment_name(1));
    disk.set_plan({});
    clock_.advance(limits_.retry_after);
    (*opened)->put(record(3, 1));
    loop_.settle(**opened);
    EXPECT_TRUE(get(**opened, 1) && get(**opened, 3));
    EXPECT_EQ(disk.content(segment_name(1)), left);
    EXPECT_GT(disk.content(segment_name(2)).size(), kFileHeaderBytes);
    // A restart does not go on in an old segment either.
    opened->reset();
    opened = open(disk);
    const Bytes second = disk.content(segment_name(2));
    (*opened)->put(record(4, 1));
    loop_.settle(**opened);
    EXPECT_EQ(disk.content(segment_name(1)), left);
    EXPECT_EQ(disk.content(segment_name(2)), second);
  }
}

TEST_F(DiskFaults, AKillWhileARemovalIsOwedGivesUpTheStore) {
  MemoryDisk disk;
  {
    auto store = open(disk);
    (*store)->put(record(1, 1));
    (*store)->put(record(2, 1));
    loop_.settle(**store);
    disk.set_capacity(0);
    (*store)->remove(test_key(1));
    loop_.settle(**store);
    EXPECT_FALSE(get(**store, 1));
    EXPECT_TRUE(get(**store, 2));
  }
  disk.set_capacity(std::nullopt);
  auto store = open(disk);
  ASSERT_TRUE(store);
  EXPECT_FALSE(get(**store, 1));
  EXPECT_EQ((*store)->stats().entries, 0u);
}

TEST_F(DiskFaults, AFullQueueDropsThePutAndTheOlderVersion) {
  MemoryDisk disk;
  limits_.queued_puts = 4;
  auto opened = open(disk);
  DiskStore& store = **opened;
  store.put(record(9, 1));
  loop_.settle(store);
  for (std::uint64_t n = 0; n < 4; ++n) store.put(record(n, 1));
  store.put(record(9, 2));
  EXPECT_EQ(store.stats().write_drops, 1u);
  EXPECT_FALSE(store.contains(test_key(9)));
  loop_.settle(store);
  opened->reset();
  auto again = open(disk);
  EXPECT_FALSE(get(**again, 9));
  EXPECT_TRUE(get(**again, 3));
}

TEST_F(DiskFaults, ASecondOpenerIsTold) {
  MemoryDisk disk;
  auto first = open(disk);
  ASSERT_TRUE(first);
  const auto second = open(disk);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Conflict);
  first->reset();
  EXPECT_TRUE(open(disk));
}

TEST_F(DiskFaults, ResultsAfterTheStoreIsGoneAreDropped) {
  MemoryDisk disk;
  auto opened = open(disk);
  (*opened)->put(record(1, 1));
  (*opened)->flush();
  (*opened)->get(test_key(1), [](EntryPtr) { FAIL(); });
  (*opened)->flush();  // the result is posted, the owner has not run it yet
  opened->reset();
  loop_.run_posted();
}

TEST_F(DiskFaults, EvictionKeepsWhatIsRead) {
  MemoryDisk disk;
  limits_.disk_bytes = 256u << 10;
  limits_.segment_bytes = 16u << 10;
  auto opened = open(disk);
  DiskStore& store = **opened;
  for (std::uint64_t n = 0; n < 20; ++n) store.put(test_entry(n, 1, 400));
  loop_.settle(store);
  for (std::uint64_t n = 100; n < 1500; ++n) {
    store.put(test_entry(n, 1, 400));
    loop_.settle(store);
    EXPECT_TRUE(get(store, n % 5)) << n;
  }
  for (std::uint64_t n = 5; n < 20; ++n) EXPECT_FALSE(get(store, n));
  EXPECT_GT(store.stats().evictions, 300u);
  EXPECT_LE(store.stats().disk_bytes, limits_.disk_bytes);
}

TEST_F(DiskFaults, ADiskThatOthersFillIsNotFilledByUs) {
  MemoryDisk disk;
  limits_.disk_bytes = 8u << 20;
  limits_.segment_bytes = 64u << 10;
  limits_.min_free_share = 0.5;
  disk.set_capacity(2u << 20);
  auto opened = open(disk);
  for (std::uint64_t n = 0; n < 4'000; ++n) {
    (*opened)->put(test_entry(n, 1, 1000));
    loop_.settle(**opened);
    ASSERT_LE((*opened)->stats().disk_bytes, (1u << 20) + 2 * limits_.segment_bytes);
  }
  EXPECT_FALSE((*opened)->stats().degraded);
  EXPECT_GT((*opened)->stats().entries, 300u);
}

TEST_F(DiskFaults, TheNumberOfEntriesIsBounded) {
  MemoryDisk disk;
  limits_.disk_bytes = 8u << 20;
  limits_.segment_bytes = 16u << 10;
  limits_.disk_entries = 200;
  auto opened = open(disk);
  for (std::uint64_t n = 0; n < 1'000; ++n) {
    (*opened)->put(test_entry(n, 1, 100));
    loop_.settle(**opened);
    ASSERT_LE((*opened)->stats().entries, 200u);
  }
  EXPECT_TRUE(get(**opened, 999));
}

TEST_F(DiskFaults, RecordsPastTheirTimeGoFirst) {
  MemoryDisk disk;
  auto opened = open(disk);
  const auto expired = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>((clock_.wall_now() - 1h).time_since_epoch()).count());
  auto entry = std::make_shared<Entry>(*test_entry(1, 1, 400));
  entry->useful_until_s = expired;
  (*opened)->put(entry);
  (*opened)->put(test_entry(2, 1, 400));
  for (std::uint64_t n = 100; n < 260; ++n) {
    (*opened)->put(test_entry(n, 1, 400));
    loop_.settle(**opened);
    get(**opened, 1);
    EXPECT_TRUE(get(**opened, 2));
  }
  EXPECT_FALSE((*opened)->contains(test_key(1)));  // though it was read as often as the other
}

TEST_F(DiskFaults, AFullQueueOfReadsAnswersAbsent) {
  MemoryDisk disk;
  limits_.queued_reads = 3;
  auto opened = open(disk);
  (*opened)->put(record(1, 1));
  loop_.settle(**opened);
  int answers = 0;
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE((*opened)->get(test_key(1), [&](EntryPtr entry) { answers += entry ? 1 : 0; }));
  EXPECT_FALSE((*opened)->get(test_key(1), [](EntryPtr) { FAIL(); }));
  loop_.settle(**opened);
  EXPECT_EQ(answers, 3);
  EXPECT_EQ((*opened)->stats().read_drops, 1u);
}

TEST_F(DiskFaults, APurgeReachesTheVersionBehindAPutThatWaits) {
  MemoryDisk disk;
  auto opened = open(disk);
  (*opened)->put(test_entry(1, 1, 300, {5}));
  loop_.settle(**opened);
  (*opened)->put(test_entry(1, 2, 300, {6}));  // waits
  EXPECT_EQ((*opened)->purge_group(6), 1u);
  loop_.settle(**opened);
  EXPECT_FALSE(get(**opened, 1));
  opened->reset();
  auto again = open(disk);
  EXPECT_FALSE(get(**again, 1));
}

TEST_F(DiskFaults, GarbageIsRewrittenAndShortLivesAreMerged) {
  MemoryDisk disk;
  limits_.disk_bytes = 8u << 20;
  limits_.segment_bytes = 64u << 10;
  for (std::uint64_t life = 0; life < 120; ++life) {
    auto store = open(disk);
    for (std::uint64_t n = 0; n < 20; ++n) (*store)->put(test_entry(n, life, 1000));
    loop_.settle(**store);
  }
  auto store = open(disk);
  EXPECT_LT((*store)->stats().disk_bytes, 400u << 10);
  EXPECT_LT(disk.names().size(), 110u);
  for (std::uint64_t n = 0; n < 20; ++n) {
    const EntryPtr entry = get(**store, n);
    ASSERT_TRUE(entry);
    EXPECT_TRUE(same(*entry, *test_entry(n, 119, 1000)));
  }
}

}  // namespace
}  // namespace ghmesh::store
