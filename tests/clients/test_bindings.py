"""GDAL's Python bindings: threads on many requests, children that are forked or spawned
around an open. Each request is one job, and what is read is right."""
import json

import pytest

from conftest import DATA, RASTER, SCENE, VECTOR
from programs import VERSION

# Many threads on several requests, rasters and vectors mixed; each reads all of it.
THREADS = """
import json, sys, threading
from osgeo import gdal
gdal.UseExceptions()
names = sys.argv[1:]
start = threading.Barrier(len(names) * 4)
found, faults = [], []

def summary(name):
    data = gdal.OpenEx(name)
    if data.RasterCount:
        return data.GetRasterBand(1).Checksum()
    return sum(f.GetGeometryRef().GetArea() for f in data.GetLayer(0))

def work(name):
    try:
        start.wait()
        for _ in range(3):
            found.append((name, summary(name)))
    except Exception as error:
        faults.append(str(error))

threads = [threading.Thread(target=work, args=(name,)) for name in names for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not faults, faults
assert len(found) == len(names) * 12
print(json.dumps(sorted(set(found))))
"""

LOOK = """
import json, sys
from osgeo import gdal
def summary(path):
    data = gdal.OpenEx(path)
    if data.RasterCount:
        return data.GetRasterBand(1).Checksum()
    return sum(f.GetGeometryRef().GetArea() for f in data.GetLayer(0))
print(json.dumps([summary(path) for path in sys.argv[1:]]))
"""


def requests(base):
    return [f"{base};geometry=POLYGON((-34.9 -8,-34.9 {y},-34.85 {y},-34.85 -8,-34.9 -8))"
            for y in (-7.99, -7.98)]


def test_threads_on_same_and_different_requests(client):
    names = requests(VECTOR) + requests(RASTER)
    found = json.loads(client.python(THREADS, *names).stdout)
    assert sorted(name for name, _ in found) == sorted(names)
    assert len(client.paid()) == len(names)
    local = client.python(LOOK, *(client.result(run) for run in client.paid()))
    assert sorted(json.loads(local.stdout)) == sorted(value for _, value in found)


# Threads that read one dataset, which was opened for that, or made so.
THREAD_SAFE = """
import sys, threading
from osgeo import gdal
gdal.UseExceptions()
name, count, out, is_opened = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]
if is_opened:
    data = gdal.OpenEx(name, gdal.OF_RASTER | getattr(gdal, "OF_THREAD_SAFE", 0x800))
else:
    data = gdal.OpenEx(name, gdal.OF_RASTER).GetThreadSafeDataset(gdal.OF_RASTER)
assert count == 1 or data.IsThreadSafe(gdal.OF_RASTER)
start = threading.Barrier(count)
found = []

def work():
    start.wait()
    band = data.GetRasterBand(1)
    width, height = data.RasterXSize, data.RasterYSize
    for _ in range(5):
        found.append(b"".join(bytes(band.ReadRaster(0, row, width, min(16, height - row)))
                              for row in range(0, height, 16)))

threads = [threading.Thread(target=work) for _ in range(count)]
for thread in threads: thread.start()
for thread in threads: thread.join()
[whole] = set(found)
assert len(found) == count * 5
open(out, "wb").write(whole)
"""


needs_thread_safe = pytest.mark.skipif(
    VERSION < (3, 10), reason="this GDAL has no datasets for several threads")


def check_shared(client, whole):
    client.run("gdal_translate", "-q", "-of", "ENVI", "-b", "1", whole, "whole")
    assert (client.folder / "shared").read_bytes() == (client.folder / "whole").read_bytes()


def test_threads_share_a_dataset_that_is_thread_safe(client):
    """Before 3.10 the flag says nothing to GDAL, and one thread reads."""
    client.python(THREAD_SAFE, RASTER, 8 if VERSION >= (3, 10) else 1, "shared", "opened")
    check_shared(client, client.local("ndvi"))
    assert len(client.paid()) == 1


@needs_thread_safe
def test_threads_share_a_dataset_that_was_made_thread_safe(client):
    client.python(THREAD_SAFE, RASTER, 8, "shared")
    check_shared(client, client.local("ndvi"))
    assert len(client.paid()) == 1


@needs_thread_safe
@pytest.mark.parametrize("ways", [["opened"], []])
def test_threads_share_the_mosaic_of_a_batch(client, ways):
    """Each thread opens the sources of the mosaic for itself."""
    batch = f"GIQ:batch={DATA}/parcels.geojson;model=ndvi;file={SCENE}"
    client.python(THREAD_SAFE, batch, 8, "shared", *ways)
    calls = client.calls()
    check_shared(client, batch)
    assert client.calls() == calls and len(client.paid()) == 3


# A dataset that is open across a fork, on both sides; the child opens more.
FORK = """
import os, sys
from osgeo import gdal
gdal.UseExceptions()
first, second = sys.argv[1:3]
before = gdal.OpenEx(first)
want = before.GetRasterBand(1).Checksum()

def summary():
    raster, vector = gdal.OpenEx(first), gdal.OpenEx(second)
    assert raster.GetRasterBand(1).Checksum() == want
    assert vector.GetLayer(0).GetFeatureCount() == 69

def forked(work):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid

pids = [forked(summary) for _ in range(4)]
summary()
assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
assert before.GetRasterBand(1).Checksum() == want
"""


def test_fork_after_an_open(client):
    client.python(FORK, RASTER, VECTOR)
    assert sorted(run["form"]["modelId"] for run in client.paid()) == ["ndvi", "water"]


POOL = """
import concurrent.futures, multiprocessing, sys
from osgeo import gdal

def rows(task):
    gdal.UseExceptions()
    name, row = task
    data = gdal.Open(name)
    return data.GetRasterBand(1).ReadAsArray(0, row, 349, 32).tobytes()

if __name__ == "__main__":
    gdal.UseExceptions()
    name, local, method = sys.argv[1:4]
    if sys.argv[4] == "after":
        rows((name, 0))
    context = multiprocessing.get_context(method)
    tasks = [(name, row) for row in range(0, 352, 32)]
    with concurrent.futures.ProcessPoolExecutor(4, context) as pool:
        found = b"".join(pool.map(rows, tasks))
    print(len(found))
    open(local, "wb").write(found)
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_pool_reads_a_raster_in_strips(client, method, when):
    """The pool is made before the first open, or after it."""
    (client.folder / "pool.py").write_text(POOL)
    client.run("/usr/bin/python3", "pool.py", RASTER, "strips", method, when)
    client.run("gdal_translate", "-q", "-of", "ENVI", client.local("ndvi"), "whole")
    strips = (client.folder / "strips").read_bytes()
    assert strips == (client.folder / "whole").read_bytes()
    assert len(client.paid()) == 1


WORDS = """
import sys
from osgeo import gdal, ogr
gdal.UseExceptions()
ogr.UseExceptions()
for opening in (gdal.Open, ogr.Open, gdal.OpenEx):
    try:
        opening(sys.argv[1])
    except RuntimeError as error:
        print(error)
"""


def test_exceptions_hold_the_words_of_the_driver(client):
    done = client.python(WORDS, "GIQ:model=ndwi;file=x")
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and len(set(lines)) == 1
    assert lines[0].startswith("GIQ[usage]") and "ndvi" in lines[0]
    assert client.paid() == []
