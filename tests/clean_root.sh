#!/bin/sh
# Shows that the quick start works on a bare Debian 12 where nothing but a checkout is:
#   sh tests/clean_root.sh FOLDER [SCRIPT]
# makes a minimal system in FOLDER (which must not exist), clones the last commit into it
# and runs SCRIPT there (default tests/quickstart.sh). Needs root and debootstrap; the
# system stays in FOLDER for a look.
set -eu
root=${1:?"the folder of the new system"}
script=${2:-tests/quickstart.sh}
cd "$(dirname "$0")/.."
[ ! -e "$root" ] || { echo "$root exists already" >&2; exit 2; }

debootstrap --variant=minbase bookworm "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
# What this machine needs to reach its mirror and names.
cp /etc/resolv.conf "$root/etc/resolv.conf"
[ ! -e /etc/apt/apt.conf ] || cp /etc/apt/apt.conf "$root/etc/apt/apt.conf"

mkdir -p "$root/src/giq" "$root/proc" "$root/dev"
git archive HEAD | tar -x -C "$root/src/giq"
mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT
chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    sh -c "cd /src/giq && exec sh $script"
