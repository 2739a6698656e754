// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "http/http1/limits.hpp"
#include "http/message/message.hpp"

// Reading the head of an HTTP/1.1 message (RFC 9112 §2-§6) in place: nothing is copied or allocated, every view points
// into the caller's buffer. Stricter than the RFC lets a recipient be wherever two programs could disagree about what a
// message is: bare LF, folded lines, white space before ':', repeated or signed lengths, Content-Length beside
// Transfer-Encoding, a Host that does not match the target, Connection naming fields that are not its to name.
// No IO; one thread; the caller owns buffer and field storage.

namespace ghmesh::http::http1 {

enum class ParseState { NeedMore, Done, Error };

struct HeadError {
  int status = 0;         // to answer with: 4xx or 5xx for a request, 502 for a response
  std::string_view what;  // static text, safe to show
};

// How the octets after a head are delimited (RFC 9112 §6.3).
enum class BodyKind { None, Length, Chunked, UntilClose };
struct BodyFraming {
  BodyKind kind = BodyKind::None;
  std::uint64_t length = 0;  // of Length

  bool empty() const { return kind == BodyKind::None || (kind == BodyKind::Length && length == 0); }
};

enum class TargetForm { Origin, Absolute, Authority, Asterisk };  // RFC 9112 §3.2

struct RequestHead {
  RequestView view;
  TargetForm form = TargetForm::Origin;
  // Who is asked, as written: from the target in absolute-form and authority-form, else from Host. Empty only in
  // HTTP/1.0 without Host.
  std::string_view authority;
  bool secure = false;  // absolute-form with https
  // What an origin-form request line to the same resource carries: path and query; "" for authority-form. May lack its
  // "/" only when an absolute-form target has a query directly after its authority.
  std::string_view origin_target;
  std::string_view upgrade;  // of Upgrade, when Connection names it
  BodyFraming body;
  bool keep_alive = true;
  bool expect_continue = false;
  std::string_view octets;  // all of the head, from its request line to its empty line
  std::size_t size = 0;     // octets from the start of the buffer to the end of the head
};

struct ResponseHead {
  ResponseView view;
  int minor_version = 1;
  std::string_view reason;
  BodyFraming body;
  bool keep_alive = true;
  std::size_t size = 0;
};

// What the body of a response depends on besides its own head.
enum class RequestKind { Other, Head, Connect };

namespace detail {

// Finds the end of a head that arrives in pieces, so that a slow sender costs linear work.
class HeadScanner {
 public:
  // NeedMore, Error (bare LF, over a limit: error.status says which), or Done when the empty line is there.
  ParseState scan(std::string_view buffer, const HeadLimits& limits, HeadError& error);
  bool active() const { return active_; }

 private:
  bool active_ = false;
  bool start_line_seen_ = false;
  std::size_t scanned_ = 0;
  std::size_t line_start_ = 0;
};

// What the fields of a head say about framing and connection, gathered in the one pass over them.
struct Semantics {
  unsigned hosts = 0;
  unsigned lengths = 0;
  unsigned codings = 0;
  bool bad_length = false;  // not 1*DIGIT, huge, or two that differ
  bool chunked = false;     // the only coding of the only Transfer-Encoding line
  bool bad_coding = false;  // chunked not last, twice, or an empty list
  bool close = false;
  bool keep_alive = false;
  bool names_upgrade = false;
  bool names_essential = false;
  bool expect_continue = false;
  bool bad_expect = false;
  std::uint64_t length = 0;
  std::string_view host;
  std::string_view upgrade;

  // line_end is behind the field's line: framing fields are looked at with the white space around their value.
  void note(const Field& field, const char* line_end);

 private:
  void note_length(std::string_view value);
  void note_coding(std::string_view value);
  void note_connection(std::string_view value);
};

}  // namespace detail

// One parser per connection, used for one head after the other.
class RequestParser {
 public:
  explicit RequestParser(const HeadLimits& limits = kRequestHeadLimits) : limits_(limits) {}

  // buffer starts where the head starts and holds all that came so far; after NeedMore call again with more. fields is
  // room for the parsed fields, its size the bound (431). head() is valid after Done, until buffer or fields change.
  // After Done or Error call reset() before the next head.
  ParseState parse(std::string_view buffer, std::span<Field> fields);
  const RequestHead& head() const { return head_; }
  const HeadError& error() const { return error_; }
  void reset() { scanner_ = {}; }

 private:
  ParseState fail(int status, std::string_view what);
  ParseState parse_whole(std::string_view buffer, std::span<Field> fields);
  ParseState parse_start_line(const char*& at, const char* end);
  ParseState parse_target();
  ParseState decide_authority(const detail::Semantics& said);
  ParseState decide(const detail::Semantics& said);

  HeadLimits limits_;
  detail::HeadScanner scanner_;
  RequestHead head_;
  HeadError error_;
};

class ResponseParser {
 public:
  explicit ResponseParser(const HeadLimits& limits = kResponseHeadLimits) : limits_(limits) {}

  // As RequestParser::parse. kind is that of the request that is answered; 1xx heads come out like others, each to be
  // followed by reset() and the next parse.
  ParseState parse(std::string_view buffer, std::span<Field> fields, RequestKind kind);
  const ResponseHead& head() const { return head_; }
  const HeadError& error() const { return error_; }
  void reset() { scanner_ = {}; }

 private:
  ParseState fail(std::string_view what);
  ParseState parse_whole(std::string_view buffer, std::span<Field> fields, RequestKind kind);
  ParseState parse_start_line(const char*& at, const char* end);
  ParseState decide(const detail::Semantics& said, RequestKind kind);

  HeadLimits limits_;
  detail::HeadScanner scanner_;
  ResponseHead head_;
  HeadError error_;
};

// Whether Connection may not name this field, since dropping it would change what the request means (attack A16).
bool is_essential_field(std::string_view name);

}  // namespace ghmesh::http::http1
