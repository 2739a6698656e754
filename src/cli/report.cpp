// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <array>
#include <ctime>
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

std::string fixed(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
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

// A point in time for people.
std::string utc(std::int64_t unix_seconds) {
  const std::time_t seconds = unix_seconds;
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return std::to_string(unix_seconds);
  char text[40];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &parts));
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
  static constexpr std::string_view kReset = "reset";
  static constexpr std::array kColumns{"token",
                                       "resource",
                                       "limit",
                                       "remaining",
                                       "used",
                                       "reset",
                                       "spent_by_this_node",
                                       "spent_by_members",
                                       "spent_by_others",
                                       "forecast_remaining"};
  std::vector<Row> rows{Row(kColumns.begin(), kColumns.end())};
  for (const Json& entry : *list) {
    Row row;
    for (const char* column : kColumns) {
      const Json member = entry.is_object() && entry.contains(column) ? entry[column] : Json("-");
      row.push_back(column == kReset && member.is_number_integer() ? utc(member.get<std::int64_t>()) : scalar(member));
    }
    rows.push_back(std::move(row));
  }
  return aligned(rows);
}

std::string peers_table_of(std::string_view json) {
  const Json value = Json::parse(json, nullptr, false);
  if (!value.is_object() || !value.contains("peers") || !value["peers"].is_array()) return table_of(json);
  if (value.contains("why_none") && value["why_none"].is_string())
    return "no mesh: " + printable(value["why_none"].get<std::string>()) + "\n";
  static constexpr std::array kColumns{"peer_id", "address",    "rtt_ms",   "age_seconds", "state",
                                       "role",    "partitions", "bytes_in", "bytes_out",   "score"};
  std::vector<Row> rows{Row(kColumns.begin(), kColumns.end())};
  for (const Json& entry : value["peers"]) {
    Row row;
    for (const char* column : kColumns) {
      const Json member = entry.is_object() ? entry.value(column, Json()) : Json();
      row.push_back(member.is_number_float() ? fixed(member.get<double>()) : scalar(member));
    }
    rows.push_back(std::move(row));
  }
  std::string out = rows.size() > 1 ? aligned(rows) : "no peers\n";
  std::vector<Row> others{{"heard of", "from", "failures", "why it is no member"}};
  for (const Json& entry : value.value("contacts", Json::array()))
    if (entry.is_object())
      others.push_back({scalar(entry.value("address", Json())), scalar(entry.value("source", Json())),
                        scalar(entry.value("failures", Json())), scalar(entry.value("error", Json()))});
  return others.size() > 1 ? out + "\n" + aligned(others) : out;
}

std::string checks_table_of(std::string_view json) {
  const Json value = Json::parse(json, nullptr, false);
  if (!value.is_object() || !value.contains("checks") || !value["checks"].is_array()) return table_of(json);
  std::vector<Row> rows;
  for (const Json& check : value["checks"])
    if (check.is_object())
      rows.push_back({check.value("ok", Json()) == Json(true) ? "ok" : "FAILED", scalar(check.value("name", Json())),
                      scalar(check.value("detail", Json()))});
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
