# Sourced by the tests of the brant command: a folder of their own, and checks that are counted.
# shellcheck shell=bash
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${BRANT_BUILD:-$root/build/dev}
brant=$build/bin/brant
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0 failed=0
check() { # NAME STATUS PATTERN COMMAND...: exit status, and an extended regular expression that the output holds
  local name=$1 status=$2 pattern=$3 got=0
  shift 3
  "$@" >out 2>&1 </dev/null || got=$?
  if [ "$got" = "$status" ] && grep -Eq -- "$pattern" out; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAIL $name: status $got, wanted $status, and $pattern in:"
    sed 's/^/     /' out
  fi
}
on_terminal() { script -qec "$(printf '%q ' "$@")" /dev/null; }
finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
