// SPDX-License-Identifier: Apache-2.0
#include "http/wire/read.hpp"

#include <algorithm>

namespace ghmesh::http::wire {
namespace {

// Done once nothing is left.
io::IoStatus::Kind write_what_goes(io::Stream& stream, Output& output, Patience& patience) {
  while (!output.empty()) {
    const io::IoStatus status = output.write_once(stream);
    if (status.kind != io::IoStatus::Done) return status.kind;
    patience.moved(status.bytes, stream.loop().turn_now());
  }
  return io::IoStatus::Done;
}

}  // namespace

io::Task<Result<std::string_view>> read_piece(io::Stream& stream, Input& input, http1::BodyDecoder& decoder,
                                              TimedWait& wait, Patience& patience, TimePoint latest, Fault fault) {
  using State = http1::BodyDecoder::State;
  while (true) {
    const auto step = decoder.next(input.text());
    // The octets stay where they are until something is read over them.
    input.consume(step.consumed);
    if (step.state == State::Error) co_return fail(ErrorCode::Malformed, std::string(decoder.what()), fault);
    if (!step.data.empty() || step.state == State::Done) co_return step.data;
    if (step.state == State::Data) continue;
    const io::IoStatus status = read_once(stream, input);
    if (status.kind == io::IoStatus::Failed) co_return std::unexpected(stream.error());
    if (status.kind == io::IoStatus::End) {
      if (decoder.complete_at_end()) co_return std::string_view();
      co_return fail(ErrorCode::Closed, "the message ended before its body", fault, Retry::Later);
    }
    if (status.kind == io::IoStatus::Done) {
      patience.moved(status.bytes, stream.loop().now());
      continue;
    }
    patience.waits(stream.loop().now());
    wait.set_deadline(std::min(latest, patience.ends()));
    const bool woken = co_await wait.readable();
    patience.rests(stream.loop().now());
    if (!woken) co_return fail(ErrorCode::Timeout, "timed out: reading a body", fault, Retry::Later);
  }
}

bool try_write_all(io::Stream& stream, Output& output, Patience& patience) {
  return write_what_goes(stream, output, patience) == io::IoStatus::Done;
}

io::Task<Result<>> write_all(io::Stream& stream, Output& output, TimedWait& wait, Patience& patience, Fault fault) {
  while (true) {
    const io::IoStatus::Kind kind = write_what_goes(stream, output, patience);
    if (kind == io::IoStatus::Done) co_return Result<>();
    if (kind == io::IoStatus::Failed) co_return std::unexpected(stream.error());
    patience.waits(stream.loop().now());
    wait.set_deadline(patience.ends());
    const bool woken = co_await wait.writable();
    patience.rests(stream.loop().now());
    if (woken) continue;
    const Error why{ErrorCode::Timeout, fault, Retry::Later, "timed out: the other side takes nothing, or too slowly"};
    stream.abort(why);
    co_return std::unexpected(why);
  }
}

}  // namespace ghmesh::http::wire
