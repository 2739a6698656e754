// SPDX-License-Identifier: Apache-2.0
#include "calls.hpp"

#include <algorithm>
#include <array>

namespace ghmesh::mcp {
namespace {

constexpr std::array<std::string_view, 3> kRevisions{"2025-11-25", "2025-06-18", "2025-03-26"};

constexpr const char* kInstructions =
    "ghmesh is a cache for the GitHub API that programs share. Ask quota_report where a token's rate limit goes, "
    "cache_stats and fleet_stats what was saved, explain_request what would happen to a request and why. Read GitHub "
    "through github_get rather than directly: repeated questions cost no quota. Every number is counted where it "
    "happens or comes from GitHub's own rate-limit fields; tokens are shown as fingerprints only.";

RpcError invalid(std::string what) { return {kInvalidParams, std::move(what), nullptr}; }

std::string text_of(const Json& params, const char* name) {
  const auto found = params.find(name);
  return found != params.end() && found->is_string() ? found->get<std::string>() : std::string();
}

RpcResult subscribe(const Shop& shop, Session& session, const Json& params, bool on) {
  const std::string uri = text_of(params, "uri");
  if (!is_resource(uri)) return std::unexpected(RpcError{kResourceNotFound, "no such resource", {{"uri", uri}}});
  if (!on) {
    session.subscriptions.erase(uri);
  } else if (session.subscriptions.size() < shop.limits.subscriptions) {
    session.subscriptions[uri] = fingerprint_of(uri, *read_resource(shop.backend, uri));
  } else {
    return std::unexpected(RpcError{kBusy, "too many subscriptions", nullptr});
  }
  return Json::object();
}

RpcResult read(const Shop& shop, const Json& params) {
  const std::string uri = text_of(params, "uri");
  std::optional<std::string> text = read_resource(shop.backend, uri);
  if (!text) return std::unexpected(RpcError{kResourceNotFound, "no such resource", {{"uri", uri}}});
  return Json{
      {"contents", Json::array({Json{{"uri", uri}, {"mimeType", "application/json"}, {"text", std::move(*text)}}})}};
}

}  // namespace

bool is_known_revision(std::string_view text) {
  return std::find(kRevisions.begin(), kRevisions.end(), text) != kRevisions.end();
}
std::string_view newest_revision() { return kRevisions.front(); }

RpcResult initialize(const Shop& shop, Session& session, const Json& params) {
  const std::string wanted = text_of(params, "protocolVersion");
  if (wanted.empty()) return std::unexpected(invalid("protocolVersion is missing"));
  session.version = is_known_revision(wanted) ? wanted : std::string(newest_revision());
  return Json{
      {"protocolVersion", session.version},
      {"capabilities",
       {{"tools", Json::object()},
        {"resources", {{"subscribe", true}}},
        {"prompts", Json::object()},
        {"logging", Json::object()}}},
      {"serverInfo", {{"name", "ghmesh"}, {"title", "ghmesh, a shared GitHub cache"}, {"version", shop.version}}},
      {"instructions", kInstructions}};
}

io::Task<RpcResult> handle(const Shop& shop, Session& session, Call& call, std::string method, Json params) {
  if (method == "ping") co_return Json::object();
  if (method == "tools/list") co_return list_tools();
  if (method == "tools/call") co_return co_await call_tool(shop, call, std::move(params));
  if (method == "resources/list") co_return list_resources();
  if (method == "resources/templates/list") co_return Json{{"resourceTemplates", Json::array()}};
  if (method == "resources/read") co_return read(shop, params);
  if (method == "resources/subscribe") co_return subscribe(shop, session, params, true);
  if (method == "resources/unsubscribe") co_return subscribe(shop, session, params, false);
  if (method == "prompts/list") co_return list_prompts();
  if (method == "prompts/get") co_return get_prompt(shop.backend, params);
  if (method == "logging/setLevel") {
    const auto level = parse_log_level(text_of(params, "level"));
    if (!level)
      co_return std::unexpected(
          invalid("level is one of debug, info, notice, warning, error, critical, alert, emergency"));
    session.log_level = level;
    co_return Json::object();
  }
  co_return std::unexpected(RpcError{kMethodNotFound, "there is no method '" + method.substr(0, 100) + "'", nullptr});
}

}  // namespace ghmesh::mcp
