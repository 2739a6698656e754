#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The npm release of the suite against the real binary in plain RFC 9111 mode: without a credential and with one.
#   node_suite.sh GHMESH
# Exits 77 where Node or the suite is not installed (tools/deps.sh npm tests/conformance).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
command -v node >/dev/null 2>&1 || { echo "skipped: no node"; exit 77; }
[ -d "$here/node_modules/http-cache-tests" ] || { echo "skipped: the suite is not installed"; exit 77; }
# Both columns at once: nearly all of their time is waiting for answers to age.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
node --no-warnings "$here/run.mjs" --binary "$1" --column private >"$log" 2>&1 &
private=$!
status=0
node --no-warnings "$here/run.mjs" --binary "$1" || status=$?
wait "$private" || status=$?
echo "with a credential:"
cat "$log"
exit "$status"
