// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libp2p/devtool/command.hpp"
#include "libp2p/host/host.hpp"

// Measurements against a listener: exchanges on kept or fresh streams, and connection set-ups. Prints one JSON line
// with rate, quantiles and CPU time of this side. Private to the room.

namespace ghmesh::libp2p::devtool {

io::Task<int> run_bench(Host& host, multiformats::Multiaddr address, const CommandOptions& command, std::FILE* out);

}  // namespace ghmesh::libp2p::devtool
