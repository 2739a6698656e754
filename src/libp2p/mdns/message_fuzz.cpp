// SPDX-License-Identifier: Apache-2.0
// Datagrams of anyone on the network.

#include "base/check.hpp"
#include "libp2p/mdns/message.hpp"

using namespace ghmesh;
using namespace ghmesh::libp2p::mdns;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Limits limits;
  const auto message = decode(ByteView(data, size), limits);
  if (!message) return 0;
  GHMESH_CHECK(message->addresses.size() <= limits.addresses);
  const Bytes again = encode_answer("fuzz", message->addresses, limits);
  GHMESH_CHECK(again.size() <= limits.answer);
  GHMESH_CHECK(decode(again, limits).has_value());
  return 0;
}
