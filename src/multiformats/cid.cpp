// SPDX-License-Identifier: Apache-2.0
#include "multiformats/cid.hpp"

#include "multiformats/varint.hpp"

namespace ghmesh::multiformats {
namespace {

constexpr std::size_t kV0Bytes = 34;
constexpr std::size_t kV0Text = 46;

bool looks_like_v0(ByteView in) { return in.size() == kV0Bytes && in[0] == 0x12 && in[1] == 0x20; }

}  // namespace

Cid Cid::v1(Multicodec codec, Multihash hash) { return Cid(1, codec, std::move(hash)); }

Result<Cid> Cid::decode(ByteView in) {
  if (looks_like_v0(in)) {
    auto hash = Multihash::decode(in);
    if (!hash) return std::unexpected(std::move(hash).error());
    return Cid(0, Multicodec::DagPb, *std::move(hash));
  }
  const auto version = take_varint(in);
  if (!version) return std::unexpected(version.error());
  if (*version == 2 || *version == 3) return fail(ErrorCode::Unsupported, "reserved CID version", Fault::Peer);
  if (*version != 1) return fail(ErrorCode::Malformed, "not a CID", Fault::Peer);
  const auto codec = take_varint(in);
  if (!codec) return std::unexpected(codec.error());
  auto hash = Multihash::decode(in);
  if (!hash) return std::unexpected(std::move(hash).error());
  return Cid(1, static_cast<Multicodec>(*codec), *std::move(hash));
}

Result<Cid> Cid::parse(std::string_view text) {
  if (text.size() == kV0Text && text.starts_with("Qm")) {
    const auto bytes = parse_base(Base::Base58Btc, text);
    if (!bytes) return std::unexpected(bytes.error());
    return decode(*bytes);
  }
  const auto decoded = parse_multibase(text);
  if (!decoded) return std::unexpected(decoded.error());
  if (looks_like_v0(decoded->bytes)) return fail(ErrorCode::Malformed, "CID version 0 behind a prefix", Fault::Peer);
  return decode(decoded->bytes);
}

Bytes Cid::encode() const {
  if (version_ == 0) return hash_.encode();
  Bytes out;
  append_varint(out, 1);
  append_varint(out, static_cast<std::uint64_t>(codec_));
  append(out, ByteView(hash_.encode()));
  return out;
}

std::string Cid::text(Base base) const {
  return version_ == 0 ? format_base(Base::Base58Btc, encode()) : format_multibase(base, encode());
}

}  // namespace ghmesh::multiformats
