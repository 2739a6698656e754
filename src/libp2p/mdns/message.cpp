// SPDX-License-Identifier: Apache-2.0
#include "libp2p/mdns/message.hpp"

#include <algorithm>

namespace ghmesh::libp2p::mdns {

using multiformats::Multiaddr;
using multiformats::Protocol;

namespace {

constexpr std::string_view kService = "_p2p._udp.local";
constexpr std::string_view kAttribute = "dnsaddr=";
constexpr std::uint16_t kPtr = 12;
constexpr std::uint16_t kTxt = 16;
constexpr std::uint16_t kAny = 255;
constexpr std::uint16_t kInternet = 1;
constexpr std::uint16_t kResponse = 0x8400;  // an authoritative answer
constexpr std::uint32_t kTtl = 120;          // seconds; RFC 6762 §10 for records about a host
constexpr std::size_t kHeader = 12;
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxText = 255;

void append_u16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

void append_header(Bytes& out, std::uint16_t flags, std::size_t questions, std::size_t answers,
                   std::size_t additional) {
  append_u16(out, 0);
  append_u16(out, flags);
  append_u16(out, questions);
  append_u16(out, answers);
  append_u16(out, 0);
  append_u16(out, additional);
}

void append_name(Bytes& out, std::string_view dotted) {
  while (!dotted.empty()) {
    const std::size_t end = std::min(dotted.find('.'), dotted.size());
    out.push_back(static_cast<std::uint8_t>(end));
    append(out, dotted.substr(0, end));
    dotted.remove_prefix(std::min(end + 1, dotted.size()));
  }
  out.push_back(0);
}

void append_record(Bytes& out, std::string_view name, std::uint16_t type, const Bytes& data) {
  append_name(out, name);
  append_u16(out, type);
  append_u16(out, kInternet);
  append_u16(out, kTtl >> 16);
  append_u16(out, kTtl & 0xffff);
  append_u16(out, data.size());
  append(out, ByteView(data));
}

// Reads a packet from front to back; after a failure everything else fails too.
class Reader {
 public:
  Reader(ByteView packet, const Limits& limits) : packet_(packet), limits_(limits) {}

  bool fine() const { return fine_; }
  std::uint16_t u16() {
    const ByteView raw = take(2);
    return raw.empty() ? std::uint16_t{0} : load_be<std::uint16_t>(raw.data());
  }
  ByteView take(std::size_t n) {
    if (!fine_ || packet_.size() - at_ < n) {
      fine_ = false;
      return {};
    }
    at_ += n;
    return packet_.subspan(at_ - n, n);
  }
  // In lower case, labels joined by dots. Pointers go backwards only and are counted, so a loop ends.
  std::string name() {
    std::string out;
    std::size_t at = at_;
    std::size_t jumps = 0;
    bool jumped = false;
    while (fine_) {
      if (at >= packet_.size()) break;
      const std::size_t length = packet_[at];
      if (length == 0) {
        if (!jumped) at_ = at + 1;
        return out;
      }
      if ((length & 0xc0) == 0xc0) {
        if (at + 1 >= packet_.size() || ++jumps > limits_.name_jumps) break;
        const std::size_t target = ((length & 0x3f) << 8) | packet_[at + 1];
        if (target >= at) break;
        if (!jumped) at_ = at + 2;
        jumped = true;
        at = target;
        continue;
      }
      if (length > kMaxLabel || packet_.size() - at - 1 < length || out.size() + length + 1 > kMaxName) break;
      if (!out.empty()) out += '.';
      for (const std::uint8_t c : packet_.subspan(at + 1, length))
        out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
      at += length + 1;
    }
    fine_ = false;
    return {};
  }

 private:
  ByteView packet_;
  const Limits& limits_;
  std::size_t at_ = 0;
  bool fine_ = true;
};

void take_texts(ByteView data, Message& message, const Limits& limits) {
  while (!data.empty() && message.addresses.size() < limits.addresses) {
    const std::size_t size = data[0];
    if (data.size() - 1 < size) return;
    const std::string_view text = as_text(data.subspan(1, size));
    data = data.subspan(1 + size);
    if (!text.starts_with(kAttribute)) continue;
    auto address = Multiaddr::parse(text.substr(kAttribute.size()));
    if (address && address->has(Protocol::P2p)) message.addresses.push_back(std::move(*address));
  }
}

}  // namespace

Bytes encode_query() {
  Bytes out;
  append_header(out, 0, 1, 0, 0);
  append_name(out, kService);
  append_u16(out, kPtr);
  append_u16(out, kInternet);
  return out;
}

Bytes encode_answer(std::string_view name, const std::vector<Multiaddr>& addresses, const Limits& limits) {
  const std::string whole = std::string(name.substr(0, kMaxLabel)) + "." + std::string(kService);
  Bytes pointer;
  append_name(pointer, whole);
  Bytes texts;
  for (const Multiaddr& address : addresses) {
    const std::string text = std::string(kAttribute) + address.text();
    if (text.size() > kMaxText || texts.size() + text.size() + 200 > limits.answer) continue;
    texts.push_back(static_cast<std::uint8_t>(text.size()));
    append(texts, text);
  }
  if (texts.empty()) texts.push_back(0);
  Bytes out;
  append_header(out, kResponse, 0, 1, 1);
  append_record(out, kService, kPtr, pointer);
  append_record(out, whole, kTxt, texts);
  return out;
}

Result<Message> decode(ByteView packet, const Limits& limits) {
  const auto malformed = [] { return fail(ErrorCode::Malformed, "mdns: no DNS message", Fault::Peer); };
  if (packet.size() < kHeader || packet.size() > limits.packet) return malformed();
  Reader reader(packet, limits);
  reader.u16();
  const std::uint16_t flags = reader.u16();
  const std::size_t questions = reader.u16();
  std::size_t records = reader.u16();
  records += reader.u16();
  records += reader.u16();
  const bool response = (flags & 0x8000) != 0;
  Message message;
  for (std::size_t i = 0; i < std::min(questions, limits.records); ++i) {
    const std::string name = reader.name();
    const std::uint16_t type = reader.u16();
    reader.u16();
    if (!reader.fine()) return malformed();
    if (!response && name == kService && (type == kPtr || type == kAny)) message.asks_for_peers = true;
  }
  if (!response || questions > limits.records) return message;
  for (std::size_t i = 0; i < std::min(records, limits.records); ++i) {
    const std::string name = reader.name();
    const std::uint16_t type = reader.u16();
    reader.take(6);
    const ByteView data = reader.take(reader.u16());
    if (!reader.fine()) return malformed();
    const bool ours =
        name.size() > kService.size() && name.ends_with(kService) && name[name.size() - kService.size() - 1] == '.';
    if (type == kTxt && ours) take_texts(data, message, limits);
  }
  return message;
}

}  // namespace ghmesh::libp2p::mdns
