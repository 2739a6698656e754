// SPDX-License-Identifier: Apache-2.0
#include "libp2p/identify/message.hpp"

#include "libp2p/core/protobuf.hpp"

namespace ghmesh::libp2p::identify {

using multiformats::Multiaddr;

namespace {

enum Field : std::uint32_t {
  kPublicKey = 1,
  kListenAddresses = 2,
  kProtocols = 3,
  kObservedAddress = 4,
  kProtocolVersion = 5,
  kAgentVersion = 6,
  kSignedPeerRecord = 8,
};

}  // namespace

Bytes encode(const Message& m) {
  Bytes out;
  ProtoWriter writer(out);
  if (m.public_key) writer.bytes(kPublicKey, *m.public_key);
  for (const Multiaddr& address : m.listen_addresses) writer.bytes(kListenAddresses, address.bytes());
  for (const std::string& protocol : m.protocols) writer.bytes(kProtocols, protocol);
  if (m.observed_address) writer.bytes(kObservedAddress, m.observed_address->bytes());
  if (m.protocol_version) writer.bytes(kProtocolVersion, *m.protocol_version);
  if (m.agent_version) writer.bytes(kAgentVersion, *m.agent_version);
  if (m.signed_peer_record) writer.bytes(kSignedPeerRecord, *m.signed_peer_record);
  return out;
}

Result<> decode_into(Message& m, ByteView part, const Limits& limits) {
  return for_each_field(part, [&](const ProtoField& field) -> Result<> {
    if (field.type != WireType::Bytes) return {};
    switch (field.number) {
      case kPublicKey: m.public_key = Bytes(field.bytes.begin(), field.bytes.end()); break;
      case kListenAddresses:
        if (m.listen_addresses.size() >= limits.addresses) break;
        if (auto address = Multiaddr::decode(field.bytes)) m.listen_addresses.push_back(std::move(*address));
        break;
      case kProtocols:
        if (m.protocols.size() < limits.protocols && field.bytes.size() <= limits.protocol_name)
          m.protocols.push_back(to_text(field.bytes));
        break;
      case kObservedAddress:
        if (auto address = Multiaddr::decode(field.bytes))
          m.observed_address = address->decapsulate(multiformats::Protocol::P2p);
        break;
      case kProtocolVersion:
        m.protocol_version = to_text(field.bytes.first(std::min(field.bytes.size(), limits.version)));
        break;
      case kAgentVersion:
        m.agent_version = to_text(field.bytes.first(std::min(field.bytes.size(), limits.version)));
        break;
      case kSignedPeerRecord: m.signed_peer_record = Bytes(field.bytes.begin(), field.bytes.end()); break;
      default: break;
    }
    return {};
  });
}

}  // namespace ghmesh::libp2p::identify
