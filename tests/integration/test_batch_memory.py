"""One process that opens batch after batch: its memory, descriptors and threads stay as
they are. GIQ_TEST_BATCH_ROWS=<n> makes the batches longer."""
import json
import os

from batches import collection
from programs import SCENE, Gdal, Sandbox

ROWS = int(os.environ.get("GIQ_TEST_BATCH_ROWS") or 100)
BATCHES = 10
GROWTH_KIB_MAX = 8 * 1024  # from the second batch to the last
OPEN = """
import ctypes, json, os, sys
from osgeo import gdal
gdal.UseExceptions()
found = []
def count(name):
    return len(os.listdir(f"/proc/self/{name}"))
def resident_kib():
    ctypes.CDLL(None).malloc_trim(0)
    [line] = [line for line in open("/proc/self/status") if line.startswith("VmRSS")]
    return int(line.split()[1])
for number in range(int(sys.argv[2])):
    before = count("fd"), count("task")
    data = gdal.OpenEx(f"{sys.argv[1]};rerun={number}", gdal.OF_VECTOR)
    tasks = count("task")
    rows = sum(1 for _ in data.GetLayer(0))
    data = None
    found.append([rows, count("fd") - before[0], tasks - before[1], resident_kib()])
print(json.dumps(found))
"""


def ring(row):
    x, y = row % 100, row // 100
    return [[x, y], [x, y + 0.5], [x + 0.5, y + 0.5], [x, y]]


def test_memory_descriptors_and_threads_stay_flat(tmp_path, started):
    sandbox = started(Sandbox(tmp_path / "sandbox", "--offer-wait", "--workers", "64",
                              "--job-seconds", "0"))
    gdal = Gdal(tmp_path, sandbox.url)
    gdal.env.update(GIQ_POLL_INTERVAL="0.05", GIQ_CONCURRENCY="64")
    (tmp_path / "rows.geojson").write_bytes(collection(*(
        ({"id": f"r{row}"}, {"type": "Polygon", "coordinates": [ring(row)]})
        for row in range(ROWS))))
    done = gdal.run("/usr/bin/python3", "-c", OPEN,
                    f"GIQ:batch=rows.geojson;model=wait;file={SCENE}", BATCHES,
                    timeout=ROWS * BATCHES)
    found = json.loads(done.stdout)
    print(found)
    assert [rows for rows, *_ in found] == [ROWS] * BATCHES
    # Libraries open some files with the first dataset, for the life of the process.
    assert [descriptors for _, descriptors, *_ in found[1:]] == [0] * (BATCHES - 1)
    assert [tasks for _, _, tasks, _ in found] == [0] * BATCHES
    assert found[-1][-1] - found[1][-1] < GROWTH_KIB_MAX
    assert len(sandbox.runs()) == ROWS * BATCHES
