// SPDX-License-Identifier: Apache-2.0
// A response head: whole and in pieces give the same verdict, and what is accepted survives being written and read
// back.

#include <array>
#include <cstdlib>
#include <string>

#include "http/http1/head.hpp"
#include "http/http1/write.hpp"

using namespace ghmesh::http;         // NOLINT: a fuzz target is one function
using namespace ghmesh::http::http1;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::array<Field, 128> fields;
  std::array<Field, 128> other_fields;
  for (const RequestKind kind : {RequestKind::Other, RequestKind::Head, RequestKind::Connect}) {
    ResponseParser whole;
    const ParseState state = whole.parse(text, fields, kind);
    ResponseParser pieces;
    ParseState last = ParseState::NeedMore;
    const std::size_t step = 1 + size / 64;
    for (std::size_t end = 0; last == ParseState::NeedMore; end += step) {
      last = pieces.parse(text.substr(0, std::min(end, size)), other_fields, kind);
      if (end >= size) break;
    }
    // What comes in pieces is only searched for its end until that is there; so an error may show later.
    if (last != state && !(last == ParseState::NeedMore && state == ParseState::Error)) std::abort();
    if (state != ParseState::Done) continue;
    const ResponseHead& head = whole.head();
    std::string written;
    if (!format_response_head(written, head.view.status, head.view.fields)) std::abort();
    ResponseParser again;
    if (again.parse(written, other_fields, kind) != ParseState::Done) std::abort();
    if (again.head().body.kind != head.body.kind || again.head().body.length != head.body.length) std::abort();
  }
  return 0;
}
