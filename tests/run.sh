#!/bin/sh
# Installs what the tests need, builds, and runs all of ctest.
set -eu
cd "$(dirname "$0")/.."
sh cmake/bootstrap.sh
cmake -S . -B build -G Ninja
cmake --build build
ctest --test-dir build --output-on-failure --no-tests=error -j 4 "$@"
