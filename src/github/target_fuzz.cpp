// SPDX-License-Identifier: Apache-2.0
// A target without a problem is safe to classify, to route and to key: its views lie inside it and put it together.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "github/key.hpp"
#include "github/resource.hpp"
#include "github/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghmesh::github;
  static const KeyMaker keys(ghmesh::as_bytes("a"), ghmesh::as_bytes("b"));
  static const Canonical request = canonicalise("GET", {});
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  const ParsedTarget parsed = parse_target(in);
  if (parsed.problem != TargetProblem::None) return 0;
  const std::string again =
      std::string(parsed.target.path) + (parsed.target.has_query ? "?" : "") + std::string(parsed.target.query);
  GHMESH_CHECK(again == in);
  query_parameter(parsed.target.query, "per_page");
  for (const HostKind host : {HostKind::Cloud, HostKind::CloudUploads, HostKind::EnterpriseServer}) {
    const Route found = route(host, parsed.target.path);
    upstream_path(host, found);
    const Resource resource = classify("GET", found.path);
    GHMESH_CHECK(resource.known || resource.share == Share::Never);
  }
  keys.candidate_key("api.github.com", parsed.target, request);
  return 0;
}
