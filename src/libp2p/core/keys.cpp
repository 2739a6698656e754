// SPDX-License-Identifier: Apache-2.0
#include "libp2p/core/keys.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "crypto/signature.hpp"
#include "libp2p/core/limits.hpp"
#include "libp2p/core/protobuf.hpp"

namespace ghmesh::libp2p {
namespace {

constexpr std::uint32_t kFieldType = 1;
constexpr std::uint32_t kFieldData = 2;

template <std::size_t Size>
std::array<std::uint8_t, Size> to_array(ByteView bytes) {
  GHMESH_CHECK(bytes.size() == Size);
  std::array<std::uint8_t, Size> out;
  std::ranges::copy(bytes, out.begin());
  return out;
}

std::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorCode::Malformed, std::string("key: ").append(why), Fault::Peer);
}

struct TypeAndData {
  KeyType type;
  ByteView data;
};

// Both messages, public and private, look the same.
Result<TypeAndData> decode_fields(ByteView in) {
  ProtoReader reader(in);
  const auto type = reader.next();
  if (!type) return std::unexpected(type.error());
  if (!*type || !(*type)->is(kFieldType, WireType::Varint)) return malformed("does not begin with its type");
  if ((*type)->value > static_cast<std::uint64_t>(KeyType::Ecdsa)) return malformed("unknown type");
  const auto data = reader.next();
  if (!data) return std::unexpected(data.error());
  if (!*data || !(*data)->is(kFieldData, WireType::Bytes)) return malformed("no data behind the type");
  return TypeAndData{static_cast<KeyType>((*type)->value), (*data)->bytes};
}

void encode_fields(Bytes& out, KeyType type, ByteView data) {
  ProtoWriter(out).varint(kFieldType, static_cast<std::uint64_t>(type)).bytes(kFieldData, data);
}

bool size_fits(KeyType type, std::size_t size) {
  switch (type) {
    case KeyType::Ed25519: return size == 32;
    case KeyType::Secp256k1: return size == 33;
    case KeyType::Ecdsa: return size > 0 && size <= crypto::kEcMaxSpki;
    case KeyType::Rsa: return size > 0 && size <= crypto::kRsaMaxSpki;
  }
  return false;
}

}  // namespace

std::string_view to_string(KeyType type) {
  switch (type) {
    case KeyType::Rsa: return "rsa";
    case KeyType::Ed25519: return "ed25519";
    case KeyType::Secp256k1: return "secp256k1";
    case KeyType::Ecdsa: return "ecdsa";
  }
  return "unknown";
}

bool AcceptKeys::allows(KeyType type) const {
  switch (type) {
    case KeyType::Rsa: return rsa;
    case KeyType::Ed25519: return ed25519;
    case KeyType::Secp256k1: return secp256k1;
    case KeyType::Ecdsa: return ecdsa;
  }
  return false;
}

Result<AcceptKeys> AcceptKeys::parse(std::string_view list) {
  AcceptKeys accept{false, false, false, false};
  while (true) {
    const std::size_t comma = list.find(',');
    const std::string_view name = list.substr(0, comma);
    if (name == "ed25519") {
      accept.ed25519 = true;
    } else if (name == "secp256k1") {
      accept.secp256k1 = true;
    } else if (name == "ecdsa") {
      accept.ecdsa = true;
    } else if (name == "rsa") {
      accept.rsa = true;
    } else {
      return fail(ErrorCode::Malformed, "not a key type (ed25519, secp256k1, ecdsa, rsa): " + std::string(name));
    }
    if (comma == std::string_view::npos) return accept;
    list.remove_prefix(comma + 1);
  }
}

PublicKey PublicKey::ed25519(const crypto::Ed25519PublicKey& key) { return PublicKey(KeyType::Ed25519, key); }

Result<PublicKey> PublicKey::decode(ByteView in, const AcceptKeys& accept) {
  if (in.size() > Limits::kPublicKeyBytes) return fail(ErrorCode::Limit, "key: too long", Fault::Peer);
  const auto fields = decode_fields(in);
  if (!fields) return std::unexpected(fields.error());
  if (!accept.allows(fields->type))
    return fail(ErrorCode::Refused, std::string("key: type not accepted: ").append(to_string(fields->type)),
                Fault::Peer);
  if (!size_fits(fields->type, fields->data.size())) return malformed("wrong size");
  PublicKey key(fields->type, fields->data);
  // One key, one encoding, one peer id: long varints and further fields would make others.
  if (!equal(key.encode(), in)) return malformed("not in its canonical encoding");
  return key;
}

Bytes PublicKey::encode() const {
  Bytes out;
  out.reserve(data_.size() + 8);
  encode_fields(out, type_, data_);
  return out;
}

bool PublicKey::verify(ByteView message, ByteView signature) const {
  switch (type_) {
    case KeyType::Ed25519:
      return signature.size() == 64 && crypto::ed25519_verify(to_array<32>(data_), message, to_array<64>(signature));
    case KeyType::Secp256k1: return crypto::secp256k1_sha256_verify(data_, message, signature);
    case KeyType::Ecdsa: return crypto::ecdsa_sha256_verify(data_, message, signature);
    case KeyType::Rsa: return crypto::rsa_sha256_verify(data_, message, signature);
  }
  return false;
}

PrivateKey PrivateKey::generate(Random& random) { return PrivateKey(crypto::Ed25519PrivateKey::generate(random)); }

PrivateKey PrivateKey::from_seed(const crypto::SecretKey32& seed) {
  return PrivateKey(crypto::Ed25519PrivateKey::from_seed(seed));
}

Result<PrivateKey> PrivateKey::decode(const crypto::SecretBytes& in) {
  const auto fields = decode_fields(in.expose());
  if (!fields) return std::unexpected(fields.error());
  if (fields->type != KeyType::Ed25519) return fail(ErrorCode::Unsupported, "private key: only Ed25519 is used");
  const ByteView data = fields->data;
  if (data.size() != 64 && data.size() != 96) return malformed("wrong size of a private key");
  PrivateKey key = from_seed(crypto::SecretKey32(to_array<32>(data.first(32))));
  for (std::size_t at = 32; at < data.size(); at += 32)
    if (!equal(data.subspan(at, 32), key.public_key().data()))
      return malformed("private and public key do not belong together");
  return key;
}

Bytes PrivateKey::sign(ByteView message) const {
  const crypto::Ed25519Signature signature = key_.sign(message);
  return {signature.begin(), signature.end()};
}

crypto::SecretBytes PrivateKey::encode() const {
  crypto::Secret<std::array<std::uint8_t, 64>> both;
  const crypto::SecretKey32 seed = key_.seed();
  std::ranges::copy(seed.expose(), both.expose_mutable().begin());
  std::ranges::copy(key_.public_key(), both.expose_mutable().begin() + 32);
  Bytes out;
  out.reserve(96);  // no growth: an outgrown buffer would not be wiped
  encode_fields(out, KeyType::Ed25519, both.expose());
  return crypto::SecretBytes(std::move(out));
}

PrivateKey PrivateKey::clone() const { return PrivateKey(key_.clone()); }

Voucher voucher_of(const PrivateKey& key) {
  return [&key](ByteView text) { return Vouching{key.public_key().encode(), key.sign(text)}; };
}

}  // namespace ghmesh::libp2p
