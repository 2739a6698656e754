// SPDX-License-Identifier: Apache-2.0
#include "http/server/exchange.hpp"

namespace ghmesh::http::server {

io::Task<Result<std::string>> Exchange::read_all(std::size_t max) {
  std::string all;
  if (head_->body.kind == http1::BodyKind::Length && head_->body.length > max) {
    failed_status_ = 413;
    co_return fail(ErrorCode::Limit, "the request body is too large", Fault::Client);
  }
  while (true) {
    const auto piece = co_await read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return all;
    if (all.size() + piece->size() > max) {
      failed_status_ = 413;
      co_return fail(ErrorCode::Limit, "the request body is too large", Fault::Client);
    }
    all.append(*piece);
  }
}

bool is_servers_own_field(std::string_view name) {
  for (const std::string_view own :
       {"connection", "content-length", "transfer-encoding", "keep-alive", "proxy-connection", "trailer", "te"})
    if (iequals(name, own)) return true;
  return false;
}

std::string_view body_failure(int status) {
  return status == 413   ? "the request body is too large"
         : status == 408 ? "the request body did not arrive in time"
                         : "the request body is malformed";
}

std::string error_body(int status, std::string_view what) {
  std::string body = "{\"message\":\"";
  for (const char c : what) {
    if (c == '"' || c == '\\') body.push_back('\\');
    body.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  }
  return body.append("\",\"status\":\"").append(std::to_string(status)).append("\"}\n");
}

}  // namespace ghmesh::http::server
