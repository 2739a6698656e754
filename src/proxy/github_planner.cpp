// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "cache/lookup.hpp"
#include "proxy/plan.hpp"

namespace ghmesh::proxy {
namespace {

using github::FreshnessPolicy;
using github::ResourceClass;

class GithubPlanner final : public Planner {
 public:
  GithubPlanner(PlannerOptions options, ByteView lookup_secret, ByteView partition_secret)
      : options_(std::move(options)),
        authority_(options_.upstream.authority()),
        host_(github::host_kind(authority_)),
        keys_(lookup_secret, partition_secret) {}

  Plan plan(const http::RequestView& request, std::string_view origin_target, bool has_body) const override {
    Plan out;
    const github::ParsedTarget parsed = github::parse_target(origin_target);
    if (parsed.problem != github::TargetProblem::None) {
      // A target that others could read in another way is passed on as it is and never cached.
      out.target = origin_target;
      out.bypass = http::Forward::Bypass;
      return out;
    }
    const github::Route route = github::route(host_, parsed.target.path);
    out.target = github::upstream_path(host_, route);
    if (parsed.target.has_query) out.target.append("?").append(parsed.target.query);
    out.request = github::canonicalise(request.method, request.fields);
    if (!out.request.cacheable()) {
      // Whose quota it draws on is known all the same.
      const std::string_view credential = request.fields.first("Authorization").value_or("");
      out.request.authorization = crypto::SecretText(github::canonical_authorization(credential));
      out.request.anonymous = credential.empty();
    }
    out.partition = keys_.partition(out.request);
    if (!cache::is_cacheable_method(request.method)) {
      out.bypass = http::Forward::Method;
      return out;
    }
    out.bypass = http::Forward::Bypass;
    if (has_body || route.surface != github::Surface::Rest) return out;
    if (!out.request.cacheable() || !github::accepts_plain_json(out.request.accept)) return out;
    out.resource = github::classify(request.method == "HEAD" ? "GET" : request.method, route.path, out.request.accept);
    if (!set_policy(out)) return out;

    const github::Target target{route.path, parsed.target.query, parsed.target.has_query};
    out.key = keys_.entry_key(keys_.candidate_key(authority_, target, out.request), out.partition);
    out.pretty = out.request.pretty;
    out.canonical = true;
    out.cacheable = true;
    out.bypass = http::Forward::None;
    bound_by_client(out, request);
    return out;
  }

  http::Fields upstream_fields(const Plan& plan, const http::RequestView& request) const override {
    if (plan.cacheable) {
      http::Fields out = github::upstream_fields(plan.request);
      out.set("Accept-Encoding", "gzip");
      return out;
    }
    http::Fields out(request.fields);
    http::remove_hop_by_hop(out);
    for (const char* name : {"Host", "Expect", "X-GH-CACHE-TTL"}) out.remove(name);
    return out;
  }

  std::vector<store::GroupId> groups(const Plan& plan, const http::RequestView&) const override {
    std::vector<store::GroupId> out{group("path:" + plan.target.substr(0, plan.target.find('?')))};
    if (!plan.resource.repo.empty())
      out.push_back(group("repo:" + http::to_lower(plan.resource.owner) + "/" + http::to_lower(plan.resource.repo)));
    return out;
  }

  std::vector<store::GroupId> written(const http::RequestView&, std::string_view origin_target) const override {
    const github::ParsedTarget parsed = github::parse_target(origin_target);
    if (parsed.problem != github::TargetProblem::None) return {};
    const github::Route route = github::route(host_, parsed.target.path);
    const github::Resource resource = github::classify("GET", route.path);
    std::vector<store::GroupId> out{group("path:" + github::upstream_path(host_, route))};
    if (!resource.repo.empty())
      out.push_back(group("repo:" + http::to_lower(resource.owner) + "/" + http::to_lower(resource.repo)));
    return out;
  }

 private:
  // The resource's class in the cache's words. False for classes that are never kept.
  bool set_policy(Plan& plan) const {
    const github::Lifetime life = github::lifetime(options_.freshness, plan.resource, 200, {});
    if (!life.store) return false;
    cache::FreshnessPolicy& policy = plan.policy;
    policy.partition = plan.request.anonymous ? cache::Partition::Anonymous : cache::Partition::Credential;
    policy.ignore_accept_encoding = true;
    policy.stale_while_revalidate = false;
    policy.stale_if_error = false;
    if (life.stale_ok) policy.stale_on_error = options_.stale_if_error;
    const bool by_origin = options_.freshness.policy == FreshnessPolicy::GitHub && !options_.freshness.ttl &&
                           plan.resource.cls != ResourceClass::Immutable &&
                           plan.resource.cls != ResourceClass::Volatile;
    if (by_origin) {
      policy.lifetime.kind = cache::Lifetime::Kind::Origin;
    } else if (life.fresh == github::kForever) {
      policy.lifetime.kind = cache::Lifetime::Kind::Forever;
    } else if (life.fresh.count() == 0) {
      policy.lifetime.kind = cache::Lifetime::Kind::AlwaysValidate;
    } else {
      policy.lifetime = {cache::Lifetime::Kind::Fixed, life.fresh};
    }
    return true;
  }

  static void bound_by_client(Plan& plan, const http::RequestView& request) {
    if (!request.fields.has("X-GH-CACHE-TTL")) return;
    const http::RequestCacheControl bounds = github::parse_client_bounds(request.fields);
    plan.cache_fields.emplace(request.fields);
    if (bounds.max_age) plan.cache_fields->add("Cache-Control", "max-age=" + std::to_string(bounds.max_age->count()));
  }

  store::GroupId group(const std::string& name) const {
    return load_be<std::uint64_t>(keys_.group_key(authority_, name).data());
  }

  PlannerOptions options_;
  std::string authority_;
  github::HostKind host_;
  github::KeyMaker keys_;
};

}  // namespace

std::unique_ptr<Planner> make_github_planner(PlannerOptions options, ByteView lookup_secret,
                                             ByteView partition_secret) {
  return std::make_unique<GithubPlanner>(std::move(options), lookup_secret, partition_secret);
}

}  // namespace ghmesh::proxy
