// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/secret.hpp"

// Identity keys (libp2p/specs:peer-ids/peer-ids.md): a protobuf of type and data, in one fixed encoding, because the
// peer id is made from it. Our own key is Ed25519; the other types are only checked, and only where an operator asks
// for it.

namespace ghmesh::libp2p {

enum class KeyType : std::uint8_t { Rsa = 0, Ed25519 = 1, Secp256k1 = 2, Ecdsa = 3 };

std::string_view to_string(KeyType type);

// Which types of other peers' keys are looked at. The rest is refused by the type's number alone, before any arithmetic
// and before the key is even parsed.
struct AcceptKeys {
  bool ed25519 = true;
  bool secp256k1 = false;
  bool ecdsa = false;
  bool rsa = false;

  bool allows(KeyType type) const;
  static AcceptKeys all() { return {true, true, true, true}; }
  // A list of names, "ed25519,rsa". Malformed for an unknown or missing name.
  static Result<AcceptKeys> parse(std::string_view list);
};

// A plain value; any thread.
class PublicKey {
 public:
  static PublicKey ed25519(const crypto::Ed25519PublicKey& key);
  // The whole of in is one key in its only valid encoding: both fields, in order, nothing else. Refused: a type that
  // accept does not allow. Malformed: anything else, including data of the wrong size for its type.
  static Result<PublicKey> decode(ByteView in, const AcceptKeys& accept = {});

  KeyType type() const { return type_; }
  ByteView data() const { return data_; }
  Bytes encode() const;
  [[nodiscard]] bool verify(ByteView message, ByteView signature) const;

  friend bool operator==(const PublicKey&, const PublicKey&) = default;

 private:
  PublicKey(KeyType type, ByteView data) : type_(type), data_(data.begin(), data.end()) {}

  KeyType type_;
  Bytes data_;
};

// Our identity. Any thread may sign.
class PrivateKey {
 public:
  static PrivateKey generate(Random& random);
  static PrivateKey from_seed(const crypto::SecretKey32& seed);
  // The private key protobuf as libp2p implementations keep it in files: Ed25519 with 64 bytes (seed and public key) or
  // the old 96. Malformed if the halves do not belong together, Unsupported for other types.
  static Result<PrivateKey> decode(const crypto::SecretBytes& in);

  const PublicKey& public_key() const { return public_key_; }
  Bytes sign(ByteView message) const;
  crypto::SecretBytes encode() const;
  PrivateKey clone() const;

 private:
  explicit PrivateKey(crypto::Ed25519PrivateKey key)
      : key_(std::move(key)), public_key_(PublicKey::ed25519(key_.public_key())) {}

  crypto::Ed25519PrivateKey key_;
  PublicKey public_key_;
};

// How an identity vouches for the key of a secure channel: its public key as it is sent, and its signature over text.
// A PrivateKey does; a key that is kept elsewhere can, and tests of others' checks lie here.
struct Vouching {
  Bytes public_key;
  Bytes signature;
};
using Voucher = std::function<Vouching(ByteView text)>;
// key outlives the voucher.
Voucher voucher_of(const PrivateKey& key);

}  // namespace ghmesh::libp2p
