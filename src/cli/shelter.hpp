// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "node/config/variables.hpp"

// Later steps of a job run as the user of the node that an earlier step started, and were not given that step's
// secrets. What Linux shows of a process to others of its user: its memory (ptrace, /proc/PID/mem, a core file) and the
// variables it was started with (/proc/PID/environ).

namespace ghmesh::cli {

// For processes that outlive the command that began them, once `variables` has been read from the environment: no
// memory and no core for others of this user (root excepted), and values of variables that may hold a secret are
// overwritten where the kernel shows them. What children are to have comes from `variables`. Before any thread starts.
void shelter_process(const node::config::Variables& variables);

// By its name: TOKEN, SECRET, PASSWORD, PASSWD, CREDENTIAL, PRIVATE or _KEY in it.
bool may_hold_secret(std::string_view name);

}  // namespace ghmesh::cli
