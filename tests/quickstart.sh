#!/bin/sh
# From a bare Debian 12 to a first result: installs what is missing, builds, runs a model
# on a real scene in a service of its own, for one area and for nine at once, and draws what
# came.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
work=build/quickstart

sh cmake/bootstrap.sh build run draw
cmake -S . -B build -G Ninja
cmake --build build --target gdal_GIQ giq_sandbox

# Every run begins anew.
rm -rf "$work"
mkdir -p "$work"
build/tests/sandbox/giq_sandbox --files data --state "$work/sandbox" \
    >"$work/address" 2>"$work/sandbox.log" &
sandbox=$!
trap 'kill "$sandbox" 2>/dev/null; wait "$sandbox" 2>/dev/null || :' EXIT
until [ -s "$work/address" ]; do
    kill -0 "$sandbox" || { cat "$work/sandbox.log"; exit 1; }
    sleep 0.1
done

export GDAL_DRIVER_PATH="$root/build/gdalplugins"
GIQ_BASE_URL=$(cat "$work/address")
export GIQ_BASE_URL GIQ_API_KEY=sandbox GIQ_STORE_DIR="$root/$work/store"

show() {
    printf '\n$ %s\n' "$*"
    "$@"
}
show ogr2ogr "$work/water.gpkg" "GIQ:model=water;file=olinda_landsat7.tif" \
    -oo GEOMETRY=@data/coast.wkt
show ogrinfo -so "$work/water.gpkg" water
show ogr2ogr "$work/plots.gpkg" \
    "GIQ:batch=data/areas/plots.geojson;model=segments;file=olinda_landsat7.tif"
show ogrinfo -so "$work/plots.gpkg" segments
/usr/bin/python3 tests/quickstart_draw.py data/olinda_landsat7.tif data/coast.wkt \
    "$work/water.gpkg" data/areas/plots.geojson "$work/plots.gpkg" build/quickstart.png

cat <<END

build/quickstart.png shows the scene with the area and the water in it, and beside it the
nine areas and their segments.
Go on with these:

  build/tests/sandbox/giq_sandbox --files data --state build/sandbox --port 8765 &
  export GDAL_DRIVER_PATH=$root/build/gdalplugins GIQ_BASE_URL=http://127.0.0.1:8765/public GIQ_API_KEY=sandbox
  ogrinfo -al GIQ:models
END
