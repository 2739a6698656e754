// SPDX-License-Identifier: Apache-2.0
#include "sending.hpp"

#include <algorithm>

#include "mesh/admission/limits.hpp"

namespace ghmesh::mesh {
namespace {

constexpr std::size_t kKept = 64u << 10;  // capacity that an idle peer may keep

std::size_t weight(const Message& message) {
  const auto body = [](const ItemPtr& item) { return item ? item->body.size() + item->metadata.size() : 0; };
  std::size_t size = 256;
  if (const auto* each = std::get_if<Body>(&message)) size += body(each->item);
  if (const auto* each = std::get_if<Put>(&message)) size += body(each->item);
  if (const auto* each = std::get_if<Lease>(&message)) size += body(each->item);
  if (const auto* each = std::get_if<Found>(&message)) size += body(each->item);
  if (const auto* chunk = std::get_if<Chunk>(&message))
    for (const ChunkEntry& entry : chunk->entries) size += body(entry.item);
  return size;
}

void seal_as(FrameRole role, EnvelopeSealer& sealer, ByteView plain, Bytes& out) {
  sealer.seal(static_cast<std::uint32_t>(role), plain, out);
}

}  // namespace

bool Sending::push(Message message) {
  const std::size_t size = weight(message);
  if (waiting_.size() + long_.size() >= limits_.queued_messages ||
      (waiting_bytes_ + long_bytes_ + size > limits_.queued_bytes && !empty()))
    return false;
  waiting_bytes_ += size;
  waiting_.push_back(std::move(message));
  return true;
}

std::size_t Sending::fill(Codec& codec, EnvelopeSealer& sealer, Bytes& out) {
  const std::size_t encoded = waiting_.size();
  for (const Message& message : waiting_) {
    Bytes plain = codec.encode(message);
    // The last piece of a partition's copy may be short, and must not come before the others.
    if (plain.size() <= limits_.short_bytes && !std::holds_alternative<Chunk>(message)) {
      seal_as(FrameRole::Whole, sealer, plain, out);
    } else {
      long_bytes_ += plain.size();
      long_.push_back(std::move(plain));
    }
  }
  waiting_.clear();
  waiting_bytes_ = 0;
  for (std::size_t room = limits_.part_bytes; !long_.empty();) {
    const ByteView rest = ByteView(long_.front()).subspan(sent_of_first_);
    // What would fit into a part of its own is not cut.
    if (rest.size() > room && room < limits_.part_bytes) break;
    const ByteView part = rest.first(std::min(rest.size(), room));
    const bool last = part.size() == rest.size();
    seal_as(!last ? FrameRole::Part : sent_of_first_ == 0 ? FrameRole::Whole : FrameRole::LastPart, sealer, part, out);
    room -= part.size();
    sent_of_first_ += part.size();
    if (!last) break;
    long_bytes_ -= long_.front().size();
    long_.pop_front();
    sent_of_first_ = 0;
  }
  return encoded;
}

Result<std::optional<ByteView>> Receiving::take(const OpenedFrame& frame) {
  if (std::exchange(done_, false)) {
    parts_.clear();
    if (parts_.capacity() > kKept) parts_.shrink_to_fit();
  }
  switch (static_cast<FrameRole>(frame.request)) {
    case FrameRole::Whole: return frame.plain;
    case FrameRole::Part:
    case FrameRole::LastPart: break;
    default: return fail(ErrorCode::Malformed, "a frame that is no part of a message", Fault::Peer);
  }
  if (parts_.size() + frame.plain.size() > AdmissionLimits::kFrameBytes)
    return fail(ErrorCode::Limit, "a message in too many parts", Fault::Peer);
  append(parts_, frame.plain);
  if (static_cast<FrameRole>(frame.request) == FrameRole::Part) return std::nullopt;
  done_ = true;
  return ByteView(parts_);
}

}  // namespace ghmesh::mesh
