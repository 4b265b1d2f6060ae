"""Opens with a fault injected: what the fault tests share."""
import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import queue
import re
import signal
import subprocess

import pytest

from programs import Gdal, started  # noqa: F401
from scripted import Response, ScriptedService
from secret_search import in_text, know_environment, no_secret_in_files  # noqa: F401

OPENER = pathlib.Path(__file__).parent / "opener.py"
AT_ONCE = 4
CALLS_AFTER_THE_LAST = 5  # a record is read, or synced, and the lock is left


def take_upload(seen):
    """A file is known by what it holds."""
    held = re.search(rb"\r\n\r\n(f[^\r]*)\r\n--", seen["body"])
    return Response({"fileId": held[1].decode()})


class Opener:
    """A process that opens datasets (opener.py): one, or several at once, at a time."""

    COMMAND = ("/usr/bin/python3", OPENER)

    def __init__(self, gdal, number, command=COMMAND):
        self.outputs = gdal.folder / f"opener-{number}"
        preload = {"LD_PRELOAD": os.environ["GIQ_FAULT_LIBRARY"]}
        self.process = gdal.start(*command, stdin=subprocess.PIPE, stderr=None,
                                  start_new_session=True,
                                  env=preload if command == self.COMMAND else None)

    def open(self, name, env, **more):
        """What a program would have said that opens and reads this dataset."""
        [done] = self.open_all([{"name": name, "env": env, **more}])
        return done

    def open_all(self, orders):
        """The same of programs that begin at once."""
        paths = [[f"{self.outputs}-{number}.{kind}" for kind in ("out", "err")]
                 for number in range(len(orders))]
        for order in orders:
            know_environment(order["env"])
        self.process.stdin.write(json.dumps([
            {**order, "out": out, "err": err}
            for order, (out, err) in zip(orders, paths)]) + "\n")
        self.process.stdin.flush()
        codes = json.loads(self.process.stdout.readline())
        return [subprocess.CompletedProcess(
            order["name"], code, *(in_text(pathlib.Path(path).read_text(), order["name"])
                                   for path in output))
            for order, code, output in zip(orders, codes, paths)]

    def stop(self):
        """Also what it forked: in a child that is made while another thread has the lock of
        PROJ's databases, fork() does not return."""
        self.process.communicate()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Bench:
    """A service, and requests that differ in their file only: file=f<number>, or a file
    to upload that holds this text."""

    def __init__(self, folder):
        self.folder = folder
        self.service = ScriptedService()
        self.service.script["upload"] = [take_upload]
        self.uploads = False
        self.openers = itertools.count()
        self.idle_openers = queue.SimpleQueue()

    def stop(self):
        while not self.idle_openers.empty():
            self.idle_openers.get().stop()
        self.service.stop()

    def name(self, label):
        if not self.uploads:
            return f"GIQ:model=m;file=f{label}"
        path = self.folder / f"f{label}.txt"
        if not path.exists():
            path.write_text(f"f{label}")
            os.utime(path, (1600000000, 1600000000))
        return f"GIQ:model=m;upload={path}"

    def open(self, label, fault=None, name=None, **more):
        """Open the request of a label in a store of its own."""
        name = name or self.name(label)
        env = self.environment(label, more)
        if fault is not None:
            env.update(fault, GIQ_FAULT_STORE=env["GIQ_STORE_DIR"])
        try:
            opener = self.idle_openers.get_nowait()
        except queue.Empty:
            opener = Opener(Gdal(self.folder, self.service.url), next(self.openers))
        done = opener.open(name, env)
        self.idle_openers.put(opener)
        return done

    def open_as(self, user, label):
        """The same by another user's program."""
        gdal = Gdal(self.folder, self.service.url)
        return gdal.run(*gdal.as_user(user, "ogrinfo", "-q", "-al", self.name(label)),
                        ok=None, env=self.environment(label))

    def environment(self, label, more=()):
        return {"GIQ_STORE_DIR": str(self.folder / f"store-{label}"),
                "GIQ_RETRY_DELAY": "0", "GIQ_TIMEOUT": "20", **dict(more)}

    def runs(self, label):
        """How often a run request for this label came."""
        field = f"\r\n\r\nf{label}\r\n".encode()
        return sum(field in call["body"] for call in self.service.calls("run"))

    def state(self, label):
        """The word in job.json, or None."""
        for path in self.folder.glob(f"store-{label}/v1/*/job.json"):
            return re.search(r'"state":"(\w+)"', path.read_text()).group(1)
        return None

    def outcome(self, label):
        """That of the newest ticket: None without a ticket, "" while it is not known."""
        tickets = sorted(self.folder.glob(f"store-{label}/v1/*/sent.*"),
                         key=lambda path: int(path.suffix[1:]) if path.suffix[1:].isdigit()
                         else 0)
        if not tickets:
            return None
        found = re.search(r'"outcome":"(\w+)"', tickets[-1].read_text())
        return found.group(1) if found else ""

    def log(self, label):
        """The file for the counted calls of an open."""
        return self.folder / f"log-{label}"

    def enumerate(self, label, **fault):
        """The counted calls of an open without a fault."""
        done = self.open(label, {"GIQ_FAULT_LOG": str(self.log(label)), **fault})
        assert done.returncode == 0, done.stderr
        return self.log(label).read_text().splitlines()

    def check_killed(self, label, at, done):
        """An open was killed at a counted call, or ended before it made so many: a response
        may come in fewer pieces than another time. Its calls are in log(label)."""
        if done.returncode != -signal.SIGKILL:
            made = len(self.log(label).read_text().splitlines())
            assert (done.returncode, made < at) == (0, True), (at, made, done)

    def calls(self):
        """Those of a new request, as far as the way to name its file makes a difference
        to them."""
        calls = self.enumerate("dry")
        if self.uploads:
            last = max(at for at, call in enumerate(calls) if "/uploads/" in call)
            calls = calls[:last + CALLS_AFTER_THE_LAST]
        return calls

    def each(self, work, items):
        """Do the work for each item, some at once."""
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(work, items))


def errors(done):
    return re.findall(r"GIQ\[(\w+)\]", done.stderr)


@pytest.fixture(params=["file", "upload"])
def both(bench, request):
    """The bench, once for each way to name a file."""
    bench.uploads = request.param == "upload"
    return bench


@pytest.fixture
def bench(tmp_path, started):
    return started(Bench(tmp_path))
