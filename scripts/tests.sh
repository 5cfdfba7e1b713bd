#!/usr/bin/env bash
# One round of tests, and once more what failed: scripts/tests.sh ROUND [PYTEST'S WORDS...]
#
# Some tests wait for moments of a whole box, and a machine that runs many boxes at once can be late. So what failed is
# run again when nothing else runs, and is named. What fails twice fails; so does a round of which much failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

round=$1
shift
few=12
cache=$PWD/build/tests/$round
rm -rf "$cache"

tests() { .venv/bin/python -m pytest -o "cache_dir=$cache" "$@"; }

ended=0
tests "$@" || ended=$?
[ "$ended" = 1 ] || exit "$ended" # 0 is success; more than 1 is no failing test

failed=$(.venv/bin/python -c 'import json, sys; print("\n".join(json.load(open(sys.argv[1]))))' "$cache/v/cache/lastfailed")
count=$(wc -l <<<"$failed")
if [ "$count" -gt "$few" ]; then
    echo "$count tests failed: too many to be the machine's fault"
    exit 1
fi
printf '\nOnce more, by themselves:\n%s\n\n' "$failed"
tests "$@" -n0 --last-failed --last-failed-no-failures=none || exit 1
printf '\nFailed beside others, passed by themselves:\n%s\n' "$failed"
