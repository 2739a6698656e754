// SPDX-License-Identifier: Apache-2.0
#include "libp2p/multistream/negotiation.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::libp2p::multistream {

namespace {

std::unexpected<Error> malformed(std::string what) {
  return fail(ErrorCode::Malformed, "multistream: " + std::move(what), Fault::Peer);
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c != 0x7f; });
}

}  // namespace

void append_line(Bytes& out, std::string_view text) {
  const std::size_t length = text.size() + 1;
  GHMESH_CHECK(length < (1u << 14));
  if (length >= 0x80) out.push_back(static_cast<std::uint8_t>(0x80 | (length & 0x7f)));
  out.push_back(static_cast<std::uint8_t>(length >= 0x80 ? length >> 7 : length));
  append(out, text);
  out.push_back('\n');
}

Result<> LineReader::push(ByteView bytes) {
  GHMESH_CHECK(bytes.size() <= want());
  raw_.append(as_text(bytes));
  if (prefix_ == 0 && raw_.size() >= 2) {
    const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(raw_[i]); };
    const bool two = octet(0) >= 0x80;
    if (two && (octet(1) == 0 || octet(1) >= 0x80)) return malformed("a line's length is not a short minimal varint");
    const std::size_t length = two ? (octet(0) & 0x7fu) | (std::size_t{octet(1)} << 7) : octet(0);
    if (length == 0) return malformed("an empty line");
    if (length > max_line_) return fail(ErrorCode::Limit, "multistream: a line is too long", Fault::Peer);
    prefix_ = two ? 2 : 1;
    need_ = prefix_ + length;
  }
  if (want() == 0 && raw_.back() != '\n') return malformed("a line without its newline");
  return {};
}

std::optional<std::string> LineReader::take() {
  if (want() > 0) return std::nullopt;
  std::string line = raw_.substr(prefix_, raw_.size() - prefix_ - 1);
  raw_.clear();
  need_ = 2;
  prefix_ = 0;
  return line;
}

Initiator::Initiator(std::vector<std::string> protocols, Limits limits)
    : limits_(limits), protocols_(std::move(protocols)), reader_(limits.max_line) {
  GHMESH_CHECK(!protocols_.empty() && protocols_.size() <= limits.max_tries);
  append_line(output_, kHeader);
  append_line(output_, protocols_[0]);
}

Result<> Initiator::receive(ByteView bytes) {
  if (Result<> fine = reader_.push(bytes); !fine) return fine;
  const std::optional<std::string> line = reader_.take();
  if (!line) return {};
  if (!header_seen_) {
    if (*line != kHeader) return malformed("the other side does not begin with the header");
    header_seen_ = true;
    return {};
  }
  if (*line == protocols_[proposed_]) {
    agreed_ = protocols_[proposed_];
    return {};
  }
  if (*line != kNotAvailable) return malformed("an answer to something not proposed");
  if (++proposed_ == protocols_.size())
    return fail(ErrorCode::Unsupported, "multistream: the peer does not speak " + protocols_.back(), Fault::Peer);
  append_line(output_, protocols_[proposed_]);
  return {};
}

Responder::Responder(Accepts accepts, Limits limits)
    : limits_(limits), accepts_(std::move(accepts)), reader_(limits.max_line) {
  append_line(output_, kHeader);
}

Result<> Responder::receive(ByteView bytes) {
  if (Result<> fine = reader_.push(bytes); !fine) return fine;
  const std::optional<std::string> line = reader_.take();
  if (!line) return {};
  if (!header_seen_) {
    if (*line != kHeader) return malformed("the other side does not begin with the header");
    header_seen_ = true;
    return {};
  }
  if (!is_printable(*line)) return malformed("a protocol id with control characters");
  if (accepts_(*line)) {
    append_line(output_, *line);
    agreed_ = *line;
    return {};
  }
  append_line(output_, kNotAvailable);
  if (++tries_ >= limits_.max_tries) return fail(ErrorCode::Limit, "multistream: too many proposals", Fault::Peer);
  return {};
}

}  // namespace ghmesh::libp2p::multistream
