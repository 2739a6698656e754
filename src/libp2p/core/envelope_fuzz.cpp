// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "libp2p/core/envelope.hpp"
#include "libp2p/core/peer_record.hpp"

using namespace ghmesh;
using namespace ghmesh::libp2p;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView in(data, size);
  const auto record = open_peer_record(in, AcceptKeys::all());
  if (record) {
    const auto envelope = open_envelope(in, "libp2p-peer-record", AcceptKeys::all());
    GHMESH_CHECK(envelope && record->peer.belongs_to(envelope->signer));
    GHMESH_CHECK(record->addresses.size() <= Limits::kRecordAddresses);
  }
  // The input as the payload of a well signed envelope, so that the reader behind the signature is reached too.
  static const PrivateKey key = PrivateKey::from_seed(crypto::SecretKey32());
  const std::uint8_t type[] = {3, 1};
  const auto signed_record = open_peer_record(sign_envelope(key, "libp2p-peer-record", type, in));
  if (signed_record) GHMESH_CHECK(signed_record->peer.belongs_to(key.public_key()));
  return 0;
}
