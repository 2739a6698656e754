// SPDX-License-Identifier: Apache-2.0
#include "proxy/shared_head.hpp"

#include <array>

namespace ghmesh::proxy {
namespace {

constexpr std::uint8_t kVersion = 1;
// A field is named by its place here. "ETag" last: it is there only without the formula.
constexpr std::array<std::string_view, 8> kNames{"Content-Type",        "Cache-Control", "Last-Modified",    "Link",
                                                 "X-GitHub-Media-Type", "Vary",          "Content-Language", "ETag"};
constexpr std::size_t kETag = kNames.size() - 1;
// The longest Link of GitHub's has some hundred octets.
constexpr std::size_t kValueBytes = 8 * 1024;

std::unexpected<Error> malformed() { return fail(ErrorCode::Malformed, "the head of a shared answer", Fault::Peer); }

}  // namespace

Bytes encode_shared_head(http::FieldsView fields, bool tag_by_formula) {
  Bytes out{kVersion, static_cast<std::uint8_t>(tag_by_formula ? 1 : 0)};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (i == kETag && tag_by_formula) continue;
    const std::string value = fields.joined(kNames[i]);
    if (value.empty() || value.size() > kValueBytes) continue;
    std::uint8_t length[2];
    store_be(length, static_cast<std::uint16_t>(value.size()));
    out.push_back(static_cast<std::uint8_t>(i));
    append(out, ByteView(length));
    append(out, value);
  }
  return out;
}

Result<SharedHead> decode_shared_head(ByteView bytes) {
  if (bytes.size() < 2 || bytes[0] != kVersion || bytes[1] > 1) return malformed();
  SharedHead head;
  head.tag_by_formula = bytes[1] == 1;
  int last = -1;
  for (bytes = bytes.subspan(2); !bytes.empty();) {
    if (bytes.size() < 3) return malformed();
    const int name = bytes[0];
    const std::size_t size = load_be<std::uint16_t>(bytes.data() + 1);
    const bool known = name < static_cast<int>(kNames.size());
    if (name <= last || !known || size > kValueBytes || bytes.size() < 3 + size) return malformed();
    const std::string_view value = as_text(bytes.subspan(3, size));
    if (!http::is_field_value(value)) return malformed();
    head.fields.add(kNames[static_cast<std::size_t>(name)], value);
    last = name;
    bytes = bytes.subspan(3 + size);
  }
  if (head.tag_by_formula && head.fields.has("ETag")) return malformed();
  return head;
}

}  // namespace ghmesh::proxy
