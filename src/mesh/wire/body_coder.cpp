// SPDX-License-Identifier: Apache-2.0
#include "body_coder.hpp"

#include <zstd.h>

#include "base/check.hpp"

extern "C" {
extern const unsigned char ghmesh_mesh_dictionary_begin[];
extern const unsigned char ghmesh_mesh_dictionary_end[];
}

namespace ghmesh::mesh {
namespace {

// Between members on one network the processor is what is scarce: level 3 is as small as gzip -6 at several times its
// speed.
constexpr int kLevel = 3;
// Covers a body of 4 MiB and its base.
constexpr int kWindowLog = 23;

struct Free {
  void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
  void operator()(ZSTD_DCtx* c) const { ZSTD_freeDCtx(c); }
  void operator()(ZSTD_CDict* c) const { ZSTD_freeCDict(c); }
  void operator()(ZSTD_DDict* c) const { ZSTD_freeDDict(c); }
};

// Kept with an item is a packed form of at most this part of it: the shelf's bound reckons with so much more.
constexpr std::size_t kWorthKeeping = 4;

void join(const Item& item, Bytes& into) {
  into.assign(item.metadata.begin(), item.metadata.end());
  append(into, item.body);
}

void keep_packed(const Item& item, ByteView packed) {
  if (packed.size() * kWorthKeeping <= item.metadata.size() + item.body.size())
    item.packed.emplace(packed.begin(), packed.end());
}

}  // namespace

ByteView body_dictionary() {
  return {ghmesh_mesh_dictionary_begin,
          static_cast<std::size_t>(ghmesh_mesh_dictionary_end - ghmesh_mesh_dictionary_begin)};
}

struct BodyCoder::State {
  std::unique_ptr<ZSTD_CCtx, Free> compress{ZSTD_createCCtx()};
  std::unique_ptr<ZSTD_DCtx, Free> decompress{ZSTD_createDCtx()};
  std::unique_ptr<ZSTD_CDict, Free> compress_dictionary{
      ZSTD_createCDict(body_dictionary().data(), body_dictionary().size(), kLevel)};
  std::unique_ptr<ZSTD_DDict, Free> decompress_dictionary{
      ZSTD_createDDict(body_dictionary().data(), body_dictionary().size())};
  Bytes plain, out;  // of the call under way and the one before
};

BodyCoder::BodyCoder() : state_(std::make_unique<State>()) {
  GHMESH_CHECK(state_->compress && state_->decompress && state_->compress_dictionary && state_->decompress_dictionary);
}
BodyCoder::~BodyCoder() = default;

BodyCoder::Encoded BodyCoder::encode(const Item& item, const Item* base) {
  if (base == nullptr && item.packed)
    return {item.packed->empty() ? BodyForm::Plain : BodyForm::Dictionary, *item.packed};
  Bytes& plain = state_->plain;
  Bytes& out = state_->out;
  join(item, plain);
  out.resize(plain.size());
  ZSTD_CCtx* context = state_->compress.get();
  ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevel);
  // The frame itself says neither size nor checksum: the message around it does, and the version is a hash.
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0);
  Bytes prefix;
  if (base != nullptr) {
    join(*base, prefix);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, kWindowLog);
    ZSTD_CCtx_refPrefix(context, prefix.data(), prefix.size());
  } else {
    ZSTD_CCtx_refCDict(context, state_->compress_dictionary.get());
  }
  const std::size_t n = ZSTD_compress2(context, out.data(), out.size(), plain.data(), plain.size());
  if (ZSTD_isError(n) != 0) {  // did not get smaller
    if (base == nullptr) item.packed.emplace();
    return {};
  }
  const ByteView packed = ByteView(out).first(n);
  if (base == nullptr) keep_packed(item, packed);
  return {base != nullptr ? BodyForm::Delta : BodyForm::Dictionary, packed};
}

Result<void> BodyCoder::decode(BodyForm form, ByteView bytes, std::size_t metadata_bytes, std::size_t body_bytes,
                               const Item* base, Item& item) {
  const std::size_t total = metadata_bytes + body_bytes;
  ByteView plain = bytes;
  Bytes prefix;
  if (form != BodyForm::Plain) {
    if (form == BodyForm::Delta && base == nullptr)
      return fail(ErrorCode::NotFound, "a delta against a version that is not held", Fault::Peer);
    Bytes& out = state_->out;
    out.resize(total + 1);  // one more, so that a frame that would give more is seen
    ZSTD_DCtx* context = state_->decompress.get();
    ZSTD_DCtx_reset(context, ZSTD_reset_session_and_parameters);
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, kWindowLog);
    if (form == BodyForm::Delta) {
      join(*base, prefix);
      ZSTD_DCtx_refPrefix(context, prefix.data(), prefix.size());
    }
    if (form == BodyForm::Dictionary) ZSTD_DCtx_refDDict(context, state_->decompress_dictionary.get());
    const std::size_t n = ZSTD_decompressDCtx(context, out.data(), out.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(n) != 0) return fail(ErrorCode::Malformed, "a body that does not decompress", Fault::Peer);
    plain = ByteView(out).first(n);
  }
  if (plain.size() != total) return fail(ErrorCode::Malformed, "a body of another size than it says", Fault::Peer);
  item.metadata.assign(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(metadata_bytes));
  item.body.assign(plain.begin() + static_cast<std::ptrdiff_t>(metadata_bytes), plain.end());
  item.version = version_of(item.metadata, item.body);
  if (form == BodyForm::Plain) item.packed.emplace();
  if (form == BodyForm::Dictionary) keep_packed(item, bytes);
  return {};
}

}  // namespace ghmesh::mesh
