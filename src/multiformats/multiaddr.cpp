// SPDX-License-Identifier: Apache-2.0
#include "multiformats/multiaddr.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "multiaddr_protocols.hpp"
#include "multiformats/limits.hpp"
#include "multiformats/varint.hpp"

namespace ghmesh::multiformats {
namespace {

std::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorCode::Malformed, std::string("multiaddr: ").append(why), Fault::Peer);
}
std::unexpected<Error> malformed(const ProtocolInfo& info, std::string_view why) {
  return malformed(std::string(info.name).append(": ").append(why));
}
std::unexpected<Error> over_limit() {
  return fail(ErrorCode::Limit, "multiaddr: too long or too many components", Fault::Peer);
}

void append_component(Bytes& out, const ProtocolInfo& info, ByteView value) {
  append_varint(out, static_cast<std::uint64_t>(info.protocol));
  if (info.size == ProtocolInfo::kVariable) append_varint(out, value.size());
  append(out, value);
}

struct Taken {
  const ProtocolInfo* info;
  ByteView value;
  std::size_t size;  // of the whole component
};

// One component off the front; in moves behind it.
Result<Taken> take_component(ByteView& in) {
  const std::size_t before = in.size();
  const auto code = take_varint(in);
  if (!code) return std::unexpected(code.error());
  const ProtocolInfo* info = find_protocol(*code);
  if (info == nullptr) return fail(ErrorCode::Unsupported, "multiaddr: unregistered protocol code", Fault::Peer);
  std::uint64_t length = 0;
  if (info->size == ProtocolInfo::kVariable) {
    const auto announced = take_varint(in);
    if (!announced) return std::unexpected(announced.error());
    length = *announced;
  } else {
    length = static_cast<std::uint64_t>(info->size);
  }
  if (length > in.size()) return malformed(*info, "value is cut off");
  const ByteView value = in.first(length);
  if (info->valid != nullptr && !info->valid(value)) return malformed(*info, "bad value");
  in = in.subspan(length);
  return Taken{info, value, before - in.size()};
}

// Calls visit(Taken) for each component of bytes that are known to be valid.
template <typename Visit>
void for_each_component(ByteView bytes, Visit visit) {
  while (!bytes.empty()) {
    const auto taken = take_component(bytes);
    GHMESH_CHECK(taken);
    visit(*taken);
  }
}

// The text up to the next slash; text moves behind that slash.
std::string_view take_word(std::string_view& text) {
  const std::size_t slash = text.find('/');
  const std::string_view word = text.substr(0, slash);
  text.remove_prefix(slash == std::string_view::npos ? text.size() : slash + 1);
  return word;
}

}  // namespace

std::string_view to_string(Protocol protocol) {
  const ProtocolInfo* info = find_protocol(static_cast<std::uint64_t>(protocol));
  GHMESH_CHECK(info != nullptr);
  return info->name;
}

std::string Component::text() const {
  const ProtocolInfo* info = find_protocol(static_cast<std::uint64_t>(protocol));
  GHMESH_CHECK(info != nullptr);
  return info->format == nullptr ? std::string() : info->format(value);
}

Result<Multiaddr> Multiaddr::parse(std::string_view text) {
  if (text.size() > Limits::kMultiaddrText) return over_limit();
  while (text.ends_with('/')) text.remove_suffix(1);
  if (!text.starts_with('/')) return malformed("does not begin with a slash or names no protocol");
  text.remove_prefix(1);

  Bytes bytes;
  for (std::size_t count = 0; !text.empty(); ++count) {
    if (count == Limits::kMultiaddrComponents) return over_limit();
    const std::string_view name = take_word(text);
    const ProtocolInfo* info = find_protocol(name);
    if (info == nullptr) return fail(ErrorCode::Unsupported, "multiaddr: unknown protocol name", Fault::Peer);
    if (info->size == 0) {
      append_component(bytes, *info, {});
      continue;
    }
    std::optional<Bytes> value;
    if (info->path) {
      value = info->parse(std::string("/").append(text));
      text = {};
    } else {
      value = info->parse(take_word(text));
    }
    if (!value || !info->valid(*value)) return malformed(*info, "bad value");
    append_component(bytes, *info, *value);
    if (bytes.size() > Limits::kMultiaddrBytes) return over_limit();
  }
  return Multiaddr(std::move(bytes));
}

Result<Multiaddr> Multiaddr::decode(ByteView bytes) {
  if (bytes.empty()) return malformed("empty");
  if (bytes.size() > Limits::kMultiaddrBytes) return over_limit();
  ByteView rest = bytes;
  bool behind_path = false;
  for (std::size_t count = 0; !rest.empty(); ++count) {
    if (count == Limits::kMultiaddrComponents) return over_limit();
    if (behind_path) return malformed("a component behind a path");
    const auto taken = take_component(rest);
    if (!taken) return std::unexpected(taken.error());
    behind_path = taken->info->path;
  }
  return Multiaddr(Bytes(bytes.begin(), bytes.end()));
}

Result<Multiaddr> Multiaddr::make(Protocol protocol, ByteView value) {
  const ProtocolInfo* info = find_protocol(static_cast<std::uint64_t>(protocol));
  GHMESH_CHECK(info != nullptr);
  const bool fits = info->size == ProtocolInfo::kVariable || value.size() == static_cast<std::size_t>(info->size);
  if (!fits || (info->valid != nullptr && !info->valid(value))) return malformed(*info, "bad value");
  Bytes bytes;
  append_component(bytes, *info, value);
  if (bytes.size() > Limits::kMultiaddrBytes) return over_limit();
  return Multiaddr(std::move(bytes));
}

Multiaddr Multiaddr::ip4(const std::array<std::uint8_t, 4>& address) { return make(Protocol::Ip4, address).value(); }
Multiaddr Multiaddr::ip6(const std::array<std::uint8_t, 16>& address) { return make(Protocol::Ip6, address).value(); }
Multiaddr Multiaddr::tcp(std::uint16_t port) {
  std::uint8_t value[2];
  store_be(value, port);
  return make(Protocol::Tcp, value).value();
}

std::string Multiaddr::text() const {
  std::string out;
  for_each_component(bytes_, [&](const Taken& taken) {
    out.append("/").append(taken.info->name);
    if (taken.info->size == 0) return;
    if (!taken.info->path) out.append("/");  // a path brings its own
    out.append(taken.info->format(taken.value));
  });
  return out;
}

std::vector<Component> Multiaddr::components() const {
  std::vector<Component> out;
  for_each_component(bytes_, [&](const Taken& taken) { out.push_back({taken.info->protocol, taken.value}); });
  return out;
}

std::optional<Component> Multiaddr::find(Protocol protocol) const {
  std::optional<Component> found;
  for_each_component(bytes_, [&](const Taken& taken) {
    if (!found && taken.info->protocol == protocol) found = Component{protocol, taken.value};
  });
  return found;
}

Result<Multiaddr> Multiaddr::encapsulate(const Multiaddr& inner) const {
  if (inner.empty()) return *this;
  Bytes joined = bytes_;
  append(joined, ByteView(inner.bytes_));
  return decode(joined);
}

Multiaddr Multiaddr::decapsulate(const Multiaddr& suffix) const {
  if (suffix.empty()) return *this;
  // Only whole components count: the bytes of one could occur inside the value of another.
  std::size_t offset = 0;
  std::size_t cut = bytes_.size();
  for_each_component(bytes_, [&](const Taken& taken) {
    const ByteView rest = ByteView(bytes_).subspan(offset);
    if (rest.size() >= suffix.bytes_.size() && equal(rest.first(suffix.bytes_.size()), suffix.bytes_)) cut = offset;
    offset += taken.size;
  });
  return Multiaddr(Bytes(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(cut)));
}

Multiaddr Multiaddr::decapsulate(Protocol protocol) const {
  std::size_t offset = 0;
  std::size_t cut = bytes_.size();
  for_each_component(bytes_, [&](const Taken& taken) {
    if (taken.info->protocol == protocol) cut = offset;
    offset += taken.size;
  });
  return Multiaddr(Bytes(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(cut)));
}

}  // namespace ghmesh::multiformats
