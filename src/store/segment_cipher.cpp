// SPDX-License-Identifier: Apache-2.0
#include "segment_cipher.hpp"

#include <algorithm>

#include "crypto/hmac.hpp"

namespace ghmesh::store {
namespace {

constexpr std::size_t kSaltOffset = 16;
constexpr std::size_t kTagOffset = kSaltOffset + kSaltBytes;

ByteView magic_of(FilePurpose purpose) { return purpose == FilePurpose::Segment ? kSegmentMagic : kHintMagic; }

crypto::SecretKey32 derive_key(const crypto::SecretKey32& store_key, FilePurpose purpose, const Salt& salt) {
  const std::string_view info = purpose == FilePurpose::Segment ? "ghmesh store segment v1" : "ghmesh store hint v1";
  const crypto::SecretKey32 extracted = crypto::hkdf_extract(salt, store_key.expose());
  crypto::SecretKey32 key;
  crypto::hkdf_expand(extracted.expose(), as_bytes(info), key.expose_mutable());
  return key;
}

crypto::Aead::Nonce nonce_of(std::uint64_t offset, FileCipher::Part part) {
  crypto::Aead::Nonce nonce;
  store_le(nonce.data(), offset);
  store_le(nonce.data() + 8, std::to_underlying(part));
  return nonce;
}

}  // namespace

FileCipher::FileCipher(const crypto::SecretKey32& store_key, FilePurpose purpose, const Salt& salt)
    : aead_(crypto::Aead::aes256_gcm(derive_key(store_key, purpose, salt))) {}

void FileCipher::seal(std::uint64_t offset, Part part, ByteView aad, MutableByteView buffer) {
  aead_.seal(nonce_of(offset, part), aad, buffer);
}

bool FileCipher::open(std::uint64_t offset, Part part, ByteView aad, MutableByteView buffer) {
  return aead_.open(nonce_of(offset, part), aad, buffer);
}

std::array<std::uint8_t, kFileHeaderBytes> seal_file_header(const FileHeader& header, FilePurpose purpose,
                                                            FileCipher& cipher) {
  std::array<std::uint8_t, kFileHeaderBytes> out{};
  std::ranges::copy(magic_of(purpose), out.begin());
  store_le(&out[8], std::uint64_t{header.segment});
  std::ranges::copy(header.salt, out.begin() + kSaltOffset);
  const MutableByteView all(out);
  cipher.seal(0, FileCipher::Part::FileHeader, all.first(kTagOffset), all.subspan(kTagOffset));
  return out;
}

std::optional<OpenedFile> open_file_header(ByteView bytes, FilePurpose purpose, std::uint32_t segment,
                                           const crypto::SecretKey32& store_key) {
  if (bytes.size() < kFileHeaderBytes || !equal(bytes.first(8), magic_of(purpose))) return std::nullopt;
  if (load_le<std::uint64_t>(&bytes[8]) != segment) return std::nullopt;
  FileHeader header{.segment = segment};
  std::copy_n(&bytes[kSaltOffset], kSaltBytes, header.salt.begin());
  OpenedFile file{header, FileCipher(store_key, purpose, header.salt)};
  std::array<std::uint8_t, kTagBytes> tag;
  std::copy_n(&bytes[kTagOffset], kTagBytes, tag.begin());
  if (!file.cipher.open(0, FileCipher::Part::FileHeader, bytes.first(kTagOffset), tag)) return std::nullopt;
  return file;
}

}  // namespace ghmesh::store
