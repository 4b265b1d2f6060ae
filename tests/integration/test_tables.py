"""The tables of models and of a job, against the sandbox."""
import json

NAME = "GIQ:model=water;file=olinda_landsat7.tif"


def test_table_lists_every_model_of_the_service(gdal, sandbox):
    for name in ("GIQ:", "GIQ:models", "giq:MODELS"):
        out = gdal.folder / "models.csv"
        out.unlink(missing_ok=True)
        gdal.run("ogr2ogr", "-f", "CSV", out, name)
        rows = out.read_text().splitlines()
        assert rows[0] == "id,name,version,type,labels,json"
        assert sorted(row.split(",")[0] for row in rows[1:]) == [
            "contours", "hulls", "ndvi", "segments", "water"]
    assert sandbox.calls() == ["models"] * 3
    assert sandbox.runs() == []


def test_models_can_be_filtered_and_keep_what_the_service_says(gdal):
    script = """
import json
from osgeo import ogr
models = ogr.Open("GIQ:models")
layer = models.GetLayer("models")
layer.SetAttributeFilter("id = 'water'")
[row] = list(layer)
print(json.dumps([row["name"], row["version"], row["labels"], json.loads(row["json"])]))
"""
    name, version, labels, whole = json.loads(gdal.python(script).stdout)
    assert name and version and labels == whole["labels"]
    assert whole["id"] == "water"


def test_models_are_not_a_raster(gdal, sandbox):
    text = gdal.fails("gdalinfo", "GIQ:models", tag="usage")
    assert "GIQ:models is a table, not a raster; use ogrinfo or ogr2ogr" in text
    assert sandbox.calls() == []


def test_job_table_follows_a_job_to_its_end(gdal, sandbox):
    script = """
import sys
from osgeo import ogr
table = ogr.Open(sys.argv[1])
row = table.GetLayer("job").GetNextFeature()
print(row["job_id"], row["status"], row["model_id"], row["file_id"], row["type"])
"""
    sandbox.set_faults("status:state=PENDING@1")
    first = gdal.python(script, f"{NAME};wait=no").stdout.split()
    assert first[1:] == ["PENDING", "water", "olinda_landsat7.tif", "RASTER"]
    gdal.run("ogrinfo", "-so", NAME)
    last = gdal.python(script, f"{NAME};wait=no").stdout.split()
    assert last == [first[0], "published", *first[2:]]
    assert len(sandbox.runs()) == 1
