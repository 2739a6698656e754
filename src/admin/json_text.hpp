// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

// Single values of JSON, for texts that are put together by hand because they are many.

namespace ghmesh::admin {

// A quoted string; octets that are not UTF-8 become U+FFFD.
std::string json_text(std::string_view text);
// The shortest text that reads back as the same number; 0 for what JSON has no word for.
std::string json_number(double value);

}  // namespace ghmesh::admin
