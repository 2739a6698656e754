// SPDX-License-Identifier: Apache-2.0
// What each primitive costs, and the comparisons that decided between the two libraries.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "crypto/aead.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/hmac.hpp"
#include "crypto/random.hpp"
#include "crypto/x25519.hpp"

namespace ghmesh::crypto {
namespace {

void sha256_own(benchmark::State& state) {
  const Bytes message(static_cast<std::size_t>(state.range(0)), 7);
  for (auto _ : state) benchmark::DoNotOptimize(sha256(message));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(sha256_own)->Arg(64)->Arg(256)->Arg(2048)->Arg(20480);

void sha256_evp_kept(benchmark::State& state) {
  const Bytes message(static_cast<std::size_t>(state.range(0)), 7);
  EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  Digest32 out;
  for (auto _ : state) {
    EVP_DigestInit_ex2(context, digest, nullptr);
    EVP_DigestUpdate(context, message.data(), message.size());
    EVP_DigestFinal_ex(context, out.data(), nullptr);
    benchmark::DoNotOptimize(out);
  }
  EVP_MD_CTX_free(context);
  EVP_MD_free(digest);
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(sha256_evp_kept)->Arg(64)->Arg(256)->Arg(2048)->Arg(20480);

void sha256_midstate_own(benchmark::State& state) {
  Sha256 prefix;
  prefix.update(Bytes(64, 1));
  for (auto _ : state) benchmark::DoNotOptimize(Sha256(prefix).update("suffix").finish());
}
BENCHMARK(sha256_midstate_own);

void sha256_midstate_evp(benchmark::State& state) {
  EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* const prefix = EVP_MD_CTX_new();
  EVP_MD_CTX* const copy = EVP_MD_CTX_new();
  const Bytes block(64, 1);
  EVP_DigestInit_ex2(prefix, digest, nullptr);
  EVP_DigestUpdate(prefix, block.data(), block.size());
  Digest32 out;
  for (auto _ : state) {
    EVP_MD_CTX_copy_ex(copy, prefix);
    EVP_DigestUpdate(copy, "suffix", 6);
    EVP_DigestFinal_ex(copy, out.data(), nullptr);
    benchmark::DoNotOptimize(out);
  }
  EVP_MD_CTX_free(copy);
  EVP_MD_CTX_free(prefix);
  EVP_MD_free(digest);
}
BENCHMARK(sha256_midstate_evp);

void hmac_kept(benchmark::State& state) {
  const HmacSha256 hmac(Bytes(32, 1));
  const Bytes message(64, 2);
  for (auto _ : state) benchmark::DoNotOptimize(hmac.mac(message));
}
BENCHMARK(hmac_kept);

void hmac_one_shot(benchmark::State& state) {
  const Bytes key(32, 1);
  const Bytes message(64, 2);
  for (auto _ : state) benchmark::DoNotOptimize(hmac_sha256(key, message));
}
BENCHMARK(hmac_one_shot);

void hmac_openssl_one_shot(benchmark::State& state) {
  const Bytes key(32, 1);
  const Bytes message(64, 2);
  Digest32 out;
  for (auto _ : state) {
    HMAC(EVP_sha256(), key.data(), 32, message.data(), message.size(), out.data(), nullptr);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(hmac_openssl_one_shot);

void hkdf_64(benchmark::State& state) {
  const Bytes salt(32, 1);
  const Bytes key(32, 2);
  for (auto _ : state) benchmark::DoNotOptimize(hkdf(salt, key, {}, 64));
}
BENCHMARK(hkdf_64);

void seal_in_place(benchmark::State& state) {
  const SecretKey32 key;
  Aead aead = state.range(0) == 0 ? Aead::chacha20_poly1305(key) : Aead::aes256_gcm(key);
  Bytes buffer(static_cast<std::size_t>(state.range(1)) + Aead::kTagSize);
  Aead::Nonce nonce{};
  std::uint64_t counter = 0;
  for (auto _ : state) {
    store_le(nonce.data() + 4, ++counter);
    aead.seal(nonce, {}, buffer);
  }
  state.SetBytesProcessed(state.iterations() * state.range(1));
  state.SetLabel(state.range(0) == 0 ? "ChaCha20-Poly1305" : "AES-256-GCM");
}
BENCHMARK(seal_in_place)->ArgsProduct({{0, 1}, {64, 256, 2048, 20480, 65519}});

void x25519_sodium(benchmark::State& state) {
  SecureRandom random;
  const auto a = X25519KeyPair::generate(random);
  const auto b = X25519KeyPair::generate(random);
  for (auto _ : state) benchmark::DoNotOptimize(x25519(a.secret, b.public_key));
}
BENCHMARK(x25519_sodium);

void x25519_generate(benchmark::State& state) {
  SecureRandom random;
  for (auto _ : state) benchmark::DoNotOptimize(X25519KeyPair::generate(random));
}
BENCHMARK(x25519_generate);

void x25519_openssl(benchmark::State& state) {
  SecureRandom random;
  const auto a = X25519KeyPair::generate(random);
  const auto b = X25519KeyPair::generate(random);
  EVP_PKEY* const own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, a.secret.expose().data(), 32);
  std::array<std::uint8_t, 32> out;
  for (auto _ : state) {  // as a handshake does it: a new peer key each time
    EVP_PKEY* const peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, b.public_key.data(), 32);
    EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new(own, nullptr);
    std::size_t length = out.size();
    EVP_PKEY_derive_init(context);
    EVP_PKEY_derive_set_peer(context, peer);
    EVP_PKEY_derive(context, out.data(), &length);
    benchmark::DoNotOptimize(out);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
  }
  EVP_PKEY_free(own);
}
BENCHMARK(x25519_openssl);

void ed25519_sign_sodium(benchmark::State& state) {
  SecureRandom random;
  const auto key = Ed25519PrivateKey::generate(random);
  const Bytes message(64, 2);
  for (auto _ : state) benchmark::DoNotOptimize(key.sign(message));
}
BENCHMARK(ed25519_sign_sodium);

void ed25519_verify_sodium(benchmark::State& state) {
  SecureRandom random;
  const auto key = Ed25519PrivateKey::generate(random);
  const Bytes message(64, 2);
  const auto signature = key.sign(message);
  for (auto _ : state) benchmark::DoNotOptimize(ed25519_verify(key.public_key(), message, signature));
}
BENCHMARK(ed25519_verify_sodium);

void ed25519_sign_openssl(benchmark::State& state) {
  EVP_PKEY* const key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(32, 1).data(), 32);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  const Bytes message(64, 2);
  Ed25519Signature out;
  for (auto _ : state) {
    std::size_t length = out.size();
    EVP_DigestSignInit(context, nullptr, nullptr, nullptr, key);
    EVP_DigestSign(context, out.data(), &length, message.data(), message.size());
    benchmark::DoNotOptimize(out);
  }
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
}
BENCHMARK(ed25519_sign_openssl);

void ed25519_verify_openssl(benchmark::State& state) {
  SecureRandom random;
  const auto own = Ed25519PrivateKey::generate(random);
  const Bytes message(64, 2);
  const auto signature = own.sign(message);
  for (auto _ : state) {
    EVP_PKEY* const key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, own.public_key().data(), 32);
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, key);
    benchmark::DoNotOptimize(
        EVP_DigestVerify(context, signature.data(), signature.size(), message.data(), message.size()));
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
  }
}
BENCHMARK(ed25519_verify_openssl);

}  // namespace
}  // namespace ghmesh::crypto
