// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "multiformats/multibase.hpp"
#include "multiformats/multihash.hpp"

// Content identifiers (multiformats/cid). Version 0 is a bare sha2-256 multihash of dag-pb, in base58btc; version 1 is
// version, codec and multihash, in any multibase. A plain value.

namespace ghmesh::multiformats {

class Cid {
 public:
  static Cid v1(Multicodec codec, Multihash hash);
  // Text in either version. "Qm" with 46 characters is version 0; version 0 behind a multibase prefix is refused.
  static Result<Cid> parse(std::string_view text);
  // The whole of in is one CID. The reserved versions 2 and 3 are Unsupported.
  static Result<Cid> decode(ByteView in);

  int version() const { return version_; }
  Multicodec codec() const { return codec_; }
  const Multihash& hash() const { return hash_; }

  // The same content named by version 1.
  Cid to_v1() const { return v1(codec_, hash_); }
  Bytes encode() const;
  // Version 0 has only base58btc, whatever base says.
  std::string text(Base base = Base::Base32) const;

  friend bool operator==(const Cid&, const Cid&) = default;

 private:
  Cid(int version, Multicodec codec, Multihash hash) : version_(version), codec_(codec), hash_(std::move(hash)) {}

  int version_;
  Multicodec codec_;
  Multihash hash_;
};

}  // namespace ghmesh::multiformats
