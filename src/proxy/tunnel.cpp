// SPDX-License-Identifier: Apache-2.0
#include "http/wire/relay.hpp"
#include "io/borrowed_stream.hpp"
#include "proxy/limits.hpp"
#include "proxy/proxy.hpp"
#include "proxy/way_out.hpp"

// CONNECT (RFC 9110 §9.3.6): octets both ways, untouched; or, for the API's hosts, the beginning of a connection that
// is answered here. And what follows an answered Upgrade.

namespace ghmesh::proxy {
io::Task<> Proxy::tunnel(Exchange& exchange) {
  const std::string authority(exchange.request().authority);
  if (!parts_.pseudonym.empty() && names_in_via(exchange.request().view.fields.joined("Via"), parts_.pseudonym)) {
    parts_.stats.refused.add();
    co_return co_await refuse(exchange, 508, "--upstream-proxy leads back to this node");
  }
  const TunnelTo to = tunnel_rules_.decide(authority);
  if (to == TunnelTo::Refused) {
    parts_.stats.refused.add();
    co_return co_await refuse(exchange, 403, "ghmesh does not tunnel to '" + authority + "'");
  }
  if (to == TunnelTo::Here) {
    Result<Exchange::Tunnel> client = co_await exchange.tunnel(200, {});
    if (!client) co_return;
    parts_.stats.terminated.add();
    co_return co_await parts_.answer_here(std::make_unique<io::BorrowedStream>(client->stream, client->early));
  }
  const auto parsed = http::parse_authority(authority);
  const std::string host(parsed->host);
  Result<std::unique_ptr<io::Stream>> far_end =
      co_await io::with_deadline(parts_.loop, parts_.dial_tunnel(to, host, *parsed->port),
                                 parts_.loop.now() + Limits::kTunnelConnect, "connecting a tunnel");
  if (!far_end) {
    const int status = far_end.error().code == ErrorCode::Refused && far_end.error().fault == Fault::Client ? 403
                       : far_end.error().code == ErrorCode::Timeout                                         ? 504
                                                                                                            : 502;
    co_return co_await refuse(exchange, status, "the tunnel to '" + authority + "': " + far_end.error().message);
  }
  Result<Exchange::Tunnel> near_end = co_await exchange.tunnel(200, {});
  if (!near_end) co_return;
  parts_.stats.tunnels.add();
  co_await join(*near_end, **far_end);
}

io::Task<> Proxy::join(const Exchange::Tunnel& near_end, io::Stream& far_end) {
  co_await http::wire::relay(near_end.stream, far_end, near_end.early, tunnel_buffers_, Limits::kTunnelIdle);
}

}  // namespace ghmesh::proxy
