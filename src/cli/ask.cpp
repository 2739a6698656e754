// SPDX-License-Identifier: Apache-2.0
// Commands that ask a running node: get, explain, stats, quota, purge.
#include "command.hpp"
#include "http/message/message.hpp"
#include "http/message/url.hpp"
#include "node_client.hpp"
#include "report.hpp"

namespace ghmesh::cli {

namespace {

constexpr std::string_view kGitHub = "api.github.com";

int no_node(Context& context, std::string_view command, const NodeAddress& node, const io::Endpoint& at,
            const Error& error) {
  return complain(context, kNoNode,
                  std::string(command) + ": no node answers at " + io::to_string(at) + " (" + node.source +
                      "): " + error.message + "; start one with: ghmesh serve");
}

// A path or URL as a request target; and whether the user's token may go with it.
struct Wanted {
  std::string target;
  std::string host;
  bool ours = false;
};

Result<Wanted> parse_wanted(const std::string& text) {
  if (text.find_first_of(" \t\r\n#") != std::string::npos)
    return fail(ErrorCode::Malformed, "'" + text + "' has white space or a fragment; encode it");
  if (text.starts_with('/')) return Wanted{text, std::string(kGitHub), true};
  if (text.find("://") == std::string::npos) return Wanted{"/" + text, std::string(kGitHub), true};
  Result<http::Url> url = http::parse_url(text);
  if (!url) return std::unexpected(std::move(url.error()));
  // Origin-form for GitHub's API, so that a node of another upstream answers for it too; absolute-form for other hosts.
  if (url->host == kGitHub) return Wanted{url->target, std::string(kGitHub), true};
  return Wanted{url->text(), url->authority(), false};
}

Result<http::Fields> parse_headers(const std::vector<std::string>& lines) {
  http::Fields fields;
  for (const std::string& line : lines) {
    const std::size_t colon = line.find(':');
    const std::string_view name = std::string_view(line).substr(0, colon);
    const std::string_view value =
        colon == std::string::npos ? std::string_view() : http::trim(std::string_view(line).substr(colon + 1));
    if (colon == std::string::npos || !http::is_token(name) || !http::is_field_value(value))
      return fail(ErrorCode::Malformed, "--header '" + line + "': not of the form 'Name: value'");
    fields.add(name, value);
  }
  return fields;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[octet >> 4];
      out += kDigits[octet & 15];
    }
  }
  return out;
}

// Asks the admin listener; prints the JSON or what render makes of it.
int report(const Arguments& arguments, Context& context, std::string_view command, Question question,
           std::string (*render)(std::string_view json)) {
  const Result<NodeAddress> node = find_node(arguments, context.variables);
  if (!node) return complain(context, kFailed, std::string(command) + ": " + node.error().message);
  if (!node->admin)
    return complain(context, kNoNode, std::string(command) + ": the node's admin listener is off (--admin off)");
  const Result<WholeReply> reply = ask(*node->admin, question);
  if (!reply) return no_node(context, command, *node, *node->admin, reply.error());
  if (reply->status >= 300) {
    return complain(
        context, kFailed,
        std::string(command) + ": the node says " + std::to_string(reply->status) + ": " + message_of(reply->body));
  }
  context.out << (arguments.has("json") ? reply->body : render(reply->body));
  if (arguments.has("json") && !reply->body.ends_with('\n')) context.out << '\n';
  return kDone;
}

}  // namespace

int get(const Arguments& arguments, Context& context) {
  const Result<NodeAddress> node = find_node(arguments, context.variables);
  if (!node) return complain(context, kFailed, "get: " + node.error().message);
  if (!node->listen) return complain(context, kNoNode, "get: the node has no HTTP listener");
  const Result<Wanted> wanted = parse_wanted(arguments.operands[0]);
  if (!wanted) return complain(context, kUsage, "get: " + wanted.error().message);
  Result<http::Fields> fields = parse_headers(arguments.all("header"));
  if (!fields) return complain(context, kUsage, "get: " + fields.error().message);
  if (!fields->has("Host")) fields->add("Host", wanted->host);
  if (!fields->has("User-Agent")) fields->add("User-Agent", "ghmesh/" GHMESH_VERSION);
  if (!fields->has("Accept")) fields->add("Accept", "*/*");
  if (wanted->ours && !fields->has("Authorization")) {
    if (const auto token = authorization_of(context.variables)) fields->add("Authorization", *token);
  }
  const auto on_head = [&](const Reply& reply) {
    if (!arguments.has("include")) return;
    context.out << "HTTP/1.1 " << reply.status << " " << http::reason_phrase(reply.status) << "\r\n";
    for (const http::Field& field : reply.fields) context.out << field.name << ": " << field.value << "\r\n";
    context.out << "\r\n";
  };
  const auto on_piece = [&](std::string_view piece) { context.out << piece; };
  const Question question{.target = wanted->target, .fields = std::move(*fields), .body = {}};
  const Result<Reply> reply = ask(*node->listen, question, on_head, on_piece);
  if (!reply) return no_node(context, "get", *node, *node->listen, reply.error());
  if (!reply->complete) return complain(context, kFailed, "get: the answer broke off; what came is not the whole");
  if (reply->status >= 400) {
    return complain(context, kFailed,
                    "get: " + std::to_string(reply->status) + " " + std::string(http::reason_phrase(reply->status)));
  }
  return kDone;
}

int explain(const Arguments& arguments, Context& context) {
  const Result<Wanted> wanted = parse_wanted(arguments.operands[0]);
  if (!wanted) return complain(context, kUsage, "explain: " + wanted.error().message);
  Question question{.target = "/api/explain?target=" + percent_encoded(wanted->target), .fields = {}, .body = {}};
  if (const auto accept = arguments.get("accept")) question.target += "&accept=" + percent_encoded(*accept);
  if (const auto token = authorization_of(context.variables); token && wanted->ours)
    question.fields.add("Authorization", *token);
  return report(arguments, context, "explain", std::move(question), table_of);
}

int stats(const Arguments& arguments, Context& context) {
  return report(arguments, context, "stats", {.target = "/api/stats", .fields = {}, .body = {}}, table_of);
}

int peers(const Arguments& arguments, Context& context) {
  return report(arguments, context, "peers", {.target = "/api/peers", .fields = {}, .body = {}}, peers_table_of);
}

int quota(const Arguments& arguments, Context& context) {
  return report(arguments, context, "quota", {.target = "/api/quota", .fields = {}, .body = {}}, quota_table_of);
}

int purge(const Arguments& arguments, Context& context) {
  const std::string target = "/api/purge?pattern=" + percent_encoded(arguments.operands[0]);
  return report(arguments, context, "purge", {.method = "POST", .target = target, .fields = {}, .body = {}}, table_of);
}

}  // namespace ghmesh::cli
