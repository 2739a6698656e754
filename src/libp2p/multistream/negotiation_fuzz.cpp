// SPDX-License-Identifier: Apache-2.0
// Both roles against octets of anyone. First octet: role and piece size.

#include <algorithm>

#include "base/check.hpp"
#include "libp2p/multistream/negotiation.hpp"

using namespace ghmesh;
using namespace ghmesh::libp2p::multistream;

namespace {

template <typename Side>
void drive(Side& side, ByteView in, std::size_t piece) {
  while (!in.empty() && side.want() > 0) {
    const std::size_t n = std::min({in.size(), side.want(), piece});
    if (!side.receive(in.first(n))) return;
    GHMESH_CHECK(side.output().size() < 2048);
    in = in.subspan(n);
  }
  GHMESH_CHECK(side.agreed().has_value() == (side.want() == 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = 1 + (data[0] >> 1) % 32;
  const ByteView in(data + 1, size - 1);
  if ((data[0] & 1) != 0) {
    Initiator side({"/a", "/noise"});
    drive(side, in, piece);
  } else {
    Responder side([](std::string_view p) { return p == "/noise" || p.size() > 300; });
    drive(side, in, piece);
  }
  return 0;
}
