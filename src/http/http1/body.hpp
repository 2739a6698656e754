// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/http1/head.hpp"

// The octets after a head (RFC 9112 §6-§7): a decoder that takes framing away without copying, and the few octets of
// chunked framing to write. No IO; one thread; views point into the caller's input.

namespace ghmesh::http::http1 {

class BodyDecoder {
 public:
  BodyDecoder() = default;
  explicit BodyDecoder(BodyFraming framing, const ChunkLimits& limits = {});

  enum class State { NeedMore, Data, Done, Error };
  struct Step {
    State state = State::NeedMore;
    std::size_t consumed = 0;  // octets of input that are used up, data among them
    std::string_view data;     // a piece of the body, inside input; may come with Data or Done
  };
  // Looks at the front of what has come. NeedMore: all of input is used up. Data: a piece, call again with the rest.
  // Done: the body ends at consumed; what follows belongs to the next message. Error: what() says why; stays.
  Step next(std::string_view input);

  // Whether the stream may end here: only a body delimited by close, or one that is done.
  bool complete_at_end() const { return state_ == Where::Done || framing_.kind == BodyKind::UntilClose; }
  bool done() const { return state_ == Where::Done; }
  std::string_view what() const { return what_; }
  // Octets of body given out so far.
  std::uint64_t size() const { return size_; }
  // Trailer fields of a chunked body, valid when done; those that would change routing or authority are left out
  // (RFC 9110 §6.5.1), those that would change framing are an error.
  const Fields& trailers() const { return trailers_; }

 private:
  enum class Where {
    Raw,
    SizeStart,
    Size,
    ExtName,
    ExtNameMore,
    ExtValue,
    ExtValueMore,
    ExtQuoted,
    ExtQuotedPair,
    ExtEnd,
    SizeLf,
    Chunk,
    ChunkCr,
    ChunkLf,
    Trailers,
    Done,
    Error
  };

  Step fail(std::string_view what);
  bool eat_size(char c);
  bool eat_extension(char c);
  void after_size();
  bool eat_trailers(std::string_view input, std::size_t& at);
  bool parse_trailers();

  BodyFraming framing_;
  ChunkLimits limits_;
  Where state_ = Where::Done;
  std::uint64_t left_ = 0;  // of the chunk, or of a body with a length
  std::uint64_t size_ = 0;
  std::size_t line_ = 0;  // octets of the present size line
  std::size_t extensions_ = 0;
  std::string trailer_text_;
  Fields trailers_;
  std::string_view what_;
};

// "1a2b\r\n" for a chunk of that size (not 0). The chunk's data and "\r\n" follow.
class ChunkHeader {
 public:
  explicit ChunkHeader(std::uint64_t size);
  std::string_view text() const { return {text_ + start_, sizeof(text_) - start_}; }

 private:
  char text_[18];
  std::size_t start_ = sizeof(text_);
};

inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace ghmesh::http::http1
