#!/bin/sh
# Installs what the tests need, builds, and runs ctest:
#   sh tests/run.sh [--kind KIND] [ctest arguments...]
# KIND is default, release, asan, tsan, coverage, clang, valgrind or fuzz. The default kind
# is built in build, any other in build-<kind>. The kind fuzz builds and runs the fuzz
# targets alone; tests/fuzz/long.sh runs them for longer.
set -eu
cd "$(dirname "$0")/.."

kind=default
if [ "${1:-}" = --kind ]; then
    [ $# -ge 2 ] || { echo "run.sh: --kind needs a name" >&2; exit 2; }
    kind=$2
    shift 2
fi

case $kind in
default) build=build ;;
release | asan | tsan | coverage | clang | valgrind | fuzz) build=build-$kind ;;
*)
    echo "run.sh: no kind '$kind'; see the head of tests/run.sh" >&2
    exit 2
    ;;
esac

if [ "$kind" = asan ]; then
    export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1"
    export UBSAN_OPTIONS="print_stacktrace=1"
fi
# GDAL's programs and libraries are not watched, only what they call.
if [ "$kind" = tsan ]; then
    export TSAN_OPTIONS="ignore_noninstrumented_modules=1"
fi

sh cmake/bootstrap.sh build run test clients
if [ "$kind" = default ]; then
    cmake -S . -B "$build" -G Ninja
else
    cmake -C "cmake/$kind.cmake" -S . -B "$build" -G Ninja
fi
cmake --build "$build"

# What tests write goes to memory where there is room: they sync files by the thousand.
room_kib=4000000
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] &&
    [ "$(df -k --output=avail /dev/shm | tail -n 1)" -gt "$room_kib" ]; then
    TMPDIR=$(mktemp -d /dev/shm/giq-tests-XXXXXX)
    export TMPDIR
    trap 'rm -rf "$TMPDIR"' EXIT
    trap 'exit 130' INT TERM
fi
ctest --test-dir "$build" --output-on-failure --no-tests=error -j 4 "$@"
