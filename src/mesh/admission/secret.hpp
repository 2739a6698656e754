// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/secret.hpp"

// The mesh secret: where it comes from, what is refused, and the keys that are made from it (HKDF-SHA-256, RFC 5869).
// Whoever holds it may join and may read what the members have read. Plain values; any thread.

namespace ghmesh::mesh {

// A public name of the mesh: says nothing about the secret, equal for all that hold it.
using MeshId = std::array<std::uint8_t, 16>;

// One secret's keys. No two purposes share a key, and none leads back to the secret.
struct MeshKeys {
  crypto::SecretKey32 lookup;      // HMAC of canonical requests: what members call a resource
  crypto::SecretKey32 membership;  // proofs of admission
  crypto::SecretKey32 envelope;    // root of every connection's keys
  crypto::SecretKey32 at_rest;     // what a member may keep on disk for the mesh
  crypto::SecretKey32 registry;    // the MAC of records in a shared directory
  MeshId id{};

  static MeshKeys derive(ByteView secret);
  MeshKeys clone() const;
};

// The slots of a rotation: what this node uses, and what it takes from others besides.
struct Keyring {
  MeshKeys current;
  std::optional<MeshKeys> also_accept;
};

enum class SecretSource : std::uint8_t { File, Ghmesh, CacheP2p, Token };
std::string_view to_string(SecretSource source);  // "--secret-file", "GHMESH_SECRET", …

struct SecretFound {
  Keyring keys;
  SecretSource source = SecretSource::File;
};

// What a start without a mesh says: why, and what to do. One or two sentences for people.
struct NoMesh {
  std::string reason;
};

struct SecretInputs {
  std::string file;  // the path of --secret-file, or nothing
  std::function<std::optional<std::string>(std::string_view name)> environment;
};

// Looks in order at the file, GHMESH_SECRET, CACHE_P2P_SHARED_SECRET, GH_TOKEN, GITHUB_TOKEN; the first that is there
// decides. Two secrets in one place, apart by white space or a comma, are current and also-accept. Fails on a secret
// that is there but unusable (unreadable file, passphrase, no hex or base64): silently running without the mesh that
// was asked for would be worse. NoMesh: nothing is set, or only a token that no other job has.
Result<std::variant<SecretFound, NoMesh>> find_secret(const SecretInputs& inputs);

// The bytes of one secret as hex or base64 text. Malformed: neither. Refused: guessable, or below kSecretMinBytes. The
// message names the fix and never repeats the text.
Result<crypto::SecretBytes> parse_secret(std::string_view text);

// 32 random bytes as 64 hex digits: what `ghmesh secret new` prints.
crypto::SecretText make_secret(Random& random);

// What an attacker has to guess at most, in bits: by the alphabet used, repetitions counted once.
double estimate_bits(std::string_view text);

}  // namespace ghmesh::mesh
