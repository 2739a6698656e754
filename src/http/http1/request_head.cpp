// SPDX-License-Identifier: Apache-2.0
#include "grammar.hpp"
#include "http/http1/head.hpp"
#include "http/message/url.hpp"

namespace ghmesh::http::http1 {

ParseState RequestParser::fail(int status, std::string_view what) {
  error_ = {status, what};
  return ParseState::Error;
}

ParseState RequestParser::parse(std::string_view buffer, std::span<Field> fields) {
  // The first look hopes for the whole head, which is what a request that fits one packet gives.
  if (buffer.empty()) return ParseState::NeedMore;
  if (!scanner_.active()) {
    const ParseState state = parse_whole(buffer, fields);
    if (state != ParseState::NeedMore) return state;
  }
  const ParseState state = scanner_.scan(buffer, limits_, error_);
  return state == ParseState::Done ? parse_whole(buffer, fields) : state;
}

ParseState RequestParser::parse_whole(std::string_view buffer, std::span<Field> fields) {
  const char* at = buffer.data();
  const char* const end = at + buffer.size();
  // One empty line before a request is a habit of old clients that RFC 9112 §2.2 asks to forgive.
  if (buffer.starts_with("\r\n")) at += 2;
  if (buffer == "\r") return ParseState::NeedMore;
  head_ = RequestHead();
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
      if (static_cast<std::size_t>(at - line) > limits_.line_bytes) return fail(431, "field line too long");
      if (count == room) return fail(431, "too many fields");
      fields[count++] = field;
      said.note(field, at);
      continue;
    }
    if (state == LineState::NeedMore) return ParseState::NeedMore;
    if (state == LineState::Bad) return fail(400, what);
    break;
  }
  head_.view.fields = FieldsView::indexed(fields.first(count));
  head_.size = static_cast<std::size_t>(at - buffer.data());
  head_.octets = {head_.view.method.data(), at};
  if (head_.size > limits_.head_bytes) return fail(431, "head too large");
  return decide(said);
}

// method SP request-target SP HTTP-version CRLF, with exactly these separators.
ParseState RequestParser::parse_start_line(const char*& at, const char* end) {
  const char* p = at;
  while (p != end && is_octet(*p, kTokenOctet)) ++p;
  if (p == end) return ParseState::NeedMore;
  if (p == at || *p != ' ') return fail(400, "bad method");
  head_.view.method = {at, static_cast<std::size_t>(p - at)};
  const char* const target = ++p;
  while (p != end && is_octet(*p, kTargetOctet)) ++p;
  if (p == end) return ParseState::NeedMore;
  if (p == target || *p != ' ') return fail(400, "bad request target");
  head_.view.target = {target, static_cast<std::size_t>(p - target)};
  ++p;
  const std::string_view version(p, std::min<std::size_t>(10, static_cast<std::size_t>(end - p)));
  if (!follows(version, "HTTP/d.d\r\n")) return fail(400, "bad protocol version");
  if (version.size() < 10) return ParseState::NeedMore;
  if (version[5] != '1' || version[7] > '1') return fail(505, "only HTTP/1.1 is spoken here");
  head_.view.minor_version = version[7] - '0';
  if (static_cast<std::size_t>(p + 10 - at) > limits_.line_bytes) return fail(414, "request line too long");
  at = p + 10;
  return parse_target();
}

ParseState RequestParser::parse_target() {
  const std::string_view target = head_.view.target;
  if (head_.view.method == "CONNECT") {
    const auto authority = parse_authority(target);
    if (!authority || !authority->port) return fail(400, "CONNECT takes host:port");
    head_.form = TargetForm::Authority;
    head_.authority = target;
    return ParseState::Done;
  }
  if (target.front() == '/') {
    head_.form = TargetForm::Origin;
    head_.origin_target = target;
    return ParseState::Done;
  }
  if (target == "*") {
    if (head_.view.method != "OPTIONS") return fail(400, "'*' is a target of OPTIONS only");
    head_.form = TargetForm::Asterisk;
    head_.origin_target = target;
    return ParseState::Done;
  }
  const auto url = parse_url_view(target);
  if (!url) return fail(400, "bad request target");
  head_.form = TargetForm::Absolute;
  head_.authority = url->authority_text;
  head_.secure = url->secure;
  head_.origin_target = url->target.empty() ? std::string_view("/") : url->target;
  return ParseState::Done;
}

namespace {

// "127.0.0.1", "[::1]", "localhost": how a proxy is named by who stands beside it, and no host of the API ever.
bool names_a_machine(std::string_view host) {
  return host.starts_with('[') || iequals(host, "localhost") ||
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

// One authority, however it was said: two programs that believe different ones is how caches are poisoned (A15).
ParseState RequestParser::decide_authority(const detail::Semantics& said) {
  if (said.hosts > 1) return fail(400, "more than one Host");
  if (said.hosts == 0) return head_.view.minor_version == 0 ? ParseState::Done : fail(400, "no Host");
  const auto host = parse_authority(said.host);
  if (!host) return fail(400, "bad Host");
  if (head_.form == TargetForm::Origin || head_.form == TargetForm::Asterisk) {
    head_.authority = said.host;
    return ParseState::Done;
  }
  const auto asked = parse_authority(head_.authority);
  const std::uint16_t usual = head_.form == TargetForm::Authority ? asked->port.value_or(443)
                                                                  : static_cast<std::uint16_t>(head_.secure ? 443 : 80);
  // undici before its version 6, and with it every action that is built on it, puts the proxy's own address there. A
  // CONNECT leads where its target says, is stored nowhere, and is sent on to nobody who could read Host instead.
  if (head_.form == TargetForm::Authority && names_a_machine(host->host)) return ParseState::Done;
  if (!iequals(asked->host, host->host) || asked->port.value_or(usual) != host->port.value_or(usual))
    return fail(400, "Host differs from the request target");
  return ParseState::Done;
}

ParseState RequestParser::decide(const detail::Semantics& said) {
  if (const ParseState state = decide_authority(said); state != ParseState::Done) return state;
  if (said.names_essential) return fail(400, "Connection names a field that is not hop-by-hop");
  if (said.lengths > 1) return fail(400, "more than one Content-Length");
  if (said.bad_length) return fail(400, "bad Content-Length");
  if (said.codings > 0 || said.bad_coding) {
    if (said.lengths > 0) return fail(400, "Content-Length beside Transfer-Encoding");
    if (said.bad_coding || head_.view.minor_version == 0) return fail(400, "bad Transfer-Encoding");
    if (!said.chunked || said.codings > 1) return fail(501, "only the chunked transfer coding is spoken here");
    head_.body.kind = BodyKind::Chunked;
  } else if (said.lengths == 1) {
    head_.body = {BodyKind::Length, said.length};
  }
  if (head_.form == TargetForm::Authority && !head_.body.empty()) return fail(400, "CONNECT with content");
  if (said.bad_expect) return fail(417, "unknown expectation");
  head_.expect_continue = said.expect_continue && head_.view.minor_version == 1 && !head_.body.empty();
  head_.keep_alive = !said.close && (head_.view.minor_version == 1 || said.keep_alive);
  if (said.names_upgrade) head_.upgrade = said.upgrade;
  return ParseState::Done;
}

}  // namespace ghmesh::http::http1
