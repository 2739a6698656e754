// SPDX-License-Identifier: Apache-2.0
// The room's bars: a hit's cost as the table grows, start with 100,000 entries after kill -9, bytes of index per entry,
// writes and reads of the disk tier, and the same by SQLite in the same run.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog.hpp"
#include "crypto/random.hpp"
#include "store/disk_store.hpp"
#include "store/memory_store.hpp"
#include "store/posix_files.hpp"
#include "temporary_directory.hpp"
#include "test_records.hpp"
#ifdef GHMESH_BENCH_SQLITE
#include <sqlite3.h>
#endif

namespace ghmesh::store {
namespace {

void memory_hit(benchmark::State& state) {
  const auto records = static_cast<std::uint64_t>(state.range(0));
  MemoryStore store({.memory_bytes = (records + 1000) * 700});
  for (std::uint64_t n = 0; n < records; ++n) store.put(test_entry(n, 0, 64));
  SeededRandom random(1);
  std::vector<Key> keys;
  for (int i = 0; i < 4096; ++i) keys.push_back(test_key(random.below(records)));
  std::size_t i = 0;
  std::size_t found = 0;
  for (auto _ : state) {
    const EntryPtr entry = store.find(keys[i++ % keys.size()]);
    found += entry ? 1 : 0;
    benchmark::DoNotOptimize(entry);
  }
  state.counters["found"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}
BENCHMARK(memory_hit)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

void memory_put_and_evict(benchmark::State& state) {
  MemoryStore store({.memory_bytes = 32u << 20});
  std::vector<EntryPtr> entries;
  for (std::uint64_t n = 0; n < 20'000; ++n) entries.push_back(test_entry(n, 0, 6000));
  std::size_t i = 0;
  for (auto _ : state) store.put(entries[i++ % entries.size()]);
}
BENCHMARK(memory_put_and_evict);

HintEntry hint_of(std::uint64_t n) {
  HintEntry entry{.group_count = 2, .offset = 64, .length = 2000, .key = test_key(n)};
  entry.groups[0] = n % 1000;
  entry.groups[1] = n % 7;
  return entry;
}

// Memory by the allocator's own count, not by ours.
void index_bytes_per_entry(benchmark::State& state) {
  const auto records = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    const std::size_t before = ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
    Catalog catalog;
    for (std::uint64_t n = 0; n < records; ++n) catalog.replay(hint_of(n), 1);
    const std::size_t after = ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
    state.counters["bytes_per_entry"] = static_cast<double>(after - before) / static_cast<double>(records);
    state.counters["own_count"] = static_cast<double>(catalog.memory_bytes()) / static_cast<double>(records);
  }
}
BENCHMARK(index_bytes_per_entry)->Arg(100'000)->Arg(1'000'000)->Iterations(1)->Unit(benchmark::kMillisecond);

void index_look_up(benchmark::State& state) {
  const auto records = static_cast<std::uint64_t>(state.range(0));
  Catalog catalog;
  for (std::uint64_t n = 0; n < records; ++n) catalog.replay(hint_of(n), 1);
  std::vector<Key> keys;
  SeededRandom random(1);
  for (int i = 0; i < 4096; ++i) keys.push_back(test_key(random.below(records)));
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(catalog.look_up(keys[i++ % keys.size()]));
}
BENCHMARK(index_look_up)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

void purge_group_of_many(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    Catalog catalog;
    for (std::uint64_t n = 0; n < 1'000'000; ++n) catalog.replay(hint_of(n), 1);
    state.ResumeTiming();
    benchmark::DoNotOptimize(catalog.erase_group(3).count);
  }
}
BENCHMARK(purge_group_of_many)->Iterations(3)->Unit(benchmark::kMicrosecond);

// ----- disk

Limits large() { return {.disk_bytes = std::uint64_t{8} << 30, .min_free_share = 0, .queued_puts = 1u << 20}; }

// JSON of the size and repetitiveness of a list page; about 6 KiB.
EntryPtr json_entry(std::uint64_t n) {
  std::string body = "[";
  SeededRandom random(n);
  while (body.size() < 6000)
    body +=
        R"({"id":)" + std::to_string(random.next_u64()) +
        R"(,"type":"User","site_admin":false,"url":"https://api.github.com/users/octocat","node_id":"MDQ6VXNlcjE="},)";
  body.back() = ']';
  return share({.key = test_key(n), .groups = {n % 1000}, .metadata = test_bytes(n, 200), .body = to_bytes(body)});
}

class Bench {
 public:
  std::unique_ptr<DiskStore> open(const std::string& path) {
    auto opened = DiskStore::open(std::move(*open_posix_directory(path)), {.limits = large(), .own_thread = false},
                                  clock_, random_,
                                  [this](std::move_only_function<void()> work) {
                                    work();
                                    ++posted_;
                                  },
                                  {});
    return std::move(*opened);
  }

 private:
  SystemClock clock_;
  crypto::SecureRandom random_;
  int posted_ = 0;
};

// A child writes and dies by SIGKILL with its last segment unfinished; the parent starts on what it left.
void start_after_kill(benchmark::State& state) {
  const auto records = static_cast<std::uint64_t>(state.range(0));
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/store";
  const pid_t child = ::fork();
  if (child == 0) {
    Bench bench;
    auto store = bench.open(path);
    for (std::uint64_t n = 0; n < records; ++n) {
      store->put(json_entry(n));
      store->flush();
    }
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  Bench bench;
  double first = 0;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    auto store = bench.open(path);
    const auto took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin);
    if (first == 0) first = took.count();
    state.PauseTiming();
    const Stats stats = store->stats();
    state.counters["entries"] = static_cast<double>(stats.entries);
    state.counters["disk_MiB"] = static_cast<double>(stats.disk_bytes) / (1 << 20);
    store.reset();
    state.ResumeTiming();
  }
  state.counters["first_start_ms"] = first;  // the one that scans the unfinished segment
}
BENCHMARK(start_after_kill)->Arg(100'000)->Iterations(3)->Unit(benchmark::kMillisecond);

std::vector<EntryPtr> sample_entries() {
  std::vector<EntryPtr> entries;
  for (std::uint64_t n = 0; n < 2000; ++n) entries.push_back(json_entry(n));
  return entries;
}

void disk_write(benchmark::State& state) {
  const TemporaryDirectory directory;
  Bench bench;
  auto store = bench.open(directory.path() + "/store");
  const auto entries = sample_entries();
  std::size_t i = 0;
  for (auto _ : state) {
    store->put(entries[i++ % entries.size()]);
    store->flush();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * 6000);
}
BENCHMARK(disk_write);

void disk_read(benchmark::State& state) {
  const TemporaryDirectory directory;
  Bench bench;
  auto store = bench.open(directory.path() + "/store");
  for (const EntryPtr& entry : sample_entries()) {
    store->put(entry);
    store->flush();
  }
  std::uint64_t n = 0;
  std::size_t found = 0;
  for (auto _ : state) {
    store->get(test_key(n++ % 2000), [&](EntryPtr entry) { found += entry ? 1 : 0; });
    store->flush();
  }
  state.counters["found"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}
BENCHMARK(disk_read);

#ifdef GHMESH_BENCH_SQLITE
// The usual way to keep blobs under keys: one table, WAL, no sync; neither compressed nor encrypted.
class Sqlite {
 public:
  explicit Sqlite(const std::string& path) {
    sqlite3_open(path.c_str(), &db_);
    exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; CREATE TABLE r(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
    sqlite3_prepare_v2(db_, "INSERT OR REPLACE INTO r VALUES(?,?)", -1, &put_, nullptr);
    sqlite3_prepare_v2(db_, "SELECT v FROM r WHERE k=?", -1, &get_, nullptr);
  }
  ~Sqlite() {
    sqlite3_finalize(put_);
    sqlite3_finalize(get_);
    sqlite3_close(db_);
  }
  void put(const Entry& entry) {
    sqlite3_bind_blob(put_, 1, entry.key.data(), 32, SQLITE_STATIC);
    sqlite3_bind_blob(put_, 2, entry.body.data(), static_cast<int>(entry.body.size()), SQLITE_STATIC);
    sqlite3_step(put_);
    sqlite3_reset(put_);
  }
  Bytes get(const Key& key) {
    sqlite3_bind_blob(get_, 1, key.data(), 32, SQLITE_STATIC);
    Bytes body;
    if (sqlite3_step(get_) == SQLITE_ROW) {
      const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(get_, 0));
      body.assign(data, data + sqlite3_column_bytes(get_, 0));
    }
    sqlite3_reset(get_);
    return body;
  }

 private:
  void exec(const char* sql) { sqlite3_exec(db_, sql, nullptr, nullptr, nullptr); }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* put_ = nullptr;
  sqlite3_stmt* get_ = nullptr;
};

void sqlite_write(benchmark::State& state) {
  const TemporaryDirectory directory;
  Sqlite sqlite(directory.path() + "/db");
  const auto entries = sample_entries();
  std::size_t i = 0;
  for (auto _ : state) sqlite.put(*entries[i++ % entries.size()]);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * 6000);
}
BENCHMARK(sqlite_write);

void sqlite_read(benchmark::State& state) {
  const TemporaryDirectory directory;
  Sqlite sqlite(directory.path() + "/db");
  for (const EntryPtr& entry : sample_entries()) sqlite.put(*entry);
  std::uint64_t n = 0;
  for (auto _ : state) benchmark::DoNotOptimize(sqlite.get(test_key(n++ % 2000)));
}
BENCHMARK(sqlite_read);
#endif

}  // namespace
}  // namespace ghmesh::store
