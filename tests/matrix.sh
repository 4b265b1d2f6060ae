#!/bin/sh
# Builds and tests the last commit on every Debian, and so on every GDAL, that it is for:
#   sh tests/matrix.sh [--roots FOLDER] [--suites "NAME..."] [--labels "NAME..."]
# FOLDER (default build/matrix) gets a system for each suite, made once and kept, and the
# logs; remove one to have it made anew. Ends in a table. What only sid breaks is a
# warning, since sid moves. That the keys of areas are the same on each of them is the test
# integration.recorded_keys. Needs root.
set -eu
cd "$(dirname "$0")/.."
. tests/roots/root.sh
. tests/roots/table.sh
labels="unit integration fault clients style"
root_options "$@"

# Without a warning of the compiler or of CMake.
build() {
    words=$roots/$1/build.words
    root_sources "$roots/$1/builder" &&
        root_run "$roots/$1/builder" \
            'cd /src/giq && sh cmake/bootstrap.sh build run test clients' || return
    root_run "$roots/$1/builder" '
        cd /src/giq
        cmake -S . -B build -G Ninja
        cmake --build build' >"$words" 2>&1 && built=yes || built=no
    cat "$words"
    [ "$built" = yes ] && ! grep -iq 'warning' "$words"
}

version() {
    root_run "$roots/$1/builder" 'gdalinfo --version' | sed 's/GDAL \([0-9.]*\).*/ok \1/'
}

# count SUITE LABEL WORD: how many tests of a label ended so; they are named after it.
count() {
    grep -cE "Test +#[0-9]+: $2\.[^ ]+ +\.*$3" "$roots/$1/tests.log"
}

# run_tests SUITE: all at once, then a cell for each label.
run_tests() {
    log=$roots/$1/tests.log
    # The layout of C is that of the clang-format of Debian 12.
    [ "$1" = bookworm ] && without='^$' || without='^style.format$'
    root_run "$roots/$1/builder" 'cd /src/giq
        ctest --test-dir build --output-on-failure -j 4 -L "^($1)\$" -E "$2"' \
        "$(echo "$labels" | tr ' ' '|')" "$without" >"$log" 2>&1 || :
    for label in $labels; do
        passed=$(count "$1" "$label" ' +Passed') || :
        # Skipped ones are no failures: commands need GDAL 3.11.
        other=$(count "$1" "$label" '[*]+[^*S]') || :
        if ! grep -q 'tests passed' "$log"; then
            cell "$1" "$label" "failed: $log has no end"
        elif [ "$other" -eq 0 ]; then
            cell "$1" "$label" "ok $passed"
        else
            cell "$1" "$label" "failed: $log, $other of $((passed + other))"
        fi
    done
}

# foreign HOST BUILT: the plugin of one system in another one.
foreign() {
    [ "$1" != "$2" ] || return 0
    cp "$roots/$2/builder/src/giq/build/gdalplugins/gdal_GIQ.so" "$roots/$1/builder/src" &&
        root_run "$roots/$1/builder" 'sh /src/giq/tests/roots/foreign.sh /src/gdal_GIQ.so'
}

# What has to do with sid is in the row of sid.
foreign_all() {
    for other in $suites; do
        if [ "$1" = sid ]; then
            foreign "$other" sid && foreign sid "$other" || return
        elif [ "$other" != sid ]; then
            foreign "$1" "$other" || return
        fi
    done
}

for suite in $suites; do
    suite_begin "$suite"
    step "$suite" build build "$suite"
    cell "$suite" GDAL "$(version "$suite")"
    [ -z "$labels" ] || run_tests "$suite"
done
for suite in $suites; do
    step "$suite" foreign foreign_all "$suite"
done
table GDAL build $labels foreign
