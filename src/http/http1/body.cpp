// SPDX-License-Identifier: Apache-2.0
#include "http/http1/body.hpp"

#include <algorithm>

#include "grammar.hpp"

namespace ghmesh::http::http1 {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Another program might apply it to the body that has just ended.
bool is_framing(std::string_view name) {
  return iequals(name, "content-length") || iequals(name, "transfer-encoding") || iequals(name, "host");
}

bool is_forbidden_trailer(std::string_view name) {
  for (const std::string_view other : {"connection", "te", "trailer", "upgrade", "keep-alive", "location",
                                       "retry-after", "www-authenticate", "proxy-authenticate", "proxy-authorization"})
    if (iequals(name, other)) return true;
  return is_essential_field(name);
}

}  // namespace

BodyDecoder::BodyDecoder(BodyFraming framing, const ChunkLimits& limits) : framing_(framing), limits_(limits) {
  switch (framing.kind) {
    case BodyKind::None: break;
    case BodyKind::Length:
      left_ = framing.length;
      if (left_ > 0) state_ = Where::Raw;
      break;
    case BodyKind::UntilClose:
      left_ = UINT64_MAX;
      state_ = Where::Raw;
      break;
    case BodyKind::Chunked: state_ = Where::SizeStart; break;
  }
}

BodyDecoder::Step BodyDecoder::fail(std::string_view what) {
  state_ = Where::Error;
  what_ = what;
  return {State::Error, 0, {}};
}

BodyDecoder::Step BodyDecoder::next(std::string_view input) {
  if (state_ == Where::Error) return {State::Error, 0, {}};
  std::size_t at = 0;
  while (state_ != Where::Done) {
    if (at == input.size()) return {State::NeedMore, at, {}};
    if (state_ == Where::Raw || state_ == Where::Chunk) {
      const std::size_t run = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
      const std::string_view data = input.substr(at, run);
      at += run;
      size_ += run;
      if (framing_.kind != BodyKind::UntilClose) left_ -= run;
      if (left_ == 0) state_ = state_ == Where::Raw ? Where::Done : Where::ChunkCr;
      return {state_ == Where::Done ? State::Done : State::Data, at, data};
    }
    if (state_ == Where::ChunkCr || state_ == Where::ChunkLf) {
      if (input[at] != (state_ == Where::ChunkCr ? '\r' : '\n')) return fail("chunk longer than its size");
      state_ = state_ == Where::ChunkCr ? Where::ChunkLf : Where::SizeStart;
      ++at;
    } else if (state_ == Where::Trailers) {
      if (!eat_trailers(input, at)) return fail(what_);
    } else {
      if (!eat_size(input[at])) return fail(what_);
      ++at;
    }
  }
  return {State::Done, at, {}};
}

// chunk-size [chunk-ext] CRLF, octet by octet: the line is short, and nothing of it has to be kept.
bool BodyDecoder::eat_size(char c) {
  if (++line_ > limits_.line_bytes) {
    what_ = "chunk size line too long";
    return false;
  }
  switch (state_) {
    case Where::SizeStart:
    case Where::Size: {
      const int digit = hex_digit(c);
      if (digit >= 0) {
        if (state_ == Where::SizeStart) left_ = 0;
        state_ = Where::Size;
        if ((left_ >> 58) != 0) break;  // 2^62 and more is no size but an attack on somebody's arithmetic
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        return true;
      }
      if (state_ == Where::SizeStart) break;
      if (c == '\r') {
        state_ = Where::SizeLf;
        return true;
      }
      if (c != ';') break;
      state_ = Where::ExtName;
      return true;
    }
    case Where::SizeLf:
      if (c != '\n') break;
      after_size();
      return true;
    default:
      if (c != '\r' && ++extensions_ > limits_.extension_bytes) {
        what_ = "too many chunk extensions";
        return false;
      }
      if (!eat_extension(c)) break;
      return true;
  }
  what_ = "bad chunk size line";
  return false;
}

// ";" name [ "=" ( token / quoted-string ) ], without the white space that RFC 9112 §7.1.1 calls bad: what an extension
// means is nobody's business here, but where it ends must be the same for everybody.
bool BodyDecoder::eat_extension(char c) {
  const bool token = is_octet(c, kTokenOctet);
  const bool ends_here = state_ == Where::ExtNameMore || state_ == Where::ExtValueMore || state_ == Where::ExtEnd;
  if (ends_here && (c == '\r' || c == ';')) {
    state_ = c == ';' ? Where::ExtName : Where::SizeLf;
    return true;
  }
  switch (state_) {
    case Where::ExtName:
    case Where::ExtNameMore:
      if (state_ == Where::ExtNameMore && c == '=') {
        state_ = Where::ExtValue;
        return true;
      }
      state_ = Where::ExtNameMore;
      return token;
    case Where::ExtValue: state_ = c == '"' ? Where::ExtQuoted : Where::ExtValueMore; return c == '"' || token;
    case Where::ExtValueMore: return token;
    case Where::ExtQuoted:
      if (c == '"') state_ = Where::ExtEnd;
      if (c == '\\') state_ = Where::ExtQuotedPair;
      return is_octet(c, kValueOctet);
    case Where::ExtQuotedPair: state_ = Where::ExtQuoted; return is_octet(c, kValueOctet);
    default: return false;
  }
}

void BodyDecoder::after_size() {
  line_ = 0;
  state_ = left_ == 0 ? Where::Trailers : Where::Chunk;
}

// Keeps the trailer section until its empty line. Almost every body has none: then nothing is allocated.
bool BodyDecoder::eat_trailers(std::string_view input, std::size_t& at) {
  if (trailer_text_.empty() && input.substr(at).starts_with("\r\n")) {
    at += 2;
    state_ = Where::Done;
    return true;
  }
  while (at < input.size()) {
    const char c = input[at++];
    trailer_text_.push_back(c);
    if (trailer_text_.size() > limits_.trailer_bytes) {
      what_ = "trailers too large";
      return false;
    }
    if (c != '\n') continue;
    const std::size_t size = trailer_text_.size();
    if (size < 2 || trailer_text_[size - 2] != '\r') {
      what_ = "LF without CR";
      return false;
    }
    if (size == 2 || (size >= 4 && trailer_text_[size - 3] == '\n')) return parse_trailers();
  }
  return true;
}

bool BodyDecoder::parse_trailers() {
  const char* at = trailer_text_.data();
  const char* const end = at + trailer_text_.size();
  std::size_t count = 0;
  while (true) {
    Field field;
    const char* what = "bad trailer";
    const LineState state = read_field_line(at, end, field, what);
    if (state == LineState::End) break;
    if (state != LineState::Field || ++count > limits_.trailer_fields) {
      what_ = state == LineState::Field ? "too many trailers" : what;
      return false;
    }
    if (is_framing(field.name)) {
      what_ = "framing field in the trailers";
      return false;
    }
    if (!is_forbidden_trailer(field.name)) trailers_.add(field.name, field.value);
  }
  state_ = Where::Done;
  return true;
}

ChunkHeader::ChunkHeader(std::uint64_t size) {
  text_[--start_] = '\n';
  text_[--start_] = '\r';
  do {
    text_[--start_] = "0123456789abcdef"[size & 15];
    size >>= 4;
  } while (size != 0);
}

}  // namespace ghmesh::http::http1
