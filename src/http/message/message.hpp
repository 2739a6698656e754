// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message/fields.hpp"

// Heads of requests and responses (RFC 9110 §6), as values. A *View borrows, its namesake owns.

namespace ghmesh::http {

// Methods are case-sensitive tokens; any token is a method.
bool is_safe_method(std::string_view method);        // RFC 9110 §9.2.1: GET HEAD OPTIONS TRACE
bool is_idempotent_method(std::string_view method);  // §9.2.2: safe ones, PUT, DELETE

// The registered reason phrase, or "" for a status that has none.
std::string_view reason_phrase(int status);

struct RequestView {
  std::string_view method;
  std::string_view target;  // as on the request line: origin-form, absolute-form, authority-form or *
  int minor_version = 1;    // of HTTP/1.x
  FieldsView fields;
};

struct Request {
  std::string method;
  std::string target;
  Fields fields;

  RequestView view() const { return {method, target, 1, fields.view()}; }
};

struct ResponseView {
  int status = 0;
  FieldsView fields;
};

struct Response {
  int status = 0;
  Fields fields;

  ResponseView view() const { return {status, fields.view()}; }
};

// Removes what is for one connection only (RFC 9110 §7.6.1): the fields that Connection names, Connection itself,
// Keep-Alive, Proxy-Connection, Proxy-Authenticate, Proxy-Authorization, TE, Trailer, Transfer-Encoding, Upgrade.
void remove_hop_by_hop(Fields& fields);

}  // namespace ghmesh::http
