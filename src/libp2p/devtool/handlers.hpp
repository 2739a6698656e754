// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/hash.hpp"
#include "libp2p/swarm/swarm.hpp"

// The protocols that interop tests and measurements speak. One loop.

namespace ghmesh::libp2p::devtool {

inline constexpr std::string_view kEcho = "/echo/1.0.0";  // echoes until the half-close, then closes
inline constexpr std::string_view kPerf = "/perf/1.0.0";  // libp2p/specs perf/perf.md
inline constexpr std::string_view kReply =
    "/interop/rr/1.0.0";  // framed requests; their first four octets say the reply's size

void serve_all(Swarm& swarm);

// perf: sends up octets, half-closes, pauses, reads down octets; the time it took.
io::Task<Result<Duration>> run_perf(PeerConnection& connection, std::uint64_t up, std::uint64_t down,
                                    Duration pause = Duration::zero());

// echo: sends octets of a pattern and reads them back while it sends. Authentic if what came back is not what was sent;
// the SHA-256 of it otherwise. Our end of the stream comes right behind the octets, or behind their echo.
enum class EchoEnd { BehindOctets, BehindEcho };
io::Task<Result<crypto::Digest32>> run_echo(PeerConnection& connection, std::string protocol, std::uint64_t octets,
                                            EchoEnd end);

}  // namespace ghmesh::libp2p::devtool
