// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "job_output.hpp"
#include "node/config/variables.hpp"
#include "session.hpp"

// The way back from what init has set (environment.hpp has the way there).

namespace ghmesh::cli {

// Back to what was there before the session, for the steps that follow. What somebody else has set since is theirs.
Result<> restore_variables(const Session& session, const node::config::Variables& now, JobOutput& output);

// What stands for "not set" where a variable can be emptied but not unset (GITHUB_ENV). Empty for most; OpenSSL and git
// take an empty file name for a file, so they get the system's own bundle.
std::string neutral_value(std::string_view name);

}  // namespace ghmesh::cli
