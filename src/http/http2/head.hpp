// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/http1/head.hpp"

// Heads between HTTP/2 and HTTP/1.1 (RFC 9113 §8). A request is written down as the HTTP/1.1 head that means the same
// and then read by the one strict parser: what would be ambiguous there is refused here, too, and no rule exists twice
// (request smuggling through a downgrade). Inside http2 only; pure.

namespace ghmesh::http::http2 {

// Gathers one request's head, field by field.
class RequestText {
 public:
  // Pseudo-fields included, in the order they came. False once the head is larger than limits allow.
  bool add(std::string_view name, std::string_view value, const http1::HeadLimits& limits);
  // The head. has_body: DATA frames follow.
  std::string finish(bool has_body) const;
  bool too_large() const { return too_large_; }
  // Pseudo-fields that RFC 9113 §8.3.1 asks for are there; nghttp2 has seen to their order and number.
  bool is_connect() const { return method_ == "CONNECT"; }
  std::size_t fields() const { return fields_; }

 private:
  std::string method_, scheme_, path_, authority_, host_, cookie_, text_;
  std::size_t bytes_ = 0;
  std::size_t fields_ = 0;
  bool has_length_ = false;
  bool too_large_ = false;
};

// An answer's head as nghttp2 takes it. Owns what the name-value pairs point at.
class ResponseFields {
 public:
  explicit ResponseFields(int status);
  // Internal for what could not be read back (a line break in a value).
  Result<> add(std::string_view name, std::string_view value);
  // Lines "Name: value\r\n"; those of the connection are left out.
  Result<> add_lines(std::string_view lines);
  // Valid until the next add.
  const std::vector<nghttp2_nv>& pairs();

 private:
  struct Place {
    std::size_t name, value, end;
  };
  std::string text_;
  std::vector<Place> places_;
  std::vector<nghttp2_nv> pairs_;
};

// The status of a status line "HTTP/1.1 200 OK\r\n", and what follows it.
int split_status_line(std::string_view& head);

}  // namespace ghmesh::http::http2
