// SPDX-License-Identifier: Apache-2.0
// A chunked body: whole and octet by octet give the same body, end and verdict.

#include <cstdlib>
#include <string>

#include "http/http1/body.hpp"

using namespace ghmesh::http::http1;  // NOLINT: a fuzz target is one function

namespace {

struct Outcome {
  BodyDecoder::State state = BodyDecoder::State::NeedMore;
  std::string body;
  std::size_t consumed = 0;
  std::size_t trailers = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome run(std::string_view text, std::size_t piece) {
  BodyDecoder decoder({BodyKind::Chunked, 0});
  Outcome out;
  std::size_t at = 0;
  std::size_t end = std::min(piece, text.size());
  while (true) {
    const auto step = decoder.next(text.substr(at, end - at));
    if (step.consumed > end - at) std::abort();
    at += step.consumed;
    out.body.append(step.data);
    out.state = step.state;
    if (step.state == BodyDecoder::State::Data) continue;
    if (step.state != BodyDecoder::State::NeedMore || end == text.size()) break;
    end = std::min(end + piece, text.size());
  }
  out.trailers = decoder.trailers().size();
  if (out.state == BodyDecoder::State::Done) out.consumed = at;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!(run(text, size + 1) == run(text, 1))) std::abort();
  return 0;
}
