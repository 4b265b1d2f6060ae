#!/bin/sh
# Packages the last commit for every Debian that it is for, and shows that each package is
# right: lintian is silent, it installs on a bare system, works there without any variable
# of GDAL's, and leaves nothing when it is purged; that cmake --install does as much; that
# the tarball of the sources builds; and that the commands of the README do what it says:
#   sh tests/packages.sh [--roots FOLDER] [--suites "NAME..."]
# FOLDER is that of tests/matrix.sh; the packages lie in FOLDER/<suite>. Needs root.
set -eu
cd "$(dirname "$0")/.."
. tests/roots/root.sh
. tests/roots/table.sh
root_options "$@"

in_builder() {
    root_run "$roots/$suite/builder" "cd /src/giq; $1"
}

in_bare() {
    root_run "$roots/$suite/installed" "$1"
}

package() {
    root_sources "$roots/$suite/builder" && in_builder '
        sh cmake/bootstrap.sh build run test package
        cmake -S . -B build -G Ninja
        cmake --build build --target gdal_GIQ giq_sandbox
        cd build
        cpack
        dpkg-deb -f ./*.deb Depends | grep libarchive' && rm -f "$roots/$suite"/*.deb &&
        cp "$roots/$suite/builder/src/giq/build"/*.deb "$roots/$suite"
}

lintian_is_silent() {
    in_builder 'lintian --allow-root --fail-on error,warning build/*.deb'
}

# On a bare system its programs come along, as apt installs what is recommended.
installs() {
    root_copy "$roots/$suite/bare" "$roots/$suite/installed" &&
        cp "$roots/$suite"/*.deb "$roots/$suite/installed/" && in_bare '
        apt-get update -q
        apt-get install -q -y ./libgdal-plugin-giq_*.deb
        ogrinfo --formats | grep "GIQ -raster,vector-"
        cat /usr/share/doc/libgdal-plugin-giq/copyright
        cat /usr/share/qgis/python/plugins/giq/metadata.txt
        dpkg -L libgdal-plugin-giq'
}

# A job in the sandbox of the other system, which has the machine's network too.
works() {
    rm -f "$roots/$suite/builder/src/address"
    in_builder 'exec build/tests/sandbox/giq_sandbox --files data --state /tmp/sandbox \
        >/src/address' &
    sandbox=$!
    until [ -s "$roots/$suite/builder/src/address" ]; do
        kill -0 "$sandbox" || return
        sleep 0.1
    done
    root_run "$roots/$suite/installed" '
        export GIQ_BASE_URL="$1" GIQ_API_KEY=sandbox GIQ_STORE_DIR=/tmp/store
        ogrinfo -al GIQ:models
        ogr2ogr -f GeoJSON /vsistdout/ "GIQ:model=hulls;file=parcels.geojson" |
            grep -c Polygon
        gdalinfo "GIQ:model=ndvi;file=olinda_landsat7.tif" | grep "Size is 349, 352"' \
        "$(cat "$roots/$suite/builder/src/address")" && worked=yes || worked=no
    kill "$sandbox"
    wait "$sandbox" || :
    [ "$worked" = yes ]
}

purges() {
    in_bare '
        dpkg -L libgdal-plugin-giq >/tmp/files
        apt-get purge -q -y libgdal-plugin-giq
        while read -r path; do
            [ -d "$path" ] || [ ! -e "$path" ]
        done </tmp/files
        rm /libgdal-plugin-giq_*.deb
        find / -xdev -ipath "*giq*" ! -path "/var/log/*" | tee /tmp/left
        [ ! -s /tmp/left ]
        ogrinfo --formats >/tmp/formats 2>&1
        if grep -iE "giq|error" /tmp/formats; then
            exit 1
        fi' && rm -rf "$roots/$suite/installed"
}

cmake_installs() {
    in_builder '
        cmake --install build
        trap "xargs rm -f <build/install_manifest.txt" EXIT
        ogrinfo --formats | grep "GIQ -raster,vector-"
        grep copyright build/install_manifest.txt'
}

tarball_builds() {
    in_builder '
        rm -rf /tmp/sources
        mkdir /tmp/sources
        cd build
        cpack --config CPackSourceConfig.cmake
        tar -xzf giq-*.tar.gz -C /tmp/sources
        cd /tmp/sources/giq-*
        cmake -S . -B build -G Ninja
        cmake --build build
        ctest --test-dir build -L style -E style.format'
}

readme_works() {
    root_copy "$roots/$suite/bare" "$roots/$suite/readme" &&
        root_sources "$roots/$suite/readme" &&
        root_run "$roots/$suite/readme" 'sh /src/giq/tests/roots/readme.sh' &&
        rm -rf "$roots/$suite/readme"
}

for suite in $suites; do
    suite_begin "$suite"
    step "$suite" package package
    cell "$suite" name "ok $(cd "$roots/$suite" && echo *.deb)"
    step "$suite" lintian lintian_is_silent
    step "$suite" install installs
    step "$suite" work works
    step "$suite" purge purges
    step "$suite" cmake-install cmake_installs
    step "$suite" tarball tarball_builds
    step "$suite" README readme_works
done
table package name lintian install work purge cmake-install tarball README
