#!/bin/sh
# Installs the system packages that a build and the tests need. Quiet when all
# are there.
set -eu
packages="cmake ninja-build gcc g++ pkg-config libgdal-dev libgeos-dev
libcurl4-openssl-dev libssl-dev libcjson-dev libarchive-dev libmicrohttpd-dev
libcmocka-dev ca-certificates gdal-bin python3-gdal python3-numpy python3-pytest"
missing=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
[ -z "$missing" ] && exit 0
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends $missing
