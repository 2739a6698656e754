// SPDX-License-Identifier: Apache-2.0
#include "shelter.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace ghmesh::cli {

bool may_hold_secret(std::string_view name) {
  constexpr std::array<std::string_view, 7> kWords{"TOKEN",      "SECRET",  "PASSWORD", "PASSWD",
                                                   "CREDENTIAL", "PRIVATE", "_KEY"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [name](std::string_view word) { return name.find(word) != std::string_view::npos; });
}

void shelter_process(const node::config::Variables& variables) {
  // Debuggers of the same user are kept out, too: that is the point.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  for (const auto& [name, value] : variables.all()) {
    if (!may_hold_secret(name)) continue;
    if (char* shown = ::getenv(name.c_str())) std::memset(shown, 0, std::strlen(shown));
  }
}

}  // namespace ghmesh::cli
