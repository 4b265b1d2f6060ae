#!/bin/sh
# Compares the real service with what the driver assumes of it, with --upload also how it
# takes a file, and with --model and one of --file and --upload runs one paid job, after
# asking:
#   GIQ_API_KEY=... sh tests/live.sh [--model ID [--geometry WKT]] [--file ID|--upload PATH]
set -eu
cd "$(dirname "$0")/.."

sh cmake/bootstrap.sh build run >&2
if [ -z "${GDAL_DRIVER_PATH:-}" ]; then
    cmake -S . -B build -G Ninja >&2
    cmake --build build --target gdal_GIQ >&2
    export GDAL_DRIVER_PATH="$PWD/build/gdalplugins"
fi
exec /usr/bin/python3 tests/live.py "$@"
