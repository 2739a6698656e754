// SPDX-License-Identifier: Apache-2.0
#include "proxy/way_out.hpp"

#include <charconv>
#include <utility>
#include <vector>

#include "http/client/open_tunnel.hpp"
#include "http/message/fields.hpp"

namespace ghmesh::proxy {
namespace {

std::string_view without_brackets(std::string_view host) {
  return host.size() > 2 && host.front() == '[' && host.back() == ']' ? host.substr(1, host.size() - 2) : host;
}

// "10.0.0.0/8" and an address in it.
bool is_in_network(std::string_view network, const io::IpAddress& address) {
  const std::size_t slash = network.find('/');
  const auto base = io::IpAddress::parse(network.substr(0, slash));
  unsigned bits = 0;
  const std::string_view digits = network.substr(slash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (!base || error != std::errc() || end != digits.data() + digits.size()) return false;
  if (base->v6 != address.v6 || bits > base->bytes().size() * 8) return false;
  for (unsigned bit = 0; bit < bits; bit += 8) {
    const unsigned mask = bits - bit >= 8 ? 0xff : 0xff00u >> (bits - bit) & 0xff;
    if (((base->octets[bit / 8] ^ address.octets[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

// Nothing: the entry is for another port.
std::optional<std::string_view> without_port(std::string_view entry, std::uint16_t port) {
  // IPv6 has colons of its own.
  if (io::IpAddress::parse(entry) || entry.find('/') != std::string_view::npos) return entry;
  const std::size_t colon = entry.rfind(':');
  if (colon == std::string_view::npos || entry.ends_with(']')) return without_brackets(entry);
  if (entry.substr(colon + 1) != std::to_string(port)) return std::nullopt;
  return without_brackets(entry.substr(0, colon));
}

bool matches(std::string_view entry, std::string_view host, const std::optional<io::IpAddress>& address,
             bool bare_is_suffix) {
  if (entry.find('/') != std::string_view::npos) return address && is_in_network(entry, *address);
  if (address) return io::IpAddress::parse(entry) == address;
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  bool suffix = bare_is_suffix;
  if (entry.starts_with('.')) {
    suffix = true;
    entry.remove_prefix(1);
  }
  if (entry.empty()) return false;
  if (http::iequals(host, entry)) return true;
  return suffix && host.size() > entry.size() && host[host.size() - entry.size() - 1] == '.' &&
         http::iequals(host.substr(host.size() - entry.size()), entry);
}

}  // namespace

bool is_direct(std::string_view list, std::string_view host, std::uint16_t port, bool bare_is_suffix) {
  host = without_brackets(host);
  const std::optional<io::IpAddress> address = io::IpAddress::parse(host);
  while (!list.empty()) {
    const std::size_t stop = list.find_first_of(", ");
    const std::string_view entry = list.substr(0, stop);
    list.remove_prefix(stop == std::string_view::npos ? list.size() : stop + 1);
    if (entry == "*") return true;
    const std::optional<std::string_view> name = without_port(entry, port);
    if (name && matches(*name, host, address, bare_is_suffix)) return true;
  }
  return false;
}

bool names_in_via(std::string_view via, std::string_view pseudonym) {
  // "1.1 name, 1.0 other (comment)": the name is a token with white space before it.
  for (std::size_t at = via.find(pseudonym); at != std::string_view::npos; at = via.find(pseudonym, at + 1)) {
    const std::size_t end = at + pseudonym.size();
    const bool begins = at > 0 && (via[at - 1] == ' ' || via[at - 1] == '\t');
    if (begins && (end == via.size() || std::string_view(" \t,").find(via[end]) != std::string_view::npos)) return true;
  }
  return false;
}

WayOut::WayOut(WayOutOptions options) : options_(std::move(options)) {
  if (!options_.credentials.expose().empty())
    authorization_ = crypto::SecretText("Basic " + to_base64(as_bytes(options_.credentials.expose())));
}

bool WayOut::leads_to(std::string_view host, std::uint16_t port) const {
  const auto address = io::IpAddress::parse(without_brackets(host));
  if (host == "localhost" || host.ends_with(".localhost") || (address && address->is_loopback())) return false;
  return !is_direct(options_.direct, host, port);
}

io::Task<Result<std::unique_ptr<io::Stream>>> WayOut::ask(io::Network& network, std::string authority) const {
  const Result<std::vector<io::IpAddress>> addresses =
      co_await network.resolve(std::string(without_brackets(options_.host)));
  if (!addresses) co_return std::unexpected(addresses.error());
  Result<std::unique_ptr<io::Stream>> stream = fail(ErrorCode::NotFound, "has no address");
  for (const io::IpAddress& address : *addresses) {
    stream = co_await network.dial({address, options_.port});
    if (stream) break;
  }
  if (!stream) co_return stream;
  const std::string via = "1.1 " + options_.pseudonym;
  std::vector<http::Field> fields{{"Via", via}};
  if (!authorization_.expose().empty()) fields.push_back({"Proxy-Authorization", authorization_.expose()});
  co_return co_await http::client::open_tunnel(std::move(*stream), std::move(authority), http::FieldsView(fields));
}

io::Task<Result<std::unique_ptr<io::Stream>>> WayOut::connect(io::Network& network, std::string host,
                                                              std::uint16_t port) {
  // Until it has come to an end it has failed: who waits may give up.
  ++counts_.failed;
  counts_.problem = "no answer in time";
  Result<std::unique_ptr<io::Stream>> stream = co_await ask(network, host + ":" + std::to_string(port));
  if (!stream) {
    Error error = std::move(stream.error());
    counts_.problem = error.message;
    error.fault = Fault::Origin;
    co_return std::unexpected(
        std::move(error).with_context("the proxy " + options_.host + ":" + std::to_string(options_.port)));
  }
  --counts_.failed;
  ++counts_.opened;
  counts_.problem.clear();
  co_return stream;
}

}  // namespace ghmesh::proxy
