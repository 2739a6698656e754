// SPDX-License-Identifier: Apache-2.0
// A request head: whole and in pieces give the same verdict, and what is accepted survives being written and read back.

#include <array>
#include <cstdlib>
#include <string>

#include "http/http1/head.hpp"
#include "http/http1/write.hpp"

using namespace ghmesh::http;         // NOLINT: a fuzz target is one function
using namespace ghmesh::http::http1;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::array<Field, 64> fields;
  RequestParser whole;
  const ParseState state = whole.parse(text, fields);

  std::array<Field, 64> other_fields;
  RequestParser pieces;
  ParseState last = ParseState::NeedMore;
  const std::size_t step = 1 + size / 64;
  for (std::size_t end = 0; last == ParseState::NeedMore; end += step) {
    last = pieces.parse(text.substr(0, std::min(end, size)), other_fields);
    if (end >= size) break;
  }
  // What comes in pieces is only searched for its end until that is there; so an error may show later.
  if (last != state && !(last == ParseState::NeedMore && state == ParseState::Error)) std::abort();
  if (state != ParseState::Done) return 0;

  const RequestHead& head = whole.head();
  if (head.size != pieces.head().size || head.size > size) std::abort();
  std::string written;
  if (!format_request_head(written, head.view.method, head.view.target, head.view.fields)) std::abort();
  RequestParser again;
  const ParseState reread = again.parse(written, other_fields);
  // HTTP/1.0 may lack the Host that the written 1.1 needs, and may not have had a coding to begin with.
  if (head.view.minor_version == 1) {
    if (reread != ParseState::Done || again.head().body.kind != head.body.kind) std::abort();
    if (again.head().authority != head.authority || again.head().keep_alive != head.keep_alive) std::abort();
  }
  return 0;
}
