// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/message/url.hpp"
#include "io/endpoint.hpp"
#include "node/config/config.hpp"

// The notations of configuration values. Every failure says what would have been right; the caller adds where the value
// came from.

namespace ghmesh::node::config {

// "64MiB", "1GiB", "500KB", "1048576": bytes, with binary (KiB MiB GiB TiB) or decimal (KB MB GB TB) units.
Result<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

// "300", "90s", "5m", "2h", "1d": whole seconds.
Result<std::chrono::seconds> parse_seconds(std::string_view text);

// "50ms", "2s", or a number of milliseconds; 5 ms to 5 s.
Result<std::chrono::milliseconds> parse_patience(std::string_view text);

// A whole number from 0 to most.
Result<int> parse_percent(std::string_view text, int most);

// "100": a whole number from 1 to a million, of which one is meant.
Result<std::uint64_t> parse_one_in(std::string_view text);

// on|off, and what other tools write for them: true|false, yes|no, 1|0.
Result<bool> parse_switch(std::string_view text);

// "127.0.0.1:8418", "[::1]:8418", "localhost:8418" (the IPv4 loopback). Port 0 picks one.
Result<io::Endpoint> parse_endpoint(std::string_view text);

// "9000" → 9000.
Result<std::uint16_t> parse_port(std::string_view text);

// https of any host, http of this machine only: a token must not cross a network in the clear. No query.
Result<http::Url> parse_upstream(std::string_view text);

// "http://proxy.corp.example:3128", with USER:PASSWORD@ before the host, each %-escaped; "proxy:3128" is taken for the
// same. Messages never repeat what was given.
Result<UpstreamProxy> parse_upstream_proxy(std::string_view text);

// "registry.example", "*.corp.example", "10.0.0.5": a host, or all below a name; in lower case.
Result<std::string> parse_host_rule(std::string_view text);

// "uploads.github.com:443:127.0.0.1:8443".
Result<Resolve> parse_resolve(std::string_view text);

// Whether an http(s) authority's host means this machine: a loopback address or localhost.
bool is_loopback_host(std::string_view host);

}  // namespace ghmesh::node::config
