# Minimal Debian systems in folders, for the scripts of tests/ that source it from the
# root of the repository. Needs root.

# The mirror is the one that this machine's apt uses.
root_mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' \
        'Component: main' | head -n 1
}

# root_make SUITE FOLDER: a new system. A half made one never has the name.
root_make() {
    sh cmake/bootstrap.sh roots
    mkdir -p "$(dirname "$2")"
    rm -rf "$2.part"
    unshare --mount debootstrap --variant=minbase "$1" "$2.part" \
        "${DEBIAN_MIRROR:-$(root_mirror)}"
    # What this machine needs to reach its mirror and names.
    cp /etc/resolv.conf "$2.part/etc/resolv.conf"
    apt-config dump Acquire | grep -iE '^Acquire::(https?|Check|Retries|ForceIPv)' \
        >"$2.part/etc/apt/apt.conf.d/90machine" || :
    # Installing need not outlive a power cut.
    echo force-unsafe-io >"$2.part/etc/dpkg/dpkg.cfg.d/unsafe-io"
    mv "$2.part" "$2"
}

# root_copy FROM FOLDER: a system like another one.
root_copy() {
    rm -rf "$2.part" "$2"
    cp -a --reflink=auto "$1" "$2.part"
    mv "$2.part" "$2"
}

# root_sources FOLDER: the last commit, in src/giq of the system.
root_sources() {
    rm -rf "$1/src/giq"
    mkdir -p "$1/src"
    git clone -q --depth 1 "file://$PWD" "$1/src/giq"
}

# root_run FOLDER TEXT [ARGUMENTS...]: run a shell's text in a system. Mounts and processes
# are in namespaces of their own: however it ends, none stays.
root_run() {
    setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child sh -euc '
        root=$1
        text=$2
        shift 2
        # The name of this machine.
        cp /etc/hosts "$root/etc/hosts"
        mount -t proc proc "$root/proc"
        mount -t sysfs sysfs "$root/sys"
        mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
        mount --bind "$root/dev/pts/ptmx" "$root/dev/ptmx"
        mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
        mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
        # Not the last command: process 1 must be a shell, which waits for orphans.
        chroot "$root" /usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 \
            DEBIAN_FRONTEND=noninteractive \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            sh -euc "$text" sh "$@"
        exit' sh "$@"
}
