// SPDX-License-Identifier: Apache-2.0
#include "codec.hpp"

#include "base/check.hpp"
#include "body_coder.hpp"
#include "fields.hpp"

namespace ghmesh::mesh {
namespace {

template <typename T>
concept Integer = std::unsigned_integral<T> && !std::same_as<T, bool>;

std::size_t varint_size(std::uint64_t value) {
  std::size_t n = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++n;
  }
  return n;
}

// The archive that measures; the writer is one that also keeps the bytes.
class Measurer {
 public:
  using BodyBytes = std::function<std::size_t(const Item&, bool)>;
  explicit Measurer(const BodyBytes& body) : body_(body) {}
  std::size_t size() const { return size_; }

  template <Integer T>
  void operator()(const T&) {
    size_ += sizeof(T);
  }
  void operator()(const std::int64_t&) { size_ += 8; }
  void operator()(const bool&) { size_ += 1; }
  template <std::size_t N>
  void operator()(const std::array<std::uint8_t, N>&) {
    size_ += N;
  }
  void operator()(const PeerId& peer) { size_ += 1 + peer.bytes().size(); }
  void flags(bool, bool, bool) { size_ += 1; }
  template <Integer T>
  void number(const T&, std::uint64_t) {
    size_ += sizeof(T);
  }
  template <typename E>
  void choice(const E&, E) {
    size_ += 1;
  }
  void varint(std::uint64_t value) { size_ += varint_size(value); }
  void optional_peer(const std::optional<PeerId>& peer) { size_ += 1 + (peer ? peer->bytes().size() : 0); }
  template <typename T>
  void list(std::vector<T>& list, std::size_t) {
    varint(list.size());
    for (T& each : list) element(each);
  }
  void varints(const std::vector<std::uint64_t>& values, std::size_t) {
    varint(values.size());
    for (const std::uint64_t value : values) varint(value);
  }
  void blobs(const std::vector<Bytes>& blobs, std::size_t, std::size_t) {
    varint(blobs.size());
    for (const Bytes& blob : blobs) size_ += varint_size(blob.size()) + blob.size();
  }
  void item(const ItemPtr& item, const Version& base, bool) {
    size_ += 1;
    if (!item) return;
    const std::size_t body = body_(*item, base != Version{});
    (*this)(item->publisher);
    size_ += 32 + 1 + 8 * item->groups.size() + varint_size(item->metadata.size()) + varint_size(item->body.size()) +
             varint_size(body) + body;
  }

 private:
  template <typename T>
  void element(T& each) {
    if constexpr (requires { wire::fields(*this, each); }) {
      wire::fields(*this, each);
    } else {
      size_ += sizeof(T);
    }
  }

  const BodyBytes& body_;
  std::size_t size_ = 0;
};

// Most messages are shorter, and so are the fields around a body, those with many members in them aside.
constexpr std::size_t kFieldBytes = 256;

class Writer {
 public:
  Writer(Bytes& out, BodyCoder& coder, const FindItem& find) : out_(out), coder_(coder), find_(find) {}

  template <Integer T>
  void operator()(const T& value) {
    const std::size_t at = out_.size();
    out_.resize(at + sizeof(T));
    store_be(out_.data() + at, value);
  }
  void operator()(const std::int64_t& value) { (*this)(static_cast<std::uint64_t>(value)); }
  void operator()(const bool& value) { out_.push_back(value ? 1 : 0); }
  template <std::size_t N>
  void operator()(const std::array<std::uint8_t, N>& bytes) {
    append(out_, bytes);
  }
  void operator()(const std::array<std::uint64_t, 2>& pair) {
    (*this)(pair[0]);
    (*this)(pair[1]);
  }
  void operator()(const PeerId& peer) {
    out_.push_back(static_cast<std::uint8_t>(peer.bytes().size()));
    append(out_, peer.bytes());
  }
  void flags(bool a, bool b, bool c) { out_.push_back(static_cast<std::uint8_t>(a | (b << 1) | (c << 2))); }
  template <Integer T>
  void number(const T& value, std::uint64_t max) {
    (*this)(static_cast<T>(std::min<std::uint64_t>(value, max)));
  }
  template <typename E>
  void choice(const E& value, E) {
    out_.push_back(static_cast<std::uint8_t>(value));
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<std::uint8_t>(value | 0x80));
    out_.push_back(static_cast<std::uint8_t>(value));
  }
  void optional_peer(const std::optional<PeerId>& peer) {
    if (peer) {
      (*this)(*peer);
    } else {
      out_.push_back(0);
    }
  }
  template <typename T>
  void list(std::vector<T>& list, std::size_t max) {
    const std::size_t n = std::min(list.size(), max);
    varint(n);
    for (std::size_t i = 0; i < n; ++i) {
      if constexpr (requires { wire::fields(*this, list[i]); }) {
        wire::fields(*this, list[i]);
      } else {
        (*this)(list[i]);
      }
    }
  }
  void varints(const std::vector<std::uint64_t>& values, std::size_t max) {
    varint(std::min(values.size(), max));
    for (std::size_t i = 0; i < std::min(values.size(), max); ++i) varint(values[i]);
  }
  void blob(ByteView bytes) {
    varint(bytes.size());
    append(out_, bytes);
  }
  void blobs(const std::vector<Bytes>& blobs, std::size_t max, std::size_t) {
    varint(std::min(blobs.size(), max));
    for (std::size_t i = 0; i < std::min(blobs.size(), max); ++i) blob(blobs[i]);
  }
  void item(const ItemPtr& item, const Version& base_version, bool) {
    (*this)(item != nullptr);
    if (!item) return;
    const auto room_for = [this](std::size_t body) {
      if (const std::size_t size = out_.size() + kFieldBytes + body; out_.capacity() < size)
        out_.reserve(std::max(size, 2 * out_.capacity()));
    };
    GHMESH_CHECK(item->groups.size() <= WireLimits::kGroups && item->metadata.size() <= WireLimits::kMetadataBytes &&
                 item->body.size() <= WireLimits::kBodyBytes);
    const ItemPtr base = base_version != Version{} && find_ ? find_(item->key, base_version) : nullptr;
    (*this)(item->key);
    (*this)(item->publisher);
    varint(item->groups.size());
    for (const GroupId group : item->groups) (*this)(group);
    varint(item->metadata.size());
    varint(item->body.size());
    const BodyCoder::Encoded encoded = coder_.encode(*item, base.get());
    out_.push_back(static_cast<std::uint8_t>(encoded.form));
    if (encoded.form != BodyForm::Plain) {
      room_for(encoded.bytes.size());
      return blob(encoded.bytes);
    }
    room_for(item->metadata.size() + item->body.size());
    varint(item->metadata.size() + item->body.size());
    append(out_, item->metadata);
    append(out_, item->body);
  }

 private:
  Bytes& out_;
  BodyCoder& coder_;
  const FindItem& find_;
};

// After the first failure everything reads as nothing, and error says why.
class Reader {
 public:
  Reader(ByteView in, BodyCoder& coder, const FindItem& find) : in_(in), coder_(coder), find_(find) {}

  std::optional<Error> error;
  bool at_end() const { return in_.empty(); }

  template <Integer T>
  void operator()(T& value) {
    const ByteView raw = take(sizeof(T));
    if (!raw.empty()) value = load_be<T>(raw.data());
  }
  void operator()(std::int64_t& value) {
    std::uint64_t raw = 0;
    (*this)(raw);
    value = static_cast<std::int64_t>(raw);
  }
  void operator()(bool& value) {
    std::uint8_t raw = 0;
    (*this)(raw);
    if (raw > 1) bad("a flag that is neither 0 nor 1");
    value = raw == 1;
  }
  template <std::size_t N>
  void operator()(std::array<std::uint8_t, N>& bytes) {
    const ByteView raw = take(N);
    std::copy(raw.begin(), raw.end(), bytes.begin());
  }
  void operator()(std::array<std::uint64_t, 2>& pair) {
    (*this)(pair[0]);
    (*this)(pair[1]);
  }
  void operator()(PeerId& peer) {
    std::optional<PeerId> read;
    optional_peer(read);
    if (read) {
      peer = *read;
    } else {
      bad("a peer id is missing");
    }
  }
  void flags(bool& a, bool& b, bool& c) {
    std::uint8_t raw = 0;
    (*this)(raw);
    if (raw > 7) bad("unknown flags");
    a = (raw & 1) != 0;
    b = (raw & 2) != 0;
    c = (raw & 4) != 0;
  }
  template <Integer T>
  void number(T& value, std::uint64_t max) {
    (*this)(value);
    if (value > max) bad("a number above its bound");
  }
  template <typename E>
  void choice(E& value, E max) {
    std::uint8_t raw = 0;
    (*this)(raw);
    if (raw > static_cast<std::uint8_t>(max)) return bad("an unknown choice");
    value = static_cast<E>(raw);
  }
  template <Integer T>
  void varint(T& value) {
    std::uint64_t result = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const ByteView byte = take(1);
      if (byte.empty()) return;
      result |= std::uint64_t{byte[0] & 0x7fu} << shift;
      if ((byte[0] & 0x80) == 0) {
        if (byte[0] == 0 && shift > 0) return bad("a varint longer than needed");
        if (result > std::numeric_limits<T>::max() || (shift == 63 && byte[0] > 1)) return bad("a varint too large");
        value = static_cast<T>(result);
        return;
      }
    }
    bad("a varint too long");
  }
  void optional_peer(std::optional<PeerId>& peer) {
    std::uint8_t size = 0;
    (*this)(size);
    if (size == 0) return;
    auto decoded = PeerId::decode(take(size));
    if (!decoded) return bad("not a peer id");
    peer = *decoded;
  }
  std::size_t count(std::size_t max) {
    std::uint64_t n = 0;
    varint(n);
    // Every element has at least one byte, so a list cannot make us allocate more than it brings.
    if (n > max || n > in_.size()) {
      bad("a list too long");
      return 0;
    }
    return error ? 0 : static_cast<std::size_t>(n);
  }
  template <typename T>
  void list(std::vector<T>& list, std::size_t max) {
    list.clear();
    for (std::size_t n = count(max); n > 0 && !error; --n) {
      T& each = list.emplace_back();
      if constexpr (requires { wire::fields(*this, each); }) {
        wire::fields(*this, each);
      } else {
        (*this)(each);
      }
    }
  }
  void varints(std::vector<std::uint64_t>& values, std::size_t max) {
    values.resize(count(max));
    for (std::uint64_t& value : values) varint(value);
  }
  ByteView blob(std::size_t max) {
    std::uint64_t n = 0;
    varint(n);
    if (n > max) bad("a field too long");
    return error ? ByteView() : take(static_cast<std::size_t>(n));
  }
  void blobs(std::vector<Bytes>& blobs, std::size_t max, std::size_t max_each) {
    blobs.resize(count(max));
    for (Bytes& each : blobs) {
      const ByteView raw = blob(max_each);
      each.assign(raw.begin(), raw.end());
    }
  }
  void item(ItemPtr& item, const Version& base_version, bool required) {
    bool present = false;
    (*this)(present);
    if (!present) {
      if (required) bad("the item is missing");
      return;
    }
    auto read = std::make_shared<Item>();
    (*this)(read->key);
    (*this)(read->publisher);
    read->groups.resize(count(WireLimits::kGroups));
    for (GroupId& group : read->groups) (*this)(group);
    std::uint64_t metadata = 0, body = 0;
    varint(metadata);
    varint(body);
    if (metadata > WireLimits::kMetadataBytes || body > WireLimits::kBodyBytes) return bad("a body too large");
    BodyForm form = BodyForm::Plain;
    choice(form, BodyForm::Delta);
    const ByteView bytes = blob(WireLimits::kMetadataBytes + WireLimits::kBodyBytes);
    if (error) return;
    const ItemPtr base = form == BodyForm::Delta && find_ ? find_(read->key, base_version) : nullptr;
    const auto decoded = coder_.decode(form, bytes, static_cast<std::size_t>(metadata), static_cast<std::size_t>(body),
                                       base.get(), *read);
    if (!decoded) {
      if (!error) error = decoded.error();
      return;
    }
    item = std::move(read);
  }
  void bad(std::string_view why) {
    if (!error) error = Error{ErrorCode::Malformed, Fault::Peer, Retry::No, "mesh message: " + std::string(why)};
    in_ = {};
  }

 private:
  ByteView take(std::size_t n) {
    if (error || in_.size() < n) {
      bad("cut off");
      return {};
    }
    const ByteView taken = in_.first(n);
    in_ = in_.subspan(n);
    return taken;
  }

  ByteView in_;
  BodyCoder& coder_;
  const FindItem& find_;
};

template <std::size_t I = 0>
bool emplace_type(Message& message, std::size_t index) {
  if constexpr (I == std::variant_size_v<Message>) {
    return false;
  } else {
    if (index != I) return emplace_type<I + 1>(message, index);
    message.emplace<I>();
    return true;
  }
}

}  // namespace

struct Codec::State {
  FindItem find;
  BodyCoder coder;
};

Codec::Codec(FindItem find) : state_(std::make_unique<State>(std::move(find))) {}
Codec::~Codec() = default;
Codec::Codec(Codec&&) noexcept = default;

Bytes Codec::encode(const Message& message) {
  Bytes out;
  out.reserve(kFieldBytes);
  out.push_back(static_cast<std::uint8_t>(message.index()));
  Writer writer(out, state_->coder, state_->find);
  // The archives share one list of fields, which the reader needs writable; writing changes nothing.
  std::visit([&](auto& each) { wire::fields(writer, each); }, const_cast<Message&>(message));
  return out;
}

Result<Message> Codec::decode(ByteView bytes) {
  Message message;
  if (bytes.empty() || !emplace_type(message, bytes[0]))
    return fail(ErrorCode::Unsupported, "a mesh message of unknown type", Fault::Peer);
  Reader reader(bytes.subspan(1), state_->coder, state_->find);
  std::visit([&](auto& each) { wire::fields(reader, each); }, message);
  if (!reader.error && !reader.at_end()) reader.bad("more bytes than fields");
  if (reader.error) return std::unexpected(*reader.error);
  return message;
}

std::size_t encoded_size(const Message& message, const std::function<std::size_t(const Item&, bool)>& body_bytes) {
  Measurer measurer(body_bytes);
  std::visit([&](auto& each) { wire::fields(measurer, each); }, const_cast<Message&>(message));
  return 1 + measurer.size();
}

std::string_view type_name(const Message& message) {
  static constexpr std::array<std::string_view, std::variant_size_v<Message>> kNames{
      "ask",  "same",   "body", "wait",  "lease",        "pass", "try",  "put",   "renew",  "release",
      "hold", "shadow", "peek", "found", "whohas",       "have", "pull", "chunk", "ledger", "invalidate",
      "ack",  "pause",  "ping", "pong",  "ping-request", "news", "sync", "draw",  "drawn"};
  return kNames[message.index()];
}

}  // namespace ghmesh::mesh
