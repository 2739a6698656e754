// SPDX-License-Identifier: Apache-2.0
#include "http/client/open_tunnel.hpp"

#include <vector>

#include "crypto/secret.hpp"
#include "http/http1/head.hpp"
#include "http/http1/limits.hpp"
#include "http/http1/write.hpp"
#include "io/borrowed_stream.hpp"

namespace ghmesh::http::client {
namespace {

// The head of the final answer; what came behind it stays in input.
io::Task<Result<int>> read_status(io::Stream& stream, std::string& input) {
  http1::ResponseParser parser;
  std::vector<Field> room(http1::kResponseHeadLimits.fields);
  int interim = 0;
  Bytes piece(4096);
  while (true) {
    const http1::ParseState state = parser.parse(input, room, http1::RequestKind::Connect);
    if (state == http1::ParseState::Error)
      co_return fail(ErrorCode::Malformed, "its answer: " + std::string(parser.error().what), Fault::Origin);
    if (state == http1::ParseState::Done) {
      const int status = parser.head().view.status;
      input.erase(0, parser.head().size);
      parser.reset();
      if (status >= 200) co_return status;
      if (++interim > http1::kMaxInterimResponses)
        co_return fail(ErrorCode::Limit, "too many interim responses", Fault::Origin);
      continue;
    }
    const Result<std::size_t> count = co_await stream.read_some(piece);
    if (!count) co_return std::unexpected(count.error());
    if (*count == 0) co_return fail(ErrorCode::Closed, "closed without an answer", Fault::Origin, Retry::Later);
    input.append(as_text(ByteView(piece).first(*count)));
  }
}

}  // namespace

io::Task<Result<std::unique_ptr<io::Stream>>> open_tunnel(std::unique_ptr<io::Stream> proxy, std::string authority,
                                                          FieldsView fields) {
  std::vector<Field> all{{"Host", authority}};
  all.insert(all.end(), fields.begin(), fields.end());
  std::string text;
  text.reserve(http1::kRequestHeadLimits.head_bytes);  // holds a credential: it is wiped and must not move
  if (Result<> written = http1::format_request_head(text, "CONNECT", authority, FieldsView(all)); !written)
    co_return std::unexpected(std::move(written.error()));
  const crypto::SecretText head(std::move(text));
  if (Result<> sent = co_await proxy->write_all(as_bytes(head.expose())); !sent)
    co_return std::unexpected(std::move(sent.error()));
  std::string early;
  const Result<int> status = co_await read_status(*proxy, early);
  if (!status) co_return std::unexpected(status.error());
  if (*status == 407) co_return fail(ErrorCode::Refused, "wants a name and a password, or others (407)", Fault::Origin);
  if (*status >= 300) co_return fail(ErrorCode::Refused, "refuses (" + std::to_string(*status) + ")", Fault::Origin);
  if (early.empty()) co_return std::move(proxy);
  co_return std::make_unique<io::PrefixedStream>(std::move(proxy), std::move(early));
}

}  // namespace ghmesh::http::client
