// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "libp2p/multistream/limits.hpp"

// multistream-select 1.0 (libp2p/specs connections/README.md "Multistream Select"): how two peers agree on a protocol
// for a connection or a stream. Both send the header line, the initiator proposes, the responder echoes or says `na`.
// A line is an unsigned varint with its length, text, and a newline that the length counts.
//
// No IO: want() says how many octets may be read without touching what follows the agreed line, receive() takes them,
// output() is what to send. One thread.

namespace ghmesh::libp2p::multistream {

inline constexpr std::string_view kHeader = "/multistream/1.0.0";
inline constexpr std::string_view kNotAvailable = "na";

// The line as it goes over the wire. text is at most 16,382 octets.
void append_line(Bytes& out, std::string_view text);

// Cuts the octets of the other side into lines and never asks for one beyond the line in progress.
class LineReader {
 public:
  explicit LineReader(std::size_t max_line) : max_line_(max_line) {}

  // At least 1, unless a line is complete.
  std::size_t want() const { return need_ - raw_.size(); }
  // bytes.size() <= want(). Malformed: a length of 0 or not minimal, no newline at the end, control characters;
  // Limit: a line over the cap, told by its length alone.
  Result<> push(ByteView bytes);
  // The line without its newline, once; then the next line begins.
  std::optional<std::string> take();

 private:
  std::size_t max_line_;
  std::string raw_;
  std::size_t need_ = 2;  // the shortest line has a length and a newline
  std::size_t prefix_ = 0;
};

class Initiator {
 public:
  // Proposes the protocols in this order. 1 to limits.max_tries of them.
  explicit Initiator(std::vector<std::string> protocols, Limits limits = {});

  ByteView output() const { return output_; }
  void consume_output(std::size_t n) {
    output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(n));
  }
  std::size_t want() const { return agreed_ ? 0 : reader_.want(); }
  // Unsupported: the responder speaks none of the protocols; Malformed: it does not speak multistream.
  Result<> receive(ByteView bytes);
  const std::optional<std::string>& agreed() const { return agreed_; }
  // With one proposal the initiator may send its own octets right behind it (lazy negotiation). They were not acted on
  // if receive() fails later.
  bool may_send_early() const { return protocols_.size() == 1; }

 private:
  Limits limits_;
  std::vector<std::string> protocols_;
  std::size_t proposed_ = 0;
  bool header_seen_ = false;
  LineReader reader_;
  Bytes output_;
  std::optional<std::string> agreed_;
};

class Responder {
 public:
  // accepts is asked for every proposal; ids are compared whole.
  using Accepts = std::function<bool(std::string_view protocol)>;
  explicit Responder(Accepts accepts, Limits limits = {});

  ByteView output() const { return output_; }
  void consume_output(std::size_t n) {
    output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(n));
  }
  std::size_t want() const { return agreed_ ? 0 : reader_.want(); }
  // Limit after max_tries refused proposals. Send what output() holds also then.
  Result<> receive(ByteView bytes);
  const std::optional<std::string>& agreed() const { return agreed_; }

 private:
  Limits limits_;
  Accepts accepts_;
  std::size_t tries_ = 0;
  bool header_seen_ = false;
  LineReader reader_;
  Bytes output_;
  std::optional<std::string> agreed_;
};

}  // namespace ghmesh::libp2p::multistream
