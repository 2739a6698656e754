// SPDX-License-Identifier: Apache-2.0
#include "mcp_backend.hpp"

#include "io/pipe.hpp"

namespace ghmesh::node {
namespace {

// Answers to these come as slowly as GitHub's own and the node's turn in its pace allow.
constexpr Duration kPatience = std::chrono::minutes(5);

http::client::Limits limits() {
  http::client::Limits out;
  out.first_byte = kPatience;
  return out;
}

http::client::Origin door_of(http::server::Server& server, std::string upstream) {
  return {std::move(upstream), false, [&server]() -> io::Task<Result<std::unique_ptr<io::Stream>>> {
            auto [ours, theirs] = io::make_pipe(server.loop());
            server.adopt(std::move(theirs));
            co_return std::move(ours);
          }};
}

}  // namespace

McpBackend::McpBackend(admin::AdminSource& source, http::server::Server& front_door, std::string upstream)
    : source_(source), pool_(front_door.loop(), door_of(front_door, std::move(upstream)), limits()) {}

std::string McpBackend::stats() { return admin::to_json(source_.stats()); }
std::string McpBackend::quota() { return admin::to_json(source_.quota()); }
std::string McpBackend::activity() { return admin::to_json(source_.activity(), false); }
std::string McpBackend::peers() { return admin::to_json(source_.mesh()); }
io::Task<std::string> McpBackend::verify() { co_return admin::to_json(co_await source_.verify()); }

io::Task<Result<std::string>> McpBackend::explain(std::string target, std::optional<std::string> authorization,
                                                  std::optional<std::string> accept) {
  const Result<admin::Explanation> out =
      co_await source_.explain({std::move(target), std::move(authorization), std::move(accept)});
  if (!out) co_return std::unexpected(out.error());
  co_return admin::to_json(*out);
}

io::Task<Result<std::uint64_t>> McpBackend::purge(std::string pattern, bool mesh) {
  co_return co_await source_.purge(std::move(pattern), mesh);
}

io::Task<Result<mcp::Fetched>> McpBackend::get(std::string target, std::optional<std::string> authorization,
                                               std::string accept, std::size_t max_body) {
  if (!http::is_field_value(accept)) co_return fail(ErrorCode::Malformed, "accept is no media type", Fault::Client);
  http::Fields fields{{"Accept", accept}, {"User-Agent", "ghmesh/" GHMESH_VERSION " (mcp)"}};
  if (authorization) fields.add("Authorization", *authorization);
  http::client::Outgoing request{.method = "GET", .target = target, .fields = fields.view()};
  Result<std::unique_ptr<http::client::Reply>> reply = co_await pool_.send(std::move(request));
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  Result<std::string> body = co_await (*reply)->read_all(max_body);
  if (!body && body.error().code == ErrorCode::Limit)
    co_return fail(ErrorCode::Limit, "the answer is larger than " + std::to_string(max_body) + " octets; ask for less",
                   Fault::Client);
  if (!body) co_return std::unexpected(std::move(body.error()));
  const http::FieldsView got = (*reply)->fields();
  co_return mcp::Fetched{(*reply)->status(), std::string(got.first("Content-Type").value_or("")), got.joined("Link"),
                         std::string(got.first("Cache-Status").value_or("")), std::move(*body)};
}

}  // namespace ghmesh::node
