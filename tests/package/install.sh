#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the program into a fresh prefix: it runs from there, its manual page is found by man's rules and clean to groff,
# and bash completes by the file that bash would load.
#   install.sh BUILD_DIR
set -eu
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --component Unspecified --prefix "$work" >"$work/log" || { cat "$work/log"; exit 1; }
"$work/bin/ghmesh" --version

page=$work/share/man/man1/ghmesh.1
groff -man -Tutf8 -P-cbou -ww -rLL=78n "$page" >"$work/text" 2>"$work/complaints"
[ ! -s "$work/complaints" ] || { cat "$work/complaints"; exit 1; }
grep -q "ghmesh  *doctor" "$work/text"

reply=$(PATH=$work/bin:$PATH bash -c '
  . "$1"
  COMP_WORDS=(ghmesh doc) COMP_CWORD=1
  _ghmesh
  echo "${COMPREPLY[*]}"' - "$work/share/bash-completion/completions/ghmesh")
[ "$reply" = doctor ] || { echo "bash completes 'doc' to '$reply'"; exit 1; }
grep -q "complete -c ghmesh .*-a 'doctor'" "$work/share/fish/vendor_completions.d/ghmesh.fish"
echo "install: ok"
