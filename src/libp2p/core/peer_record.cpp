// SPDX-License-Identifier: Apache-2.0
#include "libp2p/core/peer_record.hpp"

#include "libp2p/core/envelope.hpp"
#include "libp2p/core/protobuf.hpp"

namespace ghmesh::libp2p {
namespace {

using multiformats::Multiaddr;

constexpr std::string_view kDomain = "libp2p-peer-record";
constexpr std::uint8_t kPayloadType[] = {0x03, 0x01};

constexpr std::uint32_t kFieldPeer = 1;
constexpr std::uint32_t kFieldSequence = 2;
constexpr std::uint32_t kFieldAddress = 3;
constexpr std::uint32_t kFieldMultiaddr = 1;  // inside an address

Result<void> decode_address(ByteView in, std::vector<Multiaddr>& out) {
  return for_each_field(in, [&](const ProtoField& field) -> Result<void> {
    if (!field.is(kFieldMultiaddr, WireType::Bytes) || out.size() >= Limits::kRecordAddresses) return {};
    if (auto address = Multiaddr::decode(field.bytes)) out.push_back(*std::move(address));
    return {};
  });
}

std::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorCode::Malformed, std::string("peer record: ").append(why), Fault::Peer);
}

}  // namespace

Bytes sign_peer_record(const PrivateKey& key, std::uint64_t sequence, const std::vector<Multiaddr>& addresses) {
  Bytes payload;
  ProtoWriter writer(payload);
  writer.bytes(kFieldPeer, PeerId::from_key(key.public_key()).bytes()).varint(kFieldSequence, sequence);
  for (const Multiaddr& address : addresses) {
    Bytes inner;
    ProtoWriter(inner).bytes(kFieldMultiaddr, address.bytes());
    writer.bytes(kFieldAddress, inner);
  }
  return sign_envelope(key, kDomain, kPayloadType, payload);
}

Result<PeerRecord> open_peer_record(ByteView in, const AcceptKeys& accept) {
  const auto envelope = open_envelope(in, kDomain, accept);
  if (!envelope) return std::unexpected(envelope.error());
  if (!equal(envelope->payload_type, kPayloadType)) return malformed("another payload type");

  std::optional<PeerId> peer;
  std::uint64_t sequence = 0;
  std::vector<Multiaddr> addresses;
  const auto read = for_each_field(envelope->payload, [&](const ProtoField& field) -> Result<void> {
    if (field.is(kFieldPeer, WireType::Bytes)) {
      const auto decoded = PeerId::decode(field.bytes);
      if (!decoded) return std::unexpected(decoded.error());
      peer = *decoded;
    }
    if (field.is(kFieldSequence, WireType::Varint)) sequence = field.value;
    if (field.is(kFieldAddress, WireType::Bytes)) return decode_address(field.bytes, addresses);
    return {};
  });
  if (!read) return std::unexpected(read.error());
  if (!peer) return malformed("names no peer");
  if (!peer->belongs_to(envelope->signer))
    return fail(ErrorCode::Authentic, "peer record: signed by someone else", Fault::Peer);
  return PeerRecord{*peer, sequence, std::move(addresses)};
}

}  // namespace ghmesh::libp2p
