#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The npm release of the suite against the engine in simulated time, both columns of the table.
#   engine_suite.sh DRIVER
# Exits 77 where Node or the suite is not installed (tools/deps.sh npm tests/conformance).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
command -v node >/dev/null 2>&1 || { echo "skipped: no node"; exit 77; }
[ -d "$here/node_modules/http-cache-tests" ] || { echo "skipped: the suite is not installed"; exit 77; }
suite=$(mktemp)
trap 'rm -f "$suite"' EXIT
node "$here/export.mjs" > "$suite"
for column in shared private; do
  echo "$column:"
  "$1" "$suite" "$here/http-cache-tests-0.4.5.tsv" --column "$column" --want 85
done
