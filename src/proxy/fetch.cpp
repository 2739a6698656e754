// SPDX-License-Identifier: Apache-2.0
#include "fetch.hpp"

namespace ghmesh::proxy {

io::Task<std::optional<Bytes>> read_whole(OriginAnswer& answer, std::size_t max) {
  std::unique_ptr<http::coding::Decoder> decoder;
  if (const auto coding = http::coding::parse_content_encoding(answer.fields().joined("Content-Encoding")))
    if (*coding != http::coding::Coding::Identity) decoder = http::coding::make_decoder(*coding);
  Bytes body;
  while (true) {
    const Result<std::string_view> piece = co_await answer.read();
    if (!piece || body.size() > max) co_return std::nullopt;
    if (piece->empty()) break;
    if (!decoder) {
      append(body, *piece);
    } else if (!decoder->decode(as_bytes(*piece), body)) {
      co_return std::nullopt;
    }
  }
  if (decoder && !decoder->finish()) co_return std::nullopt;
  co_return body;
}

}  // namespace ghmesh::proxy
