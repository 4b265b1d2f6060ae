"""Opens that something befalls: what the fault tests share."""
import concurrent.futures
import os
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "integration"))
from opens import Gdal  # noqa: E402
from scripted import ScriptedService  # noqa: E402
from spills import no_secret_in_files  # noqa: E402, F401

AT_ONCE = 4


class Bench:
    """A service, and requests that differ in their file only: file=f<number>."""

    def __init__(self, folder):
        self.folder = folder
        self.service = ScriptedService()

    def open(self, label, fault=None, name=None, user=None, **more):
        """Open the request of a label in a store of its own."""
        gdal = Gdal(self.folder, self.service.url)
        store = self.folder / f"store-{label}"
        env = {"GIQ_STORE_DIR": str(store), "GIQ_RETRY_DELAY": "0",
               "GIQ_TIMEOUT": "20", **more}
        if fault is not None:
            env.update(fault, LD_PRELOAD=os.environ["GIQ_FAULT_LIBRARY"],
                       GIQ_FAULT_STORE=str(store))
        command = ["ogrinfo", "-q", "-al", name or f"GIQ:model=m;file=f{label}"]
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

    def each(self, work, items):
        """Do the work for each item, some at once."""
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(work, items))


def errors(done):
    return re.findall(r"GIQ\[(\w+)\]", done.stderr)


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.service.stop()
