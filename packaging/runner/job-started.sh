#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ACTIONS_RUNNER_HOOK_JOB_STARTED of a self-hosted runner: every job gets a node, and no workflow says a word about it.
# In the runner's .env file:
#   ACTIONS_RUNNER_HOOK_JOB_STARTED=/opt/ghmesh/job-started.sh
#   ACTIONS_RUNNER_HOOK_JOB_COMPLETED=/opt/ghmesh/job-completed.sh
#   GHMESH_SECRET=…            what all runners of the fleet share; GHMESH_BIN where ghmesh is not on PATH
# A hook that fails would fail the job, so this never does.
set -u
program=${GHMESH_BIN:-ghmesh}
if ! command -v "$program" >/dev/null 2>&1; then
  echo "::warning title=ghmesh::no cache for this job: $program is no program (GHMESH_BIN)"
  exit 0
fi
"$program" init || echo "::warning title=ghmesh::no cache for this job: init ended with $?"
exit 0
