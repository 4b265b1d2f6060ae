#!/bin/sh
# The commands of README.md as they stand there, in a checkout on a system where nothing
# else is: the quick start, both ways to install, and the sandbox. Needs root.
set -eu
cd "$(dirname "$0")/../.."
commands=$(mktemp)
trap 'rm -f "$commands"' EXIT

# block SECTION NUMBER: the text of a block of commands.
block() {
    awk -v section="## $1" -v number="$2" '
        /^## / { is_here = $0 == section; blocks = 0 }
        is_here && /^```/ { is_inside = !is_inside; blocks += is_inside; next }
        is_inside && blocks == number
    ' README.md
}

# In a shell of its own, where root needs no sudo and apt does not ask.
run_block() {
    block "$1" "$2" >"$commands"
    [ -s "$commands" ]
    cat "$commands"
    sh -euc '
        sudo() { "$@"; }
        apt() { command apt -y "$@"; }
        trap "[ -z \"\${!:-}\" ] || kill \$!" EXIT
        . "$1"' sh "$commands"
}

sh tests/quickstart.sh
[ -s build/quickstart.png ]

rm -rf build
run_block Install 1
# The table of places: what an active conda environment sets hides the driver.
mkdir -p build/environment
GDAL_DRIVER_PATH=$PWD/build/environment ogrinfo --formats >build/formats
if grep GIQ build/formats; then
    exit 1
fi
apt-get purge -y libgdal-plugin-giq

rm -rf build
run_block Install 2
xargs rm -f <build/install_manifest.txt

rm -rf build
cmake -S . -B build -G Ninja
cmake --build build --target gdal_GIQ giq_sandbox
run_block "The sandbox" 1
