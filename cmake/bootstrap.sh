#!/bin/sh
# Installs the system packages of the named groups: build, run, test, clients, draw,
# package, full, nfs, roots. Without a group, the first five. Quiet when nothing is missing.
# Of names joined by | the first that this release of Debian has.
set -eu

build="gcc g++ cmake ninja-build pkg-config libgdal-dev libgeos-dev
libcurl4-openssl-dev libssl-dev libcjson-dev libarchive-dev libmicrohttpd-dev
libcmocka-dev zlib1g-dev ca-certificates"
run="gdal-bin"
test="python3-pytest python3-gdal python3-numpy locales
clang clang-format libclang-rt-dev|libclang-rt-14-dev universal-ctags valgrind curl
strace git file openssl nginx tinyproxy-bin bindfs"
clients="qgis python3-qgis qgis-providers xvfb python3-fiona python3-rasterio
python3-geopandas python3-gdal python3-numpy python3-distributed slurm-wlm munge"
draw="python3-gdal python3-numpy"
package="dpkg-dev file gzip lintian"
full="clang-tidy gcovr"
nfs="qemu-system-x86 linux-image-cloud-amd64 busybox-static cpio kmod nfs-ganesha
nfs-ganesha-vfs rpcbind python3-pytest"
roots="debootstrap git"

fail() {
    echo "bootstrap: $*" >&2
    exit 1
}

packages_of() {
    case $1 in
    build) echo "$build" ;;
    run) echo "$run" ;;
    test) echo "$test" ;;
    clients) echo "$clients" ;;
    draw) echo "$draw" ;;
    package) echo "$package" ;;
    full) echo "$full" ;;
    nfs) echo "$nfs" ;;
    roots) echo "$roots" ;;
    *) fail "no group '$1'; see the head of cmake/bootstrap.sh" ;;
    esac
}

names_in() {
    echo "$1" | tr '|' ' '
}

is_installed() {
    for name in $(names_in "$1"); do
        if dpkg-query -W -f='${Status}\n' "$name" 2>/dev/null |
            grep -q ' ok installed$'; then
            return 0
        fi
    done
    return 1
}

first_known() {
    for name in $(names_in "$1"); do
        if apt-cache show "$name" >/dev/null 2>&1; then
            break
        fi
    done
    echo "$name"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        fail "installing needs root or sudo; missing:$missing"
    fi
}

# Packages ask this program whether they may start a service. The tests start nginx
# themselves, and a machine that builds should not serve the world.
start_no_service() {
    policy=/usr/sbin/policy-rc.d
    [ ! -e "$policy" ] || return 0
    trap 'as_root rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}

[ $# -gt 0 ] || set -- build run test clients draw
wanted=""
for group in "$@"; do
    wanted="$wanted $(packages_of "$group")"
done
command -v apt-get >/dev/null 2>&1 ||
    fail "apt-get is not here; install what these Debian packages hold:" $wanted

missing=""
for package in $wanted; do
    case " $missing " in *" $package "*) continue ;; esac
    is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "bootstrap: installing$missing"
as_root apt-get update -q
start_no_service
packages=""
for package in $missing; do
    packages="$packages $(first_known "$package")"
done
# Split into words on purpose: one argument for each package.
as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=900 install -q -y --no-install-recommends $packages
