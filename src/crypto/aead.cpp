// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.hpp"

#include <openssl/evp.h>

#include <climits>

#include "base/check.hpp"

namespace ghmesh::crypto {
namespace {

constexpr int kSeal = 1;
constexpr int kOpen = 0;

// Fetched once per process: a fetch by name takes a lock and a search through the providers.
const EVP_CIPHER* chacha20_poly1305_cipher() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  return cipher;
}
const EVP_CIPHER* aes256_gcm_cipher() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return cipher;
}

}  // namespace

struct Aead::Context {
  EVP_CIPHER_CTX* evp = EVP_CIPHER_CTX_new();

  Context(const EVP_CIPHER* cipher, const SecretKey32& key) {
    GHMESH_CHECK(evp != nullptr && cipher != nullptr);
    GHMESH_CHECK(EVP_CipherInit_ex2(evp, cipher, key.expose().data(), nullptr, kSeal, nullptr) == 1);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_CIPHER_CTX_free(evp); }

  void start(const Nonce& nonce, ByteView aad, int direction) {
    GHMESH_CHECK(EVP_CipherInit_ex2(evp, nullptr, nullptr, nonce.data(), direction, nullptr) == 1);
    if (!aad.empty()) update(nullptr, aad);
  }
  void update(std::uint8_t* out, ByteView in) {
    GHMESH_CHECK(in.size() <= INT_MAX);
    int length = 0;
    GHMESH_CHECK(EVP_CipherUpdate(evp, out, &length, in.data(), static_cast<int>(in.size())) == 1);
  }
  bool finish() {
    std::uint8_t unused[16];
    int length = 0;
    return EVP_CipherFinal_ex(evp, unused, &length) == 1;
  }
};

Aead::Aead(std::unique_ptr<Context> context) : context_(std::move(context)) {}
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;
Aead::~Aead() = default;

Aead Aead::chacha20_poly1305(const SecretKey32& key) {
  return Aead(std::make_unique<Context>(chacha20_poly1305_cipher(), key));
}
Aead Aead::aes256_gcm(const SecretKey32& key) { return Aead(std::make_unique<Context>(aes256_gcm_cipher(), key)); }

void Aead::seal(const Nonce& nonce, ByteView aad, MutableByteView buffer) {
  GHMESH_CHECK(buffer.size() >= kTagSize);
  seal(nonce, aad, buffer.first(buffer.size() - kTagSize), buffer);
}

void Aead::seal(const Nonce& nonce, ByteView aad, ByteView plain, MutableByteView out) {
  GHMESH_CHECK(out.size() == plain.size() + kTagSize);
  context_->start(nonce, aad, kSeal);
  if (!plain.empty()) context_->update(out.data(), plain);
  GHMESH_CHECK(context_->finish());
  GHMESH_CHECK(EVP_CIPHER_CTX_ctrl(context_->evp, EVP_CTRL_AEAD_GET_TAG, kTagSize, out.data() + plain.size()) == 1);
}

bool Aead::open(const Nonce& nonce, ByteView aad, MutableByteView buffer) {
  if (buffer.size() < kTagSize) return false;
  const MutableByteView text = buffer.first(buffer.size() - kTagSize);
  context_->start(nonce, aad, kOpen);
  GHMESH_CHECK(EVP_CIPHER_CTX_ctrl(context_->evp, EVP_CTRL_AEAD_SET_TAG, kTagSize, buffer.data() + text.size()) == 1);
  if (!text.empty()) context_->update(text.data(), text);
  return context_->finish();
}

}  // namespace ghmesh::crypto
