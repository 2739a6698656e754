// SPDX-License-Identifier: Apache-2.0
// The conformance suite against every implementation.
#include "crypto/random.hpp"
#include "record_store_conformance.hpp"
#include "store/disk_store.hpp"
#include "store/memory_files.hpp"
#include "store/memory_store.hpp"
#include "store/tiered_store.hpp"
#include "test_loop.hpp"

namespace ghmesh::store {
namespace {

class MemoryUnderTest final : public StoreUnderTest {
 public:
  explicit MemoryUnderTest(const Limits& limits) : store_(limits) {}
  RecordStore& store() override { return store_; }
  void settle() override {}

 private:
  MemoryStore store_;
};

class DiskUnderTest final : public StoreUnderTest {
 public:
  DiskUnderTest(const Limits& limits, bool own_thread)
      : store_(open_disk_store(disk_.open(), limits, clock_, random_, loop_, own_thread)) {}
  RecordStore& store() override { return *store_; }
  void settle() override { loop_.settle(*store_); }

 private:
  MemoryDisk disk_;
  SystemClock clock_;
  crypto::SecureRandom random_;
  TestLoop loop_;
  std::unique_ptr<DiskStore> store_;
};

class TieredUnderTest final : public StoreUnderTest {
 public:
  explicit TieredUnderTest(const Limits& limits) : store_(limits, make_disk(limits)) {}
  RecordStore& store() override { return store_; }
  void settle() override { loop_.settle(*disk_store_); }

 private:
  std::unique_ptr<DiskStore> make_disk(const Limits& limits) {
    auto disk = open_disk_store(disk_.open(), limits, clock_, random_, loop_, true);
    disk_store_ = disk.get();
    return disk;
  }

  MemoryDisk disk_;
  SystemClock clock_;
  crypto::SecureRandom random_;
  TestLoop loop_;
  DiskStore* disk_store_ = nullptr;
  TieredStore store_;
};

INSTANTIATE_TEST_SUITE_P(Memory, RecordStoreConformance, testing::Values([](const Limits& limits) {
                           return std::make_unique<MemoryUnderTest>(limits);
                         }));
INSTANTIATE_TEST_SUITE_P(Disk, RecordStoreConformance, testing::Values([](const Limits& limits) {
                           return std::make_unique<DiskUnderTest>(limits, true);
                         }));
INSTANTIATE_TEST_SUITE_P(DiskWithoutThread, RecordStoreConformance, testing::Values([](const Limits& limits) {
                           return std::make_unique<DiskUnderTest>(limits, false);
                         }));
INSTANTIATE_TEST_SUITE_P(Tiered, RecordStoreConformance, testing::Values([](const Limits& limits) {
                           return std::make_unique<TieredUnderTest>(limits);
                         }));

}  // namespace
}  // namespace ghmesh::store
