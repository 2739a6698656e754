// SPDX-License-Identifier: Apache-2.0
#include "store/memory_files.hpp"

#include <algorithm>
#include <cerrno>

namespace ghmesh::store {

MemoryDisk::Fault MemoryDisk::State::next(std::string_view operation) {
  ++calls;
  return plan ? plan(calls, operation) : Fault::None;
}

std::uint64_t MemoryDisk::State::used() const {
  std::uint64_t sum = 0;
  for (const auto& [name, node] : files) sum += node->bytes.size();
  return sum;
}

namespace {

std::unexpected<Error> failure(MemoryDisk::Fault fault, std::string_view doing) {
  return fail_errno(fault == MemoryDisk::Fault::NoSpace ? ENOSPC : EIO, doing);
}

}  // namespace

class MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<MemoryDisk::State> state, std::shared_ptr<MemoryDisk::Node> node)
      : state_(std::move(state)), node_(std::move(node)) {}

  Result<std::size_t> read_at(std::uint64_t offset, MutableByteView out) override {
    const std::lock_guard lock(state_->mutex);
    if (const auto fault = state_->next("read"); fault != MemoryDisk::Fault::None) return failure(fault, "reading");
    const Bytes& bytes = node_->bytes;
    if (offset >= bytes.size()) return std::size_t{0};
    const std::size_t n = std::min<std::size_t>(out.size(), bytes.size() - offset);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), n, out.begin());
    return n;
  }

  Result<> write_at(std::uint64_t offset, ByteView data) override {
    const std::lock_guard lock(state_->mutex);
    auto fault = state_->next("write");
    const std::uint64_t end = offset + data.size();
    if (fault == MemoryDisk::Fault::None && state_->capacity && end > node_->bytes.size() &&
        state_->used() + (end - node_->bytes.size()) > *state_->capacity)
      fault = MemoryDisk::Fault::NoSpace;
    if (fault == MemoryDisk::Fault::Io) return failure(fault, "writing");
    if (fault != MemoryDisk::Fault::None) data = data.first(data.size() / 2);
    if (fault == MemoryDisk::Fault::NoSpace) return failure(fault, "writing");
    if (node_->bytes.size() < offset + data.size()) node_->bytes.resize(offset + data.size());
    std::copy(data.begin(), data.end(), node_->bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    if (fault == MemoryDisk::Fault::ShortWrite) return failure(fault, "writing");
    return {};
  }

  Result<> sync() override {
    const std::lock_guard lock(state_->mutex);
    if (const auto fault = state_->next("sync"); fault != MemoryDisk::Fault::None) return failure(fault, "syncing");
    node_->synced = node_->bytes.size();
    return {};
  }

  Result<std::uint64_t> size() override {
    const std::lock_guard lock(state_->mutex);
    if (const auto fault = state_->next("size"); fault != MemoryDisk::Fault::None) return failure(fault, "examining");
    return std::uint64_t{node_->bytes.size()};
  }

 private:
  std::shared_ptr<MemoryDisk::State> state_;
  std::shared_ptr<MemoryDisk::Node> node_;
};

class MemoryLock final : public DirectoryLock {
 public:
  explicit MemoryLock(std::shared_ptr<MemoryDisk::State> state) : state_(std::move(state)) {}
  ~MemoryLock() override {
    const std::lock_guard lock(state_->mutex);
    state_->locked = false;
  }

 private:
  std::shared_ptr<MemoryDisk::State> state_;
};

class MemoryDirectory final : public Directory {
 public:
  explicit MemoryDirectory(std::shared_ptr<MemoryDisk::State> state) : state_(std::move(state)) {}

  Result<std::unique_ptr<File>> open(std::string_view name, Mode mode) override {
    const std::lock_guard lock(state_->mutex);
    if (const auto fault = state_->next("open"); fault != MemoryDisk::Fault::None) return failure(fault, "opening");
    auto at = state_->files.find(name);
    if (mode == Mode::Create) {
      if (at != state_->files.end()) return fail(ErrorCode::Conflict, "opening: it exists");
      at = state_->files.emplace(std::string(name), std::make_shared<MemoryDisk::Node>()).first;
    } else if (at == state_->files.end()) {
      return fail(ErrorCode::NotFound, "opening: no such file");
    }
    return std::make_unique<MemoryFile>(state_, at->second);
  }

  Result<> remove(std::string_view name) override {
    const std::lock_guard lock(state_->mutex);
    if (const auto fault = state_->next("remove"); fault != MemoryDisk::Fault::None) return failure(fault, "removing");
    const auto at = state_->files.find(name);
    if (at == state_->files.end()) return fail_errno(ENOENT, "removing");
    state_->files.erase(at);
    return {};
  }

  Result<std::vector<std::string>> list() override {
    const std::lock_guard lock(state_->mutex);
    if (const auto fault = state_->next("list"); fault != MemoryDisk::Fault::None) return failure(fault, "listing");
    std::vector<std::string> names;
    for (const auto& [name, node] : state_->files) names.push_back(name);
    return names;
  }

  Result<> sync() override {
    const std::lock_guard lock(state_->mutex);
    if (const auto fault = state_->next("sync"); fault != MemoryDisk::Fault::None) return failure(fault, "syncing");
    return {};
  }

  Result<Space> space() override {
    const std::lock_guard lock(state_->mutex);
    if (const auto fault = state_->next("space"); fault != MemoryDisk::Fault::None)
      return failure(fault, "asking space");
    constexpr std::uint64_t kEndless = std::uint64_t{1} << 50;
    const std::uint64_t total = state_->capacity.value_or(kEndless);
    return Space{total, total - std::min(total, state_->used())};
  }

  Result<std::unique_ptr<DirectoryLock>> lock() override {
    const std::lock_guard lock(state_->mutex);
    if (const auto fault = state_->next("lock"); fault != MemoryDisk::Fault::None) return failure(fault, "locking");
    if (state_->locked) return fail(ErrorCode::Conflict, "the directory is in use by this process");
    state_->locked = true;
    return std::make_unique<MemoryLock>(state_);
  }

 private:
  std::shared_ptr<MemoryDisk::State> state_;
};

std::unique_ptr<Directory> MemoryDisk::open() { return std::make_unique<MemoryDirectory>(state_); }

void MemoryDisk::set_plan(Plan plan) {
  const std::lock_guard lock(state_->mutex);
  state_->plan = std::move(plan);
  state_->calls = 0;
}

void MemoryDisk::set_capacity(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->capacity = bytes;
}

std::uint64_t MemoryDisk::calls() const {
  const std::lock_guard lock(state_->mutex);
  return state_->calls;
}

void MemoryDisk::crash(const std::function<std::uint64_t(std::uint64_t)>& keep) {
  const std::lock_guard lock(state_->mutex);
  for (auto& [name, node] : state_->files) {
    const std::uint64_t unsynced = node->bytes.size() - std::min<std::uint64_t>(node->synced, node->bytes.size());
    node->bytes.resize(node->bytes.size() - unsynced + std::min(unsynced, keep(unsynced)));
    node->synced = node->bytes.size();
  }
}

std::vector<std::string> MemoryDisk::names() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> names;
  for (const auto& [name, node] : state_->files) names.push_back(name);
  return names;
}

Bytes MemoryDisk::content(const std::string& name) const {
  const std::lock_guard lock(state_->mutex);
  const auto at = state_->files.find(name);
  return at == state_->files.end() ? Bytes{} : at->second->bytes;
}

void MemoryDisk::set_content(const std::string& name, Bytes bytes) {
  const std::lock_guard lock(state_->mutex);
  // In place, as someone who edits a file that is open does.
  auto& node = state_->files[name];
  if (!node) node = std::make_shared<Node>();
  node->bytes = std::move(bytes);
}

void MemoryDisk::erase(const std::string& name) {
  const std::lock_guard lock(state_->mutex);
  state_->files.erase(name);
}

}  // namespace ghmesh::store
