// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "mesh/exchange/mesh.hpp"

// What stands for the real thing in a simulated fleet: ids, keys, tokens, the origin's bytes, their hashes and the
// seals of answers. Plain functions of numbers. Private to the room.

namespace ghmesh::simulate {

using namespace mesh;

std::uint64_t mixed(std::uint64_t z);
PeerId peer_of(std::uint64_t number);
LookupKey lookup_key(std::uint32_t key);
TokenTag token_tag(std::uint32_t token);

// What the origin says: how large the answer is, whose it is, and which. Stands for the bytes of that size.
constexpr std::size_t kBodyBytes = 16;
Bytes origin_bytes(std::uint32_t key, std::uint64_t version);
std::uint64_t number_in(ByteView body);
// Stands for the hash of the bytes; the reader of a message computes it, no sender is asked.
Version version_of(ByteView body);
// Stands for the MAC under the token's own key: liars do not compute it.
AnswerSeal seal_of(std::uint32_t token, const LookupKey& key, const Version& version, const Freshness& fresh);

// As whoever reads its items from the wire sees it.
void read_items(Message& message);
bool carries(const Message& message, const LookupKey& key);

}  // namespace ghmesh::simulate
