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
b() { "$brant" "$@"; }
lines() { "$@" | wc -l; }
# Waits until the command succeeds: at once on most machines, longer where others keep it busy.
until_true() { # COMMAND...
  local n
  for ((n = 0; n < 600; n++)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  return 1
}
watched_by() { [ "$("$brant" sql "$2" 'SELECT count(*) FROM brant_wake WHERE row_id > 0' | grep -o '\[\[[0-9]*')" = "[[$1" ]; } # SUBSCRIPTIONS FILE
terminal() { timeout 660 "$root/tests/cli/terminal.py" "$@"; } # [EXPECT SEND]... -- COMMAND...
finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
