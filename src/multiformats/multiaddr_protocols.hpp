// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "multiformats/multiaddr.hpp"

// Private to the room: the table of protocols and, per kind of value, text to bytes and back and the check of bytes.

namespace ghmesh::multiformats {

struct ProtocolInfo {
  static constexpr int kVariable = -1;

  Protocol protocol;
  std::string_view name;
  int size;           // bytes of the value; 0: none; kVariable: a varint in front says
  bool path = false;  // the value takes the rest of the text, slashes included

  // Text of the value to bytes, and the reverse. parse gives nothing for text outside the grammar; format is called
  // with bytes that passed valid. All three are null for protocols without value.
  std::optional<Bytes> (*parse)(std::string_view text) = nullptr;
  std::string (*format)(ByteView value) = nullptr;
  bool (*valid)(ByteView value) = nullptr;
};

const ProtocolInfo* find_protocol(std::string_view name);
const ProtocolInfo* find_protocol(std::uint64_t code);

}  // namespace ghmesh::multiformats
