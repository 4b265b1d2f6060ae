"""A Slurm cluster of two nodes on this machine: daemons, ports, keys and folders of its own,
on the address of its name, which is a loopback one where root runs it.

As root each node has a host name and process numbers of its own, so that the tasks of one
cannot see those of the other, as on two machines."""
import contextlib
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import tempfile

from programs import wait_until

HOST = socket.gethostname().split(".")[0]
NODES = ("n1", "n2")
CPUS = 4
# It ends with whoever started it, also where that was killed.
GUARDED = ("setpriv", "--pdeathsig", "KILL")
SEPARATE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts")
# A daemon listens on the address that its host's name has. Not the last command: process 1
# must be a shell, which waits for orphans.
BE_HOST = 'mount --bind "$0" /etc/hosts; hostname "$1"; shift; "$@"; exit'
CONF = """
ClusterName=giq
SlurmctldHost={host}({address})
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={folder}/munge.socket,cred_expire=20
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
MailProg=/bin/true
PartitionName=all Nodes=ALL Default=YES
"""
NODE = ("NodeName={node} NodeHostname={host} NodeAddr={address} Port={port} "
        "CPUs={cpus} RealMemory=8000\n")


def free_ports(count):
    """Ports that the system gives to nobody by itself, from here to 32767."""
    ports = []
    while len(ports) < count:
        port = random.randrange(20000, 32768)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            ports.append(port)
    return ports


def version():
    """Of Slurm: its first two numbers."""
    text = subprocess.run(["slurmctld", "-V"], stdout=subprocess.PIPE, text=True).stdout
    return tuple(map(int, re.search(r"(\d+)\.(\d+)", text).groups()))


def can_separate():
    return subprocess.run([*SEPARATE, "true"], stderr=subprocess.DEVNULL).returncode == 0


class Slurm:
    """The running cluster. stop() ends all its processes."""

    def __init__(self):
        # Short, because the path of a socket has at most 107 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="giq-slurm-"))
        self.env = {"SLURM_CONF": str(self.folder / "slurm.conf")}
        self.daemons = []
        self.is_apart = can_separate()
        try:
            self.configure()
            self.start()
        except BaseException:
            self.show_log()
            self.stop()
            raise

    def configure(self):
        for name in ("state", *NODES):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        port, *node_ports = free_ports(1 + len(NODES))
        names = {"host": HOST, "cpus": CPUS, "folder": self.folder, "user": os.getuid(),
                 "address": "127.0.0.1" if self.is_apart else socket.gethostbyname(HOST)}
        text = "".join(NODE.format(node=node, port=node_port, **names)
                       for node, node_port in zip(NODES, node_ports))
        text += CONF.format(port=port, **names)
        (self.folder / "slurm.conf").write_text(text)
        # Nothing here needs control groups, which not every machine has.
        plugin = "disabled" if version() >= (23, 11) else "cgroup/v1"
        (self.folder / "cgroup.conf").write_text(f"CgroupPlugin={plugin}\n")
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost {HOST} {' '.join(NODES)}\n")

    def start(self):
        files = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munge.pid",
                 "seed-file": "munge.seed", "log-file": "munge.log"}
        self.launch("munged", "--foreground", "--force",
                    *[f"--{what}={self.folder / name}" for what, name in files.items()])
        wait_until((self.folder / "munge.socket").exists, "munged")
        self.launch("slurmctld", "-D", host=HOST)
        wait_until(lambda: "UP" in self.ask("scontrol", "ping"), "slurmctld")
        for node in NODES:
            self.launch("slurmd", "-D", "-N", node, host=node)
        wait_until(lambda: self.ask("sinfo", "-h", "-t", "idle", "-o", "%D").strip()
                   == str(len(NODES)), "idle nodes")

    def launch(self, *command, host=None):
        if host is not None and self.is_apart:
            command = (*SEPARATE, "sh", "-ec", BE_HOST, self.folder / "hosts", host, *command)
        with open(self.folder / "output.log", "ab") as log:
            self.daemons.append(subprocess.Popen(
                [*GUARDED, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.env}))

    def show_log(self):
        log = self.folder / "output.log"
        if log.exists():
            print(log.read_text(errors="replace"))

    def ask(self, *command):
        """What a program of Slurm prints, also where it fails."""
        return subprocess.run(command, env={**os.environ, **self.env}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout

    def states(self, job):
        """The state of each task of an array job, by its number."""
        listed = self.ask("squeue", "-h", "-r", "-t", "all", "-j", job, "-o", "%K %T")
        return {int(number): state for number, state in map(str.split, listed.splitlines())}

    def stop(self):
        try:
            if "UP" in self.ask("scontrol", "ping"):
                self.ask("scancel", "--signal=KILL", "--full", "--user", str(os.getuid()))
                self.ask("scancel", "--user", str(os.getuid()))
                wait_until(lambda: self.ask("squeue", "-h") == "", "an empty queue")
        finally:
            for daemon in reversed(self.daemons):
                daemon.kill()
                daemon.wait(timeout=60)
            shutil.rmtree(self.folder)
