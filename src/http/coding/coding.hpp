// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "http/coding/limits.hpp"

// Content codings (RFC 9110 §8.4): gzip (RFC 1952), deflate (zlib, RFC 1950), br (RFC 7932) and zstd (RFC 8878, window
// bound of RFC 9659). Decoding streams and is bounded against bombs; encoding is gzip of a whole body. No IO; one
// thread per decoder. Everything that comes in is hostile.

namespace ghmesh::http::coding {

enum class Coding { Identity, Gzip, Deflate, Brotli, Zstd };

// One member of Content-Encoding or Accept-Encoding; "x-gzip" is gzip. Nothing for an unknown one.
std::optional<Coding> parse_coding(std::string_view name);
std::string_view to_string(Coding coding);
// The one coding of a Content-Encoding value: Identity if the value is empty. Nothing for unknown or stacked codings.
std::optional<Coding> parse_content_encoding(std::string_view value);

// Whether an Accept-Encoding value admits the coding (RFC 9110 §12.5.3): named or covered by "*", with a weight above
// 0. Identity is admitted unless it is excluded.
bool accepts(std::string_view accept_encoding, Coding coding);

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Decodes the next piece and appends to out. Malformed for bytes that are not of the coding (also behind its end),
  // Limit for a bomb; after an error the decoder is of no use.
  virtual Result<> decode(ByteView in, Bytes& out) = 0;
  // The body has ended: Malformed if the coded data has not.
  virtual Result<> finish() = 0;
};
std::unique_ptr<Decoder> make_decoder(Coding coding, const DecodeLimits& limits = {});

// A whole body at once.
Result<Bytes> decode_all(Coding coding, ByteView in, const DecodeLimits& limits = {});

// level 1 (fast) to 9. The same bytes and level give the same output: no time or name is written.
Bytes gzip_encode(ByteView in, int level = 6);

}  // namespace ghmesh::http::coding
