// SPDX-License-Identifier: Apache-2.0
#include "libp2p/yamux/byte_queue.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::libp2p::yamux {

std::unique_ptr<Chunk> ChunkPool::take() {
  // Not value-initialised: 16 KiB of zeros per chunk would be most of its cost.
  if (!free_) return std::unique_ptr<Chunk>(new Chunk);
  std::unique_ptr<Chunk> chunk = std::move(free_);
  free_ = std::move(chunk->next);
  --count_;
  chunk->begin = chunk->end = 0;
  return chunk;
}

void ChunkPool::give(std::unique_ptr<Chunk> chunk) {
  if (count_ >= kKeep) return;
  chunk->next = std::move(free_);
  free_ = std::move(chunk);
  ++count_;
}

void ChunkPool::trim() {
  // One by one: the destructor of a long list would recurse.
  while (free_) free_ = std::move(free_->next);
  count_ = 0;
}

void ByteQueue::push(ByteView bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    if (tail_ == nullptr || tail_->end == Chunk::kSize) {
      std::unique_ptr<Chunk> chunk = pool_.take();
      Chunk* added = chunk.get();
      (tail_ == nullptr ? head_ : tail_->next) = std::move(chunk);
      tail_ = added;
    }
    const std::size_t n = std::min<std::size_t>(bytes.size(), Chunk::kSize - tail_->end);
    std::memcpy(tail_->data + tail_->end, bytes.data(), n);
    tail_->end += static_cast<std::uint32_t>(n);
    bytes = bytes.subspan(n);
  }
}

ByteView ByteQueue::front() const {
  if (!head_) return {};
  return {head_->data + head_->begin, head_->end - head_->begin};
}

void ByteQueue::drop(std::size_t n) {
  if (n == 0) return;
  GHMESH_CHECK(head_ && n <= head_->end - head_->begin);
  head_->begin += static_cast<std::uint32_t>(n);
  size_ -= n;
  if (head_->begin < head_->end) return;
  std::unique_ptr<Chunk> done = std::move(head_);
  head_ = std::move(done->next);
  if (!head_) tail_ = nullptr;
  pool_.give(std::move(done));
}

std::size_t ByteQueue::pop(MutableByteView out) {
  std::size_t moved = 0;
  while (moved < out.size() && !empty()) {
    const ByteView piece = front();
    const std::size_t n = std::min(piece.size(), out.size() - moved);
    std::memcpy(out.data() + moved, piece.data(), n);
    drop(n);
    moved += n;
  }
  return moved;
}

void ByteQueue::clear() {
  while (!empty()) drop(front().size());
}

}  // namespace ghmesh::libp2p::yamux
