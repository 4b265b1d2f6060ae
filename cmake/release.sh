#!/bin/sh
# Makes what a release consists of, from the last commit: the package for each Debian, the
# tarball of the sources and the QGIS plugin, with SHA256SUMS.
#   sh cmake/release.sh [--roots FOLDER] [--suites "NAME..."]
# It is in build/release, which is made anew; FOLDER is that of tests/matrix.sh. All is built
# twice, in folders of different names, and must be the same to the byte. Needs root.
set -eu
cd "$(dirname "$0")/.."
. tests/roots/root.sh
. tests/roots/table.sh
root_options "$@"
out=build/release
umask 022
moment=$(git log -1 --format=%ct)

# make SUITE NAME: in src/NAME/release of the suite's system.
make() {
    rm -rf "$roots/$1/builder/src/$2"
    mkdir -p "$roots/$1/builder/src"
    git clone -q --depth 1 "file://$PWD" "$roots/$1/builder/src/$2"
    root_run "$roots/$1/builder" '
        cd "/src/$1"
        export SOURCE_DATE_EPOCH="$2"
        sh cmake/bootstrap.sh build run test package
        cmake -S . -B build -G Ninja -DGIQ_TESTS=OFF
        cmake --build build --target all qgis_plugin
        cd build
        cpack
        cpack --config CPackSourceConfig.cmake
        mkdir ../release
        cp ./*.deb giq-*.tar.gz giq-*.zip ../release' "$2" "$moment"
}

rm -rf "$out"
mkdir -p "$out"
for suite in $suites; do
    suite_begin "$suite"
    for name in one other-one; do
        echo "$suite: $roots/$suite/$name.log"
        make "$suite" "$name" >"$roots/$suite/$name.log" 2>&1
    done
    sources=$roots/$suite/builder/src
    diff -r "$sources/one/release" "$sources/other-one/release"
    cp "$sources/one/release"/*.deb "$out"
    # Of what is the same for all, that of the first suite.
    if [ "$suite" = "${suites%% *}" ]; then
        cp "$sources/one/release"/giq-* "$out"
    fi
    rm -rf "$sources/one" "$sources/other-one"
done
cd "$out"
sha256sum -- * | tee SHA256SUMS
