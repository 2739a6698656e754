// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include "cache/model_cache.hpp"
#include "http/message/date.hpp"

namespace ghmesh::cache {

using http::Fields;
using http::Request;

// A cache, an origin whose next answers the test lays out, and a clock that it moves.
class Engine : public testing::Test {
 protected:
  Request get(Fields fields = {}, std::string target = "/repos/o/r") {
    return {"GET", std::move(target), std::move(fields)};
  }

  void answer(int status, Fields fields, std::string body = "body") {
    next_ = Message{status, std::move(fields), std::move(body)};
    if (!next_->fields.has("Date")) next_->fields.add("Date", http::format_http_date(clock_.wall_now()));
  }
  void unreachable() { next_.reset(); }

  // The answer, and whether the origin was asked for it.
  Message ask(const Request& request) {
    const int before = asked_;
    Message message = cache_.request(request);
    forwarded_ = asked_ - before;
    return message;
  }
  bool from_cache() const { return forwarded_ == 0; }
  std::string sent(std::string_view name) const { return last_request_.fields.joined(name); }

  void make_cache(FreshnessPolicy anonymous, FreshnessPolicy credential) {
    cache_ = ModelCache(anonymous, credential, clock_, origin_);
  }

  ManualClock clock_;
  std::optional<Message> next_ = std::nullopt;
  Request last_request_;
  int asked_ = 0;
  int forwarded_ = 0;
  ModelCache::Origin origin_ = [this](const Request& request) {
    ++asked_;
    last_request_ = request;
    return next_;
  };
  ModelCache cache_{http_policy(Partition::Anonymous), http_policy(Partition::Credential), clock_, origin_};
};

}  // namespace ghmesh::cache
