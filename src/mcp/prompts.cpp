// SPDX-License-Identifier: Apache-2.0
#include "calls.hpp"

namespace ghmesh::mcp {
namespace {

struct Prompt {
  const char* name;
  const char* title;
  const char* description;
  const char* text;
  std::initializer_list<const char*> resources;
};
const Prompt kPrompts[] = {
    {"why-is-my-quota-going",
     "Why is my quota going?",
     "Finds out which requests spend a token's rate limit, and what would save it.",
     "Find out where the GitHub rate limit goes. The present numbers are attached. Call quota_report for the forecast "
     "and the classes of requests, then cache_stats for hit rates. For a class that is charged often and hit seldom, "
     "call explain_request with a typical path and read why it was not answered from the cache. Compare "
     "spent_by_this_node with used: the difference was spent past this node, by programs that ask GitHub directly or "
     "by "
     "other nodes. Answer with the three largest causes, each with its numbers and one thing to do about it. Quote "
     "only "
     "numbers that you were given.",
     {"ghmesh://quota", "ghmesh://stats"}},
    {"is-sharing-working",
     "Is sharing working?",
     "Checks that the nodes of a fleet find each other and answer for each other.",
     "Find out whether this ghmesh node shares answers with its fleet. The present numbers are attached. Call "
     "verify_mesh, list_peers and fleet_stats. Sharing works if every check holds, peers are connected with plausible "
     "round-trip times, and peer_hits, peer_proofs or collapsed grow while several nodes ask the same questions. If it "
     "does not, say which check fails first and what to change. Quote only numbers that you were given.",
     {"ghmesh://peers", "ghmesh://stats"}},
};

}  // namespace

Json list_prompts() {
  Json out = Json::array();
  for (const Prompt& one : kPrompts)
    out.push_back(
        Json{{"name", one.name}, {"title", one.title}, {"description", one.description}, {"arguments", Json::array()}});
  return Json{{"prompts", std::move(out)}};
}

RpcResult get_prompt(Backend& backend, const Json& params) {
  const auto name = params.find("name");
  for (const Prompt& one : kPrompts) {
    if (name == params.end() || *name != one.name) continue;
    Json messages = Json::array();
    messages.push_back(Json{{"role", "user"}, {"content", {{"type", "text"}, {"text", one.text}}}});
    for (const char* uri : one.resources)
      messages.push_back(Json{
          {"role", "user"},
          {"content",
           {{"type", "resource"},
            {"resource", {{"uri", uri}, {"mimeType", "application/json"}, {"text", *read_resource(backend, uri)}}}}}});
    return Json{{"description", one.description}, {"messages", std::move(messages)}};
  }
  return std::unexpected(RpcError{kInvalidParams, "there is no such prompt", nullptr});
}

}  // namespace ghmesh::mcp
