// SPDX-License-Identifier: Apache-2.0
#include "github/key.hpp"

namespace ghmesh::github {
namespace {

// Fields with their lengths in front. What kind of key it is comes first, so kinds never meet.
class Encoder {
 public:
  explicit Encoder(char kind) {
    text_.reserve(512);
    text_.push_back(static_cast<char>(kKeyVersion));
    text_.push_back(kind);
  }
  Encoder& field(std::string_view value) {
    std::uint8_t length[4];
    store_be(length, static_cast<std::uint32_t>(value.size()));
    text_.append(as_text(ByteView(length))).append(value);
    return *this;
  }
  Encoder& field(ByteView value) { return field(as_text(value)); }
  ByteView bytes() const { return as_bytes(text_); }

 private:
  std::string text_;
};

}  // namespace

KeyMaker::KeyMaker(ByteView lookup_secret, ByteView partition_secret)
    : lookup_(lookup_secret), partition_(partition_secret) {}

Partition KeyMaker::partition(const Canonical& request) const {
  if (request.anonymous) return kAnonymousPartition;
  return partition_.mac(request.authorization.expose());
}

std::string KeyMaker::fingerprint(const Partition& partition) {
  if (partition == kAnonymousPartition) return "anonymous";
  return to_hex(ByteView(partition).first(8));
}

Key KeyMaker::candidate_key(std::string_view authority, const Target& target, const Canonical& request) const {
  Encoder encoder('C');
  encoder.field(authority)
      .field(target.path)
      .field(target.has_query ? "?" : "")
      .field(target.query)
      .field(request.accept)
      .field(request.api_version)
      .field(request.time_zone);
  return lookup_.mac(encoder.bytes());
}

Key KeyMaker::entry_key(const Key& candidate, const Partition& partition) const {
  return lookup_.mac(Encoder('E').field(ByteView(candidate)).field(ByteView(partition)).bytes());
}

Key KeyMaker::graphql_key(std::string_view authority, std::string_view identity, std::string_view features,
                          const Canonical& request) const {
  Encoder encoder('G');
  encoder.field(authority)
      .field(identity)
      .field(features)
      .field(request.accept)
      .field(request.api_version)
      .field(request.time_zone);
  return lookup_.mac(encoder.bytes());
}

Key KeyMaker::group_key(std::string_view authority, std::string_view group) const {
  return lookup_.mac(Encoder('W').field(authority).field(group).bytes());
}

}  // namespace ghmesh::github
