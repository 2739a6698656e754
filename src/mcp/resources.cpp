// SPDX-License-Identifier: Apache-2.0
#include "calls.hpp"

namespace ghmesh::mcp {
namespace {

struct Resource {
  const char* uri;
  const char* name;
  const char* title;
  const char* description;
  std::string (Backend::*read)();
};
constexpr Resource kResources[] = {
    {"ghmesh://stats", "stats", "What the node has counted",
     "Requests by kind of answer, upstream calls, charged calls, calls saved, bytes, quota, sums over the fleet.",
     &Backend::stats},
    {"ghmesh://quota", "quota", "Rate limits",
     "Per token (a fingerprint) and resource, as GitHub last said them, and what this node spent of them.",
     &Backend::quota},
    {"ghmesh://peers", "peers", "Members of the mesh", "Who is there, how far away, and what was exchanged.",
     &Backend::peers},
};

const Resource* find(std::string_view uri) {
  for (const Resource& one : kResources)
    if (one.uri == uri) return &one;
  return nullptr;
}

}  // namespace

Json list_resources() {
  Json out = Json::array();
  for (const Resource& one : kResources)
    out.push_back(Json{{"uri", one.uri},
                       {"name", one.name},
                       {"title", one.title},
                       {"description", one.description},
                       {"mimeType", "application/json"}});
  return Json{{"resources", std::move(out)}};
}

bool is_resource(std::string_view uri) { return find(uri) != nullptr; }

std::optional<std::string> read_resource(Backend& backend, std::string_view uri) {
  const Resource* found = find(uri);
  if (found == nullptr) return std::nullopt;
  return (backend.*found->read)();
}

std::string fingerprint_of(std::string_view uri, const std::string& text) {
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_object()) return text;
  if (uri == "ghmesh://stats") value.erase("uptime_seconds");
  if (uri == "ghmesh://peers" && value.contains("peers"))
    for (Json& peer : value["peers"])
      for (const char* name : {"age_seconds", "rtt_ms"}) peer.erase(name);
  return dump(value);
}

}  // namespace ghmesh::mcp
