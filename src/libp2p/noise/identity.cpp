// SPDX-License-Identifier: Apache-2.0
#include "libp2p/noise/identity.hpp"

#include <algorithm>

#include "libp2p/core/protobuf.hpp"
#include "libp2p/noise/limits.hpp"

namespace ghmesh::libp2p::noise {
namespace {

constexpr std::uint32_t kFieldKey = 1;
constexpr std::uint32_t kFieldSignature = 2;
constexpr std::uint32_t kFieldExtensions = 4;
constexpr std::uint32_t kFieldMuxer = 2;  // inside the extensions

Bytes signed_bytes(const crypto::X25519PublicKey& static_key) {
  Bytes out = to_bytes("noise-libp2p-static-key:");
  append(out, ByteView(static_key));
  return out;
}

Result<void> decode_extensions(ByteView in, std::vector<std::string>& muxers) {
  return for_each_field(in, [&](const ProtoField& field) -> Result<void> {
    const bool wanted = field.is(kFieldMuxer, WireType::Bytes) && !field.bytes.empty() &&
                        field.bytes.size() <= Limits::kMuxerName && muxers.size() < Limits::kMuxers;
    if (wanted) muxers.push_back(to_text(field.bytes));
    return {};
  });
}

}  // namespace

LocalIdentity::LocalIdentity(const Voucher& owner, std::vector<std::string> muxers, Random& random)
    : static_key_(crypto::X25519KeyPair::generate(random)),
      muxers_(std::move(muxers)),
      payload_(encode_payload(owner, static_key_.public_key, muxers_)) {}

Bytes encode_payload(const Voucher& owner, const crypto::X25519PublicKey& static_key,
                     const std::vector<std::string>& muxers) {
  Bytes out;
  ProtoWriter writer(out);
  const Vouching said = owner(signed_bytes(static_key));
  writer.bytes(kFieldKey, said.public_key).bytes(kFieldSignature, said.signature);
  if (!muxers.empty()) {
    Bytes extensions;
    for (const std::string& muxer : muxers) ProtoWriter(extensions).bytes(kFieldMuxer, muxer);
    writer.bytes(kFieldExtensions, extensions);
  }
  return out;
}

Result<RemoteIdentity> verify_payload(ByteView payload, const crypto::X25519PublicKey& static_key,
                                      const AcceptKeys& accept) {
  if (payload.size() > Limits::kPayloadBytes) return fail(ErrorCode::Limit, "noise: payload too long", Fault::Peer);
  ByteView key_bytes, signature;
  std::vector<std::string> muxers;
  const auto read = for_each_field(payload, [&](const ProtoField& field) -> Result<void> {
    if (field.is(kFieldKey, WireType::Bytes)) key_bytes = field.bytes;
    if (field.is(kFieldSignature, WireType::Bytes)) signature = field.bytes;
    if (field.is(kFieldExtensions, WireType::Bytes)) return decode_extensions(field.bytes, muxers);
    return {};
  });
  if (!read) return std::unexpected(read.error());
  auto key = PublicKey::decode(key_bytes, accept);
  if (!key) return std::unexpected(std::move(key).error().with_context("noise"));
  if (!key->verify(signed_bytes(static_key), signature))
    return fail(ErrorCode::Authentic, "noise: the identity's signature does not hold", Fault::Peer);
  return RemoteIdentity{*std::move(key), std::move(muxers)};
}

}  // namespace ghmesh::libp2p::noise
