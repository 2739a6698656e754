// SPDX-License-Identifier: Apache-2.0
// Links point into the value, what is formatted reads back, and rewriting to the same origin changes nothing.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "github/pagination.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghmesh::github;
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  std::vector<NewLink> links;
  for (const Link& link : parse_links(in)) {
    GHMESH_CHECK(link.uri.empty() ||
                 (link.uri.data() >= in.data() && link.uri.data() + link.uri.size() <= in.data() + size));
    if (link.rel.find('"') == std::string_view::npos) links.push_back({std::string(link.uri), std::string(link.rel)});
  }
  const std::string formatted = format_links(links);
  const std::vector<Link> again = parse_links(formatted);
  GHMESH_CHECK(again.size() == links.size());
  for (std::size_t i = 0; i < again.size(); ++i)
    GHMESH_CHECK(again[i].uri == links[i].uri && again[i].rel == links[i].rel);
  GHMESH_CHECK(rewrite_links(in, "https://a", "https://a").size() == in.size());
  return 0;
}
