"""Opens that something befalls: what the fault tests share."""
import concurrent.futures
import os
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "integration"))
from opens import Gdal  # noqa: E402
from scripted import Answer, ScriptedService  # noqa: E402
from spills import no_secret_in_files  # noqa: E402, F401

AT_ONCE = 4
CALLS_AFTER_THE_LAST = 5  # a record is read, or synced, and the lock is left


def take_upload(seen):
    """A file is known by what it holds."""
    held = re.search(rb"\r\n\r\n(f[^\r]*)\r\n--", seen["body"])
    return Answer({"fileId": held[1].decode()})


class Bench:
    """A service, and requests that differ in their file only: file=f<number>, or a file
    to upload that holds this text."""

    def __init__(self, folder):
        self.folder = folder
        self.service = ScriptedService()
        self.service.script["upload"] = [take_upload]
        self.uploads = False

    def name(self, label):
        if not self.uploads:
            return f"GIQ:model=m;file=f{label}"
        path = self.folder / f"f{label}.txt"
        if not path.exists():
            path.write_text(f"f{label}")
            os.utime(path, (1600000000, 1600000000))
        return f"GIQ:model=m;upload={path}"

    def open(self, label, fault=None, name=None, user=None, **more):
        """Open the request of a label in a store of its own."""
        gdal = Gdal(self.folder, self.service.url)
        store = self.folder / f"store-{label}"
        env = {"GIQ_STORE_DIR": str(store), "GIQ_RETRY_DELAY": "0",
               "GIQ_TIMEOUT": "20", **more}
        if fault is not None:
            env.update(fault, LD_PRELOAD=os.environ["GIQ_FAULT_LIBRARY"],
                       GIQ_FAULT_STORE=str(store))
        command = ["ogrinfo", "-q", "-al", name or self.name(label)]
        if user is not None:
            command = gdal.as_user(user, *command)
        return gdal.run(*command, ok=None, env=env, timeout=60)

    def runs(self, label):
        """How often a run request for this label came."""
        field = f"\r\n\r\nf{label}\r\n".encode()
        return sum(field in call["body"] for call in self.service.calls("run"))

    def state(self, label):
        """The word in job.json, or None."""
        for path in self.folder.glob(f"store-{label}/v1/*/job.json"):
            return re.search(r'"state":"(\w+)"', path.read_text()).group(1)
        return None

    def enumerate(self, label, **fault):
        """The counted calls of an open that nothing befalls."""
        log = self.folder / f"log-{label}"
        done = self.open(label, {"GIQ_FAULT_LOG": str(log), **fault})
        assert done.returncode == 0, done.stderr
        return log.read_text().splitlines()

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
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.service.stop()
