// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

// What a node saved, as a page of a job's summary.

namespace ghmesh::cli {

// Markdown of /api/stats: one table, and a mermaid pie of where answers came from. Nothing if it is not that.
std::optional<std::string> savings_page(std::string_view stats_json);

}  // namespace ghmesh::cli
