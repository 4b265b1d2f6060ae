"""GIQ:jobs: the records of this user's store, without a call and without a lock."""
import contextlib
import fcntl
import json
import os
import shutil

import pytest

from programs import PUBLISHED
from scripted import Response, job

NAME = "GIQ:model=m;file=f"
FAILED = ("the job job-1 failed on the service (FAILED); it stays recorded as failed, and "
          "RETRY=<label> or rerun=<label> starts a new job, which is paid for")


def jobs(gdal, *options):
    done = gdal.python("""
import json, sys
from osgeo import gdal
gdal.UseExceptions()
data = gdal.OpenEx("GIQ:jobs", gdal.OF_VECTOR)
layer = data.GetLayer("jobs")
if len(sys.argv) > 1:
    layer.SetAttributeFilter(sys.argv[1])
if len(sys.argv) > 2:
    layer.SetSpatialFilterRect(*map(float, sys.argv[2].split()))
for row in layer:
    area = row.GetGeometryRef()
    print(json.dumps({**row.items(), "area": area and area.ExportToWkt()}))
""", *options, env={"GIQ_API_KEY": ""})
    return [json.loads(line) for line in done.stdout.splitlines()]


def by_key(row):
    return row["key"]


def as_in_tables(time):
    """A recorded time as OGR prints a DateTime in UTC: a whole second has no fraction."""
    date, clock = time.removesuffix("Z").replace("-", "/").split("T")
    clock = clock.removesuffix(".000")
    return f"{date} {clock}+00"


def make_some(gdal, service):
    """A published, a failed and a running job."""
    gdal.run("ogrinfo", f"{NAME};geometry=POLYGON((0 0,0 1,1 1,1 0,0 0));rerun=x")
    service.script["status"] = [Response(job("FAILED"))]
    gdal.fails("ogrinfo", "GIQ:model=m;file=g", tag="failed")
    service.script["status"] = [Response(job("RUNNING"))]
    gdal.run("ogrinfo", "GIQ:model=m;file=h;wait=no")


def test_every_record_is_a_row(scripted_gdal, service):
    assert jobs(scripted_gdal) == []
    make_some(scripted_gdal, service)
    calls = service.names()
    records = scripted_gdal.records()
    rows = {row.pop("file_id"): row for row in jobs(scripted_gdal)}
    keys = {name: row.pop("key") for name, row in rows.items()}
    assert sorted(keys.values()) == sorted(records)
    for name, row in rows.items():
        for column in ("submitted_at", "finished_at"):
            recorded = records[keys[name]].get(column)
            assert row.pop(column) == (recorded and as_in_tables(recorded))
    [path] = scripted_gdal.store.glob(f"v1/{keys['f']}/{PUBLISHED}/result.geojson")
    same = {"model_id": "m", "upload": None, "job_id": "job-1", "type": "RASTER",
            "started_at": "2024/05/01 10:20:30+00", "label": None, "result_path": None,
            "result_size": None, "error": None, "area": None, "area_km2": None}
    assert rows == {
        "f": {**same, "label": "x", "status": "published", "state": "published",
              "result_path": str(path), "result_size": path.stat().st_size,
              "area_km2": pytest.approx(12308.463893975),
              "area": "MULTIPOLYGON (((0 0,0 1,1 1,1 0,0 0)))"},
        "g": {**same, "status": "failed", "state": "failed", "error": FAILED},
        "h": {**same, "status": "SUBMITTED", "state": "submitted"},
    }
    assert service.names() == calls


def test_many_records_are_rows_in_the_order_of_their_folder(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    keys = scripted_gdal.store / "v1"
    [first] = keys.iterdir()
    for number in range(100):
        shutil.copytree(first, keys / f"{number:064x}")
    rows = jobs(scripted_gdal)
    assert [row["key"] for row in rows] == os.listdir(keys)
    assert {row["status"] for row in rows} == {"published"}
    assert len(service.calls("run")) == 1


def test_filters_work(scripted_gdal, service):
    make_some(scripted_gdal, service)
    assert [r["file_id"] for r in jobs(scripted_gdal, "status = 'failed'")] == ["g"]
    assert [r["file_id"] for r in jobs(scripted_gdal, "1=1", "0.2 0.2 0.4 0.4")] == ["f"]
    assert jobs(scripted_gdal, "1=1", "5 5 6 6") == []


def test_damaged_and_newer_records_are_rows_that_say_so(scripted_gdal, service):
    make_some(scripted_gdal, service)
    paths = sorted(scripted_gdal.store.glob("v1/*/job.json"))
    paths[0].write_text("{")
    newer = json.loads(paths[1].read_text())
    paths[1].write_text(json.dumps({**newer, "format": 99}))
    rows = {row["key"]: row for row in jobs(scripted_gdal)}
    assert len(rows) == 3
    damaged, newer = (rows[path.parent.name] for path in paths[:2])
    assert damaged["error"].startswith(f"the record {paths[0]} is damaged; ")
    assert newer["error"] == (f"the record {paths[1]} was written by a newer version of "
                              "the driver (format 99, newer than 2); update the driver")
    for row in (damaged, newer):
        assert row["state"] == "damaged"
        assert {name for name, value in row.items() if value is not None} == {
            "key", "state", "error"}


def test_table_takes_no_lock_and_folders_without_a_record_are_no_rows(scripted_gdal,
                                                                      service):
    make_some(scripted_gdal, service)
    before = jobs(scripted_gdal)
    empty = scripted_gdal.store / "v1" / ("0" * 64)
    empty.mkdir()
    (empty / "lock").touch()
    (scripted_gdal.store / "v1" / "notes").mkdir()
    with contextlib.ExitStack() as stack:
        locks = [stack.enter_context(open(path, "r+b"))
                 for path in scripted_gdal.store.glob("v1/*/lock")]
        assert len(locks) == 4
        for lock in locks:
            fcntl.lockf(lock, fcntl.LOCK_EX)
        after = jobs(scripted_gdal)
    assert sorted(after, key=by_key) == sorted(before, key=by_key) and len(after) == 3


def test_store_of_another_is_not_shown(scripted_gdal, service):
    make_some(scripted_gdal, service)
    done = scripted_gdal.run("ogrinfo", "-so", "-al", "GIQ:jobs",
                             env={"GIQ_STORE_DIR": str(scripted_gdal.folder / "other")})
    assert "Feature Count: 0" in done.stdout


def test_jobs_are_not_a_raster(scripted_gdal):
    text = scripted_gdal.fails("gdalinfo", "GIQ:jobs", tag="usage")
    assert "GIQ:jobs is a table, not a raster; use ogrinfo or ogr2ogr" in text
