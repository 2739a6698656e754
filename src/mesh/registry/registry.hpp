// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "libp2p/core/keys.hpp"
#include "libp2p/core/peer_id.hpp"
#include "limits.hpp"
#include "mesh/admission/secret.hpp"
#include "multiformats/multiaddr.hpp"

// Peers in a shared directory (one host, NFS, a hostPath): one file per peer id (doc/formats/mesh.md, "Registry"). A
// record is signed by its peer and carries a MAC under the mesh's registry key, so that files of strangers are no more
// than noise; even so it is only a hint, as every contact has to prove the secret. Blocking calls on small files: a
// thread of the work pool, or a command. No state but the arguments.

namespace ghmesh::mesh {

struct RegistryRecord {
  libp2p::PeerId peer;
  std::string runner_name;
  std::vector<multiformats::Multiaddr> addresses;
  WallTime last_seen{};
  WallTime expires{};
  std::map<std::string, std::string> metadata;
};

// The record's fields as one line of JSON, under the names they have in the directory.
std::string to_json(const RegistryRecord& record);

struct Discovered {
  std::vector<RegistryRecord> records;  // newest first, without ourselves
  std::size_t stale = 0;
  std::size_t foreign = 0;  // of another mesh, or no record at all
  std::size_t hostile = 0;  // oversized, no regular file, wrong name, signature or MAC
};

class Registry {
 public:
  // Makes the directory if it is missing. Io: it cannot be made or is none.
  static Result<Registry> open(std::string directory, const MeshKeys& keys, RegistryLimits limits = {});

  // Writes or renews our record: complete under its name or not there at all. Io says which step failed; discovery may
  // still work in a directory that cannot be written.
  Result<void> publish(const libp2p::PrivateKey& key, RegistryRecord record, WallTime now) const;
  Result<void> withdraw(const libp2p::PeerId& self) const;
  // Everybody else's fresh records; everybody's without self.
  Result<Discovered> discover(const std::optional<libp2p::PeerId>& self, WallTime now) const;
  // Removes what is older than the TTL, whatever it is, if nobody else is at it. Never a record that is renewed
  // meanwhile. How many; nothing if another cleaner holds the lease.
  std::optional<std::size_t> clean(WallTime now) const;

  Duration heartbeat() const { return limits_.ttl / 3; }
  static std::string file_name(const libp2p::PeerId& peer) { return "peer_" + peer.text() + ".json"; }

 private:
  Registry(std::string directory, const MeshKeys& keys, RegistryLimits limits);
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  std::string directory_;
  crypto::SecretKey32 key_;
  MeshId mesh_;
  RegistryLimits limits_;
};

}  // namespace ghmesh::mesh
