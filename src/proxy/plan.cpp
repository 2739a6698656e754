// SPDX-License-Identifier: Apache-2.0
#include "proxy/plan.hpp"

namespace ghmesh::proxy {

Plan Plan::detached() const {
  Plan out;
  out.cacheable = cacheable;
  out.bypass = bypass;
  out.key = key;
  out.candidate = candidate;
  out.policy = policy;
  out.target = target;
  out.canonical = canonical;
  out.pretty = pretty;
  out.graphql = graphql;
  out.request.bypass = request.bypass;
  out.request.accept = request.accept;
  out.request.authorization = request.authorization.clone();
  out.request.api_version = request.api_version;
  out.request.time_zone = request.time_zone;
  out.request.pretty = request.pretty;
  out.request.anonymous = request.anonymous;
  out.partition = partition;
  // Of the resource what is static text or a value.
  out.resource.cls = resource.cls;
  out.resource.family = resource.family;
  out.cache_fields = cache_fields;
  out.cls = cls;
  return out;
}

}  // namespace ghmesh::proxy
