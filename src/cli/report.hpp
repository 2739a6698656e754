// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

// The node's JSON as text for people. What is not JSON is shown as it is. Octets that a terminal would act on are not
// passed on.

namespace ghmesh::cli {

// One member a line, names and values in columns; nested members as "quota.core.limit".
std::string table_of(std::string_view json);

// /api/quota as one row per token and resource.
// /api/peers as a table of peers, then of contacts.
std::string peers_table_of(std::string_view json);
// /api/verify as one line per check.
std::string checks_table_of(std::string_view json);
std::string quota_table_of(std::string_view json);

// "42 requests, 12 charged by GitHub, 30 saved" of /api/stats; nothing if it is not that.
std::optional<std::string> savings_of(std::string_view stats_json);

// The "message" of an error body, or its first line.
std::string message_of(std::string_view body);

}  // namespace ghmesh::cli
