#!/bin/sh
# A plugin that was built for another GDAL is refused by this machine's, with a message,
# and does no harm: as it is, and where this GDAL answers to the name of the library that
# the plugin was linked with.
#   sh tests/roots/foreign.sh PLUGIN
set -eu
plugin=$1
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/plugins" "$work/libraries"
cp "$plugin" "$work/plugins"
needed=$(objdump -p "$plugin" | sed -n 's/.*NEEDED *\(libgdal\.so\.[0-9]*\)$/\1/p')
own=$(ldd "$(command -v ogrinfo)" | sed -n 's/.*libgdal\.so\.[0-9]* => \([^ ]*\).*/\1/p')
ln -s "$own" "$work/libraries/$needed"
export GDAL_DRIVER_PATH="$work/plugins"

# check WORDS: GDAL's programs work, and report why the plugin is not loaded.
check() {
    ogrinfo --formats >"$work/formats" 2>"$work/words"
    cat "$work/words"
    grep -qE "$1" "$work/words"
    grep -q '^ *GeoJSON ' "$work/formats"
    if grep '^ *GIQ ' "$work/formats"; then
        return 1
    fi
    ogrinfo -so data/parcels.geojson parcels 2>/dev/null | grep 'Feature Count'
}
echo "a plugin for $needed in a system of $own"
check "$needed: cannot open"
export LD_LIBRARY_PATH="$work/libraries"
check "compiled against GDAL|GLIBC_.* not found"
