// SPDX-License-Identifier: Apache-2.0
#include "token_seal.hpp"

namespace ghmesh::mesh {
namespace {

crypto::SecretBytes token_key(const crypto::SecretKey32& lookup_key, ByteView token, std::string_view purpose) {
  return crypto::hkdf(lookup_key.expose(), token, as_bytes(purpose), 32);
}

}  // namespace

Version version_of(ByteView metadata, ByteView body) {
  std::uint8_t size[8];
  store_be<std::uint64_t>(size, metadata.size());
  const crypto::Digest32 digest = crypto::sha256({size, metadata, body});
  Version version{};
  std::copy_n(digest.begin(), version.size(), version.begin());
  return version;
}

TokenTag repository_tag(const crypto::SecretKey32& lookup_key, std::string_view authority,
                        std::string_view repository) {
  std::string name = std::string(authority) + "/" + std::string(repository);
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const crypto::SecretBytes key = token_key(lookup_key, as_bytes(name), "ghmesh 1 repository tag");
  TokenTag tag{};
  std::copy_n(key.expose().begin(), tag.size(), tag.begin());
  return tag;
}

TokenSealer::TokenSealer(const crypto::SecretKey32& lookup_key, ByteView token)
    : mac_(token_key(lookup_key, token, "ghmesh 1 answer seal").expose()) {
  if (token.empty()) return;
  const crypto::SecretBytes tag = token_key(lookup_key, token, "ghmesh 1 token tag");
  std::copy_n(tag.expose().begin(), tag_.size(), tag_.begin());
}

AnswerSeal TokenSealer::seal(const LookupKey& key, const Version& version, std::int64_t fetched_at_ms,
                             std::uint32_t fresh_ms) const {
  std::uint8_t when[12];
  store_be(when, static_cast<std::uint64_t>(fetched_at_ms));
  store_be(when + 8, fresh_ms);
  const crypto::Digest32 mac = mac_.mac({key, version, when});
  AnswerSeal seal{};
  std::copy_n(mac.begin(), seal.size(), seal.begin());
  return seal;
}

bool TokenSealer::verify(const LookupKey& key, const Version& version, std::int64_t fetched_at_ms,
                         std::uint32_t fresh_ms, const AnswerSeal& presented) const {
  return crypto::constant_time_equal(seal(key, version, fetched_at_ms, fresh_ms), presented);
}

}  // namespace ghmesh::mesh
