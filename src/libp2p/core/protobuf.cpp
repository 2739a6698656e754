// SPDX-License-Identifier: Apache-2.0
#include "libp2p/core/protobuf.hpp"

namespace ghmesh::libp2p {
namespace {

std::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorCode::Malformed, std::string("protobuf: ").append(why), Fault::Peer);
}

}  // namespace

// Protobuf's varints are not those of multiformats: 64 bits in up to ten bytes, longer forms allowed.
Result<std::uint64_t> ProtoReader::take_varint() {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < rest_.size() && i < 10; ++i) {
    const std::uint64_t bits = rest_[i] & 0x7f;
    if (i == 9 && bits > 1) return malformed("varint above 64 bits");
    value |= bits << (7 * i);
    if ((rest_[i] & 0x80) == 0) {
      rest_ = rest_.subspan(i + 1);
      return value;
    }
  }
  return malformed("varint is cut off or too long");
}

Result<std::optional<ProtoField>> ProtoReader::next() {
  if (rest_.empty()) return std::optional<ProtoField>();
  const auto key = take_varint();
  if (!key) return std::unexpected(key.error());
  constexpr std::uint64_t kMaxNumber = (1u << 29) - 1;
  if (*key >> 3 == 0 || *key >> 3 > kMaxNumber) return malformed("impossible field number");

  ProtoField field;
  field.number = static_cast<std::uint32_t>(*key >> 3);
  field.type = static_cast<WireType>(*key & 7);
  std::uint64_t length = 0;
  switch (field.type) {
    case WireType::Varint: {
      const auto value = take_varint();
      if (!value) return std::unexpected(value.error());
      field.value = *value;
      return field;
    }
    case WireType::Bytes: {
      const auto announced = take_varint();
      if (!announced) return std::unexpected(announced.error());
      length = *announced;
      break;
    }
    case WireType::Fixed64: length = 8; break;
    case WireType::Fixed32: length = 4; break;
    default: return malformed("groups are not spoken");
  }
  if (length > rest_.size()) return malformed("field is cut off");
  field.bytes = rest_.first(length);
  rest_ = rest_.subspan(length);
  return field;
}

void ProtoWriter::raw_varint(std::uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<std::uint8_t>(value));
}

ProtoWriter& ProtoWriter::varint(std::uint32_t number, std::uint64_t value) {
  raw_varint(std::uint64_t{number} << 3 | static_cast<std::uint64_t>(WireType::Varint));
  raw_varint(value);
  return *this;
}

ProtoWriter& ProtoWriter::bytes(std::uint32_t number, ByteView value) {
  raw_varint(std::uint64_t{number} << 3 | static_cast<std::uint64_t>(WireType::Bytes));
  raw_varint(value.size());
  append(out_, value);
  return *this;
}

}  // namespace ghmesh::libp2p
