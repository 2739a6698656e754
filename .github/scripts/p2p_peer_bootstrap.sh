#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Puts a ghmesh node beside a job, in GitHub Actions or anywhere else. A thin wrapper: it finds or downloads the program
# and calls it; `p2p_peer_bootstrap.sh help` says more.
set -eu

say() { printf 'ghmesh: %s\n' "$*" >&2; }

usage() {
  cat <<'EOF'
Usage: p2p_peer_bootstrap.sh VERB [ARGUMENTS]

  init [FLAGS]                starts a node for this job, or finds it, and points the job's tools at it (ghmesh init)
  stop [FLAGS]                ends it and says what was saved (ghmesh stop)
  register PEER_ID PORT IP    writes a peer into the registry directory by hand (ghmesh register)
  discover [MAX]              the peers that the registry directory names (ghmesh discover)
  help                        this text

The program is $GHMESH_BIN, else `ghmesh` on PATH, else what $GHMESH_RELEASE_URL names. In that URL {os} and {arch} stand
for linux and amd64 or arm64. $GHMESH_RELEASE_SHA256 must then be its SHA-256: 64 hexadecimal digits, or one for each
architecture, as in "amd64=… arm64=…". Without the variables, a release has both in action/release.env beside this
script's folder. Nothing that has another checksum is run.

Inside of GitHub Actions the variables for later steps go to $GITHUB_ENV, and whatever goes wrong with init or stop is a
warning, not a failed job, unless --strict is among the flags. Elsewhere init and stop print lines for a shell:
  eval "$(p2p_peer_bootstrap.sh init)"
EOF
}

# A released revision says where its program is and what it must be (tools/dist index).
read_release() {
  release=$(dirname "$0")/../../action/release.env
  [ -f "$release" ] || return 0
  GHMESH_RELEASE_URL=$(sed -n 's/^url=//p' "$release")
  GHMESH_RELEASE_SHA256=$(sed -n 's/^sha256=//p' "$release")
}

# What the job should not fail for is said as a warning of the job.
give_up() {
  case " $ARGUMENTS " in *' --strict '*) strict=yes ;; *) strict= ;; esac
  if [ -n "${GITHUB_ENV:-}" ] && [ -z "$strict" ] && { [ "$VERB" = init ] || [ "$VERB" = stop ]; }; then
    printf '::warning title=ghmesh::no cache for this job: %s; it runs as without one\n' "$(printf '%s' "$*" | tr '\n\r' '  ')"
    exit 0
  fi
  say "$VERB: $*"
  exit 1
}

architecture() {
  case "$(uname -m)" in
    x86_64 | amd64) echo amd64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) uname -m ;;
  esac
}

# The checksum that the environment wants for this architecture.
wanted_sum() {
  arch=$(architecture)
  for word in ${GHMESH_RELEASE_SHA256:-}; do
    case "$word" in
      "$arch"=*) printf '%s\n' "${word#*=}" && return ;;
      *=*) ;;
      *) printf '%s\n' "$word" && return ;;
    esac
  done
}

sum_of() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum <"$1" | cut -d' ' -f1
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 <"$1" | cut -d' ' -f1
  elif command -v openssl >/dev/null 2>&1; then
    openssl dgst -sha256 -r <"$1" | cut -d' ' -f1
  fi
}

fetch() {
  if command -v curl >/dev/null 2>&1; then
    curl --fail --silent --show-error --location --retry 2 --connect-timeout 10 --max-time 120 --output "$2" "$1"
  elif command -v wget >/dev/null 2>&1; then
    wget -q -T 60 -t 3 -O "$2" "$1"
  else
    echo 'neither curl nor wget is there' >&2
    return 1
  fi
}

# Leaves the downloaded program's path in BIN. It keeps its checksum in its name, so that a second call finds it.
download() {
  url=$GHMESH_RELEASE_URL
  case "$url" in
    https://* | http://127.0.0.1[:/]* | http://localhost[:/]*) ;;
    *) give_up "GHMESH_RELEASE_URL must begin with https://" ;;
  esac
  arch=$(architecture)
  url=$(printf '%s\n' "$url" | sed "s/{arch}/$arch/g; s/{os}/linux/g")
  want=$(wanted_sum | tr 'A-F' 'a-f')
  case "$want" in
    *[!0-9a-f]* | '') give_up "GHMESH_RELEASE_SHA256 has no SHA-256 for $arch; a program without one is not run" ;;
  esac
  [ "${#want}" = 64 ] || give_up "GHMESH_RELEASE_SHA256 must have 64 hexadecimal digits"
  folder=${RUNNER_TOOL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}}/ghmesh/bin
  BIN=$folder/ghmesh-$want
  if [ -x "$BIN" ] && [ "$(sum_of "$BIN")" = "$want" ]; then return 0; fi
  mkdir -p "$folder" || give_up "cannot make $folder"
  part=$(mktemp "$folder/part.XXXXXX") || give_up "cannot write to $folder"
  # shellcheck disable=SC2064  # the name of now
  trap "rm -f '$part'" EXIT
  if ! problem=$(fetch "$url" "$part" 2>&1); then give_up "downloading $url failed: $problem"; fi
  got=$(sum_of "$part")
  [ -n "$got" ] || give_up "no program for SHA-256 is there (sha256sum, shasum or openssl)"
  [ "$got" = "$want" ] || give_up "$url has the SHA-256 $got, not $want; it is not run"
  chmod 755 "$part"
  mv -f "$part" "$BIN"
  trap - EXIT
}

find_program() {
  if [ -n "${GHMESH_BIN:-}" ]; then
    BIN=$GHMESH_BIN
    [ -x "$BIN" ] || give_up "GHMESH_BIN is $BIN, which is no program"
  elif BIN=$(command -v ghmesh); then
    :
  else
    [ -n "${GHMESH_RELEASE_URL:-}" ] || read_release
    [ -n "${GHMESH_RELEASE_URL:-}" ] ||
      give_up 'ghmesh is not on PATH and this is no released revision; set GHMESH_BIN, or GHMESH_RELEASE_URL and GHMESH_RELEASE_SHA256'
    download
  fi
}

VERB=${1:-help}
[ $# -eq 0 ] || shift
ARGUMENTS=$*
case "$VERB" in
  init | stop)
    find_program
    exec "$BIN" "$VERB" "$@"
    ;;
  register)
    [ $# -ge 3 ] || { say 'register: wants PEER_ID PORT IP'; exit 2; }
    find_program
    exec "$BIN" register "$@"
    ;;
  discover)
    find_program
    exec "$BIN" discover "$@"
    ;;
  help | -h | --help) usage ;;
  *)
    say "$VERB: no such verb; p2p_peer_bootstrap.sh help names them"
    exit 2
    ;;
esac
