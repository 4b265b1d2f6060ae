"""GIQ:jobs: what this user's store knows, without a call and without a lock."""
import fcntl
import json
import os

from scripted import Response, job

NAME = "GIQ:model=m;file=f"


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


def make_some(gdal, service):
    """A published, a failed and a running job."""
    gdal.run("ogrinfo", f"{NAME};geometry=POLYGON((0 0,0 1,1 1,1 0,0 0));rerun=x")
    service.script["status"] = [Response(job("FAILED"))]
    gdal.run("ogrinfo", "GIQ:model=m;file=g", ok=None)
    service.script["status"] = [Response(job("RUNNING"))]
    gdal.run("ogrinfo", "GIQ:model=m;file=h;wait=no")


def test_every_record_is_a_row(scripted_gdal, service):
    assert jobs(scripted_gdal) == []
    make_some(scripted_gdal, service)
    calls = service.names()
    rows = {row["file_id"]: row for row in jobs(scripted_gdal)}
    assert {f: r["status"] for f, r in rows.items()} == {
        "f": "published", "g": "failed", "h": "SUBMITTED"} or rows["h"]["status"] in (
            "RUNNING", "SUBMITTED")
    first = rows["f"]
    assert first["label"] == "x" and first["job_id"] == "job-1"
    assert first["area"] == "MULTIPOLYGON (((0 0,0 1,1 1,1 0,0 0)))"
    assert os.path.exists(first["result_path"])
    assert first["result_size"] == os.path.getsize(first["result_path"])
    assert first["key"] in scripted_gdal.records()
    assert first["finished_at"] and first["submitted_at"] and first["started_at"]
    assert "FAILED" in rows["g"]["error"] and rows["g"]["area"] is None
    assert rows["h"]["result_path"] is None and rows["h"]["error"] is None
    assert service.names() == calls


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
    assert "damaged" in rows[paths[0].parent.name]["error"]
    assert "newer" in rows[paths[1].parent.name]["error"]
    assert rows[paths[0].parent.name]["status"] is None


def test_table_takes_no_lock_and_folders_without_a_record_are_none(scripted_gdal,
                                                                   service):
    make_some(scripted_gdal, service)
    for lock in scripted_gdal.store.glob("v1/*/lock"):
        held = open(lock, "r+b")
        fcntl.lockf(held, fcntl.LOCK_EX)
    empty = scripted_gdal.store / "v1" / ("0" * 64)
    empty.mkdir()
    (empty / "lock").touch()
    (scripted_gdal.store / "v1" / "notes").mkdir()
    assert len(jobs(scripted_gdal)) == 3


def test_store_of_another_is_not_shown(scripted_gdal, service):
    make_some(scripted_gdal, service)
    done = scripted_gdal.run("ogrinfo", "-so", "-al", "GIQ:jobs",
                             env={"GIQ_STORE_DIR": str(scripted_gdal.folder / "other")})
    assert "Feature Count: 0" in done.stdout


def test_jobs_are_no_raster(scripted_gdal):
    scripted_gdal.fails("gdalinfo", "GIQ:jobs", tag="usage")
