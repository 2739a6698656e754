// SPDX-License-Identifier: Apache-2.0
// What a client of MCP sends: read without surprise, and what was read can be written again.
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "calls.hpp"
#include "json_rpc.hpp"
#include "mcp/limits.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghmesh::mcp;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto message = parse_message(text, Limits().json_depth);
  if (!message) return 0;
  const std::string again = dump(message->params);
  GHMESH_CHECK(again.find('\n') == std::string::npos);
  GHMESH_CHECK(parse_json(again, Limits().json_depth + 1).has_value());
  const Json arguments = message->params.value("arguments", Json(Json::object()));
  if (arguments.is_object() && arguments.contains("path") && arguments["path"].is_string()) {
    const auto target = expand_target(arguments["path"].get<std::string>(), arguments);
    // Nothing can end the request line.
    if (target) GHMESH_CHECK(target->starts_with('/') && target->find_first_of(" \r\n\t") == std::string::npos);
  }
  return 0;
}
