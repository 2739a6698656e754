// SPDX-License-Identifier: Apache-2.0
#include "node/config/values.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "http/message/fields.hpp"

namespace ghmesh::node::config {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kSizes{Unit{"", 1},
                            Unit{"B", 1},
                            Unit{"KiB", 1ull << 10},
                            Unit{"MiB", 1ull << 20},
                            Unit{"GiB", 1ull << 30},
                            Unit{"TiB", 1ull << 40},
                            Unit{"KB", 1000},
                            Unit{"MB", 1000'000},
                            Unit{"GB", 1000'000'000},
                            Unit{"TB", 1000'000'000'000}};
constexpr std::array kTimes{Unit{"", 1}, Unit{"s", 1}, Unit{"m", 60}, Unit{"h", 3600}, Unit{"d", 86400}};
constexpr std::array kShortTimes{Unit{"", 1}, Unit{"ms", 1}, Unit{"s", 1000}};

// digits, then one of units; nothing for another text or a product over max.
std::optional<std::uint64_t> parse_scaled(std::string_view text, std::span<const Unit> units, std::uint64_t max) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number > max / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

auto malformed(std::string_view text, std::string_view wanted) {
  return fail(ErrorCode::Malformed, "'" + std::string(text) + "' is not " + std::string(wanted));
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  // Half the range: sums of two sizes never overflow.
  if (const auto bytes = parse_scaled(text, kSizes, std::numeric_limits<std::uint64_t>::max() / 2)) return *bytes;
  return malformed(text, "a size such as 64MiB, 1GiB or 500MB");
}

std::string format_size(std::uint64_t bytes) {
  for (const std::string_view name : {"TiB", "GiB", "MiB", "KiB"}) {
    for (const Unit& unit : kSizes) {
      if (unit.name == name && bytes >= unit.factor && bytes % unit.factor == 0)
        return std::to_string(bytes / unit.factor) + std::string(name);
    }
  }
  return std::to_string(bytes);
}

Result<std::chrono::seconds> parse_seconds(std::string_view text) {
  constexpr std::uint64_t kTenYears = 10ull * 366 * 86400;
  if (const auto seconds = parse_scaled(text, kTimes, kTenYears))
    return std::chrono::seconds(static_cast<std::int64_t>(*seconds));
  return malformed(text, "a time such as 300, 90s, 5m, 2h or 1d (ten years at most)");
}

Result<std::chrono::milliseconds> parse_patience(std::string_view text) {
  constexpr std::uint64_t kLeast = 5, kMost = 5000;
  if (const auto ms = parse_scaled(text, kShortTimes, kMost); ms && *ms >= kLeast)
    return std::chrono::milliseconds(static_cast<std::int64_t>(*ms));
  return malformed(text, "a time such as 50, 50ms or 1s (5 ms to 5 s)");
}

Result<int> parse_percent(std::string_view text, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= 0 && value <= most) return value;
  return malformed(text, "a whole number from 0 to " + std::to_string(most));
}

Result<std::uint64_t> parse_one_in(std::string_view text) {
  constexpr std::uint64_t kMost = 1'000'000;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= 1 && value <= kMost) return value;
  return malformed(text, "a whole number from 1 to a million");
}

Result<bool> parse_switch(std::string_view text) {
  for (const std::string_view yes : {"on", "true", "yes", "1"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"off", "false", "no", "0"}) {
    if (text == no) return false;
  }
  return malformed(text, "on or off");
}

Result<io::Endpoint> parse_endpoint(std::string_view text) {
  constexpr std::string_view kLocalhost = "localhost:";
  const auto endpoint = text.starts_with(kLocalhost)
                            ? io::Endpoint::parse("127.0.0.1:" + std::string(text.substr(kLocalhost.size())))
                            : io::Endpoint::parse(text);
  if (endpoint) return *endpoint;
  return malformed(text, "an address and port such as 127.0.0.1:8418, [::1]:8418 or 0.0.0.0:0");
}

Result<std::uint16_t> parse_port(std::string_view text) {
  if (const auto port = parse_scaled(text, std::span(kSizes).first(1), 65535)) return static_cast<std::uint16_t>(*port);
  return malformed(text, "a port from 0 to 65535");
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost") return true;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const auto address = io::IpAddress::parse(host);
  return address && address->is_loopback();
}

namespace {

// %-escapes of a URI's user information (RFC 3986 §2.1); nothing if one is none.
std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    const auto octet = from_hex(text.substr(at + 1, 2));
    if (!octet || octet->size() != 1) return std::nullopt;
    out += static_cast<char>(octet->front());
    at += 2;
  }
  return out;
}

}  // namespace

Result<UpstreamProxy> parse_upstream_proxy(std::string_view text) {
  const Error wrong{ErrorCode::Malformed, Fault::Local, Retry::No,
                    "takes http://[USER:PASSWORD@]HOST:PORT; proxies that speak TLS or SOCKS are not asked"};
  if (const std::size_t colon = text.find("://"); colon != std::string_view::npos) {
    if (!http::iequals(text.substr(0, colon), "http")) return std::unexpected(wrong);
    text.remove_prefix(colon + 3);
  }
  UpstreamProxy out;
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    std::optional<std::string> credentials = unescaped(text.substr(0, at));
    if (!credentials || credentials->empty() || credentials->find_first_of("\r\n") != std::string::npos)
      return std::unexpected(wrong);
    if (credentials->find(':') == std::string::npos) *credentials += ':';
    out.credentials = crypto::SecretText(std::move(*credentials));
    text.remove_prefix(at + 1);
  }
  const Result<http::Url> url = http::parse_url("http://" + std::string(text));
  if (!url || url->target != "/") return std::unexpected(wrong);
  out.host = url->host;
  out.port = url->port;
  return out;
}

Result<http::Url> parse_upstream(std::string_view text) {
  Result<http::Url> url = http::parse_url(text);
  if (!url) return std::unexpected(std::move(url.error()).with_context("'" + std::string(text) + "'"));
  if (!url->secure() && !is_loopback_host(url->host))
    return malformed(text,
                     "an https:// URL (http:// is for loopback addresses only: tokens would travel in the clear)");
  if (url->target.find_first_of("?#") != std::string::npos) return malformed(text, "a URL without a query");
  // A prefix such as GHES' /api/v3 is joined with targets that begin with a slash.
  while (url->target.size() > 1 && url->target.ends_with('/')) url->target.pop_back();
  return url;
}

Result<std::string> parse_host_rule(std::string_view text) {
  const std::string_view name = text.starts_with("*.") ? text.substr(2) : text;
  const auto parsed = http::parse_authority(name);
  if (!parsed || parsed->port || name.find('*') != std::string_view::npos)
    return fail(ErrorCode::Malformed,
                "'" + std::string(text) + "' is not a host, such as registry.example, *.corp.example or 10.0.0.5");
  return http::to_lower(text);
}

Result<Resolve> parse_resolve(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return fail(ErrorCode::Malformed,
                "'" + std::string(text) + "' " + std::string(why) + "; such as uploads.github.com:443:127.0.0.1:8443");
  };
  const std::size_t colon = text.find(':');
  const std::size_t second = colon == std::string_view::npos ? colon : text.find(':', colon + 1);
  if (second == std::string_view::npos) return wrong("is not HOST:PORT:ADDR:PORT");
  const Result<std::uint16_t> port = parse_port(text.substr(colon + 1, second - colon - 1));
  const auto to = io::Endpoint::parse(text.substr(second + 1));
  if (colon == 0 || !port || !to) return wrong("is not HOST:PORT:ADDR:PORT");
  if (!to->address.is_loopback()) return wrong("leads beyond this machine: loopback addresses only");
  return Resolve{http::to_lower(text.substr(0, colon)), *port, *to};
}

}  // namespace ghmesh::node::config
