// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/stream.hpp"
#include "io/task.hpp"
#include "libp2p/multistream/negotiation.hpp"

// multistream-select on a byte stream. Nothing behind the agreed line is read, so the stream can be handed on. A
// negotiation that takes longer than limits.deadline aborts the stream. One loop.

namespace ghmesh::libp2p::multistream {

// As initiator: proposes in order and waits for the agreement.
io::Task<Result<std::string>> select(io::Stream& stream, std::vector<std::string> protocols, Limits limits = {});

// As responder.
io::Task<Result<std::string>> answer(io::Stream& stream, Responder::Accepts accepts, Limits limits = {});

// When a half-close that is asked for before the answer takes effect: by itself behind the answer, which every peer
// copes with, or where it stands, which saves a round trip with a peer that is known to cope.
enum class EarlyEnd { BehindAnswer, AtOnce };

// As initiator with one protocol, without waiting: header and proposal ride before the first octets written, and the
// answer is checked before the first octet is given to a reader. A refusal shows as a failed read of code Unsupported;
// then nothing that was written has been acted on.
std::unique_ptr<io::Stream> make_lazy(std::unique_ptr<io::Stream> inner, std::string protocol,
                                      EarlyEnd early_end = EarlyEnd::BehindAnswer, Limits limits = {});

}  // namespace ghmesh::libp2p::multistream
