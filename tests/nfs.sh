#!/bin/sh
# Races between two machines that mount one store by NFS 4.2 and by NFS 3 without locks:
#   sh tests/nfs.sh [pytest arguments...]
# The machines are guests of QEMU, which computes their instructions: it takes minutes. All
# runs in a network of its own, whose port mapper NFS 3 needs. Needs root.
set -eu
cd "$(dirname "$0")/.."
sh cmake/bootstrap.sh build run test nfs
cmake -S . -B build -G Ninja
cmake --build build
# What a guest mounts must be on the file system of /.
export TMPDIR=/tmp
exec unshare --net --mount --pid --fork --kill-child --mount-proc sh -euc '
    busybox ifconfig lo 127.0.0.1 up
    mount -t tmpfs tmpfs /run
    mkdir /run/rpcbind
    rpcbind
    exec /usr/bin/python3 -m pytest -rP tests/fault/test_nfs.py "$@"' sh "$@"
