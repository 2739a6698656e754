// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

// The few file operations the disk tier makes, so that tests can make each of them fail. posix_files.hpp is the real
// one, memory_files.hpp the one that tears, shortens, flips and forgets. Names are single path components of our own
// making. A directory and its files are used by one thread at a time; blocking.

namespace ghmesh::store {

class File {
 public:
  virtual ~File() = default;
  // The number of bytes read, less than asked for only at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t offset, MutableByteView out) = 0;
  // All of them, or an error after which any part of the range may hold anything.
  virtual Result<> write_at(std::uint64_t offset, ByteView bytes) = 0;
  // Survives a power loss after this. After an error the content is unknown; calling again proves nothing.
  virtual Result<> sync() = 0;
  virtual Result<std::uint64_t> size() = 0;
};

// Held until destroyed, also across the death of the process.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

struct Space {
  std::uint64_t total_bytes = 0;
  std::uint64_t available_bytes = 0;
};

class Directory {
 public:
  enum class Mode {
    Read,
    Create,  // for reading and writing; Conflict if the name exists
  };

  virtual ~Directory() = default;
  // Only regular files of our own with one name; a symbolic link, a second hard link or a stranger's file is Refused.
  virtual Result<std::unique_ptr<File>> open(std::string_view name, Mode mode) = 0;
  virtual Result<> remove(std::string_view name) = 0;
  virtual Result<std::vector<std::string>> list() = 0;
  virtual Result<> sync() = 0;
  virtual Result<Space> space() = 0;
  // Conflict if another process or object holds it; the message names the process.
  virtual Result<std::unique_ptr<DirectoryLock>> lock() = 0;
};

// Reads the whole file; Limit if it is longer than max_bytes.
Result<Bytes> read_all(File& file, std::uint64_t max_bytes);

}  // namespace ghmesh::store
