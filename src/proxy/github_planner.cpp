// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "cache/lookup.hpp"
#include "github/graphql.hpp"
#include "github/writes.hpp"
#include "proxy/authority.hpp"
#include "proxy/plan.hpp"
#include "proxy/trace.hpp"

namespace ghmesh::proxy {
namespace {

using github::FreshnessPolicy;
using github::ResourceClass;

class GithubPlanner final : public Planner {
 public:
  GithubPlanner(PlannerOptions options, ByteView lookup_secret, ByteView partition_secret)
      : options_(std::move(options)),
        authority_(options_.upstream.authority()),
        host_(layout_of(options_.upstream)),
        partition_secret_(Bytes(partition_secret.begin(), partition_secret.end())),
        keys_(lookup_secret, partition_secret),
        shared_(keys_) {}

  Plan plan(const http::RequestView& request, std::string_view origin_target, bool has_body) const override {
    Plan out;
    out.request = github::canonicalise(request.method, request.fields);
    if (!out.request.cacheable()) {
      // Whose quota it draws on is known all the same.
      const std::string_view credential = request.fields.first("Authorization").value_or("");
      out.request.authorization = crypto::SecretText(github::canonical_authorization(credential));
      out.request.anonymous = credential.empty();
    }
    out.partition = keys_.partition(out.request);
    github::ParsedTarget parsed = github::parse_target(origin_target);
    bool named = false;  // an escaped slash inside a name
    if (parsed.problem == github::TargetProblem::EncodedSlash && cache::is_cacheable_method(request.method)) {
      if (std::optional<std::string> plain = github::with_plain_slashes(origin_target)) {
        out.respelt = std::make_shared<const std::string>(std::move(*plain));
        parsed = github::parse_target(*out.respelt);
      } else if (std::optional<std::string> escaped = github::with_slashes_in_names(origin_target)) {
        out.respelt = std::make_shared<const std::string>(std::move(*escaped));
        parsed.target = github::parse_target(*out.respelt).target;
        parsed.problem = github::TargetProblem::None;
        named = true;
      }
    }
    if (parsed.problem != github::TargetProblem::None) {
      // A target that others could read in another way is passed on as it is and never cached.
      out.target = origin_target;
      out.bypass = http::Forward::Bypass;
      return out;
    }
    const github::Route route = github::route(host_, parsed.target.path);
    out.target = github::upstream_path(host_, route);
    if (parsed.target.has_query) out.target.append("?").append(parsed.target.query);
    if (route.surface == github::Surface::GraphQl) out.resource.cls = ResourceClass::GraphQl;
    if (!cache::is_cacheable_method(request.method)) {
      out.bypass = http::Forward::Method;
      return out;
    }
    out.bypass = http::Forward::Bypass;
    if (has_body || route.surface != github::Surface::Rest) return out;
    if (!out.request.cacheable() || !github::accepts_plain_json(out.request.accept)) return out;
    out.resource = github::classify(request.method == "HEAD" ? "GET" : request.method, route.path, out.request.accept);
    // Which part of an unknown path is a name, nobody knows.
    if (named && !out.resource.known) return out;
    if (!set_policy(out)) return out;

    github::Target target{route.path, parsed.target.query, parsed.target.has_query};
    std::optional<std::string> name;
    if (out.resource.repo.empty() && !out.resource.repository_id.empty()) {
      name = names_.fold(route.path, options_.clock->now());
      if (name) target.path = *name;
    }
    out.candidate = keys_.candidate_key(authority_, target, out.request);
    out.key = keys_.entry_key(out.candidate, out.partition);
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
      if (trace_of(request.fields)) out.set("traceparent", *request.fields.first("traceparent"));
      return out;
    }
    http::Fields out(request.fields);
    http::remove_hop_by_hop(out);
    for (const char* name : {"Host", "Expect", "X-GH-CACHE-TTL"}) out.remove(name);
    // A state without a parent belongs to no trace.
    if (!trace_of(request.fields))
      for (const char* name : {"traceparent", "tracestate"}) out.remove(name);
    return out;
  }

  std::vector<store::GroupId> groups(const Plan& plan) const override {
    if (plan.graphql) return ids(github::graphql_groups());
    const std::string path = folded(route_of(plan.target).path);
    // Classified anew: a detached plan has no resource.
    return ids(github::groups_of(path, github::classify("GET", path, plan.request.accept)));
  }

  std::vector<store::GroupId> stored_groups(const Plan& plan) const override {
    std::vector<store::GroupId> out;
    const std::string path = folded(route_of(plan.target).path);
    // Under this node's names, and under those by which another member may ask for a purge.
    out.push_back(named_group(path, false));
    out.push_back(shared_group(path, false));
    if (!plan.resource.repo.empty()) {
      const std::string repository =
          "/repos/" + std::string(plan.resource.owner) + "/" + std::string(plan.resource.repo);
      out.push_back(named_group(repository, true));
      out.push_back(shared_group(repository, true));
    }
    return out;
  }
  store::GroupId named_group(std::string_view path, bool below) const override {
    return id(keys_, name_of(path, below));
  }
  store::GroupId shared_group(std::string_view path, bool below) const override {
    return id(shared_, name_of(path, below));
  }
  void set_shared_secret(ByteView lookup_secret) override {
    shared_ = github::KeyMaker(lookup_secret, partition_secret_.expose());
  }
  store::Key shared_key(const Plan& plan) const override {
    const std::size_t question = plan.target.find('?');
    const bool has_query = question != std::string::npos;
    const std::string path = folded(route_of(plan.target).path);
    return shared_.candidate_key(
        authority_,
        {path, has_query ? std::string_view(plan.target).substr(question + 1) : std::string_view(), has_query},
        plan.request);
  }
  bool write_removes() const override { return false; }

  std::vector<store::GroupId> written(std::string_view method, std::string_view origin_target) const override {
    std::optional<std::string> respelt = github::with_plain_slashes(origin_target);
    if (!respelt) respelt = github::with_slashes_in_names(origin_target);
    return ids(github::invalidated_by(method, folded(route_of(respelt ? *respelt : origin_target).path)));
  }
  std::vector<store::GroupId> written_by_mutation(const std::vector<std::string>& root_fields) const override {
    return ids(github::invalidated_by_mutation(root_fields));
  }

  void learn(const Plan& plan, ByteView body) override {
    if (plan.resource.repo.empty() || !plan.resource.rest.empty()) return;
    if (const auto identity = github::repository_identity(as_text(body)))
      names_.learn(identity->id, identity->full_name, options_.clock->now());
  }

  bool paces() const override { return true; }
  bool is_graphql(const Plan& plan, std::string_view method) const override {
    return method == "POST" && route_of(plan.target).surface == github::Surface::GraphQl;
  }

  std::optional<Plan> plan_query(const http::RequestView& request, std::string_view origin_target,
                                 std::string_view identity) const override {
    const std::chrono::seconds life = github::graphql_lifetime(options_.freshness.policy);
    Plan out = plan(request, origin_target, true);
    // Fields that shape an answer are on the allow-list of canonical requests; the exceptions are the method, the
    // framing of the document, and the features, which have their own place in the key.
    http::Fields shaping(request.fields);
    for (const char* name : {"Content-Length", "Transfer-Encoding", "GraphQL-Features"}) shaping.remove(name);
    out.request = github::canonicalise("GET", shaping);
    if (life.count() == 0 || identity.empty() || !out.request.cacheable()) return std::nullopt;
    out.graphql = true;
    out.canonical = true;
    out.cacheable = true;
    out.pretty = out.request.pretty;
    out.bypass = http::Forward::None;
    out.policy.partition = out.request.anonymous ? cache::Partition::Anonymous : cache::Partition::Credential;
    out.policy.lifetime = {cache::Lifetime::Kind::Fixed, life};
    out.policy.ignore_accept_encoding = true;
    out.policy.stale_while_revalidate = out.policy.stale_if_error = false;
    const std::string_view features = request.fields.first("GraphQL-Features").value_or("");
    out.key = keys_.entry_key(keys_.graphql_key(authority_, identity, features, out.request), out.partition);
    bound_by_client(out, request);
    // To the cache this is a GET without content: the document is in the key.
    if (!out.cache_fields) out.cache_fields.emplace(request.fields);
    for (const char* name : {"Content-Length", "Transfer-Encoding"}) out.cache_fields->remove(name);
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

  github::Route route_of(std::string_view target) const {
    return github::route(host_, target.substr(0, target.find('?')));
  }
  // /repositories/ID/… under the name it is known by.
  std::string folded(std::string_view path) const {
    return names_.fold(path, options_.clock->now()).value_or(std::string(path));
  }

  store::GroupId id(const github::KeyMaker& keys, std::string_view name) const {
    return load_be<std::uint64_t>(keys.group_key(authority_, name).data());
  }
  std::vector<store::GroupId> ids(const std::vector<std::string>& names) const {
    std::vector<store::GroupId> out;
    for (const std::string& name : names) out.push_back(id(shared_, name));
    return out;
  }
  // The first group is "=" and the path, with owner and repository in lower case.
  static std::string name_of(std::string_view path, bool below) {
    const std::string exact = github::groups_of(path, github::classify("GET", path)).front();
    return below ? exact.substr(1) + "/**" : exact;
  }

  PlannerOptions options_;
  std::string authority_;
  github::HostKind host_;
  crypto::SecretBytes partition_secret_;
  github::KeyMaker keys_;
  github::KeyMaker shared_;
  github::RepositoryNames names_;
};

}  // namespace

std::unique_ptr<Planner> make_github_planner(PlannerOptions options, ByteView lookup_secret,
                                             ByteView partition_secret) {
  return std::make_unique<GithubPlanner>(std::move(options), lookup_secret, partition_secret);
}

}  // namespace ghmesh::proxy
