// SPDX-License-Identifier: Apache-2.0
#include "github/etag.hpp"

#include <algorithm>

#include "github/limits.hpp"
#include "http/message/etag.hpp"

namespace ghmesh::github {

crypto::Sha256 etag_prefix(const Canonical& request) {
  crypto::Sha256 state;
  state.update(request.accept).update(":");
  if (!request.anonymous) state.update(request.authorization.expose()).update(":");
  return state;
}

std::string etag_of(const crypto::Sha256& prefix, ByteView body) {
  crypto::Sha256 state = prefix;
  state.update(body);
  const crypto::Digest32 digest = state.finish();
  state.wipe_state();
  return to_hex(digest);
}

std::string quoted_etag(std::string_view hex) {
  std::string out(hex.size() + 2, '"');
  hex.copy(out.data() + 1, hex.size());
  return out;
}

bool etag_equals(std::string_view received, std::string_view hex) {
  const auto tag = http::parse_etag(received);
  return tag && tag->opaque == quoted_etag(hex);
}

bool has_formula_shape(std::string_view received) {
  const auto tag = http::parse_etag(received);
  if (!tag || tag->opaque.size() != 66) return false;
  const std::string_view hex = tag->opaque.substr(1, 64);
  return std::all_of(hex.begin(), hex.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

const crypto::Sha256& PrefixCache::get(const Partition& partition, const Canonical& request) {
  std::string key = to_text(partition);
  key += request.accept;
  if (const auto known = states_.find(key); known != states_.end()) return known->second;
  // A full table starts anew: one state is one short hash, cheaper than keeping an order of use.
  if (states_.size() >= kLimits.max_prefix_states) clear();
  return states_.emplace(std::move(key), etag_prefix(request)).first->second;
}

void PrefixCache::clear() {
  for (auto& [key, state] : states_) state.wipe_state();
  states_.clear();
}

}  // namespace ghmesh::github
