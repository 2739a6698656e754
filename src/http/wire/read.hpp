// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "http/http1/body.hpp"
#include "http/wire/buffers.hpp"
#include "http/wire/patience.hpp"
#include "http/wire/timed_wait.hpp"
#include "io/task.hpp"

namespace ghmesh::http::wire {

// The next piece of a body; empty at its end. The view is valid until the next read. patience bounds the waiting: with
// one for all pieces the body must keep to kMinRate, with a fresh one for each only silence ends it. latest bounds the
// whole. Errors: Timeout, Malformed (framing), Closed (the stream ended before the body), Io. fault is whose bytes they
// are.
io::Task<Result<std::string_view>> read_piece(io::Stream& stream, Input& input, http1::BodyDecoder& decoder,
                                              TimedWait& wait, Patience& patience, TimePoint latest, Fault fault);

// Writes all of output, as long as patience lasts. After an error the stream has been aborted.
io::Task<Result<>> write_all(io::Stream& stream, Output& output, TimedWait& wait, Patience& patience, Fault fault);

// The same without waiting: true once all is written, false if it would block; an error is kept for the next call.
bool try_write_all(io::Stream& stream, Output& output, Patience& patience);

}  // namespace ghmesh::http::wire
