// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include <cerrno>
#include <system_error>

namespace ghmesh {

Error Error::with_context(std::string_view context) && {
  Error out = std::move(*this);
  out.message = std::string(context) + ": " + out.message;
  return out;
}

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::Malformed: return "malformed";
    case ErrorCode::Limit: return "limit";
    case ErrorCode::Unsupported: return "unsupported";
    case ErrorCode::Timeout: return "timeout";
    case ErrorCode::Closed: return "closed";
    case ErrorCode::Refused: return "refused";
    case ErrorCode::NotFound: return "not found";
    case ErrorCode::Conflict: return "conflict";
    case ErrorCode::Authentic: return "not authentic";
    case ErrorCode::Io: return "io";
    case ErrorCode::Cancelled: return "cancelled";
    case ErrorCode::Internal: return "internal";
  }
  return "unknown";
}

std::unexpected<Error> fail_errno(int error_number, std::string_view doing) {
  ErrorCode code = ErrorCode::Io;
  Retry retry = Retry::No;
  switch (error_number) {
    case ENOENT: code = ErrorCode::NotFound; break;
    case EADDRINUSE:
    case EEXIST: code = ErrorCode::Conflict; break;
    case EACCES:
    case EPERM:
    case ECONNREFUSED: code = ErrorCode::Refused; break;
    case ETIMEDOUT:
      code = ErrorCode::Timeout;
      retry = Retry::Later;
      break;
    case ECONNRESET:
    case EPIPE:
      code = ErrorCode::Closed;
      retry = Retry::Now;
      break;
    default: break;
  }
  return fail(code, std::string(doing) + ": " + std::generic_category().message(error_number), Fault::Local, retry);
}

}  // namespace ghmesh
