// SPDX-License-Identifier: Apache-2.0
// The record head and the body codec behind the seal: what a head may say, and what zstd makes of arbitrary bytes.
#include <cstdint>

#include "base/check.hpp"
#include "body_codec.hpp"
#include "segment_format.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghmesh;
  using namespace ghmesh::store;
  const ByteView input(data, size);
  if (input.size() < kHeadBytes) return 0;
  const auto head = decode_head(input.first(kHeadBytes), {.metadata_bytes = 4096, .body_bytes = 1u << 16});
  if (!head) return 0;
  GHMESH_CHECK(equal(encode_head(*head), input.first(kHeadBytes)));
  GHMESH_CHECK(head->payload_bytes() <= 4096 + (1u << 16));
  static BodyCompressor codec({});
  const auto body = codec.decompress(head->codec, input.subspan(kHeadBytes), head->body_bytes);
  GHMESH_CHECK(!body || body->size() == head->body_bytes);
  return 0;
}
