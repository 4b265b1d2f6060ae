"""The results of a batch are opened while its dataset is read: none of them is left out in
silence, and one that has changed on disk is checked again."""
import json
import os

import pytest

from batches import NAME, attached, collection, read, result, write_rows
from programs import PUBLISHED
from scripted import Response

# Opens the batch, removes a result, reads, puts it back, and does it again without.
READER = """
import os, sys
from osgeo import gdal
gdal.UseExceptions()
memory = "MEM" if int(gdal.VersionInfo()) >= 3110000 else "Memory"
name, path = sys.argv[1:]
away = path + ".away"
for change in (lambda: os.rename(path, away), lambda: None):
    data = gdal.OpenEx(name, gdal.OF_VECTOR)
    change()
    try:
        found = gdal.VectorTranslate("", data, format=memory)
        print(sorted(row["name"] for row in found.GetLayer(0)))
    except RuntimeError:
        print("failed")
    os.path.exists(away) and os.rename(away, path)
"""
# Opens the batch, replaces a result by another file, and reads.
REPLACED = """
import os, sys
from osgeo import gdal
gdal.UseExceptions()
memory = "MEM" if int(gdal.VersionInfo()) >= 3110000 else "Memory"
name, path, other = sys.argv[1:]
data = gdal.OpenEx(name, gdal.OF_VECTOR)
os.rename(other, path)
try:
    found = gdal.VectorTranslate("", data, format=memory)
    print(found.GetLayer(0).GetFeatureCount())
except RuntimeError:
    print("failed")
"""


@pytest.fixture
def gdal(scripted_gdal):
    scripted_gdal.env["GIQ_POLL_INTERVAL"] = "0.05"
    return scripted_gdal


def path_of(gdal, file):
    """The published result of a row."""
    [folder] = [path.parent for path in gdal.store.glob("v1/*/job.json")
                if json.loads(path.read_text())["job_id"] == f"job-{file}"]
    [path] = folder.glob(f"{PUBLISHED}/result.geojson")
    return path


@pytest.mark.parametrize("row", ["a", "b", "c"])
def test_row_that_cannot_be_read_is_an_error(gdal, jobs, row):
    """GDAL's union goes on with the next source, and reports only how the last one ended."""
    write_rows(gdal, "a", "b", "c")
    read(gdal)
    jobs.results[row] = Response(status=400)
    done = gdal.python(READER, NAME, path_of(gdal, row))
    assert done.stdout == "failed\n['a', 'b', 'c']\n"
    assert jobs.paid() == ["a", "b", "c"]


@pytest.mark.parametrize("name", [NAME, "GIQ:model=m;file=b"], ids=["batch", "alone"])
def test_result_that_changed_on_disk_is_checked_again(gdal, jobs, host, name):
    """The new file has the size of the old one, and names another host."""
    link = {"type": "link", "properties": {"href": host.url, "type": "ogcwkt"}}
    point = {"type": "Point", "coordinates": [1, 2], "crs": link}
    evil = collection(({"name": "b"}, point))
    jobs.results["b"] = attached(result("b").ljust(len(evil)))
    write_rows(gdal, "a", "b", "c")
    read(gdal)
    path = path_of(gdal, "b")
    assert path.stat().st_size == len(evil)
    (gdal.folder / "evil").write_bytes(evil)
    if name == NAME:
        done = gdal.python(REPLACED, name, path, gdal.folder / "evil")
        assert done.stdout == "failed\n"
    else:
        os.rename(gdal.folder / "evil", path)
        error = gdal.fails("ogrinfo", "-al", name, tag="result")
        assert f'the result would make GDAL fetch "{host.url}' in error
    assert host.visits == 0
    assert jobs.paid() == ["a", "b", "c"]


def test_drivers_are_asked_for_each_result(gdal, jobs):
    """Also for one that was checked, in the process that opened the batch."""
    write_rows(gdal, "a", "b")
    read(gdal)
    script = REPLACED.replace("os.rename(other, path)",
                              "gdal.SetConfigOption('GIQ_RESULT_DRIVERS', 'GPKG')")
    assert gdal.python(script, NAME, "", "").stdout == "failed\n"
    assert jobs.paid() == ["a", "b"]
