// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/clock.hpp"

namespace ghmesh::mesh {

struct DiscoveryLimits {
  // As many as a registry directory is read for; one contact is enough to meet everybody.
  std::size_t contacts = 512;
  std::size_t addresses = 16;  // kept of one contact
  // Dialled at once. Fifty nodes that start together would else make a connection for every pair of them.
  std::size_t dials = 4;
  // Between the attempts at one contact's addresses (RFC 8305 §5 recommends 250 ms).
  Duration head_start = 250ms;
  // After a failure, doubling; a peer that was restarted is back within half a minute.
  Duration first_pause = 1s;
  Duration longest_pause = 30s;
  // A contact that was reached has so long to become a member before it counts as one that does not hold the secret.
  Duration admission = 6s;
  // What nobody repeats is forgotten; as long as a record of the registry lives.
  Duration memory = 30min;
  // How often directory and names are looked at: by a node that is alone, doubling; and by one that has company, to
  // join halves of a fleet that do not know of each other.
  Duration registered = 1s;  // before the first look
  Duration alone_first = 500ms;
  Duration alone_longest = 15s;
  Duration joined = 60s;
  // /dnsaddr names may lead to further names.
  std::size_t name_depth = 3;
  std::size_t name_lookups = 16;
  std::size_t name_results = 32;
};

}  // namespace ghmesh::mesh
