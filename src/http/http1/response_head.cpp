// SPDX-License-Identifier: Apache-2.0
#include "grammar.hpp"
#include "http/http1/head.hpp"

namespace ghmesh::http::http1 {

ParseState ResponseParser::fail(std::string_view what) {
  error_ = {502, what};
  return ParseState::Error;
}

ParseState ResponseParser::parse(std::string_view buffer, std::span<Field> fields, RequestKind kind) {
  if (buffer.empty()) return ParseState::NeedMore;
  if (!scanner_.active()) {
    const ParseState state = parse_whole(buffer, fields, kind);
    if (state != ParseState::NeedMore) return state;
  }
  const ParseState state = scanner_.scan(buffer, limits_, error_);
  if (state == ParseState::Error) error_.status = 502;
  return state == ParseState::Done ? parse_whole(buffer, fields, kind) : state;
}

ParseState ResponseParser::parse_whole(std::string_view buffer, std::span<Field> fields, RequestKind kind) {
  const char* at = buffer.data();
  const char* const end = at + buffer.size();
  head_ = ResponseHead();
  if (const ParseState state = parse_start_line(at, end); state != ParseState::Done) return state;

  detail::Semantics said;
  std::size_t count = 0;
  const std::size_t room = std::min(fields.size(), limits_.fields);
  while (true) {
    Field field;
    const char* what = nullptr;
    const char* const line = at;
    const LineState state = read_field_line(at, end, field, what);
    if (state == LineState::Field) {
      if (static_cast<std::size_t>(at - line) > limits_.line_bytes) return fail("field line too long");
      if (count == room) return fail("too many fields");
      fields[count++] = field;
      said.note(field, at);
      continue;
    }
    if (state == LineState::NeedMore) return ParseState::NeedMore;
    if (state == LineState::Bad) return fail(what);
    break;
  }
  head_.view.fields = FieldsView(fields.first(count));
  head_.size = static_cast<std::size_t>(at - buffer.data());
  if (head_.size > limits_.head_bytes) return fail("head too large");
  return decide(said, kind);
}

// HTTP-version SP status-code SP [reason-phrase] CRLF; the second SP may be missing with the phrase, as many write it.
ParseState ResponseParser::parse_start_line(const char*& at, const char* end) {
  const std::string_view line(at, std::min<std::size_t>(12, static_cast<std::size_t>(end - at)));
  if (!follows(line, "HTTP/1.d ddd")) return fail("not an HTTP/1 response");
  if (end - at < 13) return ParseState::NeedMore;
  head_.minor_version = at[7] - '0';
  head_.view.status = (at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0');
  if (head_.minor_version > 1) return fail("unknown HTTP version");
  if (head_.view.status < 100 || head_.view.status > 599) return fail("bad status code");
  const char* p = at + 12;
  if (*p != ' ' && *p != '\r') return fail("bad status line");
  if (*p == ' ') ++p;
  const char* const stop = skip_value_octets(p, end);
  if (end - stop < 2) return stop == end || *stop == '\r' ? ParseState::NeedMore : fail("bad status line");
  if (stop[0] != '\r' || stop[1] != '\n') return fail("bad status line");
  head_.reason = {p, static_cast<std::size_t>(stop - p)};
  if (static_cast<std::size_t>(stop + 2 - at) > limits_.line_bytes) return fail("status line too long");
  at = stop + 2;
  return ParseState::Done;
}

// RFC 9112 §6.3, in its order; what the RFC lets a proxy guess is an error here.
ParseState ResponseParser::decide(const detail::Semantics& said, RequestKind kind) {
  const int status = head_.view.status;
  head_.keep_alive = !said.close && (head_.minor_version == 1 || said.keep_alive);
  if (said.bad_length) return fail("bad Content-Length");
  if (said.codings > 0 || said.bad_coding) {
    if (said.lengths > 0) return fail("Content-Length beside Transfer-Encoding");
    if (head_.minor_version == 0) return fail("Transfer-Encoding in HTTP/1.0");
    if (said.bad_coding || !said.chunked || said.codings > 1) return fail("unknown Transfer-Encoding");
  }
  if (kind == RequestKind::Head || status < 200 || status == 204 || status == 304) return ParseState::Done;
  if (kind == RequestKind::Connect && status < 300) return ParseState::Done;
  if (said.codings > 0) {
    head_.body.kind = BodyKind::Chunked;
  } else if (said.lengths > 0) {
    head_.body = {BodyKind::Length, said.length};
  } else {
    head_.body.kind = BodyKind::UntilClose;
    head_.keep_alive = false;
  }
  return ParseState::Done;
}

}  // namespace ghmesh::http::http1
