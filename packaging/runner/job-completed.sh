#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ACTIONS_RUNNER_HOOK_JOB_COMPLETED of a self-hosted runner: the end of what job-started.sh began.
set -u
program=${GHMESH_BIN:-ghmesh}
command -v "$program" >/dev/null 2>&1 || exit 0
"$program" stop || echo "::warning title=ghmesh::stop ended with $?"
exit 0
