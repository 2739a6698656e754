// SPDX-License-Identifier: Apache-2.0
#include "crypto/signature.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <memory>

namespace ghmesh::crypto {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* key) { EVP_PKEY_free(key); })>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype([](EVP_PKEY_CTX* context) { EVP_PKEY_CTX_free(context); })>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype([](EVP_MD_CTX* context) { EVP_MD_CTX_free(context); })>;
using BigNumber = std::unique_ptr<BIGNUM, decltype([](BIGNUM* number) { BN_free(number); })>;

Key parse_spki(ByteView spki) {
  const unsigned char* at = spki.data();
  Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  if (key && at != spki.data() + spki.size()) key.reset();
  return key;
}

bool verify_sha256(EVP_PKEY* key, ByteView message, ByteView signature) {
  const DigestContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key, nullptr) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

bool rsa_within_bounds(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") != 1) return false;
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < kRsaMinBits || bits > kRsaMaxBits) return false;
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw) != 1) return false;
  const BigNumber exponent(raw);
  // A long exponent costs as much as a private operation.
  return BN_is_odd(raw) && BN_num_bits(raw) >= 2 && BN_num_bits(raw) <= 33;
}

bool is_allowed_curve(EVP_PKEY* key) {
  char name[32] = {};
  std::size_t length = 0;
  if (EVP_PKEY_is_a(key, "EC") != 1 || EVP_PKEY_get_group_name(key, name, sizeof name, &length) != 1) return false;
  const std::string_view curve(name, length);
  return curve == "prime256v1" || curve == "secp384r1" || curve == "secp521r1";
}

Key secp256k1_key(ByteView point) {
  char group[] = "secp256k1";
  Bytes copy(point.begin(), point.end());
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group - 1),
                             OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy.data(), copy.size()),
                             OSSL_PARAM_construct_end()};
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) return nullptr;
  return Key(key);
}

}  // namespace

bool rsa_sha256_verify(ByteView spki, ByteView message, ByteView signature) {
  if (spki.size() > kRsaMaxSpki) return false;
  const Key key = parse_spki(spki);
  return key && rsa_within_bounds(key.get()) && verify_sha256(key.get(), message, signature);
}

bool ecdsa_sha256_verify(ByteView spki, ByteView message, ByteView signature) {
  if (spki.size() > kEcMaxSpki) return false;
  const Key key = parse_spki(spki);
  return key && is_allowed_curve(key.get()) && verify_sha256(key.get(), message, signature);
}

bool secp256k1_sha256_verify(ByteView point, ByteView message, ByteView signature) {
  if (point.size() != 33 || (point[0] != 2 && point[0] != 3)) return false;
  const Key key = secp256k1_key(point);
  return key && verify_sha256(key.get(), message, signature);
}

}  // namespace ghmesh::crypto
