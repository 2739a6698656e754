// SPDX-License-Identifier: Apache-2.0
#include "io/borrowed_stream.hpp"
#include "proxy/limits.hpp"
#include "proxy/proxy.hpp"

// CONNECT (RFC 9110 §9.3.6): octets both ways, untouched; or, for the API's hosts, the beginning of a connection that
// is answered here.

namespace ghmesh::proxy {
namespace {

// One direction: reads, writes, and passes the end on. Both directions share one idle deadline.
io::Task<> pump(io::Stream& from, io::Stream& to, io::StreamDeadline& idle) {
  Bytes buffer(16 * 1024);
  while (true) {
    const Result<std::size_t> count = co_await from.read_some(buffer);
    if (!count) {
      to.abort(count.error());
      co_return;
    }
    if (*count == 0) break;
    idle.extend(Limits::kTunnelIdle);
    if (const Result<> sent = co_await to.write_all(ByteView(buffer).first(*count)); !sent) {
      from.abort(sent.error());
      co_return;
    }
  }
  to.shutdown_write();
}

}  // namespace

io::Task<> Proxy::tunnel(Exchange& exchange) {
  const std::string authority(exchange.request().authority);
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
  io::StreamDeadline near_idle(near_end->stream, Limits::kTunnelIdle, "a tunnel in which nothing moves");
  io::StreamDeadline far_idle(**far_end, Limits::kTunnelIdle, "a tunnel in which nothing moves");
  if (!near_end->early.empty() && !co_await (*far_end)->write_all(as_bytes(near_end->early))) co_return;
  io::TaskGroup both(parts_.loop);
  both.spawn(pump(near_end->stream, **far_end, far_idle));
  both.spawn(pump(**far_end, near_end->stream, near_idle));
  co_await both.join();
}

}  // namespace ghmesh::proxy
