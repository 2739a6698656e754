#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs one file of tests: run.sh FILE. Exit status 77 (skipped) where the packages are not installed:
# tools/deps.sh npm tests/runner tests/e2e action.
set -eu
cd "$(dirname "$0")"
[ -d node_modules ] && [ -d ../e2e/node_modules ] && [ -d ../../action/node_modules ] || exit 77
exec node --no-warnings --test "$1"
