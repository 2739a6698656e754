// SPDX-License-Identifier: Apache-2.0
#include "http/wire/read.hpp"

#include <algorithm>
#include <optional>

namespace ghmesh::http::wire {

io::Task<Result<std::string_view>> read_piece(io::Stream& stream, Input& input, http1::BodyDecoder& decoder,
                                              TimedWait& wait, Duration idle, TimePoint latest, Fault fault) {
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
    if (status.kind == io::IoStatus::WouldBlock) {
      wait.set_deadline(std::min(latest, stream.loop().now() + std::chrono::duration_cast<TimePoint::duration>(idle)));
      if (!co_await wait.readable())
        co_return fail(ErrorCode::Timeout, "timed out: reading a body", fault, Retry::Later);
    }
  }
}

bool try_write_all(io::Stream& stream, Output& output) {
  while (!output.empty())
    if (output.write_once(stream).kind != io::IoStatus::Done) return false;
  return true;
}

io::Task<Result<>> write_all(io::Stream& stream, Output& output, TimedWait& wait, Duration stall, Fault fault) {
  io::Loop& loop = stream.loop();
  std::optional<TimePoint> patience;
  while (!output.empty()) {
    const io::IoStatus status = output.write_once(stream);
    if (status.kind == io::IoStatus::Failed) co_return std::unexpected(stream.error());
    const TimePoint most = loop.now() + std::chrono::duration_cast<TimePoint::duration>(stall);
    if (status.kind != io::IoStatus::WouldBlock) {
      const TimePoint::duration earned = std::chrono::duration_cast<TimePoint::duration>(1s) *
                                         static_cast<std::int64_t>(status.bytes) / static_cast<std::int64_t>(kMinRate);
      if (patience) *patience = std::min(most, *patience + earned);
      continue;
    }
    if (!patience) patience = most;
    wait.set_deadline(*patience);
    if (!co_await wait.writable()) {
      const Error why{ErrorCode::Timeout, fault, Retry::Later, "timed out: the other side takes nothing"};
      stream.abort(why);
      co_return std::unexpected(why);
    }
  }
  co_return Result<>();
}

}  // namespace ghmesh::http::wire
