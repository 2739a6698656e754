// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "registry.hpp"

// A record as JSON text with a signed envelope inside. What counts is in the envelope; the fields around it are for
// people and for tools that know the old ones. Private to the room.

namespace ghmesh::mesh {

enum class RecordFault : std::uint8_t { None, Foreign, Hostile };

std::string format_record(const RegistryRecord& record, const MeshId& mesh, const crypto::SecretKey32& key,
                          const libp2p::PrivateKey& identity);
// file_name is where it stood: it must be the peer's.
std::optional<RegistryRecord> parse_record(std::string_view text, std::string_view file_name, const MeshId& mesh,
                                           const crypto::SecretKey32& key, const RegistryLimits& limits,
                                           RecordFault& fault);

std::string format_time(WallTime time);  // 2026-01-01T00:00:00+00:00

}  // namespace ghmesh::mesh
