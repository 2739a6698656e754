// SPDX-License-Identifier: Apache-2.0
#include "http/wire/buffers.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::http::wire {

BufferPool::Buffer BufferPool::take() {
  if (free_.empty()) return std::make_unique_for_overwrite<std::uint8_t[]>(kBufferBytes);
  Buffer buffer = std::move(free_.back());
  free_.pop_back();
  return buffer;
}

void BufferPool::give(Buffer buffer) {
  if (free_.size() < kKept) free_.push_back(std::move(buffer));
}

bool Input::pin(std::size_t bytes) {
  const std::size_t keep = begin_ + bytes;
  if (capacity_ - std::max(keep, end_) < kBufferBytes / 4) return false;
  pinned_ = begin_ = keep;
  return true;
}

void Input::unpin() {
  pinned_ = 0;
  if (begin_ == end_) begin_ = end_ = 0;
}

void Input::compact() {
  if (begin_ == pinned_) return;
  std::memmove(data_.get() + pinned_, data_.get() + begin_, end_ - begin_);
  end_ -= begin_ - pinned_;
  begin_ = pinned_;
}

void Input::make_room(std::size_t bytes) {
  if (!data_) {
    data_ = pool_.take();
    capacity_ = kBufferBytes;
  }
  if (capacity_ - end_ >= bytes) return;
  compact();
  if (capacity_ - end_ >= bytes) return;
  GHMESH_CHECK(pinned_ == 0);
  const std::size_t capacity = std::max(capacity_ * 2, end_ + bytes);
  auto grown = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
  std::memcpy(grown.get(), data_.get(), end_);
  if (capacity_ == kBufferBytes) pool_.give(std::move(data_));
  data_ = std::move(grown);
  capacity_ = capacity;
}

MutableByteView Input::room() {
  if (!data_) make_room(kBufferBytes);
  if (end_ == capacity_) compact();
  return {data_.get() + end_, capacity_ - end_};
}

void Input::release() {
  if (capacity_ == kBufferBytes) pool_.give(std::move(data_));
  data_.reset();
  capacity_ = pinned_ = begin_ = end_ = 0;
}

io::IoStatus read_once(io::Stream& stream, Input& input) {
  const MutableByteView room = input.room();
  if (room.empty()) return {io::IoStatus::WouldBlock, 0};
  const io::IoStatus status = stream.try_read(room);
  if (status.kind == io::IoStatus::Done) input.fill(status.bytes);
  return status;
}

void Output::add(std::string_view text) {
  open().append(text);
  seal();
}

std::string& Output::open() {
  open_at_ = text_.size();
  return text_;
}

void Output::seal() {
  const std::size_t size = text_.size() - open_at_;
  if (size == 0) return;
  bytes_ += size;
  if (!parts_.empty() && parts_.back().foreign == nullptr)
    parts_.back().size += size;  // text is contiguous: it grows at its end only
  else
    parts_.push_back({nullptr, open_at_, size, nullptr});
}

void Output::add_foreign(std::string_view octets, std::shared_ptr<const void> owner) {
  if (octets.size() <= kCopyBytes) return add(octets);
  bytes_ += octets.size();
  parts_.push_back({octets.data(), 0, octets.size(), std::move(owner)});
}

io::IoStatus Output::write_once(io::Stream& stream) {
  iovec vector[kPartsPerWrite];
  std::size_t count = 0;
  for (std::size_t i = first_; i < parts_.size() && count < kPartsPerWrite; ++i) {
    const Part& part = parts_[i];
    const char* const at = part.foreign != nullptr ? part.foreign : text_.data() + part.offset;
    vector[count++] = {const_cast<char*>(at), part.size};
  }
  if (count == 0) return {io::IoStatus::Done, 0};
  const io::IoStatus status = stream.try_write(std::span<const iovec>(vector, count));
  if (status.kind == io::IoStatus::Done) drop(status.bytes);
  return status;
}

void Output::drop(std::size_t bytes) {
  bytes_ -= bytes;
  if (bytes_ == 0) return clear();
  while (bytes > 0) {
    Part& part = parts_[first_];
    const std::size_t step = std::min(bytes, part.size);
    if (part.foreign != nullptr)
      part.foreign += step;
    else
      part.offset += step;
    part.size -= step;
    bytes -= step;
    if (part.size == 0) {
      part.owner.reset();
      ++first_;
    }
  }
}

void Output::clear() {
  parts_.clear();
  text_.clear();
  first_ = bytes_ = 0;
}

std::unique_ptr<Output> OutputPool::take() {
  if (free_.empty()) return std::make_unique<Output>();
  auto output = std::move(free_.back());
  free_.pop_back();
  return output;
}

void OutputPool::give(std::unique_ptr<Output> output) {
  if (free_.size() < kKept) free_.push_back(std::move(output));
}

}  // namespace ghmesh::http::wire
