// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <vector>

namespace ghmesh::cli {

namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<std::string>;

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

std::string scalar(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return printable(value.get<std::string>());
  return printable(value.dump(-1, ' ', true, Json::error_handler_t::replace));
}

bool is_flat(const Json& value) {
  return std::none_of(value.begin(), value.end(), [](const Json& element) { return element.is_structured(); });
}

void flatten(const Json& value, const std::string& name, std::vector<Row>& rows) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) flatten(member, name.empty() ? key : name + "." + key, rows);
    return;
  }
  if (value.is_array() && !is_flat(value)) {
    for (std::size_t i = 0; i < value.size(); ++i) flatten(value[i], name + "." + std::to_string(i), rows);
    return;
  }
  std::string text;
  if (value.is_array()) {
    for (const Json& element : value) text += (text.empty() ? "" : ", ") + scalar(element);
    if (text.empty()) text = "-";
  } else {
    text = scalar(value);
  }
  rows.push_back({printable(name), std::move(text)});
}

std::string aligned(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - row[i].size() + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

}  // namespace

std::string table_of(std::string_view json) {
  const Json value = Json::parse(json, nullptr, false);
  if (value.is_discarded()) return std::string(json);
  std::vector<Row> rows;
  flatten(value, "", rows);
  return aligned(rows);
}

std::string quota_table_of(std::string_view json) {
  const Json value = Json::parse(json, nullptr, false);
  const Json* list = value.is_array() ? &value : nullptr;
  if (value.is_object() && value.contains("quota") && value["quota"].is_array()) list = &value["quota"];
  if (list == nullptr) return table_of(json);
  if (list->empty()) return "no quota seen yet\n";
  static constexpr std::array kColumns{"token", "resource",          "limit", "remaining", "used",
                                       "reset", "spent_by_this_node"};
  std::vector<Row> rows{Row(kColumns.begin(), kColumns.end())};
  for (const Json& entry : *list) {
    Row row;
    for (const char* column : kColumns)
      row.push_back(entry.is_object() && entry.contains(column) ? scalar(entry[column]) : "-");
    rows.push_back(std::move(row));
  }
  return aligned(rows);
}

std::optional<std::string> savings_of(std::string_view stats_json) {
  const Json value = Json::parse(stats_json, nullptr, false);
  for (const char* name : {"requests", "charged_calls", "calls_saved"}) {
    if (!value.is_object() || !value.contains(name) || !value[name].is_number_integer()) return std::nullopt;
  }
  const auto requests = value["requests"].get<std::int64_t>();
  return std::to_string(requests) + (requests == 1 ? " request, " : " requests, ") +
         std::to_string(value["charged_calls"].get<std::int64_t>()) + " charged by GitHub, " +
         std::to_string(value["calls_saved"].get<std::int64_t>()) + " saved";
}

std::string message_of(std::string_view body) {
  const Json value = Json::parse(body, nullptr, false);
  if (value.is_object() && value.contains("message") && value["message"].is_string())
    return printable(value["message"].get<std::string>());
  return printable(body.substr(0, std::min<std::size_t>(body.find('\n'), 200)));
}

}  // namespace ghmesh::cli
