// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

// JSON-RPC 2.0 as MCP uses it: one object a message, no batches (MCP 2025-06-18, "Base Protocol"). Pure.

namespace ghmesh::mcp {

using Json = nlohmann::ordered_json;

struct RpcError {
  int code = 0;
  std::string message;
  Json data = nullptr;
};
using RpcResult = std::expected<Json, RpcError>;

inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;
inline constexpr int kResourceNotFound = -32002;
inline constexpr int kBusy = -32000;

struct Message {
  enum class Kind { Request, Notification, Response } kind = Kind::Request;
  Json id;  // a text or a number, of requests and responses
  std::string method;
  Json params = Json::object();
};

// Nothing for what is not JSON, or nested deeper than max_depth.
std::optional<Json> parse_json(std::string_view text, std::size_t max_depth);
std::expected<Message, RpcError> parse_message(std::string_view text, std::size_t max_depth);

// One line each, without a newline; octets that are not UTF-8 become U+FFFD.
std::string dump(const Json& value);
std::string format_result(const Json& id, const Json& result);
std::string format_error(const Json& id, const RpcError& error);
std::string format_notification(std::string_view method, const Json& params);

}  // namespace ghmesh::mcp
