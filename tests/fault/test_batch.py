"""Batches that are killed, or whose disk is full: no row is paid for twice."""
import concurrent.futures
import json
import os
import random
import re
import subprocess
import threading

import pytest

import secret_search
from programs import Gdal
from scripted import Response, job, service  # noqa: F401

MIXES = 200
FILES = 4
TABLE = """
import json, sys
from osgeo import gdal
gdal.UseExceptions()
data = gdal.OpenEx(sys.argv[1] + ";wait=no", gdal.OF_VECTOR, open_options=["SUBMIT=NO"])
print(json.dumps({row["file_id"]: row["state"] for row in data.GetLayer(0)}))
"""


def file_of(run):
    return re.search(rb'name="fileId"\r\n\r\n(.*?)\r\n', run["body"])[1].decode()


class Paid:
    """Jobs that are called job-<file>, and how often each was started."""

    def __init__(self, service):
        self.changed = threading.Condition()
        self.files = []
        service.script.update(run=[self.on_run], status=[self.on_status])

    def on_run(self, seen):
        with self.changed:
            self.files.append(file_of(seen))
            self.changed.notify_all()
        return Response({**job("SUBMITTED"), "id": f"job-{file_of(seen)}"})

    @staticmethod
    def on_status(seen):
        return Response({**job("COMPLETED"), "id": seen["query"]["inferenceId"]})

    def wait_for(self, names, count, process):
        """Until so many of these files were paid for, or the process has ended."""
        with self.changed:
            while process.poll() is None and self.count(names) < count:
                self.changed.wait(0.05)

    def count(self, names):
        return sum(file in names for file in self.files)


def write_rows(path, files):
    path.write_text("id,file\n" + "".join(f"{file},{file}\n" for file in files))
    return f"GIQ:batch={path.name};model=m"


def mix(gdal, paid, chance, number):
    """Batches with common rows and an open of one row at once, one of which is killed after
    some jobs; then all again."""
    files = [f"f{number}-{i}" for i in range(FILES)]
    batch = write_rows(gdal.folder / f"a{number}.csv", files)
    other = write_rows(gdal.folder / f"b{number}.csv", files[::-1][:3])
    names = [batch, other, f"GIQ:model=m;file={chance.choice(files)}"]
    chance.shuffle(names)
    started = [gdal.start("ogrinfo", "-ro", name) for name in names]
    victim = chance.choice(started)
    paid.wait_for(files, chance.randint(0, FILES), victim)
    victim.kill()
    for process in started:
        gdal.finish(process)
    gdal.run("ogrinfo", "-ro", "-oo", "ON_FAILED=SKIP", batch, ok=None)
    states = json.loads(gdal.python(TABLE, batch).stdout)
    assert set(states) == set(files)
    for file, state in states.items():
        assert state in ("published", "unknown"), (number, states)
        assert paid.count([file]) == 1 or state == "unknown", (number, states, paid.files)
        assert paid.count([file]) <= 1, (number, states, paid.files)
    return list(states.values())


def test_random_mixes_of_kills_and_opens_pay_each_row_once(tmp_path, service):  # noqa: F811
    """The seed is printed; GIQ_TEST_SEED repeats a run."""
    seed = int(os.environ.get("GIQ_TEST_SEED") or random.randrange(1 << 30))
    print("seed", seed)
    gdal = Gdal(tmp_path, service.url)
    gdal.env["GIQ_POLL_INTERVAL"] = "0.05"
    paid = Paid(service)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        states = list(pool.map(
            lambda number: mix(gdal, paid, random.Random(seed + number), number),
            range(MIXES)))
    assert len(states) == MIXES
    assert sum(one.count("published") for one in states) > MIXES * FILES // 2


@pytest.fixture
def disk(tmp_path):
    """A store on a file system of its own. Needs root."""
    path = tmp_path / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", path],
                   check=True)
    yield path
    secret_search.in_files(path)
    subprocess.run(["umount", "-l", path], check=True)


def test_full_disk_in_the_middle_pays_nothing_twice(tmp_path, service, disk):  # noqa: F811
    gdal = Gdal(tmp_path, service.url)
    gdal.env.update(GIQ_STORE_DIR=str(disk), GIQ_POLL_INTERVAL="0.05")
    paid = Paid(service)
    on_run = paid.on_run
    filler = disk / "filler"

    def run(seen):
        if file_of(seen) == "c":
            with open(filler, "wb", buffering=0) as out:
                size = 1 << 16
                while size > 0:
                    try:
                        out.write(bytes(size))
                    except OSError:
                        size //= 2
        return on_run(seen)

    service.script["run"] = [run]
    name = write_rows(tmp_path / "rows.csv", ["a", "b", "c", "d", "e"])
    said = gdal.fails("ogrinfo", "-ro", "-oo", "CONCURRENCY=1", name, tag="batch")
    assert "rows of the batch failed" in said and "because of [store]" in said
    assert paid.files == ["a", "b", "c"]
    os.unlink(filler)
    service.script["run"] = [on_run]
    done = gdal.run("ogrinfo", "-ro", name, ok=None)
    assert sorted(set(paid.files)) == ["a", "b", "c", "d", "e"]
    assert len(paid.files) == 5, done.stderr
