// SPDX-License-Identifier: Apache-2.0
// verify: what the node can check by itself is asked of it; that it answers clients, reaches GitHub and sees a quota is
// seen from here, as a client would.
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "node_client.hpp"
#include "report.hpp"

namespace ghmesh::cli {

namespace {

using Json = nlohmann::ordered_json;

Json check(std::string_view name, bool ok, std::string detail) {
  return Json{{"name", name}, {"ok", ok}, {"detail", std::move(detail)}};
}

// "core: 4987 of 5000 left", or nothing if it is no rate limit.
std::optional<std::string> quota_of(std::string_view body) {
  const Json value = Json::parse(body, nullptr, false);
  const Json resources = value.is_object() ? value.value("resources", Json()) : Json();
  const Json core = resources.is_object() ? resources.value("core", Json()) : Json();
  if (!core.is_object() || !core.value("limit", Json()).is_number_integer() ||
      !core.value("remaining", Json()).is_number_integer())
    return std::nullopt;
  return "core: " + std::to_string(core["remaining"].get<std::int64_t>()) + " of " +
         std::to_string(core["limit"].get<std::int64_t>()) + " left";
}

// The listener, and through it GitHub: one question that costs nothing.
void try_as_client(const NodeAddress& node, const Context& context, Json& checks) {
  if (!node.listen) {
    checks.push_back(check("listener", false, "the node names no HTTP listener"));
    return;
  }
  const std::string at = "http://" + io::to_string(*node.listen);
  Question question{.target = "/rate_limit",
                    .fields = {{"Host", "api.github.com"},
                               {"User-Agent", "ghmesh/" GHMESH_VERSION},
                               {"Accept", "application/vnd.github+json"}},
                    .body = {}};
  const auto token = authorization_of(context.variables);
  if (token) question.fields.add("Authorization", *token);
  const Result<WholeReply> reply = ask(*node.listen, question);
  if (!reply) {
    checks.push_back(check("listener", false, at + " does not answer: " + reply.error().message));
    return;
  }
  checks.push_back(check("listener", true, at));
  const std::string whose = token ? "" : " (anonymous; set GH_TOKEN to see a token's)";
  if (reply->status != 200) {
    checks.push_back(check("quota", false,
                           "GET /rate_limit gave " + std::to_string(reply->status) + ": " + message_of(reply->body)));
  } else if (const auto quota = quota_of(reply->body)) {
    checks.push_back(check("quota", true, *quota + whose));
  } else {
    checks.push_back(check("quota", false, "GET /rate_limit gave no rate limit; is --upstream GitHub's API?"));
  }
}

}  // namespace

int verify(const Arguments& arguments, Context& context) {
  const Result<NodeAddress> node = find_node(arguments, context.variables);
  if (!node) return complain(context, kFailed, "verify: " + node.error().message);
  if (!node->admin) return complain(context, kNoNode, "verify: the node's admin listener is off (--admin off)");
  const Result<WholeReply> reply =
      ask(*node->admin, {.method = "POST", .target = "/api/verify", .fields = {}, .body = {}});
  if (!reply)
    return complain(context, kNoNode,
                    "verify: no node answers at " + io::to_string(*node->admin) + " (" + node->source +
                        "): " + reply.error().message + "; start one with: ghmesh serve");
  Json checks = Json::array({check("admin", reply->status == 200, "http://" + io::to_string(*node->admin))});
  try_as_client(*node, context, checks);
  const Json own = Json::parse(reply->body, nullptr, false);
  if (reply->status != 200 || !own.is_object() || !own.value("checks", Json()).is_array())
    return complain(context, kFailed,
                    "verify: the node says " + std::to_string(reply->status) + ": " + message_of(reply->body));
  for (const Json& each : own["checks"]) checks.push_back(each);
  const bool ok = std::all_of(checks.begin(), checks.end(), [](const Json& each) {
    return each.is_object() && each.value("ok", Json()) == Json(true);
  });
  const std::string json =
      Json{{"ok", ok}, {"checks", std::move(checks)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  context.out << (arguments.has("json") ? json + "\n" : checks_table_of(json));
  return ok ? kDone : kFailed;
}

}  // namespace ghmesh::cli
