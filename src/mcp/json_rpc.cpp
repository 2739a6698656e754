// SPDX-License-Identifier: Apache-2.0
#include "json_rpc.hpp"

namespace ghmesh::mcp {

std::optional<Json> parse_json(std::string_view text, std::size_t max_depth) {
  // What is too deep is noticed before it is built: writing it out again would recurse as deep.
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth) return std::nullopt;
    } else if (c == ']' || c == '}') {
      if (depth > 0) --depth;
    }
  }
  Json out = Json::parse(text, nullptr, false);
  if (out.is_discarded()) return std::nullopt;
  return out;
}

std::expected<Message, RpcError> parse_message(std::string_view text, std::size_t max_depth) {
  const auto bad = [](int code, const char* what) { return std::unexpected(RpcError{code, what, nullptr}); };
  std::optional<Json> value = parse_json(text, max_depth);
  if (!value) return bad(kParseError, "the message is not JSON, or is nested too deeply");
  if (value->is_array()) return bad(kInvalidRequest, "batches are no part of this protocol version");
  if (!value->is_object()) return bad(kInvalidRequest, "a message is an object");
  const auto version = value->find("jsonrpc");
  if (version == value->end() || *version != "2.0") return bad(kInvalidRequest, "jsonrpc must be \"2.0\"");
  Message out;
  if (const auto id = value->find("id"); id != value->end()) {
    if (!id->is_string() && !id->is_number_integer()) return bad(kInvalidRequest, "id must be a text or an integer");
    out.id = *id;
  }
  const auto method = value->find("method");
  if (method == value->end()) {
    if (!value->contains("result") && !value->contains("error"))
      return bad(kInvalidRequest, "a message has a method, a result or an error");
    out.kind = Message::Kind::Response;
    return out;
  }
  if (!method->is_string()) return bad(kInvalidRequest, "method must be a text");
  out.method = method->get<std::string>();
  out.kind = out.id.is_null() ? Message::Kind::Notification : Message::Kind::Request;
  if (const auto params = value->find("params"); params != value->end()) {
    if (!params->is_object()) return bad(kInvalidParams, "params must be an object");
    out.params = std::move(*params);
  }
  return out;
}

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string format_result(const Json& id, const Json& result) {
  return dump(Json{{"jsonrpc", "2.0"}, {"id", id}, {"result", result}});
}

std::string format_error(const Json& id, const RpcError& error) {
  Json body{{"code", error.code}, {"message", error.message}};
  if (!error.data.is_null()) body["data"] = error.data;
  return dump(Json{{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(body)}});
}

std::string format_notification(std::string_view method, const Json& params) {
  return dump(Json{{"jsonrpc", "2.0"}, {"method", method}, {"params", params}});
}

}  // namespace ghmesh::mcp
