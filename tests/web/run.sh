#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs one file of tests: run.sh FILE. Exit status 77 (skipped) where the packages are not installed: tools/deps.sh, and
# tools/deps.sh npm tests/web web.
set -eu
cd "$(dirname "$0")"
[ -d node_modules ] && [ -d ../../web/node_modules ] || exit 77
exec node --test "$1"
