#!/bin/sh
# Fuzzes for longer, by hand, one target after the other, a line of result for each:
#   sh tests/fuzz/long.sh [SECONDS] [TARGET...]
# SECONDS are those of one target (default 600), a target is named as its seeds are
# (default: all). The corpora and logs stay in build-fuzz/long, where the next run goes
# on with them.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-600}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- $(ls tests/fuzz/corpus)

sh cmake/bootstrap.sh build run test
cmake -C cmake/fuzz.cmake -S . -B build-fuzz -G Ninja >/dev/null
cmake --build build-fuzz

# The last number behind a word of a log.
number() {
    sed -n "s/.*$1 *\([0-9][0-9]*\).*/\1/p" "$2" | tail -n 1
}

status=0
for what in "$@"; do
    folder=build-fuzz/long/$what
    log=$folder/log
    mkdir -p "$folder"
    result=clean
    sh tests/fuzz/one.sh "build-fuzz/tests/fuzz/fuzz_$what" "$folder" "$seconds" \
        >"$log" 2>&1 || { result="FAILED, see $log"; status=1; }
    echo "$what: $(number 'stat::number_of_executed_units:' "$log") executions," \
        "coverage $(number ' cov:' "$log"), features $(number ' ft:' "$log"): $result"
done
exit $status
