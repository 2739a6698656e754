// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "libp2p/core/keys.hpp"
#include "libp2p/core/peer_id.hpp"

using namespace ghmesh;
using namespace ghmesh::libp2p;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView in(data, size);
  const auto key = PublicKey::decode(in, AcceptKeys::all());
  if (!key) return 0;
  GHMESH_CHECK(equal(key->encode(), in));
  GHMESH_CHECK(PublicKey::decode(in).has_value() == (key->type() == KeyType::Ed25519));
  GHMESH_CHECK(PeerId::from_key(*key).belongs_to(*key));
  // The parsers behind the key run too; a signature of zeros holds for nobody.
  GHMESH_CHECK(!key->verify(as_bytes("message"), Bytes(64)));
  return 0;
}
