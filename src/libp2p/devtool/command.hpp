// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

// The developer's command `p2p listen|dial|ping|perf|echo|bench`: a host that interop tests and measurements drive. It
// prints one JSON line per result on out and returns the exit status: 0 done, 1 failed, 2 usage. Runs its own loop on
// the calling thread; `listen` until SIGINT or SIGTERM or the end of standard input where asked.

namespace ghmesh::libp2p::devtool {

struct CommandOptions {
  std::string verb;     // listen, dial, ping, perf, echo, bench
  std::string address;  // multiaddr with /p2p, except for listen
  std::uint16_t port = 0;
  bool tls = false;
  bool early_muxer = true;
  // Dev hosts are measured, so the mesh's cautious limits are raised to the hard maxima.
  bool default_limits = false;
  std::uint32_t count = 0;     // ping: how many (0: 5); bench: how many exchanges (hold: seconds)
  std::uint64_t upload = 0;    // perf
  std::uint64_t download = 0;  // perf
  std::uint32_t pause = 0;     // perf: milliseconds before the first octet is read
  std::string mode;            // bench: ping, kept, fresh, first, setups, hold
  std::uint32_t parallel = 1;  // bench
  std::uint32_t warm = 0;      // bench: milliseconds that are not counted, before
  std::uint32_t measure = 0;   // bench: milliseconds that are, instead of count exchanges; a line says when they begin
  std::uint64_t size = 2048;   // bench: octets of a reply; echo: octets sent
  std::string protocol;        // echo: another one than /echo/1.0.0
  bool early_end = false;      // echo: half-closes behind the last octet instead of behind its echo
  std::string accept_keys = "ed25519";
  std::string forge;       // the handshake lies about who we are, in the way of that name; empty: it does not
  std::uint16_t mdns = 0;  // listen: finds peers by multicast over loopback on this port; a line for each found
};

// Arguments behind `p2p`. The error is one line for standard error.
std::optional<std::string> parse_command(const std::vector<std::string>& arguments, CommandOptions& options);

int run_command(const CommandOptions& options, std::FILE* out);

}  // namespace ghmesh::libp2p::devtool
