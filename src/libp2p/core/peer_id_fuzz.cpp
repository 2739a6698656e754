// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "libp2p/core/peer_id.hpp"

using namespace ghmesh;
using namespace ghmesh::libp2p;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView in(data, size);
  for (const auto& peer : {PeerId::decode(in), PeerId::parse(as_text(in))}) {
    if (!peer) continue;
    GHMESH_CHECK(PeerId::decode(peer->bytes()).value() == *peer);
    GHMESH_CHECK(PeerId::parse(peer->text()).value() == *peer);
    GHMESH_CHECK(PeerId::parse(peer->cid_text()).value() == *peer);
    if (const auto key = peer->public_key(AcceptKeys::all())) GHMESH_CHECK(peer->belongs_to(*key));
  }
  return 0;
}
