// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "io/network.hpp"
#include "io/task.hpp"
#include "limits.hpp"
#include "multiformats/multiaddr.hpp"

// From names to addresses: /dns, /dns4, /dns6 give one address per host (a headless service lists all of its pods), and
// /dnsaddr what the TXT records of _dnsaddr.<name> say (multiformats/multiaddr:protocols/DNSADDR.md). Private to the
// room. One loop.

namespace ghmesh::mesh {

bool begins_with_name(const multiformats::Multiaddr& address);

// What an address stands for; itself if it has no name. An error is that of the last name that gave nothing, if no name
// gave anything.
io::Task<Result<std::vector<multiformats::Multiaddr>>> expand(io::Network& network, multiformats::Multiaddr address,
                                                              DiscoveryLimits limits);

}  // namespace ghmesh::mesh
