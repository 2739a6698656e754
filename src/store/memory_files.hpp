// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "store/files.hpp"

// A directory in memory that fails on demand, for tests and simulations. A MemoryDisk outlives the Directory objects on
// it, as a disk outlives processes; opening it again after crash() is the restart. Any thread.

namespace ghmesh::store {

class MemoryDisk {
 public:
  enum class Fault { None, NoSpace, Io, ShortWrite, TornWrite };
  // Asked before each operation with its running number, from 1; what it returns happens to that operation.
  // ShortWrite: a part is written, then an error. TornWrite: only a part is written and success is reported.
  using Plan = std::function<Fault(std::uint64_t call, std::string_view operation)>;

  std::unique_ptr<Directory> open();

  void set_plan(Plan plan);
  void set_capacity(std::optional<std::uint64_t> bytes);  // beyond it: no space
  std::uint64_t calls() const;

  // Power loss: each file loses what was not synced, in whole or from some point on, as keep decides: it is given the
  // number of unsynced bytes at the file's end and says how many of them stay.
  void crash(const std::function<std::uint64_t(std::uint64_t unsynced)>& keep);

  std::vector<std::string> names() const;
  Bytes content(const std::string& name) const;
  void set_content(const std::string& name, Bytes bytes);
  void erase(const std::string& name);

 private:
  friend class MemoryFile;
  friend class MemoryDirectory;
  friend class MemoryLock;
  struct Node {
    Bytes bytes;
    std::uint64_t synced = 0;
  };
  struct State {
    mutable std::mutex mutex;
    std::map<std::string, std::shared_ptr<Node>, std::less<>> files;
    Plan plan;
    std::optional<std::uint64_t> capacity;
    std::uint64_t calls = 0;
    bool locked = false;

    Fault next(std::string_view operation);
    std::uint64_t used() const;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace ghmesh::store
