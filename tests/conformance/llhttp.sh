#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The HTTP/1.1 parser against the llhttp of the Node that is installed.
#   llhttp.sh DIFFERENTIAL_DUMP
# Exits 77 where there is no Node.
set -eu
command -v node >/dev/null 2>&1 || { echo "skipped: no node"; exit 77; }
exec node --no-warnings "$(dirname "$0")/llhttp.mjs" "$1"
