// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "libp2p/request/framing.hpp"
#include "libp2p/swarm/swarm.hpp"

// Request/response protocols: one stream per exchange, one framed message each way, the requester half-closes after the
// request. Cancelling is destroying the task, which resets the stream; a handler is destroyed when its time is over.

namespace ghmesh::libp2p {

struct RequestLimits {
  Duration deadline = std::chrono::seconds(5);  // for the whole exchange, dial included for the requester
  std::size_t max_request = 4 * 1024;
  std::size_t max_response = std::size_t{4} << 20;
};

// Asks a peer. Timeout, Limit, Unsupported (the peer does not speak the protocol), errors of Swarm::connect.
io::Task<Result<Bytes>> request(Swarm& swarm, PeerId peer, std::string protocol, Bytes message,
                                RequestLimits limits = {});

// Answers: handler gives the response, or an error that resets the stream.
using RequestHandler = std::function<io::Task<Result<Bytes>>(PeerId peer, Bytes message)>;
void serve_requests(Swarm& swarm, std::string protocol, RequestHandler handler, RequestLimits limits = {});

}  // namespace ghmesh::libp2p
