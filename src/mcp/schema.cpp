// SPDX-License-Identifier: Apache-2.0
#include "schema.hpp"

namespace ghmesh::mcp {
namespace {

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  return type == "null" && value.is_null();
}

std::optional<std::string> type_mismatch(const Json& schema, const Json& value, const std::string& where) {
  const auto type = schema.find("type");
  if (type == schema.end()) return std::nullopt;
  if (type->is_string()) {
    if (has_type(value, type->get<std::string>())) return std::nullopt;
    return where + " must be of type " + type->get<std::string>();
  }
  for (const Json& one : *type)
    if (has_type(value, one.get<std::string>())) return std::nullopt;
  return where + " must be of one of the types " + dump(*type);
}

std::optional<std::string> object_mismatch(const Json& schema, const Json& value, const std::string& where) {
  for (const Json& name : schema.value("required", Json::array()))
    if (!value.contains(name.get<std::string>())) return where + " needs " + name.get<std::string>();
  if (value.size() > schema.value("maxProperties", std::size_t{1000})) return where + " has too many members";
  const Json properties = schema.value("properties", Json::object());
  for (const auto& [name, member] : value.items()) {
    const std::string place = where + "." + name.substr(0, 64);
    if (const auto known = properties.find(name); known != properties.end()) {
      if (auto bad = mismatch(*known, member, place)) return bad;
      continue;
    }
    const auto additional = schema.find("additionalProperties");
    if (additional == schema.end()) continue;
    if (additional->is_object()) {
      if (auto bad = mismatch(*additional, member, place)) return bad;
    } else if (!additional->get<bool>()) {
      return place + " is not known";
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> mismatch(const Json& schema, const Json& value, const std::string& where) {
  if (auto bad = type_mismatch(schema, value, where)) return bad;
  if (const auto all = schema.find("enum"); all != schema.end())
    if (std::find(all->begin(), all->end(), value) == all->end()) return where + " must be one of " + dump(*all);
  if (value.is_number()) {
    if (value.get<double>() < schema.value("minimum", -1e300)) return where + " is too small";
    if (value.get<double>() > schema.value("maximum", 1e300)) return where + " is too large";
  }
  if (value.is_string()) {
    const std::size_t size = value.get_ref<const std::string&>().size();
    if (size < schema.value("minLength", std::size_t{0})) return where + " is too short";
    if (size > schema.value("maxLength", ~std::size_t{0})) return where + " is too long";
  }
  if (value.is_object()) return object_mismatch(schema, value, where);
  return std::nullopt;
}

}  // namespace ghmesh::mcp
