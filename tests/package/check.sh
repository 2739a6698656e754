#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the libp2p library into a fresh prefix and builds the examples against nothing but that: once by its CMake
# package, once by pkg-config. Then two example processes ping each other, and two chat.
#   check.sh BUILD_DIR SOURCE_DIR CXX [FLAGS]
set -eu
build=$1 source=$2 cxx=$3 flags=${4:-}
work=$(mktemp -d)
pids=
trap 'for p in $pids; do kill "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT

cmake --install "$build" --component libp2p --prefix "$work/prefix" >"$work/install.log"
cmake -S "$source/examples" -B "$work/cmake" -G Ninja -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_FLAGS="$flags" \
  -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/configure.log" || { cat "$work/configure.log"; exit 1; }
cmake --build "$work/cmake" >"$work/build.log" || { cat "$work/build.log"; exit 1; }

PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig:$work/prefix/lib/$(uname -m)-linux-gnu/pkgconfig
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
"$cxx" $flags "$source/examples/ping.cpp" $(pkg-config --cflags --libs ghmesh-libp2p) -o "$work/ping"

# Both programs print their address first; reading the pipe waits for it.
mkfifo "$work/address" "$work/keys" "$work/heard" "$work/reply"
"$work/cmake/example_ping" >"$work/address" &
pids="$pids $!"
read -r address <"$work/address"
"$work/ping" "$address" >"$work/pings"
[ "$(grep -c ' ms$' "$work/pings")" -eq 5 ] || { cat "$work/pings"; exit 1; }
if "$work/ping" /ip4/127.0.0.1/tcp/1/p2p/12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5 2>/dev/null; then
  echo "pinging nobody succeeded" >&2
  exit 1
fi

"$work/cmake/example_chat" <"$work/keys" >"$work/heard" &
pids="$pids $!"
exec 9>"$work/keys" 8<"$work/heard"
read -r address <&8
printf 'hello from the dialler\n' | "$work/cmake/example_chat" "$address" >"$work/reply" &
pids="$pids $!"
exec 7<"$work/reply"
read -r line <&8
[ "$line" = "> hello from the dialler" ] || { echo "heard: $line" >&2; exit 1; }
echo "answer from the listener" >&9
read -r line <&7
[ "$line" = "> answer from the listener" ] || { echo "reply: $line" >&2; exit 1; }
echo "package: installed, built by CMake and by pkg-config, pinged and chatted"
