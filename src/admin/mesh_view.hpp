// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// The mesh as a node sees it, for people: who is there, who was heard of, and whether it works. Values; loop thread.

namespace ghmesh::admin {

struct PeerCounts {
  std::uint64_t requests = 0;
  std::uint64_t charged_calls = 0;
  std::int64_t calls_saved = 0;
};

// Another member, or one that has just gone.
struct PeerRow {
  std::string peer_id;
  std::string address;           // of the connection, else as it announces itself; may be empty
  std::string direction;         // "in", "out"; empty: not connected
  std::optional<double> rtt_ms;  // of the connection
  double age_seconds = 0;        // since it joined
  std::string state;             // alive, suspect, dead, left
  // owner: holds partitions; client: others cannot dial it, or it is too young; draining; banned: it lied.
  std::string role;
  std::uint64_t partitions = 0;
  std::uint64_t bytes_in = 0;  // over the connection that stands
  std::uint64_t bytes_out = 0;
  double score = 0;  // 1: every answer held
  // What it last told of its counting; nothing before it told anything.
  std::optional<PeerCounts> counts;
};

// Somebody heard of who is no member.
struct ContactRow {
  std::string address;
  std::string source;  // "--bootstrap", "registry", "mDNS", "DNS"
  std::uint64_t failures = 0;
  std::string error;  // of the last attempt
};

struct MeshView {
  std::optional<std::string> why_none;  // the mesh is off, and why
  std::string peer_id;
  std::vector<std::string> addresses;  // where peers may dial this node
  std::uint64_t partitions = 0;        // of this node
  bool settled = true;                 // the first look for others is over
  std::vector<PeerRow> peers;          // connected ones first
  std::vector<ContactRow> contacts;
};

// One thing that must hold.
struct Check {
  std::string name;
  bool ok = false;
  std::string detail;  // what was seen; if it does not hold, also what to do
};

std::string to_json(const MeshView& view);
std::string to_json(const std::vector<Check>& checks);  // {"ok":…,"checks":[…]}

}  // namespace ghmesh::admin
