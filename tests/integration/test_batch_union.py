"""What GIQ:batch hands over: one layer for each layer name, or one mosaic, of results that
were downloaded for it; reading never pays."""
import json

import pytest
from osgeo import gdal as gdal_library
from osgeo import ogr, osr

from batches import NAME, attached, collection, read, write_rows
from programs import PUBLISHED

gdal_library.UseExceptions()
POINT = {"type": "Point", "coordinates": [1, 2]}
RING = [[0, 0], [1, 0], [1, 1], [0, 0]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}


@pytest.fixture
def gdal(scripted_gdal):
    scripted_gdal.env.update(GIQ_POLL_INTERVAL="0.05")
    return scripted_gdal


@pytest.fixture
def made(tmp_path):
    """A folder for results."""
    folder = tmp_path / "made"
    folder.mkdir()
    return folder


def geopackage(folder, field_type, value, geometry="POINT (3 4)", epsg=4326,
               layer="result", field="n", features=1):
    """The bytes of a GeoPackage of one layer."""
    path = folder / "made.gpkg"
    path.unlink(missing_ok=True)
    srs = osr.SpatialReference()
    srs.ImportFromEPSG(epsg)
    srs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    data = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    shape = geometry and ogr.CreateGeometryFromWkt(geometry)
    kind = shape.GetGeometryType() if shape else ogr.wkbNone
    made = data.CreateLayer(layer, srs if shape else None, kind)
    made.CreateField(ogr.FieldDefn(field, field_type))
    for _ in range(features):
        feature = ogr.Feature(made.GetLayerDefn())
        feature.SetField(field, value)
        if shape:
            feature.SetGeometry(shape)
        made.CreateFeature(feature)
    del made, data
    return attached(path.read_bytes(), "result.gpkg")


def raster(folder, west=0, size=1, bands=1, kind=gdal_library.GDT_Byte, epsg=4326):
    """The bytes of a GeoTIFF of 4 x 4 pixels."""
    path = folder / "made.tif"
    path.unlink(missing_ok=True)
    srs = osr.SpatialReference()
    srs.ImportFromEPSG(epsg)
    data = gdal_library.GetDriverByName("GTiff").Create(str(path), 4, 4, bands, kind)
    data.SetGeoTransform((west, size, 0, 0, 0, -size))
    data.SetProjection(srs.ExportToWkt())
    data.GetRasterBand(1).Fill(west + 1)
    del data
    return attached(path.read_bytes(), "result.tif")


LAYERS = """
import json, sys
from osgeo import gdal
gdal.UseExceptions()
data = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
found = {}
for layer in (data.GetLayer(i) for i in range(data.GetLayerCount())):
    srs = layer.GetSpatialRef()
    found[layer.GetName()] = {
        "count": layer.GetFeatureCount(), "geometry": layer.GetGeomType(),
        "srs": srs and srs.GetAuthorityCode(None),
        "fields": [[field.GetName(), field.GetTypeName()] for field in layer.schema],
        "rows": [[list(f.items().values()), f.GetGeometryRef() and
                  f.GetGeometryRef().ExportToWkt()] for f in layer]}
print(json.dumps(found))
"""


def layers(gdal, name=NAME):
    return json.loads(gdal.python(LAYERS, name).stdout)


# ---- vectors ----

def test_geopackage_and_geojson_together_keep_geometry(gdal, jobs, made):
    write_rows(gdal, "a", "b")
    jobs.results.update(a=geopackage(made, ogr.OFTString, "x"),
                        b=attached(collection(({"n": "y"}, POINT))))
    [layer] = layers(gdal).values()
    assert layer["rows"] == [[["r0", "x"], "POINT (3 4)"], [["r1", "y"], "POINT (1 2)"]]
    assert layer["count"] == 2 and jobs.paid() == ["a", "b"]


@pytest.mark.parametrize("types, merged, values", [
    ((ogr.OFTInteger, ogr.OFTInteger64), "Integer64", [7, 7]),
    ((ogr.OFTInteger64, ogr.OFTReal), "Real", [7, 7]),
    ((ogr.OFTReal, ogr.OFTInteger), "Real", [7, 7]),
    ((ogr.OFTInteger, ogr.OFTString), "String", ["7", "7"])])
def test_types_are_widened_beside_the_field_of_the_row(gdal, jobs, made, types, merged,
                                                       values):
    write_rows(gdal, "a", "b")
    for file, kind in zip("ab", types):
        jobs.results[file] = geopackage(made, kind, "7")
    [layer] = layers(gdal).values()
    assert layer["fields"] == [["row", "String"], ["n", merged]]
    assert [row for row, _ in layer["rows"]] == [["r0", values[0]], ["r1", values[1]]]
    assert jobs.paid() == ["a", "b"]


def test_own_fields_named_row_are_kept(gdal, jobs):
    write_rows(gdal, "a", "b")
    jobs.results.update(a=attached(collection(({"row": "own", "ROW_2": "too"}, POINT))),
                        b=attached(collection(({"n": 1}, POINT))))
    [layer] = layers(gdal).values()
    assert layer["fields"] == [["row_3", "String"], ["row", "String"], ["ROW_2", "String"],
                               ["n", "Integer"]]
    assert [row for row, _ in layer["rows"]] == [["r0", "own", "too", None],
                                                 ["r1", None, None, 1]]
    assert jobs.paid() == ["a", "b"]


@pytest.mark.parametrize("second, kind", [(POINT, ogr.wkbPoint), (POLYGON, ogr.wkbUnknown),
                                          (None, ogr.wkbUnknown)])
def test_geometry_type_is_the_common_one_or_unknown(gdal, jobs, second, kind):
    write_rows(gdal, "a", "b")
    jobs.results.update(a=attached(collection(({"n": 1}, POINT))),
                        b=attached(collection(({"n": 2}, second))))
    [layer] = layers(gdal).values()
    shapes = [shape and shape.split()[0] for _, shape in layer["rows"]]
    assert layer["geometry"] == kind
    assert shapes == ["POINT", second and second["type"].upper()]
    assert jobs.paid() == ["a", "b"]


def test_others_are_reprojected_to_the_system_of_the_first(gdal, jobs, made):
    write_rows(gdal, "a", "b")
    jobs.results.update(a=geopackage(made, ogr.OFTInteger, 1, "POINT (0 0)", 3857),
                        b=geopackage(made, ogr.OFTInteger, 2, "POINT (180 0)", 4326))
    [layer] = layers(gdal).values()
    assert layer["srs"] == "3857"
    x, y = map(float, layer["rows"][1][1].strip("POINT ()").split())
    assert (round(x), round(y)) == (20037508, 0)
    assert jobs.paid() == ["a", "b"]


def test_one_layer_for_each_name_and_results_without_features(gdal, jobs, made):
    write_rows(gdal, "a", "b", "c")
    jobs.results.update(a=geopackage(made, ogr.OFTInteger, 1, layer="roads"),
                        b=geopackage(made, ogr.OFTInteger, 2, layer="rivers"),
                        c=geopackage(made, ogr.OFTInteger, 3, layer="roads", features=0))
    found = layers(gdal)
    assert {name: [row[0] for row, _ in layer["rows"]]
            for name, layer in found.items()} == {"roads": ["r0"], "rivers": ["r1"]}
    assert jobs.paid() == ["a", "b", "c"]


# ---- either kind ----

EITHER = """
import sys
from osgeo import gdal
gdal.UseExceptions()
data = gdal.OpenEx(sys.argv[1], gdal.OF_RASTER | gdal.OF_VECTOR,
                   open_options=sys.argv[2:])
print(data.RasterCount, data.GetLayerCount())
"""


def test_first_row_decides_the_kind(gdal, jobs, made):
    write_rows(gdal, "a", "b")
    jobs.results["a"] = raster(made)
    said = gdal.python(EITHER, NAME, ok=False).stderr
    assert "GIQ[batch] 1 of 2 rows of the batch failed (1 result); row r1: [result] " in said
    done = gdal.python(EITHER, NAME, "ON_FAILED=SKIP")
    assert done.stdout == "1 0\n" and jobs.paid() == ["a", "b"]


# ---- rasters ----

@pytest.mark.parametrize("words, other", [
    ("coordinate system", {"epsg": 3857}), ("resolution", {"size": 2}),
    ("bands", {"bands": 2}), ("type", {"kind": gdal_library.GDT_Int16})])
def test_rasters_that_differ_are_an_error_that_names_two_rows(gdal, jobs, made, words,
                                                              other):
    write_rows(gdal, "a", "b", "c")
    jobs.results.update(a=raster(made), b=raster(made, west=4), c=raster(made, **other))
    for option in ("ON_FAILED=ERROR", "ON_FAILED=SKIP"):
        said = gdal.fails("gdalinfo", "-oo", option, NAME, tag="batch")
        assert words in said and "r0" in said and "r2" in said and "r1" not in said
    assert jobs.paid() == ["a", "b", "c"]


# ---- reading ----

CUT = """
import shutil, sys
from osgeo import gdal
errors = []
gdal.DontUseExceptions()
gdal.PushErrorHandler(lambda kind, number, text: errors.append(text))
data = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
shutil.rmtree(sys.argv[2])
print([feature["row"] for feature in data.GetLayer(0)])
print(*errors, sep="\\n")
"""


def test_row_that_is_lost_while_it_is_read_is_not_paid_for(gdal, service, jobs):
    write_rows(gdal, "a", "b", "c")
    read(gdal)
    calls = len(service.calls())
    [lost] = [key for key, record in gdal.records().items() if record["job_id"] == "job-b"]
    found, *errors = gdal.python(CUT, NAME, gdal.store / "v1" / lost).stdout.splitlines()
    assert found == "['r0']"  # test_batch_sources.py: the rows after it fail too
    assert len(errors) == 1 and errors[0].startswith("GIQ[usage] "), errors
    assert len(service.calls()) == calls and jobs.paid() == ["a", "b", "c"]


def test_open_count_and_fields_open_no_result(gdal, service, jobs):
    """The results are overwritten by what no driver opens."""
    write_rows(gdal, "a", "b")
    expected = gdal.run("ogrinfo", "-so", "-al", NAME).stdout
    paths = list(gdal.store.glob(f"v1/*/{PUBLISHED}/result.geojson"))
    assert len(paths) == 2
    for path in paths:
        path.write_bytes(b"?" * path.stat().st_size)
    assert gdal.run("ogrinfo", "-so", "-al", NAME).stdout == expected
    assert "Feature Count: 2" in expected and jobs.paid() == ["a", "b"]


def test_summary_is_made_up_for_records_of_earlier_versions(gdal, service, jobs):
    write_rows(gdal, "a", "b")
    expected = read(gdal)[0]
    calls = len(service.calls())
    for path in [*gdal.store.glob("v1/*/job.json")]:
        record = json.loads(path.read_text())
        del record["summary"]
        path.write_text(json.dumps(record))
    for path in gdal.store.glob("batches/v1/*/rows.vrt"):
        path.unlink()
    assert read(gdal)[0] == expected
    assert ["summary" in record for record in gdal.records().values()] == [True] * 2
    assert len(service.calls()) == calls


def test_file_is_that_of_the_rows_and_is_not_changed_for_others(gdal, service, jobs):
    write_rows(gdal, "a", "b")
    read(gdal)
    [first] = gdal.store.glob("batches/v1/*/rows.vrt")
    written = first.read_text()
    calls = len(service.calls())
    (gdal.folder / "rows.csv").write_text("id,file\nx,a\ny,b\n")
    assert read(gdal)[0] == [("x", "a"), ("y", "b")]
    (gdal.folder / "rows.csv").write_text("id,file\nr1,b\nr0,a\n")
    assert read(gdal)[0] == [("r1", "b"), ("r0", "a")]
    assert len([*gdal.store.glob("batches/v1/*/rows.vrt")]) == 3
    assert first.read_text() == written and len(service.calls()) == calls
    assert "<OOI key=\"SUBMIT\">NO</OOI>" in written


DESCRIPTORS = """
import os, sys
from osgeo import gdal
gdal.UseExceptions()
def files():
    return len(os.listdir("/proc/self/fd"))
data = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
before = files()
rows = most = 0
for feature in data.GetLayer(0):
    rows += 1
    most = max(most, files() - before)
print(rows, most <= 101)
"""


def test_at_most_a_hundred_results_are_open_at_once(gdal, jobs, made):
    write_rows(gdal, *range(130))
    body = geopackage(made, ogr.OFTInteger, 1)
    jobs.results.update({str(i): body for i in range(130)})
    assert gdal.python(DESCRIPTORS, NAME).stdout == "130 True\n"
    assert len(jobs.paid()) == 130


def test_file_of_many_large_areas_is_read(gdal, jobs):
    """As inline text, a VRT of more than 345 KB would fail."""
    square = [[x / 10, 0] for x in range(800)] + [[80, 1], [0, 1], [0, 0]]
    (gdal.folder / "areas.geojson").write_bytes(collection(*(
        ({"id": f"r{i}"}, {"type": "Polygon", "coordinates": [
            [[x, y + i] for x, y in square]]}) for i in range(60))))
    name = "GIQ:batch=areas.geojson;model=m;file=f"
    found, _ = read(gdal, name)
    path, = gdal.store.glob("batches/v1/*/rows.vrt")
    assert path.stat().st_size > 345_000
    assert [row for row, _ in found] == [f"r{i}" for i in range(60)]
    assert jobs.paid() == ["f"] * 60


def test_published_batch_is_read_from_a_read_only_store(gdal, service, jobs):
    """Needs root, to mount."""
    write_rows(gdal, "a", "b")
    expected = read(gdal)[0]
    calls = len(service.calls())
    for path in gdal.store.glob("batches/v1/*"):
        (path / "rows.vrt").unlink()
        path.rmdir()
    gdal.run("mount", "--bind", gdal.store, gdal.store)
    try:
        gdal.run("mount", "-o", "remount,ro,bind", gdal.store)
        assert read(gdal, env={"GIQ_API_KEY": ""})[0] == expected
    finally:
        gdal.run("umount", "-l", gdal.store)
    assert len(service.calls()) == calls and jobs.paid() == ["a", "b"]
