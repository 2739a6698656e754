// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "http/http1/body.hpp"
#include "http/wire/buffers.hpp"
#include "http/wire/timed_wait.hpp"
#include "io/task.hpp"

namespace ghmesh::http::wire {

// Octets a second below which a reader only wants to hold its connection.
inline constexpr std::size_t kMinRate = 1024;

// The next piece of a body; empty at its end. The view is valid until the next read. idle bounds the silence between
// two reads, latest the whole. Errors: Timeout, Malformed (framing), Closed (the stream ended before the body), Io.
// fault is whose bytes they are.
io::Task<Result<std::string_view>> read_piece(io::Stream& stream, Input& input, http1::BodyDecoder& decoder,
                                              TimedWait& wait, Duration idle, TimePoint latest, Fault fault);

// Writes all of output. Gives up when nothing goes for stall, or when less goes than kMinRate for long: each wait uses
// up patience, which begins as stall, and octets that went give some back. After an error the stream has been aborted.
io::Task<Result<>> write_all(io::Stream& stream, Output& output, TimedWait& wait, Duration stall, Fault fault);

// The same without waiting: true once all is written, false if it would block; an error is kept for the next call.
bool try_write_all(io::Stream& stream, Output& output);

}  // namespace ghmesh::http::wire
