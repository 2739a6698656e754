// SPDX-License-Identifier: Apache-2.0
// A certificate from a peer, and the same octets in an honest certificate's place of the identity: whatever is taken
// has a key whose encoding is the one that its peer id is made of.
#include "base/check.hpp"
#include "libp2p/core/peer_id.hpp"
#include "libp2p/tls/certificate.hpp"

using namespace ghmesh;
using namespace ghmesh::libp2p;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView in(data, size);
  const WallTime now{std::chrono::seconds(1'790'000'000)};
  const auto check = [&](ByteView der) {
    const auto key = tls::verify_certificate(der, now, AcceptKeys::all());
    if (!key) return;
    const auto again = PublicKey::decode(key->encode(), AcceptKeys::all());
    GHMESH_CHECK(again && *again == *key);
    GHMESH_CHECK(!tls::verify_certificate(der, now, {}) || key->type() == KeyType::Ed25519);
  };
  check(in);
  // Behind signatures that hold: half of the input is the key that is claimed, the other its signature.
  const Voucher voucher = [&](ByteView) {
    const ByteView key = in.first(size / 2), signature = in.subspan(size / 2);
    return Vouching{{key.begin(), key.end()}, {signature.begin(), signature.end()}};
  };
  if (size < 4096)
    if (const auto made = tls::make_certificate(voucher, now)) check(made->der);
  return 0;
}
