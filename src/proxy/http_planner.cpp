// SPDX-License-Identifier: Apache-2.0
#include "cache/lookup.hpp"
#include "crypto/hmac.hpp"
#include "http/message/fields.hpp"
#include "proxy/plan.hpp"

namespace ghmesh::proxy {
namespace {

class HttpPlanner final : public Planner {
 public:
  HttpPlanner(PlannerOptions options, ByteView lookup_secret, ByteView partition_secret)
      : options_(std::move(options)),
        authority_(options_.upstream.authority()),
        lookup_(lookup_secret),
        partition_(partition_secret) {}

  Plan plan(const http::RequestView& request, std::string_view origin_target, bool has_body) const override {
    Plan out;
    out.target = origin_target.empty() || origin_target.front() != '/' ? "/" + std::string(origin_target)
                                                                       : std::string(origin_target);
    const std::string credential = request.fields.joined("Authorization");
    out.request.anonymous = credential.empty();
    out.policy = cache::http_policy(credential.empty() ? cache::Partition::Anonymous : cache::Partition::Credential);
    out.policy.stale_on_error = options_.stale_if_error;
    if (!cache::is_cacheable_method(request.method) || has_body) {
      out.bypass = http::Forward::Method;
      return out;
    }
    out.cacheable = true;
    const crypto::Digest32 partition = credential.empty() ? crypto::Digest32{} : partition_.mac(credential);
    std::string text("http");
    for (const std::string_view part :
         {std::string_view(authority_), std::string_view(out.target), as_text(partition)}) {
      std::uint8_t length[8];
      store_be(length, std::uint64_t{part.size()});
      text.append(as_text(length)).append(part);
    }
    out.key = lookup_.mac(text);
    return out;
  }

  http::Fields upstream_fields(const Plan&, const http::RequestView& request) const override {
    http::Fields out(request.fields);
    http::remove_hop_by_hop(out);
    out.remove("Host");
    out.remove("Expect");
    return out;
  }

  std::vector<store::GroupId> groups(const Plan& plan) const override { return {target_group(plan.target)}; }
  std::vector<store::GroupId> stored_groups(const Plan& plan) const override { return groups(plan); }
  store::GroupId named_group(std::string_view path, bool) const override { return target_group(path); }
  // Plain RFC 9111 shares nothing with a mesh.
  void set_shared_secret(ByteView) override {}
  store::Key shared_key(const Plan& plan) const override { return plan.key; }
  store::GroupId shared_group(std::string_view path, bool) const override { return target_group(path); }
  bool write_removes() const override { return true; }
  std::vector<store::GroupId> written(std::string_view, std::string_view origin_target) const override {
    return {target_group(origin_target)};
  }
  std::vector<store::GroupId> written_by_mutation(const std::vector<std::string>&) const override { return {}; }
  void learn(const Plan&, ByteView) override {}
  bool paces() const override { return false; }
  bool is_graphql(const Plan&, std::string_view) const override { return false; }
  std::optional<Plan> plan_query(const http::RequestView&, std::string_view, std::string_view) const override {
    return std::nullopt;
  }

 private:
  store::GroupId target_group(std::string_view target) const {
    const crypto::Digest32 mac = lookup_.mac(as_bytes("target " + std::string(target)));
    return load_be<std::uint64_t>(mac.data());
  }

  PlannerOptions options_;
  std::string authority_;
  crypto::HmacSha256 lookup_;
  crypto::HmacSha256 partition_;
};

}  // namespace

std::unique_ptr<Planner> make_http_planner(PlannerOptions options, ByteView lookup_secret, ByteView partition_secret) {
  return std::make_unique<HttpPlanner>(std::move(options), lookup_secret, partition_secret);
}

}  // namespace ghmesh::proxy
