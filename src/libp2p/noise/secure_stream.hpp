// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "io/stream.hpp"
#include "libp2p/noise/transport.hpp"

namespace ghmesh::libp2p::noise {

// The transport phase (libp2p/specs:noise/README.md "Wire Format") as a byte stream. Sealing and opening need no memory
// of their own: a buffer exists only while a message is cut in two by the stream below. Takes the stream below, behind
// whose handshake nothing has been read. One loop.
std::unique_ptr<io::Stream> make_secure_stream(std::unique_ptr<io::Stream> lower, Transport transport);

}  // namespace ghmesh::libp2p::noise
