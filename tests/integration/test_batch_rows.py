"""Rows of GIQ:batch as GDAL's programs give them: the same requests as typed alone, from any
layer and from GIQ:files, and nothing sent for a batch that is not valid."""
import json

import pytest

from areas import write
from scripted import Response

SQUARE = "POLYGON((54 24,54 25,55 25,55 24,54 24))"
FILE = "0a1b2c3d-0000-4000-8000-00000000000%d"
READ = """
import json, sys
from osgeo import gdal
gdal.UseExceptions()
data = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR, open_options=["SUBMIT=NO", *sys.argv[2:]])
print(json.dumps([row.items() for row in data.GetLayer(0)]))
"""
VRT = """<OGRVRTDataSource><OGRVRTLayer name="rows"><SrcDataSource>{}</SrcDataSource>
<SrcLayer>jobs</SrcLayer></OGRVRTLayer></OGRVRTDataSource>"""


def dry(gdal, name, *options):
    """The rows of a dry run."""
    return json.loads(gdal.python(READ, f"{name};wait=no", *options).stdout)


def refuse(gdal, service, name, *options, tag):
    text = gdal.fails("ogrinfo", name, *(word for option in options
                                         for word in ("-oo", option)), tag=tag)
    assert service.calls() == []
    return text


def item(name, west):
    ring = [[west, 2], [west + 1, 2], [west + 1, 3], [west, 3], [west, 2]]
    return {"type": "Feature", "id": name, "bbox": [west, 2, west + 1, 3],
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "title": FILE % west}


@pytest.mark.parametrize("driver, name", (("GPKG", "rows.gpkg"),
                                          ("FlatGeobuf", "rows.fgb"),
                                          ("ESRI Shapefile", "rows.shp")))
def test_keys_are_those_of_requests_typed_alone(scripted_gdal, service, driver, name):
    """In a system of metres, from drivers that order points differently."""
    write(scripted_gdal.folder / "degrees.gpkg", "EPSG:4326", SQUARE,
          "POLYGON((54 26,57 26,56 27,54 26))")
    scripted_gdal.run("ogr2ogr", "-f", driver, "-t_srs", "EPSG:32640", "-nln", "rows",
                      scripted_gdal.folder / name, scripted_gdal.folder / "degrees.gpkg")
    found = dry(scripted_gdal, f"GIQ:batch={name};model=m;file=f;rerun=x")
    assert len(found) == 2
    for number, row in enumerate(found):
        alone = f"alone{number}.gpkg"
        scripted_gdal.run("ogr2ogr", "-f", "GPKG", "-fid", row["row"], "-nln", "rows",
                          scripted_gdal.folder / alone, scripted_gdal.folder / name)
        [single] = dry(scripted_gdal, f"GIQ:model=m;file=f;rerun=x;aoi={alone}")
        assert single["key"] == row["key"]
        [again] = dry(scripted_gdal, row["location"])
        assert again["key"] == row["key"]
    assert service.calls() == []


def test_files_of_the_service_are_rows(scripted_gdal, service):
    service.script["search"] = [Response({"type": "FeatureCollection", "features": [
        item("a", 2), item("b", 5)]})]
    found = dry(scripted_gdal, "GIQ:model=m;batch='GIQ:files;bbox=0,0,9,9'")
    assert [row["location"] for row in found] == [
        f"GIQ:model=m;file={FILE % x};geometry=POLYGON(({x} 2,{x} 3,{x + 1} 3,{x + 1} 2,"
        f"{x} 2))" for x in (2, 5)]
    assert service.calls("run") == [] and not scripted_gdal.store.exists()


def test_rows_do_not_come_from_other_datasets_of_the_driver(scripted_gdal, service):
    for source in ("GIQ:jobs", "GIQ:models", "'GIQ:model=m;file=f'", "'GIQ:batch=a.gpkg'"):
        text = refuse(scripted_gdal, service, f"GIQ:model=m;batch={source}", tag="usage")
        assert "cannot come from a GIQ: dataset other than GIQ:files" in text
    (scripted_gdal.folder / "rows.vrt").write_text(VRT.format("GIQ:jobs"))
    text = refuse(scripted_gdal, service, "GIQ:model=m;file=f;batch=rows.vrt", tag="usage")
    assert "cannot come from a GIQ: dataset" in text
    assert not scripted_gdal.store.exists()


def test_rows_that_are_not_valid_are_counted_in_one_error(scripted_gdal, service):
    lines = ["id,file,upload", *(f"r{i},,none{i}.tif" for i in range(7)), "x,f,", "x,f,"]
    (scripted_gdal.folder / "rows.csv").write_text("\n".join(lines) + "\n")
    for options in ((), ("ON_FAILED=SKIP",)):
        text = refuse(scripted_gdal, service, "GIQ:batch=rows.csv;model=m", *options,
                      tag="batch")
        assert "8 of 9 rows of the batch are not valid" in text
        assert all(f"row r{i}: the file to upload cannot be found: none{i}.tif" in text
                   for i in range(5))
        assert "none5.tif" not in text and "; and 3 more" in text
    assert not (scripted_gdal.store / "v1").exists()


def test_secrets_in_the_name_of_the_dataset_are_not_repeated(scripted_gdal, service):
    for source in ("PG:dbname=x host=127.0.0.1 port=1 password=hunter2",
                   "/vsicurl/http://127.0.0.1:1/a.gpkg?sig=hunter2",
                   "/vsicurl/http://me:hunter2@127.0.0.1:1/a.gpkg,layer"):
        text = refuse(scripted_gdal, service, f"GIQ:model=m;file=f;batch={source}",
                      tag="usage")
        assert "hunter2" not in text


def test_layer_without_a_coordinate_system_is_no_area(scripted_gdal, service):
    write(scripted_gdal.folder / "rows.shp", None, SQUARE, driver="ESRI Shapefile",
          layer="rows")
    name = "GIQ:batch=rows.shp;model=m;file=f"
    assert "has no coordinate system" in refuse(scripted_gdal, service, name, tag="area")
    [row] = dry(scripted_gdal, name, "GEOMETRY_CRS=AS_IS")
    assert row["location"] == f"GIQ:model=m;file=f;geometry={SQUARE}"
    [row] = dry(scripted_gdal, name, "USE_GEOMETRY=NO")
    assert row["location"] == "GIQ:model=m;file=f"
    assert service.calls() == []
