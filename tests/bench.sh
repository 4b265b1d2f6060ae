#!/bin/sh
# Builds a release and measures it side by side with what a user would do without the
# driver; prints a table in Markdown. Arguments go to tests/bench/bench.py.
set -eu
cd "$(dirname "$0")/.."

sh cmake/bootstrap.sh build run test clients >&2
cmake -C cmake/release.cmake -S . -B build-release -G Ninja >&2
cmake --build build-release --target gdal_GIQ giq_sandbox >&2
exec /usr/bin/python3 tests/bench/bench.py "$@"
