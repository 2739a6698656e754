// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "command.hpp"
#include "demo_github.hpp"

namespace ghmesh::cli {

// The second story of the demo: 200 jobs of one repository, a token each, 20 questions, a budget of 1,000 that they
// share. Directly most are refused, through a node none. An exit status.
int tell_jobs(Context& context, DemoGithub& github);

}  // namespace ghmesh::cli
