#!/bin/sh
# All that .ci/run leaves out, for which there is time once a release; ends in a table:
#   sh tests/full.sh [PART...]
# PART is fuzz, tidy, clang, tsan, valgrind, coverage, mixes, races, nfs, packages, matrix or
# bench; without one, all of them. The table has the last run of each part. Logs are in
# build-full.
# Needs root for nfs, packages and matrix.
set -u
cd "$(dirname "$0")/.."
logs=build-full
fuzz_seconds=600
with_table="packages matrix bench"
parts="fuzz tidy clang tsan valgrind coverage mixes races nfs $with_table"
[ $# -gt 0 ] || set -- $parts
mkdir -p "$logs"

# ---- the parts: each fails or not, and its log goes to $logs/<part>.log ----

clang() {
    sh tests/run.sh --kind clang -L 'unit|integration|clients'
}

tsan() {
    sh tests/run.sh --kind tsan -L 'unit|integration'
}

# A process for each of eleven thousand opens is too much for valgrind; the other tests of
# jobs go through the same code.
valgrind() {
    sh tests/run.sh --kind valgrind -L unit -E 'giq_job_(states|pairs)'
}

tidy() {
    sh cmake/bootstrap.sh build run test full &&
        cmake -S . -B build -G Ninja &&
        cmake --build build &&
        run-clang-tidy -quiet -p build "$PWD/(src|plugin|tests)/.*"
}

# The time is that of all targets.
fuzz() {
    targets=$(ls tests/fuzz/corpus | wc -l)
    sh tests/fuzz/long.sh $(((fuzz_seconds + targets - 1) / targets))
}

# What is counted are the lines of src and plugin that any test reaches.
coverage() {
    sh cmake/bootstrap.sh full &&
        find build-coverage -name '*.gcda' -delete 2>/dev/null
    tested=yes
    sh tests/run.sh --kind coverage -L 'unit|integration|fault|clients' || tested=no
    gcovr --root . --filter src/ --filter plugin/ --print-summary \
        --fail-under-line 90 build-coverage && [ "$tested" = yes ]
}

# Batches in trouble: five times as many mixes as .ci/run has; and ten times as long ones.
mixes() {
    GIQ_TEST_MIXES=200 GIQ_TEST_BATCH_ROWS=1000 \
        sh tests/run.sh -R '^(fault.mixes|integration.batch_memory)$'
}

# A thousand races of 16 processes where locks lock nothing, and a hundred of each other kind;
# a process is killed at each call while it sends.
races() {
    sh cmake/bootstrap.sh build run test clients &&
        cmake -S . -B build -G Ninja -D GIQ_TEST_SECONDS=10000 || return
    raced=yes
    seed=${GIQ_TEST_SEED:-$(date +%s)}
    echo "GIQ_TEST_SEED=$seed"
    GIQ_TEST_RACES=1000 GIQ_TEST_SEED=$seed \
        sh tests/run.sh -R '^fault.(races|races_others|owners|mounts)$' || raced=no
    cmake -S . -B build -U GIQ_TEST_SECONDS && [ "$raced" = yes ]
}

nfs() {
    sh tests/nfs.sh
}

matrix() {
    sh tests/matrix.sh
}

packages() {
    sh tests/packages.sh
}

# The tables of the pages are what was measured last.
bench() {
    sh tests/bench.sh --keep
}

# ---- what a log says in a few words ----

tests_passed() {
    sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\)/\2 tests, \1 failed/p' \
        "$1" | tail -n 1
}

words() {
    log=$logs/$1.log
    case $1 in
    clang | tsan | valgrind | mixes | races) tests_passed "$log" ;;
    tidy) echo "$(grep -c '^clang-tidy' "$log") files," \
        "$(grep -cE '(warning|error): .*\[[a-z]' "$log") findings" ;;
    nfs) tail -n 1 "$log" ;;
    fuzz) echo "$(grep -c 'executions' "$log") targets, $fuzz_seconds s," \
        "$(awk '/executions/ { sum += $2 } END { print sum }' "$log") executions" ;;
    coverage) echo "$(tests_passed "$log"); $(sed -n \
        -e 's/^\(lines\|branches\): \([0-9.]*%\).*/\1 \2/p' "$log" | paste -sd ' ')" ;;
    matrix | packages | bench) echo "below" ;;
    esac
}

commit() {
    git diff --quiet HEAD && changed="" || changed=" and changes"
    echo "$(git rev-parse --short HEAD)$changed"
}

status=0
for part in "$@"; do
    began=$(date +%s)
    of=$(commit)
    verdict=ok
    echo "$part: $logs/$part.log"
    ("$part") >"$logs/$part.log" 2>&1 || { verdict=FAILED; status=1; }
    minutes=$((($(date +%s) - began + 59) / 60))
    echo "| $part | $verdict | $(words "$part") | $of | $minutes |" >"$logs/$part.row"
done

# ---- the table: the last run of each part, and the tables of some ----

printf '\n| part | result | what | commit | minutes |\n|---|---|---|---|--:|\n'
for part in $parts; do
    cat "$logs/$part.row" 2>/dev/null || echo "| $part | not run | | | |"
done
for part in $with_table; do
    [ -e "$logs/$part.row" ] || continue
    printf '\n%s:\n\n' "$part"
    grep '^|' "$logs/$part.log"
done
exit $status
