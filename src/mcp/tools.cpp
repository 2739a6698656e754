// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>

#include "calls.hpp"
#include "schema.hpp"

// The tools: what tools/list shows of them, and what each one does. Arguments are held against the schema that is
// shown.

namespace ghmesh::mcp {
namespace {

constexpr const char* kNothing = R"({"type":"object","additionalProperties":false})";

constexpr const char* kQuotaOutput =
    R"({"type":"object","required":["tokens","by_class","by_node","requests","charged_calls","calls_saved"],"properties":{
"tokens":{"type":"array","description":"one row for each token and resource, as GitHub last said it","items":{"type":"object",
 "required":["token","resource","limit","used","remaining","reset","spent_by_this_node","spent_by_members","spent_by_others","by_node","spent_by_class","forecast_remaining","empty_at"],"properties":{
 "token":{"type":"string","description":"a fingerprint"},"resource":{"type":"string"},"limit":{"type":"integer"},"used":{"type":"integer"},
 "remaining":{"type":"integer"},"reset":{"type":"integer","description":"Unix seconds"},
 "spent_by_this_node":{"type":"integer"},"spent_by_members":{"type":"integer","description":"by other members of the mesh"},
 "spent_by_others":{"type":"integer","description":"used, less both: programs that ask GitHub directly"},
 "by_node":{"type":"object","description":"spent of this token by peer id, as each member last said; this node's own among them, as \"this node\" where it joins no mesh","additionalProperties":{"type":"integer"}},
 "spent_by_class":{"type":"object","description":"spent_by_this_node by class of request","additionalProperties":{"type":"integer"}},
 "forecast_remaining":{"type":["integer","null"],"description":"at reset, at the pace of this window so far; null: less than a minute or ten calls seen"},
 "empty_at":{"type":["integer","null"],"description":"Unix seconds"}}}},
"by_class":{"type":"array","items":{"type":"object","required":["class","requests","charged_calls","calls_saved"],"properties":{
 "class":{"type":"string"},"requests":{"type":"integer"},"charged_calls":{"type":"integer"},"calls_saved":{"type":"integer"}}}},
"by_node":{"type":"array","description":"this node and the other members as each last told: over all tokens and since each started; tokens[].by_node is per token and of this window",
 "items":{"type":"object","required":["peer_id","this_node","state","requests","charged_calls","calls_saved"],"properties":{
 "peer_id":{"type":["string","null"],"description":"null: this node joins no mesh"},"this_node":{"type":"boolean"},"state":{"type":"string"},
 "requests":{"type":"integer"},"charged_calls":{"type":"integer"},"calls_saved":{"type":"integer"}}}},
"requests":{"type":"integer"},"charged_calls":{"type":"integer"},"calls_saved":{"type":"integer"}}})";

constexpr const char* kCacheOutput =
    R"({"type":"object","required":["requests","hit_rate","local_hits","peer_hits","proofs","peer_proofs","collapsed","stale_served","misses","bypassed","errors","upstream_calls","charged_calls","free_304s","calls_saved","entries","memory_bytes","disk_bytes","evictions","expirations","invalidations","proof_state","classes"],"properties":{
"requests":{"type":"integer"},"hit_rate":{"type":"number","minimum":0,"maximum":1},"local_hits":{"type":"integer"},"peer_hits":{"type":"integer"},
"proofs":{"type":"integer"},"peer_proofs":{"type":"integer"},"collapsed":{"type":"integer"},"stale_served":{"type":"integer"},"misses":{"type":"integer"},
"bypassed":{"type":"integer"},"errors":{"type":"integer"},"upstream_calls":{"type":"integer"},"charged_calls":{"type":"integer"},"free_304s":{"type":"integer"},
"calls_saved":{"type":"integer","description":"what direct clients would have been charged, less charged_calls"},"entries":{"type":"integer"},
"memory_bytes":{"type":"integer"},"disk_bytes":{"type":"integer"},"evictions":{"type":"integer"},"expirations":{"type":"integer"},
"invalidations":{"type":"integer"},"proof_state":{"type":"string"},
"classes":{"type":"array","items":{"type":"object","required":["class","requests","hit_rate","answers","upstream_calls","charged_calls","calls_saved"],
 "properties":{"class":{"type":"string"},"requests":{"type":"integer"},"hit_rate":{"type":"number"},"answers":{"type":"object","additionalProperties":{"type":"integer"}},
 "upstream_calls":{"type":"integer"},"charged_calls":{"type":"integer"},"calls_saved":{"type":"integer"}}}}}})";

constexpr const char* kFleetOutput =
    R"({"type":"object","required":["mesh","peer_id","connected_peers","bytes_from_peers","bytes_to_peers","this_node","fleet"],"properties":{
"mesh":{"type":"boolean"},"peer_id":{"type":["string","null"]},"connected_peers":{"type":"integer"},"bytes_from_peers":{"type":"integer"},"bytes_to_peers":{"type":"integer"},
"this_node":{"type":"object","required":["requests","charged_calls","calls_saved"],"properties":{"requests":{"type":"integer"},"charged_calls":{"type":"integer"},"calls_saved":{"type":"integer"}}},
"fleet":{"type":["object","null"],"description":"sums over the live members, each counted once; null without a mesh",
 "required":["members","requests","charged_calls","calls_saved"],"properties":{"members":{"type":"integer"},"requests":{"type":"integer"},"charged_calls":{"type":"integer"},"calls_saved":{"type":"integer"}}}}})";

constexpr const char* kPeersOutput =
    R"({"type":"object","required":["mesh","why_none","peer_id","addresses","partitions","peers","contacts"],"properties":{
"mesh":{"type":"boolean"},"why_none":{"type":["string","null"],"description":"why there is no mesh"},"peer_id":{"type":["string","null"]},
"addresses":{"type":"array","items":{"type":"string"},"description":"where peers may dial this node"},"partitions":{"type":"integer"},
"settled":{"type":"boolean","description":"the first look for others is over"},
"peers":{"type":"array","items":{"type":"object","required":["peer_id","address","direction","rtt_ms","age_seconds","state","role","partitions","bytes_in","bytes_out","score"],"properties":{
 "peer_id":{"type":"string"},"address":{"type":"string"},"direction":{"enum":["in","out",""],"description":"empty: not connected"},"rtt_ms":{"type":["number","null"]},
 "age_seconds":{"type":"number"},"state":{"type":"string"},"role":{"type":"string"},"partitions":{"type":"integer"},"bytes_in":{"type":"integer"},"bytes_out":{"type":"integer"},
 "score":{"type":"number"}}}},
"contacts":{"type":"array","description":"heard of, but no members","items":{"type":"object","required":["address","source","failures","error"],"properties":{
 "address":{"type":"string"},"source":{"type":"string"},"failures":{"type":"integer"},"error":{"type":"string"}}}}}})";

constexpr const char* kExplainInput =
    R"({"type":"object","additionalProperties":false,"required":["path"],"properties":{
"path":{"type":"string","minLength":1,"maxLength":8192,"description":"a path of GitHub's API, with its query, or a URL"},
"accept":{"type":"string","minLength":1,"maxLength":200,"description":"the media type that would be asked for: github_get's is application/vnd.github+json; not given: none or */*, whichever is held"}}})";

constexpr const char* kExplainOutput =
    R"({"type":"object","description":"facts in reading order: class, key, freshness, what is held, what would happen and what it would cost","additionalProperties":{"type":"string"}})";

constexpr const char* kVerifyOutput =
    R"({"type":"object","required":["ok","checks"],"properties":{"ok":{"type":"boolean"},"checks":{"type":"array","items":{"type":"object",
"required":["name","ok","detail"],"properties":{"name":{"type":"string"},"ok":{"type":"boolean"},"detail":{"type":"string"}}}}}})";

constexpr const char* kGetInput = R"({"type":"object","additionalProperties":false,"required":["path"],"properties":{
"path":{"type":"string","minLength":1,"maxLength":2048,"description":"a path such as /repos/cli/cli/issues, or a template such as /repos/{owner}/{repo}/contents/{+path}"},
"parameters":{"type":"object","maxProperties":50,"additionalProperties":{"type":["string","integer","boolean"]},"description":"values for the template; the others go into the query"},
"paginate":{"type":"boolean","description":"follow the pages of a list and join them"},
"max_pages":{"type":"integer","minimum":1,"maximum":100,"description":"10 if not given"},
"accept":{"type":"string","minLength":1,"maxLength":200,"description":"a media type other than application/vnd.github+json"}}})";

constexpr const char* kGetOutput =
    R"({"type":"object","required":["status","path","pages","items","cache","next","body"],"properties":{
"status":{"type":"integer","description":"of the last page"},"path":{"type":"string"},"pages":{"type":"integer"},
"items":{"type":["integer","null"],"description":"members of the joined list; null for what is no list"},
"cache":{"type":"array","items":{"type":"string"},"description":"Cache-Status of each page"},
"next":{"type":["string","null"],"description":"the page after the last that was fetched, if there is one"},
"body":{"description":"JSON as GitHub gave it, pages joined; a text for what is not JSON"}}})";

constexpr const char* kPurgeInput =
    R"({"type":"object","additionalProperties":false,"required":["pattern"],"properties":{
"pattern":{"type":"string","minLength":1,"maxLength":1024,"description":"a path, /repos/OWNER/REPO/*, or * for everything"},
"mesh":{"type":"boolean","description":"on the other members, too"}}})";
constexpr const char* kPurgeOutput =
    R"({"type":"object","required":["purged"],"properties":{"purged":{"type":"integer","description":"entries dropped on this node"}}})";

using ToolResult = io::Task<Result<Json>>;
struct Tool {
  const char* name;
  const char* title;
  const char* description;
  const char* input;
  const char* output;
  bool destructive;
  bool open_world;  // asks GitHub
  ToolResult (*run)(const Shop& shop, Call& call, const Json& arguments);
};

Json parsed(const std::string& text) { return Json::parse(text); }

// Who asked GitHub, the costliest first. A member that has told nothing yet is left out.
Json nodes_by_cost(const Json& stats, const Json& mesh) {
  std::vector<Json> rows{Json{{"peer_id", stats["peer_id"]},
                              {"this_node", true},
                              {"state", "alive"},
                              {"requests", stats["requests"]},
                              {"charged_calls", stats["charged_calls"]},
                              {"calls_saved", stats["calls_saved"]}}};
  for (const Json& peer : mesh["peers"]) {
    if (peer["charged_calls"].is_null()) continue;
    Json row{{"peer_id", peer["peer_id"]}, {"this_node", false}, {"state", peer["state"]}};
    for (const char* name : {"requests", "charged_calls", "calls_saved"}) row[name] = peer[name];
    // Those that were charged most come first, equals as they are listed.
    const auto charged = [](const Json& each) { return each["charged_calls"].get<std::uint64_t>(); };
    rows.insert(std::ranges::upper_bound(rows, charged(row), std::ranges::greater{}, charged), row);
  }
  return rows;
}

// Each token's row with who spent it by node.
Json tokens_by_node(Json rows, const Json& self) {
  for (Json& row : rows) {
    Json by_node = std::move(row["spent_by_member"]);
    row.erase("spent_by_member");
    by_node[self.is_string() ? self.get<std::string>() : "this node"] = row["spent_by_this_node"];
    row["by_node"] = std::move(by_node);
  }
  return rows;
}

ToolResult quota_report(const Shop& shop, Call&, const Json&) {
  const Json stats = parsed(shop.backend.stats());
  Json by_class = Json::array();
  for (const Json& row : parsed(shop.backend.activity())["classes"])
    by_class.push_back(Json{{"class", row["class"]},
                            {"requests", row["requests"]},
                            {"charged_calls", row["charged_calls"]},
                            {"calls_saved", row["calls_saved"]}});
  co_return Json{{"tokens", tokens_by_node(parsed(shop.backend.quota())["quota"], stats["peer_id"])},
                 {"by_class", std::move(by_class)},
                 {"by_node", nodes_by_cost(stats, parsed(shop.backend.peers()))},
                 {"requests", stats["requests"]},
                 {"charged_calls", stats["charged_calls"]},
                 {"calls_saved", stats["calls_saved"]}};
}

ToolResult cache_stats(const Shop& shop, Call&, const Json&) {
  const Json stats = parsed(shop.backend.stats());
  Json out = Json::object();
  for (const char* name :
       {"requests",      "hit_rate",     "local_hits",    "peer_hits",  "proofs",       "peer_proofs",
        "collapsed",     "stale_served", "misses",        "bypassed",   "errors",       "upstream_calls",
        "charged_calls", "free_304s",    "calls_saved",   "entries",    "memory_bytes", "disk_bytes",
        "evictions",     "expirations",  "invalidations", "proof_state"})
    out[name] = stats[name];
  out["classes"] = parsed(shop.backend.activity())["classes"];
  co_return out;
}

ToolResult fleet_stats(const Shop& shop, Call&, const Json&) {
  const Json stats = parsed(shop.backend.stats());
  Json own = Json::object();
  for (const char* name : {"requests", "charged_calls", "calls_saved"}) own[name] = stats[name];
  Json out{{"mesh", !stats["fleet"].is_null()}};
  for (const char* name : {"peer_id", "connected_peers", "bytes_from_peers", "bytes_to_peers"}) out[name] = stats[name];
  out["this_node"] = std::move(own);
  out["fleet"] = stats["fleet"];
  co_return out;
}

ToolResult list_peers(const Shop& shop, Call&, const Json&) { co_return parsed(shop.backend.peers()); }

ToolResult explain_request(const Shop& shop, Call& call, const Json& arguments) {
  std::optional<std::string> accept;
  if (const auto given = arguments.find("accept"); given != arguments.end()) accept = given->get<std::string>();
  Result<std::string> text =
      co_await shop.backend.explain(arguments["path"].get<std::string>(), call.authorization, std::move(accept));
  if (!text) co_return std::unexpected(std::move(text.error()));
  co_return parsed(*text);
}

ToolResult verify_mesh(const Shop& shop, Call&, const Json&) { co_return parsed(co_await shop.backend.verify()); }

ToolResult purge(const Shop& shop, Call&, const Json& arguments) {
  Result<std::uint64_t> purged =
      co_await shop.backend.purge(arguments["pattern"].get<std::string>(), arguments.value("mesh", false));
  if (!purged) co_return std::unexpected(std::move(purged.error()));
  co_return Json{{"purged", *purged}};
}

constexpr Tool kTools[] = {
    {"quota_report", "Where the rate limit goes",
     "The rate limits of every token this node has seen, as GitHub last said them: limit, used, remaining, reset, what "
     "each node spent and what others did, by class of request for this node, a forecast; and charged calls by class "
     "and by node.",
     kNothing, kQuotaOutput, false, false, quota_report},
    {"cache_stats", "What the cache did",
     "Requests by kind of answer, hit rates by class of request, upstream and charged calls, calls saved, sizes.",
     kNothing, kCacheOutput, false, false, cache_stats},
    {"fleet_stats", "What the fleet did", "Sums over all live members of the mesh, and this node's own part.", kNothing,
     kFleetOutput, false, false, fleet_stats},
    {"list_peers", "Members of the mesh", "The members this node knows: state, round-trip time, bytes, role.", kNothing,
     kPeersOutput, false, false, list_peers},
    {"explain_request", "Explain a request",
     "What would happen to a GET and why: class, key, freshness, what is held, what it would cost. Nothing is fetched.",
     kExplainInput, kExplainOutput, false, false, explain_request},
    {"verify_mesh", "Verify this node and its mesh",
     "Checks end to end that the node answers, has an identity and peers, and sees a quota.", kNothing, kVerifyOutput,
     false, false, verify_mesh},
    {"github_get", "Read GitHub through the cache",
     "A GET to GitHub's REST API. What is held or can be proved costs no quota. Lists can be joined over their pages.",
     kGetInput, kGetOutput, false, true, github_get},
    {"purge", "Drop cached answers",
     "Drops what is held for a path, a repository or everything. It is fetched, and charged, anew.", kPurgeInput,
     kPurgeOutput, true, false, purge},
};

Json describe(const Tool& tool) {
  return Json{{"name", tool.name},
              {"title", tool.title},
              {"description", tool.description},
              {"inputSchema", parsed(tool.input)},
              {"outputSchema", parsed(tool.output)},
              {"annotations",
               {{"title", tool.title},
                {"readOnlyHint", !tool.destructive},
                {"destructiveHint", tool.destructive},
                {"idempotentHint", true},
                {"openWorldHint", tool.open_world}}}};
}

Json failed(std::string what) {
  return Json{{"content", Json::array({Json{{"type", "text"}, {"text", std::move(what)}}})}, {"isError", true}};
}

}  // namespace

Json list_tools() {
  static const Json tools = [] {
    Json out = Json::array();
    for (const Tool& tool : kTools) out.push_back(describe(tool));
    return Json{{"tools", std::move(out)}};
  }();
  return tools;
}

io::Task<RpcResult> call_tool(const Shop& shop, Call& call, Json params) {
  const auto name = params.find("name");
  const Tool* tool = nullptr;
  for (const Tool& one : kTools)
    if (name != params.end() && *name == one.name) tool = &one;
  if (tool == nullptr) co_return std::unexpected(RpcError{kInvalidParams, "there is no such tool", nullptr});
  const Json arguments = params.value("arguments", Json(Json::object()));
  // Said in the result, where the caller can read it and do better.
  if (const auto bad = mismatch(parsed(tool->input), arguments)) co_return failed(*bad);
  Result<Json> value = co_await tool->run(shop, call, arguments);
  if (!value) co_return failed(value.error().message);
  Json out{{"content", Json::array({Json{{"type", "text"}, {"text", dump(*value)}}})}};
  const bool refused = tool->run == &github_get && (*value)["status"].get<int>() >= 400;
  out["structuredContent"] = std::move(*value);
  out["isError"] = refused;
  co_return out;
}

}  // namespace ghmesh::mcp
