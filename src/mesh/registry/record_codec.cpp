// SPDX-License-Identifier: Apache-2.0
#include "record_codec.hpp"

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "crypto/hmac.hpp"
#include "libp2p/core/envelope.hpp"
#include "libp2p/core/protobuf.hpp"

namespace ghmesh::mesh {
namespace {

using libp2p::ProtoField;
using libp2p::ProtoWriter;
using libp2p::WireType;
using nlohmann::json;

constexpr std::string_view kDomain = "ghmesh-registry-record";
constexpr std::string_view kType = "/ghmesh/registry/1";

std::uint64_t to_ms(WallTime time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

Bytes signed_part(const RegistryRecord& record, const MeshId& mesh) {
  Bytes payload;
  ProtoWriter writer(payload);
  writer.bytes(1, record.peer.bytes())
      .bytes(2, mesh)
      .varint(3, to_ms(record.last_seen))
      .varint(4, to_ms(record.expires));
  writer.bytes(5, record.runner_name);
  for (const auto& address : record.addresses) writer.bytes(6, address.bytes());
  return payload;
}

// Names come from environments: what a terminal or a log would act on is left out.
std::string printable(std::string_view text, std::size_t max) {
  std::string clean;
  for (const char c : text.substr(0, max)) clean += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '_' : c;
  return clean;
}

std::string text_of(const multiformats::Multiaddr& address, multiformats::Protocol protocol) {
  const auto component = address.find(protocol);
  return component ? component->text() : std::string();
}

}  // namespace

std::string format_time(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+00:00", &parts);
  return text;
}

namespace {

json fields_of(const RegistryRecord& record) {
  json addresses = json::array();
  for (const auto& address : record.addresses) addresses.push_back(address.text());
  std::string ip, port = "0";
  if (!record.addresses.empty()) {
    ip = text_of(record.addresses.front(), multiformats::Protocol::Ip4);
    if (ip.empty()) ip = text_of(record.addresses.front(), multiformats::Protocol::Ip6);
    port = text_of(record.addresses.front(), multiformats::Protocol::Tcp);
  }
  return json{{"peer_id", record.peer.text()},
              {"runner_name", record.runner_name},
              {"public_ip", ip},
              {"listen_port", std::atoi(port.c_str())},
              {"multiaddr", record.addresses.empty() ? "" : record.addresses.front().text()},
              {"last_seen", format_time(record.last_seen)},
              {"metadata", record.metadata},
              {"multiaddrs", addresses},
              {"expires", format_time(record.expires)}};
}

}  // namespace

std::string to_json(const RegistryRecord& record) {
  return fields_of(record).dump(-1, ' ', true, json::error_handler_t::replace);
}

std::string format_record(const RegistryRecord& record, const MeshId& mesh, const crypto::SecretKey32& key,
                          const libp2p::PrivateKey& identity) {
  Bytes payload = signed_part(record, mesh);
  const crypto::Digest32 mac = crypto::hmac_sha256(key.expose(), payload);
  ProtoWriter(payload).bytes(15, mac);
  const Bytes envelope = libp2p::sign_envelope(identity, kDomain, as_bytes(kType), payload);

  json text = fields_of(record);
  text["mesh_id"] = to_hex(mesh);
  text["signature"] = to_base64(envelope);
  return text.dump(2, ' ', true, json::error_handler_t::replace) + "\n";
}

std::optional<RegistryRecord> parse_record(std::string_view text, std::string_view file_name, const MeshId& mesh,
                                           const crypto::SecretKey32& key, const RegistryLimits& limits,
                                           RecordFault& fault) {
  const auto reject = [&](RecordFault why) {
    fault = why;
    return std::nullopt;
  };
  // Nesting is bounded by the size of the file; the parser keeps its stack on the heap.
  const json parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) return reject(RecordFault::Foreign);
  const auto field = [&](const char* name) -> std::string {
    const auto it = parsed.find(name);
    return it != parsed.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  if (field("mesh_id") != to_hex(mesh)) return reject(RecordFault::Foreign);
  const auto raw = from_base64(field("signature"));
  if (!raw) return reject(RecordFault::Hostile);
  const auto envelope = libp2p::open_envelope(*raw, kDomain);
  if (!envelope || !equal(envelope->payload_type, as_bytes(kType))) return reject(RecordFault::Hostile);

  RegistryRecord record{.peer = libp2p::PeerId::from_key(envelope->signer),
                        .runner_name = {},
                        .addresses = {},
                        .last_seen = {},
                        .expires = {},
                        .metadata = {}};
  Bytes mac, named_mesh, named_peer;
  const auto read = libp2p::for_each_field(envelope->payload, [&](const ProtoField& each) -> Result<void> {
    if (each.is(1, WireType::Bytes)) named_peer.assign(each.bytes.begin(), each.bytes.end());
    if (each.is(2, WireType::Bytes)) named_mesh.assign(each.bytes.begin(), each.bytes.end());
    // A date that the clock's type cannot hold is none.
    constexpr std::uint64_t kYear2200 = 7'258'118'400'000;
    if (each.is(3, WireType::Varint))
      record.last_seen = WallTime(std::chrono::milliseconds(std::min(each.value, kYear2200)));
    if (each.is(4, WireType::Varint))
      record.expires = WallTime(std::chrono::milliseconds(std::min(each.value, kYear2200)));
    if (each.is(5, WireType::Bytes)) record.runner_name = printable(as_text(each.bytes), limits.text_bytes);
    if (each.is(6, WireType::Bytes) && record.addresses.size() < limits.addresses)
      if (auto address = multiformats::Multiaddr::decode(each.bytes)) record.addresses.push_back(std::move(*address));
    if (each.is(15, WireType::Bytes)) mac.assign(each.bytes.begin(), each.bytes.end());
    return {};
  });
  // The MAC covers everything in front of itself: tag, length and 32 bytes stand at the end.
  if (!read || mac.size() != 32 || envelope->payload.size() < 34 || !equal(named_mesh, mesh) ||
      !equal(named_peer, record.peer.bytes()) || file_name != Registry::file_name(record.peer))
    return reject(RecordFault::Hostile);
  const ByteView covered = ByteView(envelope->payload).first(envelope->payload.size() - 34);
  if (!crypto::HmacSha256(key.expose()).verify(covered, mac)) return reject(RecordFault::Hostile);
  if (const auto it = parsed.find("metadata"); it != parsed.end() && it->is_object())
    for (const auto& [name, value] : it->items())
      if (value.is_string() && record.metadata.size() < limits.metadata_entries)
        record.metadata[printable(name, limits.text_bytes)] = printable(value.get<std::string>(), limits.text_bytes);
  return record;
}

}  // namespace ghmesh::mesh
