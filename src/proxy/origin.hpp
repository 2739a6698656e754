// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/message/message.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

// An origin as the request path sees it: one request, one answer that comes in pieces. The real one is a pool of
// connections (client_origin.hpp); tests play one.

namespace ghmesh::proxy {

// Where the body of a forwarded request comes from.
struct RequestBody {
  // Nothing: the length is not known (chunked).
  std::optional<std::uint64_t> length;
  // The next piece, empty at the end.
  std::function<io::Task<Result<std::string_view>>()> read;
};

class OriginAnswer {
 public:
  virtual ~OriginAnswer() = default;
  virtual int status() const = 0;
  virtual http::FieldsView fields() const = 0;
  // What fields say about the body's length; nothing for chunked or until close.
  virtual std::optional<std::uint64_t> length() const = 0;
  // The next piece, empty at the end; the view is valid until the next read. A cut body is an error.
  virtual io::Task<Result<std::string_view>> read() = 0;
  // After 101: the connection, and the octets that came early. Once; null where there is none to give.
  virtual std::unique_ptr<io::Stream> take_stream(std::string& early) {
    static_cast<void>(early);
    return nullptr;
  }
};

using OnInterim = std::function<io::Task<>(int status, http::FieldsView fields)>;

class Origin {
 public:
  virtual ~Origin() = default;
  // request.target is origin-form; fields lack Host and framing, and Upgrade among them asks for that protocol. Returns
  // once the final head is there. Interim answers (1xx) are handed to on_interim, if any. An error means that no answer
  // came.
  virtual io::Task<Result<std::unique_ptr<OriginAnswer>>> call(http::Request request, std::optional<RequestBody> body,
                                                               OnInterim on_interim) = 0;
};

}  // namespace ghmesh::proxy
