// SPDX-License-Identifier: Apache-2.0
// The first octet picks the coding. Whole and in pieces give the same bytes and verdict, inside the bounds.

#include <cstdlib>

#include "http/coding/coding.hpp"

using namespace ghmesh;                // NOLINT: a fuzz target is one function
using namespace ghmesh::http::coding;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto coding = static_cast<Coding>(data[0] % 5);
  const ByteView coded(data + 1, size - 1);
  DecodeLimits limits;
  limits.output_bytes = 1 << 20;
  limits.ratio_free_bytes = 1 << 16;
  const auto whole = decode_all(coding, coded, limits);

  const auto decoder = make_decoder(coding, limits);
  Bytes out;
  bool good = true;
  const std::size_t piece = 1 + coded.size() / 7;
  for (std::size_t at = 0; at < coded.size() && good; at += piece)
    good = decoder->decode(coded.subspan(at, std::min(piece, coded.size() - at)), out).has_value();
  if (out.size() > limits.output_bytes + (1 << 16)) std::abort();
  good = good && decoder->finish().has_value();
  // The ratio is measured against what has come so far: only pieces may hit it where the whole does not.
  if (good && (!whole || *whole != out)) std::abort();
  return 0;
}
