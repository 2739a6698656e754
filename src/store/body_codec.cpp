// SPDX-License-Identifier: Apache-2.0
#include "body_codec.hpp"

#include <zstd.h>

#include "base/check.hpp"
#include "crypto/hash.hpp"

namespace ghmesh::store {
namespace {

// Below this the frame header eats what compression gains.
constexpr std::size_t kWorthwhileBytes = 64;
// A buffer larger than this is not kept for the next body: few bodies are, and the memory would be.
constexpr std::size_t kKeptBufferBytes = 1u << 20;

struct Deleter {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  void operator()(ZSTD_CDict* dictionary) const { ZSTD_freeCDict(dictionary); }
  void operator()(ZSTD_DDict* dictionary) const { ZSTD_freeDDict(dictionary); }
};

}  // namespace

struct BodyCompressor::State {
  std::unique_ptr<ZSTD_CCtx, Deleter> compress{ZSTD_createCCtx()};
  std::unique_ptr<ZSTD_DCtx, Deleter> decompress{ZSTD_createDCtx()};
  std::unique_ptr<ZSTD_CDict, Deleter> compress_dictionary;
  std::unique_ptr<ZSTD_DDict, Deleter> decompress_dictionary;
  crypto::Digest32 dictionary_digest{};
  Bytes buffer;
};

BodyCompressor::BodyCompressor(ByteView dictionary) : state_(std::make_unique<State>()) {
  GHMESH_CHECK(state_->compress && state_->decompress);
  if (dictionary.empty()) return;
  state_->compress_dictionary.reset(ZSTD_createCDict(dictionary.data(), dictionary.size(), kLevel));
  state_->decompress_dictionary.reset(ZSTD_createDDict(dictionary.data(), dictionary.size()));
  GHMESH_CHECK(state_->compress_dictionary && state_->decompress_dictionary);
  state_->dictionary_digest = crypto::sha256(dictionary);
}

BodyCompressor::~BodyCompressor() = default;

BodyCompressor::Compressed BodyCompressor::compress(ByteView body) {
  State& s = *state_;
  if (s.buffer.size() > kKeptBufferBytes) Bytes().swap(s.buffer);
  if (body.size() < kWorthwhileBytes) return {BodyCodec::Identity, body};
  // Room for one byte less than the body: a result that does not fit is one that does not pay.
  if (s.buffer.size() < body.size() - 1) s.buffer.resize(body.size() - 1);
  const std::size_t room = body.size() - 1;
  const std::size_t n =
      s.compress_dictionary
          ? ZSTD_compress_usingCDict(s.compress.get(), s.buffer.data(), room, body.data(), body.size(),
                                     s.compress_dictionary.get())
          : ZSTD_compressCCtx(s.compress.get(), s.buffer.data(), room, body.data(), body.size(), kLevel);
  if (ZSTD_isError(n) != 0) return {BodyCodec::Identity, body};
  const BodyCodec codec = s.compress_dictionary ? BodyCodec::ZstdDictionary : BodyCodec::Zstd;
  return {codec, ByteView(s.buffer).first(n)};
}

std::optional<Bytes> BodyCompressor::decompress(BodyCodec codec, ByteView stored, std::size_t body_bytes) {
  if (codec == BodyCodec::Identity) {
    if (stored.size() != body_bytes) return std::nullopt;
    return Bytes(stored.begin(), stored.end());
  }
  State& s = *state_;
  if (codec == BodyCodec::ZstdDictionary && !s.decompress_dictionary) return std::nullopt;
  Bytes body(body_bytes);
  const std::size_t n =
      codec == BodyCodec::ZstdDictionary
          ? ZSTD_decompress_usingDDict(s.decompress.get(), body.data(), body.size(), stored.data(), stored.size(),
                                       s.decompress_dictionary.get())
          : ZSTD_decompressDCtx(s.decompress.get(), body.data(), body.size(), stored.data(), stored.size());
  if (ZSTD_isError(n) != 0 || n != body_bytes) return std::nullopt;
  return body;
}

ByteView BodyCompressor::binding(BodyCodec codec) const {
  return codec == BodyCodec::ZstdDictionary ? ByteView(state_->dictionary_digest) : ByteView();
}

}  // namespace ghmesh::store
