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
#include "proxy/stats.hpp"
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
  store::Key candidate{};  // the same without the token: leads to bodies that need a proof
  cache::FreshnessPolicy policy;

  std::string target;  // origin-form, as the upstream is asked for it
  // Whose request it is; all zeros without a credential, and in plain RFC 9111 mode.
  github::Partition partition{};
  // canonical: the body is asked for and kept in identity form, and recoded for each client.
  bool canonical = false;
  bool pretty = false;  // the client's agent would have got indented JSON
  github::Canonical request;
  github::Resource resource;                   // its views point into the client's request, or into respelt
  std::shared_ptr<const std::string> respelt;  // where the client escaped slashes: the target with plain ones, or "%2F"
  bool graphql = false;                        // POST /graphql with a query
  // The client's fields in the cache's terms, where they differ (X-GH-CACHE-TTL as max-age).
  std::optional<http::Fields> cache_fields;
  bool elsewhere = false;                  // for another host than the upstream
  RequestClass cls = RequestClass::Other;  // in the books, of what goes to the upstream
  // What the request has cost so far: every step of its way has the plan at hand. Not part of what it means.
  mutable Tally spent;
  // The node's own span in the client's trace, once the upstream was asked within one: 16 hexadecimal digits.
  mutable std::string span;

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
  // Groups an answer belongs to, so that writes find it.
  virtual std::vector<store::GroupId> groups(const Plan& plan) const = 0;
  // Those of them that its record is stored under, at most store::Limits::groups_per_record: for removing bytes.
  virtual std::vector<store::GroupId> stored_groups(const Plan& plan) const = 0;
  // The stored group of a path, or of a repository (/repos/OWNER/REPO) and everything below it.
  virtual store::GroupId named_group(std::string_view path, bool below) const = 0;
  // Whether a write removes bytes (plain RFC 9111) or only their freshness: a free proof may find them current.
  virtual bool write_removes() const = 0;
  // The names under which members of a mesh know a resource and its groups: keyed by the mesh's secret once there is
  // one (32 bytes), by the node's own until then. groups(), written() and written_by_mutation() are such names; the
  // keys under which this node stores records are its own and stay when the mesh changes its secret.
  virtual void set_shared_secret(ByteView lookup_secret) = 0;
  virtual store::Key shared_key(const Plan& plan) const = 0;
  virtual store::GroupId shared_group(std::string_view path, bool below) const = 0;
  // What a successful write, or one whose fate is unknown, makes doubtful.
  virtual std::vector<store::GroupId> written(std::string_view method, std::string_view origin_target) const = 0;
  virtual std::vector<store::GroupId> written_by_mutation(const std::vector<std::string>& root_fields) const = 0;
  // A body that came in for this plan: a repository's own tells which number it has.
  virtual void learn(const Plan& plan, ByteView body) = 0;
  // Whether requests to the upstream keep GitHub's pace.
  virtual bool paces() const = 0;
  // Whether this is a POST of a GraphQL document, whose body says what it means.
  virtual bool is_graphql(const Plan& plan, std::string_view method) const = 0;
  // A GraphQL query as a plan: its answer may be kept for this token, for as long as the policy says.
  virtual std::optional<Plan> plan_query(const http::RequestView& request, std::string_view origin_target,
                                         std::string_view identity) const = 0;
};

struct PlannerOptions {
  http::Url upstream;
  github::FreshnessOptions freshness;
  std::chrono::seconds stale_if_error{0};
  const Clock* clock = nullptr;
};

// secrets: 32 random bytes each, of the node.
std::unique_ptr<Planner> make_github_planner(PlannerOptions options, ByteView lookup_secret, ByteView partition_secret);
std::unique_ptr<Planner> make_http_planner(PlannerOptions options, ByteView lookup_secret, ByteView partition_secret);

}  // namespace ghmesh::proxy
