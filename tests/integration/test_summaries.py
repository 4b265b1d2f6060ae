"""What is recorded of a result when it is published."""
import json
import re

import pytest

from archives import pack_zip
from programs import PUBLISHED, SCENE
from scripted import GEOJSON, Response

NAME = "GIQ:model=m;file=f"


def recorded(gdal):
    (record,) = gdal.records().values()
    return record["summary"]


def test_vector_has_layers_fields_and_extents(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    summary = recorded(scripted_gdal)
    assert summary["job_id"] == "job-1" and summary["size"] == len(GEOJSON)
    assert re.fullmatch(f"check 1, GDAL [^ ]+, GeoJSON, {len(GEOJSON)} bytes of [0-9.]+",
                        summary["proof"])
    (file,) = summary["files"]
    (layer,) = file.pop("layers")
    assert file == {"name": "result.geojson", "driver": "GeoJSON", "is_vector": True}
    assert "WGS 84" in layer.pop("srs")
    assert layer == {"name": "result", "geometry_type": 1, "features": 1,
                     "extent": "1 2 1 2", "fields": [{"name": "name", "type": "String"}]}
    assert len(service.calls("run")) == 1


def test_raster_has_size_and_bands(gdal, sandbox):
    gdal.run("gdalinfo", f"GIQ:model=ndvi;file={SCENE}")
    (file,) = recorded(gdal)["files"]
    raster = file["raster"]
    assert file["driver"] == "GTiff" and "layers" not in file
    assert raster["width"] > 0 and len(raster["geotransform"].split()) == 6
    assert [band["type"] for band in raster["bands"]] == ["Float32"]
    assert len(sandbox.runs()) == 1


def test_archive_has_each_member(scripted_gdal, service):
    held = pack_zip({"one.geojson": GEOJSON, "sub/two.geojson": GEOJSON,
                    "notes.txt": "nothing that GDAL opens"})
    service.script["download"] = [Response(held, chunked=True, headers={
        "Content-Disposition": "attachment; filename=r.zip"})]
    scripted_gdal.run("ogrinfo", f"{NAME};member=one.geojson")
    names = [file["name"] for file in recorded(scripted_gdal)["files"]]
    assert names == ["one.geojson", "sub/two.geojson"]


@pytest.mark.parametrize("columns,is_recorded", [(100, True), (1500, False)])
def test_summary_that_is_too_large_is_left_out(scripted_gdal, service, columns,
                                               is_recorded):
    names = ",".join(f"{i}_" + 200 * "x" for i in range(columns))
    values = ",".join("1" for _ in range(columns))
    service.script["download"] = [Response(f"{names}\n{values}\n".encode(), chunked=True,
                                           headers={"Content-Disposition":
                                                    "attachment; filename=t.csv"})]
    scripted_gdal.run("ogrinfo", NAME)
    (record,) = scripted_gdal.records().values()
    assert record["state"] == "published" and ("summary" in record) == is_recorded


def test_second_download_replaces_the_summary(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    collection = json.loads(GEOJSON)
    collection["features"] *= 2
    service.script["download"] = [Response(json.dumps(collection).encode(), chunked=True,
                                           headers={"Content-Disposition":
                                                    "attachment; filename=result.geojson"})]
    (folder,) = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}")
    (folder / "result.geojson").unlink()
    folder.rmdir()
    scripted_gdal.run("ogrinfo", NAME)
    assert recorded(scripted_gdal)["files"][0]["layers"][0]["features"] == 2
    assert len(service.calls("run")) == 1
