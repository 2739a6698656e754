// SPDX-License-Identifier: Apache-2.0
// Octets of anyone as an identify message; whatever is taken stays within the limits and survives a round trip.

#include "base/check.hpp"
#include "libp2p/identify/message.hpp"

using namespace ghmesh;
using namespace ghmesh::libp2p::identify;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Limits limits;
  Message message;
  if (!decode_into(message, ByteView(data, size), limits)) return 0;
  GHMESH_CHECK(message.protocols.size() <= limits.protocols);
  GHMESH_CHECK(message.listen_addresses.size() <= limits.addresses);
  Message again;
  GHMESH_CHECK(decode_into(again, encode(message), limits).has_value());
  GHMESH_CHECK(again.protocols == message.protocols);
  GHMESH_CHECK(again.listen_addresses == message.listen_addresses);
  return 0;
}
