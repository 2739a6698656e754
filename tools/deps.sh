#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what building, testing and measuring ghmesh needs on Debian 12, and nothing that is there already: a second
# run takes a tenth of a second and touches no network.
#
#   tools/deps.sh              Debian packages
#   tools/deps.sh npm DIR…     npm packages of DIR/package-lock.json into DIR/node_modules
set -eu

# build: compiler, linker, sanitizer run times, formatter, linter, build tools
BUILD="clang-19 lld-19 llvm-19 libclang-rt-19-dev clang-format-19 clang-tidy-19 cmake ninja-build ccache pkg-config
  libssl-dev libsodium-dev libzstd-dev zlib1g-dev libbrotli-dev libnghttp2-dev
  nlohmann-json3-dev libsimdjson-dev libtomlplusplus-dev"
# test: the frameworks, the parser we compare ours with, the real clients of tests/e2e (h2load is a benchmark's, too), promtool,
# groff for the manual page, a browser, dpkg-shlibdeps for the package of a release
TEST="libgtest-dev libgmock-dev libhttp-parser-dev python3 curl gh git openssl prometheus groff chromium nghttp2-client dpkg-dev"
# bench: the harness, the load generator, the peers we measure ourselves against
BENCH="libbenchmark-dev libsqlite3-dev wrk nginx-light varnish haproxy"

die() {
  echo "deps: $*" >&2
  exit 1
}

# Those of "$@" that are not installed.
missing_of() {
  have=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^.i  *//p')
  for package in "$@"; do
    printf '%s\n' "$have" | grep -qxF "$package" || echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo -n true 2>/dev/null || [ -t 0 ] || die "packages are missing and sudo wants a password; run as root: tools/deps.sh"
    sudo "$@"
  else
    die "packages are missing and this is neither root nor a machine with sudo; run as root: tools/deps.sh"
  fi
}

debian() {
  command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1 ||
    die "only Debian and its children are known here; install by hand: $(echo $BUILD $TEST $BENCH)"
  # shellcheck disable=SC2086  # the lists are lists
  missing=$(missing_of $BUILD $TEST $BENCH)
  # Node may come from elsewhere than Debian, then without a package named npm.
  command -v node >/dev/null 2>&1 || missing="$missing nodejs"
  command -v npm >/dev/null 2>&1 || missing="$missing npm"
  missing=$(echo $missing)
  [ -n "$missing" ] || return 0
  echo "deps: installing $missing"
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update -q || die "apt-get update failed; is the network there?"
  # No service is started: the peers of the benchmark are run by the benchmark itself.
  policy=/usr/sbin/policy-rc.d
  made=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null && as_root chmod 755 "$policy" && made=yes
  fi
  status=0
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing || status=$?
  [ -z "$made" ] || as_root rm -f "$policy"
  [ "$status" = 0 ] || die "apt-get could not install: $missing"
}

# node_modules of each DIR, made anew when its lock file has changed.
npm_packages() {
  for dir in "$@"; do
    [ -f "$dir/package-lock.json" ] || die "$dir has no package-lock.json"
    want=$(sha256sum "$dir/package-lock.json" | cut -d' ' -f1)
    [ "$(cat "$dir/node_modules/.ghmesh-lock" 2>/dev/null || true)" != "$want" ] || continue
    echo "deps: npm packages of $dir"
    (cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || die "npm ci failed in $dir"
    echo "$want" >"$dir/node_modules/.ghmesh-lock"
  done
}

case "${1:-}" in
  '') debian ;;
  npm) shift && npm_packages "$@" ;;
  *) die "unknown argument $1 (nothing, or: npm DIR…)" ;;
esac
