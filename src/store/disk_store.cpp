// SPDX-License-Identifier: Apache-2.0
#include "store/disk_store.hpp"

#include <algorithm>

#include "disk_worker.hpp"
#include "store_key.hpp"

namespace ghmesh::store {
namespace {

// A ring of few segments has nothing to evict but all of it.
constexpr std::uint32_t kMinSegments = 8;

Limits sane(Limits limits) {
  limits.segment_bytes =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(limits.segment_bytes, limits.disk_bytes / kMinSegments));
  return limits;
}

struct ReadJob {
  Key key;
  RecordStore::OnEntry on_entry;
};

struct QueuedPut : PutJob {
  std::size_t bytes;
};

using WriteJob = std::variant<QueuedPut, Removal>;

}  // namespace

struct DiskStore::State {
  State(std::unique_ptr<Directory> dir, std::unique_ptr<DirectoryLock> held, DiskOptions options,
        crypto::SecretKey32 key, const Clock& clock, Random& random, Post post_to_owner, log::Logger logger)
      : limits(sane(options.limits)),
        directory(std::move(dir)),
        lock(std::move(held)),
        worker(*directory, std::move(key), limits, options.dictionary, catalog, counters, clock, random,
               std::move(logger)),
        post(std::move(post_to_owner)) {}

  bool enqueue_read(const Key& key, OnEntry on_entry);
  bool enqueue_put(const EntryPtr& entry);
  void enqueue(Removal removal);
  bool step();
  void write(const WriteJob& job);
  void serve_reads();
  void run();

  const Limits limits;
  const std::unique_ptr<Directory> directory;
  const std::unique_ptr<DirectoryLock> lock;
  Catalog catalog;
  DiskCounters counters;
  DiskWorker worker;
  const Post post;
  // Expires on the owner thread with the store; what was posted before then finds out.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  std::atomic<std::uint64_t> read_drops{0};

  std::mutex mutex;  // guards what follows
  std::condition_variable work;
  std::condition_variable idle;
  std::deque<ReadJob> reads;
  std::deque<WriteJob> writes;
  std::size_t queued_puts = 0;
  std::size_t queued_put_bytes = 0;
  bool busy = false;
  bool stopping = false;

  std::thread thread;
};

bool DiskStore::State::enqueue_read(const Key& key, OnEntry on_entry) {
  const std::lock_guard guard(mutex);
  if (reads.size() >= limits.queued_reads) {
    read_drops.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  reads.push_back({key, std::move(on_entry)});
  work.notify_one();
  return true;
}

bool DiskStore::State::enqueue_put(const EntryPtr& entry) {
  const std::size_t bytes = entry->metadata.size() + entry->body.size();
  if (entry->groups.size() > Limits::groups_per_record || entry->metadata.size() > limits.metadata_bytes ||
      entry->body.size() > limits.body_bytes)
    return false;
  const std::lock_guard guard(mutex);
  if (queued_puts >= limits.queued_puts || queued_put_bytes + bytes > limits.queued_put_bytes) return false;
  ++queued_puts;
  queued_put_bytes += bytes;
  writes.emplace_back(QueuedPut{{entry->key, catalog.begin_put(entry)}, bytes});
  work.notify_one();
  return true;
}

// Not bounded by a number: each stands for at least one record that was in the index or in the queue of puts, and those
// are bounded.
void DiskStore::State::enqueue(Removal removal) {
  const std::lock_guard guard(mutex);
  writes.emplace_back(std::move(removal));
  work.notify_one();
}

void DiskStore::State::serve_reads() {
  for (;;) {
    ReadJob job;
    {
      const std::lock_guard guard(mutex);
      if (reads.empty()) return;
      job = std::move(reads.front());
      reads.pop_front();
    }
    EntryPtr entry = worker.read(job.key);
    post([alive_then = std::weak_ptr(alive), on_entry = std::move(job.on_entry), entry = std::move(entry)]() mutable {
      if (!alive_then.expired()) on_entry(std::move(entry));
    });
  }
}

bool DiskStore::State::step() {
  std::unique_lock guard(mutex);
  if (reads.empty() && writes.empty()) return false;
  busy = true;
  guard.unlock();
  serve_reads();
  guard.lock();
  if (!writes.empty()) {
    const WriteJob job = std::move(writes.front());
    writes.pop_front();
    guard.unlock();
    write(job);
    guard.lock();
    if (const auto* put = std::get_if<QueuedPut>(&job)) {
      // Only now, so that the record being written counts against the bound as well.
      --queued_puts;
      queued_put_bytes -= put->bytes;
    }
  }
  busy = false;
  if (reads.empty() && writes.empty()) idle.notify_all();
  return true;
}

void DiskStore::State::write(const WriteJob& job) {
  if (const auto* removal = std::get_if<Removal>(&job))
    worker.remove(*removal);
  else
    worker.put(std::get<QueuedPut>(job));
  worker.maintain([this] { serve_reads(); });
}

void DiskStore::State::run() {
  for (;;) {
    {
      std::unique_lock guard(mutex);
      work.wait(guard, [this] { return stopping || !reads.empty() || !writes.empty(); });
      if (stopping && writes.empty()) return;
    }
    step();
  }
}

Result<std::unique_ptr<DiskStore>> DiskStore::open(std::unique_ptr<Directory> directory, DiskOptions options,
                                                   const Clock& clock, Random& random, Post post, log::Logger logger) {
  auto lock = directory->lock();
  if (!lock) return std::unexpected(std::move(lock.error()));
  Result<crypto::SecretKey32> key =
      options.key ? Result<crypto::SecretKey32>(std::move(*options.key)) : load_or_make_key(*directory, random);
  if (!key) return std::unexpected(std::move(key.error()));
  const bool own_thread = options.own_thread;
  auto state = std::make_unique<State>(std::move(directory), std::move(*lock), std::move(options), std::move(*key),
                                       clock, random, std::move(post), std::move(logger));
  if (auto started = state->worker.start(); !started) return std::unexpected(std::move(started.error()));
  if (own_thread) state->thread = std::thread([s = state.get()] { s->run(); });
  return std::unique_ptr<DiskStore>(new DiskStore(std::move(state)));
}

DiskStore::DiskStore(std::unique_ptr<State> state) : state_(std::move(state)) {}

DiskStore::~DiskStore() {
  state_->alive.reset();
  if (state_->thread.joinable()) {
    {
      const std::lock_guard guard(state_->mutex);
      state_->stopping = true;
      state_->reads.clear();
      state_->work.notify_one();
    }
    state_->thread.join();
  } else {
    state_->reads.clear();
    while (step()) continue;
  }
  state_->worker.stop();
}

bool DiskStore::get(const Key& key, OnEntry on_entry) {
  auto found = state_->catalog.look_up(key);
  if (auto* entry = std::get_if<EntryPtr>(&found)) {
    on_entry(std::move(*entry));
    return true;
  }
  if (std::holds_alternative<std::monostate>(found)) return false;
  return state_->enqueue_read(key, std::move(on_entry));
}

bool DiskStore::contains(const Key& key) const { return state_->catalog.contains(key); }

void DiskStore::put(EntryPtr entry) {
  if (state_->enqueue_put(entry)) return;
  state_->counters.write_drops.fetch_add(1, std::memory_order_relaxed);
  remove(entry->key);
}

bool DiskStore::remove(const Key& key) {
  if (!state_->catalog.erase(key)) return false;
  state_->enqueue(RemoveJob{key});
  return true;
}

std::size_t DiskStore::purge_group(GroupId group) {
  const Catalog::GroupErased erased = state_->catalog.erase_group(group);
  if (erased.count == 0) return 0;
  for (const Key& key : erased.older) state_->enqueue(RemoveJob{key});
  state_->enqueue(PurgeGroupJob{group});
  return erased.count;
}

std::size_t DiskStore::purge(const std::function<bool(const Summary&)>& doomed) {
  const std::vector<Key> keys = state_->catalog.erase_if(doomed);
  for (const Key& key : keys) state_->enqueue(RemoveJob{key});
  return keys.size();
}

std::size_t DiskStore::clear() {
  const std::size_t count = state_->catalog.clear();
  if (count > 0) state_->enqueue(ClearJob{});
  return count;
}

void DiskStore::for_each_key(const std::function<void(const Key&)>& visit) const {
  state_->catalog.for_each_key(visit);
}

Stats DiskStore::stats() const {
  const DiskCounters& c = state_->counters;
  constexpr auto kRelaxed = std::memory_order_relaxed;
  return {.entries = state_->catalog.entries(),
          .memory_bytes = state_->catalog.memory_bytes(),
          .disk_bytes = c.disk_bytes.load(kRelaxed),
          .evictions = c.evictions.load(kRelaxed),
          .corrupt_skipped = c.corrupt.load(kRelaxed),
          .foreign_files = c.foreign.load(kRelaxed),
          .write_drops = c.write_drops.load(kRelaxed),
          .read_drops = state_->read_drops.load(kRelaxed),
          .io_errors = c.io_errors.load(kRelaxed),
          .cleanings = c.cleanings.load(kRelaxed),
          .degraded = c.degraded.load(kRelaxed)};
}

void DiskStore::flush() {
  if (!state_->thread.joinable()) {
    while (step()) continue;
    return;
  }
  std::unique_lock guard(state_->mutex);
  state_->idle.wait(guard, [this] { return state_->reads.empty() && state_->writes.empty() && !state_->busy; });
}

bool DiskStore::step() { return state_->step(); }

}  // namespace ghmesh::store
