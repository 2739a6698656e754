// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "base/random.hpp"
#include "libp2p/core/keys.hpp"

// Identities that nobody may accept: six ways to be wrong about who holds a key, for tests of what others check.
// Private to the room.

namespace ghmesh::libp2p::devtool {

// The names, for messages.
inline constexpr std::string_view kForgeries = "bit|empty|other-key|foreign-key|other-text|short";

// own outlives the voucher. Nothing for a name that is not in the list.
//   bit          our signature with one bit changed     foreign-key  another one's public key with our signature
//   empty        no octets for a signature              other-text   our signature over something else
//   other-key    a signature by another key             short        our signature without its last octet
std::optional<Voucher> forger(std::string_view kind, const PrivateKey& own, Random& random);

}  // namespace ghmesh::libp2p::devtool
