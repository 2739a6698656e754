// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/message/fields.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

// CONNECT from the client's side (RFC 9110 §9.3.6): makes a connection to an HTTP proxy into one to a host behind it.

namespace ghmesh::http::client {

// Asks for a tunnel to authority, which names its port. fields: besides Host; the views must outlive the task. What the
// far end said early comes first from the stream that is returned. The caller bounds the time. Fault::Origin: Refused
// if the proxy says no (the message says with which status), Closed, Malformed, Limit.
io::Task<Result<std::unique_ptr<io::Stream>>> open_tunnel(std::unique_ptr<io::Stream> proxy, std::string authority,
                                                          FieldsView fields);

}  // namespace ghmesh::http::client
