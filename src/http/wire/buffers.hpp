// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "io/stream.hpp"

// The buffers between a stream and HTTP. An idle connection holds none of them: they come from a pool of the loop and
// go back when they are empty, so memory follows the requests in hand and not the connections. One thread.

namespace ghmesh::http::wire {

// One read. A request head fits, and a body piece is large enough for the system calls not to matter.
inline constexpr std::size_t kBufferBytes = 16 * 1024;

class BufferPool {
 public:
  using Buffer = std::unique_ptr<std::uint8_t[]>;
  Buffer take();
  void give(Buffer buffer);

 private:
  static constexpr std::size_t kKept = 64;  // 1 MiB
  std::vector<Buffer> free_;
};

// Octets that came and are not yet used up.
class Input {
 public:
  explicit Input(BufferPool& pool) : pool_(pool) {}
  ~Input() { release(); }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  std::string_view text() const { return {reinterpret_cast<const char*>(data_.get()) + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = pinned_;
  }

  // Consumes as many octets but keeps them in place, so that views of them stay valid until unpin(): the head of a
  // request while its body passes behind it. At least kBufferBytes / 4 of room stay behind them, or nothing happens and
  // the result is false; then make_room() and look at the octets again.
  bool pin(std::size_t bytes);
  void unpin();

  // Room for at least bytes more than there are; views become invalid. Only while nothing is pinned.
  void make_room(std::size_t bytes);
  // Room to read into, empty if the buffer is full.
  MutableByteView room();
  void fill(std::size_t bytes) { end_ += bytes; }
  // Gives an empty buffer back.
  void release_if_empty() {
    if (begin_ == end_ && pinned_ == 0) release();
  }

 private:
  void release();
  void compact();

  BufferPool& pool_;
  BufferPool::Buffer data_;
  std::size_t capacity_ = 0;
  std::size_t pinned_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// Reads once. Done: there is more text(). WouldBlock when the buffer is full, too; make_room() avoids that.
io::IoStatus read_once(io::Stream& stream, Input& input);

// Octets on their way out, in order: text that is copied in, and foreign octets that are only pointed at.
class Output {
 public:
  bool empty() const { return parts_.empty(); }
  std::size_t bytes() const { return bytes_; }
  // Copied.
  void add(std::string_view text);
  // Pointed at until they are written; owner keeps them alive, or the caller does. Small ones are copied after all: a
  // write of one part costs less than a vectored one, by more than that copy.
  void add_foreign(std::string_view octets, std::shared_ptr<const void> owner = nullptr);
  // Room to format into: append to it, then nothing else before seal().
  std::string& open();
  void seal();

  // One write of what there is. Done says that something went, not that all did.
  io::IoStatus write_once(io::Stream& stream);
  void clear();

 private:
  static constexpr std::size_t kCopyBytes = 8 * 1024;
  static constexpr std::size_t kPartsPerWrite = 64;
  struct Part {
    const char* foreign = nullptr;  // nullptr: text_ at offset
    std::size_t offset = 0;
    std::size_t size = 0;
    std::shared_ptr<const void> owner;
  };
  void drop(std::size_t bytes);

  std::string text_;
  std::vector<Part> parts_;
  std::size_t first_ = 0;  // parts before are written
  std::size_t bytes_ = 0;
  std::size_t open_at_ = 0;
};

// Outputs of connections that have something to say.
class OutputPool {
 public:
  std::unique_ptr<Output> take();
  // output must be empty.
  void give(std::unique_ptr<Output> output);

 private:
  static constexpr std::size_t kKept = 64;
  std::vector<std::unique_ptr<Output>> free_;
};

}  // namespace ghmesh::http::wire
