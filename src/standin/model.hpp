// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "http/message/fields.hpp"
#include "standin/faults.hpp"
#include "standin/journal.hpp"
#include "standin/quota.hpp"
#include "standin/tag.hpp"
#include "standin/tokens.hpp"
#include "standin/world.hpp"

// GitHub's API as its clients can tell it from outside: the rules of tags, conditional requests, quota, Vary, Link,
// private and renamed repositories, redirects to signed URLs, writes and GraphQL, over a world that a test builds.
// It follows GitHub's REST documentation (rate limits, best practices, pagination, media types) and, where that is
// silent, recorded exchanges. Pure: a request and a time in, an answer out; no IO, no clock, no thread of its own.
// One thread.

namespace ghmesh::standin {

struct Request {
  std::string method = "GET";
  std::string target;  // origin-form or absolute-form
  http::Fields fields;
  std::string body;
  std::string client = "127.0.0.1";  // who pays for anonymous requests
  std::uint32_t in_flight = 1;       // of this token, this request included; the driver counts
};

struct Response {
  int status = 200;
  http::Fields fields;  // with Content-Length, of the body that a GET would have
  std::string body;     // empty for HEAD, 204, 304
  Delivery delivery;
};

struct Settings {
  std::string api_base = "https://api.github.com";                     // in Link, Location and bodies made here
  std::string storage_base = "https://objects.githubusercontent.com";  // where signed URLs point
  TagFormula formula = TagFormula::Measured;
  std::chrono::seconds signed_url_lifetime{300};
};

class GithubModel {
 public:
  explicit GithubModel(Settings settings = {});

  // Answers anything; a malformed request gets GitHub's 4xx. Paths under /_model/ are the control API (control.cpp
  // names them), under /_blobs/ the storage that signed URLs point to; neither is journalled as API use nor charged.
  Response handle(const Request& request, WallTime now);

  World world;
  TokenTable tokens;
  QuotaBook quota;
  FaultList faults;
  Journal journal;
  Settings settings;

 private:
  friend class Exchange;
  std::uint64_t requests_ = 0;
  std::uint64_t next_number_ = 100'000'000;  // ids of what writes create
};

}  // namespace ghmesh::standin
