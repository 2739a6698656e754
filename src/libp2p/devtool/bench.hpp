// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "libp2p/devtool/command.hpp"
#include "libp2p/host/host.hpp"

// Measurements against a listener: pings, exchanges on kept or fresh streams, connection set-ups. So many exchanges, or
// as many as there are in a time behind a time to get warm. Prints one JSON line with rate, quantiles and CPU time of
// this side. Private to the room.

namespace ghmesh::libp2p::devtool {

// User and system time of this process.
double cpu_seconds();

using MakeHost = std::function<std::unique_ptr<Host>()>;  // one more, for dialers that share nothing

io::Task<int> run_bench(Host& host, MakeHost make_host, multiformats::Multiaddr address, const CommandOptions& command,
                        std::FILE* out);

}  // namespace ghmesh::libp2p::devtool
