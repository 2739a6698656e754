#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs one file of tests: run.sh FILE. Exit status 77 (skipped) where the packages are not installed: npm ci in this
# folder, or tools/deps.sh npm tests/mcp.
set -eu
cd "$(dirname "$0")"
[ -d node_modules ] || exit 77
exec node --test "$1"
