// SPDX-License-Identifier: Apache-2.0
#include "multiformats/multihash.hpp"

#include "multiformats/limits.hpp"
#include "multiformats/varint.hpp"

namespace ghmesh::multiformats {
namespace {

std::size_t longest_digest(Multicodec code) {
  switch (code) {
    case Multicodec::Md5: return 16;
    case Multicodec::Sha1: return 20;
    case Multicodec::Sha2_256:
    case Multicodec::Sha3_256:
    case Multicodec::Blake2b256: return 32;
    case Multicodec::Sha2_512:
    case Multicodec::Sha3_512: return 64;
    default: return Limits::kDigestBytes;
  }
}

}  // namespace

Result<Multihash> Multihash::make(Multicodec code, ByteView digest) {
  if (digest.size() > longest_digest(code))
    return fail(ErrorCode::Malformed, "digest is longer than its hash function gives", Fault::Peer);
  return Multihash(code, digest);
}

Result<Multihash> Multihash::take(ByteView& in) {
  ByteView rest = in;
  const auto code = take_varint(rest);
  if (!code) return std::unexpected(code.error());
  const auto length = take_varint(rest);
  if (!length) return std::unexpected(length.error());
  if (*length > rest.size()) return fail(ErrorCode::Malformed, "multihash is cut off", Fault::Peer);
  auto hash = make(static_cast<Multicodec>(*code), rest.first(*length));
  if (hash) in = rest.subspan(*length);
  return hash;
}

Result<Multihash> Multihash::decode(ByteView in) {
  auto hash = take(in);
  if (hash && !in.empty()) return fail(ErrorCode::Malformed, "bytes behind the multihash", Fault::Peer);
  return hash;
}

Bytes Multihash::encode() const {
  Bytes out;
  out.reserve(digest_.size() + 4);
  append_varint(out, static_cast<std::uint64_t>(code_));
  append_varint(out, digest_.size());
  append(out, ByteView(digest_));
  return out;
}

}  // namespace ghmesh::multiformats
