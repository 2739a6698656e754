// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

// The one way of saying that something did not work: Result<T>. An Error says what happened, who is at fault and
// whether trying again can help; absence that is no fault is std::optional. Exceptions stop at io's edge.

namespace ghmesh {

enum class ErrorCode {
  Malformed,    // bytes or text do not follow their grammar
  Limit,        // well-formed, but over a bound of ours
  Unsupported,  // well-formed, but not spoken here
  Timeout,      // a deadline of ours passed
  Closed,       // the other side, or we, closed the stream before the work was done
  Refused,      // a rule forbids it: admission, allow-list, certificate, permission
  NotFound,
  Conflict,   // someone else holds it: lock, address, name
  Authentic,  // a signature, MAC, tag or checksum does not match
  Io,         // the operating system said no
  Cancelled,
  Internal,
};

// Who has to change something for this to work.
enum class Fault { Client, Peer, Origin, Local };

enum class Retry { No, Later, Now };

struct Error {
  ErrorCode code = ErrorCode::Internal;
  Fault fault = Fault::Local;
  Retry retry = Retry::No;
  std::string message;  // one line: what and where; never a secret

  // The same error with an outer context in front: "reading peer_x.json: not a JSON object".
  Error with_context(std::string_view context) &&;
};

std::string_view to_string(ErrorCode code);

template <typename T = void>
using Result = std::expected<T, Error>;

// return fail(ErrorCode::Malformed, "…");
inline std::unexpected<Error> fail(ErrorCode code, std::string message, Fault fault = Fault::Local,
                                   Retry retry = Retry::No) {
  return std::unexpected(Error{code, fault, retry, std::move(message)});
}

// The error of errno, with what was being done.
std::unexpected<Error> fail_errno(int error_number, std::string_view doing);

}  // namespace ghmesh
