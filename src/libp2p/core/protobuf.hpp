// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"

// The protobuf wire format (protobuf.dev, "Encoding"), as far as libp2p's messages need it: varints and
// length-delimited fields, the fixed widths skipped. The reader gives views into the message and allocates nothing, so
// it is bounded by the message; the caller bounds the message. What is hashed or signed is the received bytes, never a
// second encoding.

namespace ghmesh::libp2p {

enum class WireType : std::uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

struct ProtoField {
  std::uint32_t number = 0;
  WireType type = WireType::Varint;
  std::uint64_t value = 0;  // Varint
  ByteView bytes;           // the others

  bool is(std::uint32_t wanted, WireType wanted_type) const { return number == wanted && type == wanted_type; }
};

// Fields in the order in which they stand.
class ProtoReader {
 public:
  explicit ProtoReader(ByteView message) : rest_(message) {}

  // The next field; nothing at the end. Malformed: cut off, a varint above ten bytes, field number 0, a group.
  Result<std::optional<ProtoField>> next();

 private:
  Result<std::uint64_t> take_varint();

  ByteView rest_;
};

// Calls handle(const ProtoField&) -> Result<void> for each field and stops at the first failure. Fields of a known
// number but another wire type, like unknown ones, are handle's to ignore.
template <typename Handle>
Result<void> for_each_field(ByteView message, Handle handle) {
  ProtoReader reader(message);
  while (true) {
    const auto field = reader.next();
    if (!field) return std::unexpected(field.error());
    if (!*field) return {};
    if (Result<void> handled = handle(**field); !handled) return handled;
  }
}

// Appends fields to out in the order of the calls; the caller keeps to the order of field numbers. A zero is written
// like any other value, since several libp2p messages need it on the wire.
class ProtoWriter {
 public:
  explicit ProtoWriter(Bytes& out) : out_(out) {}

  ProtoWriter& varint(std::uint32_t number, std::uint64_t value);
  ProtoWriter& bytes(std::uint32_t number, ByteView value);
  ProtoWriter& bytes(std::uint32_t number, std::string_view value) { return bytes(number, as_bytes(value)); }

 private:
  void raw_varint(std::uint64_t value);

  Bytes& out_;
};

}  // namespace ghmesh::libp2p
