// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/policy.hpp"
#include "github/canonical.hpp"
#include "github/freshness.hpp"
#include "github/key.hpp"
#include "github/resource.hpp"
#include "github/target.hpp"
#include "http/message/cache_status.hpp"
#include "http/message/message.hpp"
#include "http/message/url.hpp"
#include "store/record.hpp"

// What a request means before anything is looked up: under which key its answer lies, by which rules the answer ages,
// and what the upstream is asked. Two planners speak the same language: GithubPlanner knows GitHub (design: proof,
// freshness), HttpPlanner is plain RFC 9111 and forwards everything (--freshness http). Pure; one thread.

namespace ghmesh::proxy {

struct Plan {
  // False: forward as it is, nothing is looked up or stored.
  bool cacheable = false;
  http::Forward bypass = http::Forward::None;  // why not cacheable
  store::Key key{};
  cache::FreshnessPolicy policy;

  std::string target;  // origin-form, as the upstream is asked for it
  // Whose request it is; all zeros without a credential, and in plain RFC 9111 mode.
  github::Partition partition{};
  // canonical: the body is asked for and kept in identity form, and recoded for each client.
  bool canonical = false;
  bool pretty = false;  // the client's agent would have got indented JSON
  github::Canonical request;
  github::Resource resource;  // its views point into the client's request
  // The client's fields in the cache's terms, where they differ (X-GH-CACHE-TTL as max-age).
  std::optional<http::Fields> cache_fields;

  // A copy for work that outlives the client's request: its views into that request are gone.
  Plan detached() const;
};

class Planner {
 public:
  virtual ~Planner() = default;
  // origin_target: path and query of the request, whatever form it came in.
  virtual Plan plan(const http::RequestView& request, std::string_view origin_target, bool has_body) const = 0;
  // Fields for the upstream, without Host, framing and Connection. conditions: those that the cache wants sent.
  virtual http::Fields upstream_fields(const Plan& plan, const http::RequestView& request) const = 0;
  // Groups to store a record under, so that writes and purges find it.
  virtual std::vector<store::GroupId> groups(const Plan& plan, const http::RequestView& request) const = 0;
  // What a successful write, or one whose fate is unknown, invalidates.
  virtual std::vector<store::GroupId> written(const http::RequestView& request,
                                              std::string_view origin_target) const = 0;
};

struct PlannerOptions {
  http::Url upstream;
  github::FreshnessOptions freshness;
  std::chrono::seconds stale_if_error{0};
};

// secrets: 32 random bytes each, of the node.
std::unique_ptr<Planner> make_github_planner(PlannerOptions options, ByteView lookup_secret, ByteView partition_secret);
std::unique_ptr<Planner> make_http_planner(PlannerOptions options, ByteView lookup_secret, ByteView partition_secret);

}  // namespace ghmesh::proxy
