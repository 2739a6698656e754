// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.hpp"

// First in, first out octets in chunks of one size. Chunks come from a pool that a session's streams share, so a
// message costs no allocation and an idle stream holds no memory. One thread; a queue must not outlive its pool.

namespace ghmesh::libp2p::yamux {

struct Chunk {
  static constexpr std::uint32_t kSize = 16 * 1024 - 24;  // with its links, and an allocator's header, four pages

  std::unique_ptr<Chunk> next;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint8_t data[kSize];
};

class ChunkPool {
 public:
  ~ChunkPool() { trim(); }
  ChunkPool() = default;
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  std::unique_ptr<Chunk> take();
  void give(std::unique_ptr<Chunk> chunk);
  void trim();
  bool empty() const { return free_ == nullptr; }

 private:
  static constexpr std::size_t kKeep = 64;  // 1 MiB: what one connection turns over between two loop turns

  std::unique_ptr<Chunk> free_;
  std::size_t count_ = 0;
};

class ByteQueue {
 public:
  explicit ByteQueue(ChunkPool& pool) : pool_(pool) {}
  ~ByteQueue() { clear(); }
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void push(ByteView bytes);
  // The oldest octets in one piece; empty only if the queue is. Valid until the next call that changes the queue.
  ByteView front() const;
  // n <= front().size().
  void drop(std::size_t n);
  // Moves out.size() octets, or all there are; the number moved.
  std::size_t pop(MutableByteView out);
  void clear();

 private:
  ChunkPool& pool_;
  std::unique_ptr<Chunk> head_;
  Chunk* tail_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace ghmesh::libp2p::yamux
