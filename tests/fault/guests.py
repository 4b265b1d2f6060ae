"""Two machines and a file server: guests of QEMU, which see this machine's files read-only
and one folder of it to write in, by NFS. tests/nfs.sh gives them a network of their own.

A guest is Debian's cloud kernel with a few modules, and busybox to mount; then it runs a
program of this machine, with its standard streams connected to this one. Needs root."""
import pathlib
import socket
import subprocess
import time

import secret_search
from programs import ROOT

START_SECONDS = 120
SERVER = "10.0.2.2"  # this machine, as QEMU's network has it
MODULES = ("virtio_pci", "virtio_net", "virtio_console", "nfsv4", "nfsv3")
MEMORY = "1024"

# For names of owners a guest would start a program, which it reads by NFS, and wait for it.
GANESHA = """
NFS_CORE_PARAM {{
    Protocols = 3, 4; NFS_Port = {nfs}; MNT_Port = {mount};
    Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false;
}}
NFSV4 {{ Graceless = true; RecoveryRoot = "{recovery}"; Only_Numeric_Owners = true; }}
EXPORT_DEFAULTS {{ Squash = No_Root_Squash; SecType = sys; Transports = TCP; }}
EXPORT {{
    Export_Id = 1; Path = "/"; Pseudo = "/host"; Access_Type = RO; FSAL {{ Name = VFS; }}
}}
EXPORT {{
    Export_Id = 2; Path = "{folder}"; Pseudo = "/folder"; Access_Type = RW;
    Attr_Expiration_Time = 0; FSAL {{ Name = VFS; }}
}}
LOG {{ Default_Log_Level = EVENT; }}
"""

INIT = """#!/bin/busybox sh
PATH=/bin
/bin/busybox --install -s /bin
mkdir -p /proc /sys /host /root
mount -t proc proc /proc
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod $module; done
ifconfig lo 127.0.0.1
ifconfig eth0 10.0.2.15 netmask 255.255.255.0
hostname {name}
mount -t nfs4 -o ro,nocto,actimeo=600,{root} {server}:/host /host || echo no host
cd /root
ln -s usr/bin usr/sbin usr/lib usr/lib64 .
mkdir -p usr etc proc dev tmp .{sources} .{folder}
mount -o bind /host/usr usr
mount -o bind /host/etc etc
mount -o bind /host{sources} .{sources}
mount -t proc proc proc
mount -t devtmpfs dev dev
mount -t {kind} -o {options} {server}:{path} .{folder} || echo no folder
until [ -e /dev/vport*p1 ]; do sleep 0.1; done
streams=$(echo /dev/vport*p1)
echo ready
exec chroot . /usr/bin/env -i {command} <>$streams >&0
"""


def run(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, text=True,
                          stdout=subprocess.PIPE, **more).stdout


def newest_kernel():
    """The version of Debian's cloud kernel that is installed here."""
    kernels = sorted(pathlib.Path("/boot").glob("vmlinuz-*-cloud-*"),
                     key=lambda path: path.stat().st_mtime)
    return kernels[-1].name.removeprefix("vmlinuz-")


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def wait_until(condition, process, log):
    end = time.monotonic() + START_SECONDS
    while not condition():
        assert process.poll() is None and time.monotonic() < end, log.read_text()
        time.sleep(0.05)


class FileServer:
    """NFS of a folder, and of all of this machine's files to read."""

    def __init__(self, scratch, folder):
        self.folder = folder
        self.port, self.mount_port = free_port(), free_port()
        log = secret_search.is_input(scratch / "ganesha.log")
        settings = scratch / "ganesha.conf"
        settings.write_text(GANESHA.format(nfs=self.port, mount=self.mount_port,
                                           recovery=scratch, folder=folder))
        self.process = subprocess.Popen([
            "ganesha.nfsd", "-F", "-f", settings, "-L", log, "-p", scratch / "pid"])
        wait_until(self.listens, self.process, log)

    def listens(self):
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.kill()
        self.process.wait()

    def options(self, version):
        """Of a mount of the folder: type, path and options."""
        if version == "3":
            return "nfs", self.folder, (
                f"vers=3,nolock,proto=tcp,mountproto=tcp,mountvers=3,addr={SERVER},"
                f"mountaddr={SERVER},port={self.port},mountport={self.mount_port}")
        return "nfs4", "/folder", self.root_options(version)

    def root_options(self, version="4.2"):
        return f"vers={version},proto=tcp,addr={SERVER},clientaddr=10.0.2.15,port={self.port}"


def initramfs(scratch, kernel, init):
    """The path of a file with the modules, busybox and this first program."""
    root = scratch / "root"
    (root / "modules").mkdir(parents=True)
    (root / "bin").mkdir()
    (root / "dev").mkdir()
    lines = []
    for module in MODULES:
        shown = run("modprobe", "-S", kernel, "--show-depends", module)
        lines += [line.split()[1] for line in shown.splitlines()
                  if line.startswith("insmod") and line.split()[1] not in lines]
    for number, path in enumerate(lines):
        path = pathlib.Path(path)
        (root / "modules" / f"{number:02}-{path.name}").write_bytes(path.read_bytes())
    (root / "bin/busybox").write_bytes(pathlib.Path("/bin/busybox").read_bytes())
    (root / "bin/busybox").chmod(0o755)
    (root / "init").write_text(init)
    (root / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    image = scratch / "initramfs"
    with open(image, "wb") as out:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(),
                       stdout=out, cwd=root, check=True)
    return image


def guest(scratch, name, server, version, program, env):
    """The command of QEMU whose standard streams are those of a program in a machine."""
    scratch.mkdir()
    secret_search.is_input(scratch)
    kernel = newest_kernel()
    words = [*(f"{key}={value}" for key, value in env.items()), *program]
    kind, path, options = server.options(version)
    init = INIT.format(name=name, server=SERVER, root=server.root_options(), kind=kind,
                       path=path, options=options, folder=server.folder, sources=ROOT,
                       command=" ".join(f"'{word}'" for word in words))
    # Not KVM, which some machines have that cannot run it.
    return (
        "qemu-system-x86_64", "-accel", "tcg", "-m", MEMORY, "-nodefaults",
        "-display", "none", "-no-reboot", "-kernel", f"/boot/vmlinuz-{kernel}",
        "-initrd", initramfs(scratch, kernel, init),
        "-append", "console=ttyS0 panic=-1 random.trust_cpu=on",
        "-serial", f"file:{scratch / 'console'}",
        "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=",
        "-chardev", "stdio,id=streams,signal=off", "-device", "virtio-serial-pci",
        "-device", "virtserialport,chardev=streams,name=streams")
