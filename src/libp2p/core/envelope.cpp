// SPDX-License-Identifier: Apache-2.0
#include "libp2p/core/envelope.hpp"

#include "libp2p/core/limits.hpp"
#include "libp2p/core/protobuf.hpp"
#include "multiformats/varint.hpp"

namespace ghmesh::libp2p {
namespace {

constexpr std::uint32_t kFieldKey = 1;
constexpr std::uint32_t kFieldPayloadType = 2;
constexpr std::uint32_t kFieldPayload = 3;
constexpr std::uint32_t kFieldSignature = 5;

Bytes signed_bytes(std::string_view domain, ByteView payload_type, ByteView payload) {
  Bytes out;
  out.reserve(domain.size() + payload_type.size() + payload.size() + 12);
  for (const ByteView part : {as_bytes(domain), payload_type, payload}) {
    multiformats::append_varint(out, part.size());
    append(out, part);
  }
  return out;
}

}  // namespace

Bytes sign_envelope(const PrivateKey& key, std::string_view domain, ByteView payload_type, ByteView payload) {
  const Bytes signature = key.sign(signed_bytes(domain, payload_type, payload));
  Bytes out;
  ProtoWriter(out)
      .bytes(kFieldKey, key.public_key().encode())
      .bytes(kFieldPayloadType, payload_type)
      .bytes(kFieldPayload, payload)
      .bytes(kFieldSignature, signature);
  return out;
}

Result<Envelope> open_envelope(ByteView in, std::string_view domain, const AcceptKeys& accept) {
  if (in.size() > Limits::kEnvelopeBytes) return fail(ErrorCode::Limit, "envelope: too long", Fault::Peer);
  ByteView key_bytes, payload_type, payload, signature;
  const auto read = for_each_field(in, [&](const ProtoField& field) -> Result<void> {
    if (field.is(kFieldKey, WireType::Bytes)) key_bytes = field.bytes;
    if (field.is(kFieldPayloadType, WireType::Bytes)) payload_type = field.bytes;
    if (field.is(kFieldPayload, WireType::Bytes)) payload = field.bytes;
    if (field.is(kFieldSignature, WireType::Bytes)) signature = field.bytes;
    return {};
  });
  if (!read) return std::unexpected(read.error());
  auto key = PublicKey::decode(key_bytes, accept);
  if (!key) return std::unexpected(std::move(key).error().with_context("envelope"));
  if (!key->verify(signed_bytes(domain, payload_type, payload), signature))
    return fail(ErrorCode::Authentic, "envelope: the signature does not hold", Fault::Peer);
  return Envelope{*std::move(key), Bytes(payload_type.begin(), payload_type.end()),
                  Bytes(payload.begin(), payload.end())};
}

}  // namespace ghmesh::libp2p
