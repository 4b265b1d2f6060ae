"""GIQ:batch in the programs and libraries that people use: what they read is what the
service computed for the rows, each row is one paid job, and the second time nobody is
asked."""
import json

import pytest
from osgeo import gdal, ogr

from areas import points
from conftest import DATA, FOLDER, SCENE
from datasets import features, pixels
from programs import VERSION

gdal.UseExceptions()
PARCELS = DATA / "parcels.geojson"
LINES = f"GIQ:batch=parcels.geojson;model=contours;file={SCENE}"
MOSAIC = f"GIQ:batch=parcels.geojson;model=ndvi;file={SCENE}"
# The vertices of each row's area, by the name of the row.
CORNERS = {str(i): set(points(ogr.CreateGeometryFromJson(
    json.dumps(parcel["geometry"])).ExportToWkt()))
           for i, parcel in enumerate(json.loads(PARCELS.read_text())["features"])}


@pytest.fixture(autouse=True)
def parcels(client):
    """The rows of each batch lie in the working folder."""
    (client.folder / PARCELS.name).symlink_to(PARCELS)


def results(client):
    """What the service computed for each row, as paths in the order of the rows."""
    found = []
    for run in client.paid():
        sent = set(points(run["form"]["geometry"]))
        [row] = [row for row, corners in CORNERS.items() if corners == sent]
        found.append((row, client.result(run)))
    assert len(CORNERS) == 3 and sorted(row for row, _ in found) == list(CORNERS)
    return dict(sorted(found))


def merged_lines(client):
    """The results of LINES as one file."""
    found = []
    for row, path in results(client).items():
        whole = json.loads(path.read_text())
        for feature in whole["features"]:
            feature["properties"] = {"row": row, **feature["properties"]}
            found.append(feature)
    path = client.folder / "merged.geojson"
    path.write_text(json.dumps({**whole, "features": found}))
    return path


def merged_mosaic(client):
    """The results of MOSAIC as one file."""
    client.run("gdalbuildvrt", "-q", "merged.vrt", *results(client).values())
    return client.folder / "merged.vrt"


MERGED = {LINES: merged_lines, MOSAIC: merged_mosaic}


def reads_alike(client, name, read):
    """Whether read() gives for the batch, twice, what it gives for the merged file. It
    returns that. Each row is paid for once, and the second time costs nothing."""
    first = read(name)
    merged = MERGED[name](client)
    calls = client.calls()
    assert read(name) == first
    assert client.calls() == calls and calls.count("run") == 3
    assert read(merged) == first
    return first


# ---- programs ----

def test_geopackage_of_ogr2ogr_has_the_features_of_each_row(client):
    def read(source):
        if source != LINES:
            return features(client, source)
        client.run("ogr2ogr", "-overwrite", "all.gpkg", LINES)
        return features(client, "all.gpkg")
    found = reads_alike(client, LINES, read)
    assert {feature["properties"]["row"] for feature in found} == set(CORNERS)


@pytest.mark.parametrize("program", [
    ["gdal_translate", "-q"], ["gdalwarp", "-q", "-overwrite", "-t_srs", "EPSG:4326"]],
    ids=lambda words: words[0])
def test_output_is_that_of_the_mosaic_of_the_results(client, program):
    def convert(source):
        client.run(*program, source, "out.tif")
        return pixels(client, "out.tif")
    reads_alike(client, MOSAIC, convert)


# ---- libraries ----

# Fiona has a list of the drivers that it likes, and that of unions is not in it.
READING = {
    "fiona": (LINES, """
import fiona
more = {"allow_unsupported_drivers": True}
with fiona.open(name, **more) as found:
    print(found.crs, found.schema, found.bounds, fiona.listlayers(name))
    print([(f.geometry.coordinates, dict(f.properties)) for f in found])
with fiona.open(name, layer="contours", **more) as found:
    print(len(list(found.filter(where="row = '1'"))))
"""),
    "geopandas": (LINES, """
import geopandas
more = {"allow_unsupported_drivers": True}
found = geopandas.read_file(name, **more)
print(found.crs, sorted(set(found["row"])), found.to_json())
print(geopandas.read_file(name, where="row = '1'", **more).to_json())
"""),
    "rasterio": (MOSAIC, """
import hashlib
import rasterio
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window
def digest(pixels):
    return pixels.shape, pixels.dtype, hashlib.sha256(pixels.tobytes()).hexdigest()
def shown(data):  # a GeoTIFF has the flattening of the same system with other digits
    return {**data.profile, "crs": data.crs.to_epsg()}
with rasterio.open(name) as found:
    print(shown(found), found.bounds, digest(found.read()))
    print(digest(found.read(1, window=Window(10, 20, 30, 40), out_shape=(15, 20))))
    print(digest(found.read(1, masked=True).mask))
    with WarpedVRT(found, crs="EPSG:4326") as warped:
        print(shown(warped), digest(warped.read()))
with rasterio.open(name, sharing=True) as one, rasterio.open(name, sharing=True) as two:
    print(digest(one.read()) == digest(two.read()))
"""),
}


@pytest.mark.parametrize("library", READING)
def test_library_reads_what_the_merged_results_hold(client, library):
    name, script = READING[library]
    script = f"import sys\nname = sys.argv[1]\n{script}"
    assert len(reads_alike(client, name,
                           lambda source: client.python(script, source).stdout)) > 500


# ---- QGIS ----

# A GUI asks for the sublayers of a source before it adds one.
LAYERS = """
import hashlib, json, sys
from qgis.core import QgsProviderRegistry, QgsVectorLayer
from qgis_kit import finish, messages, raster
name, kind = sys.argv[1:]
[sublayer] = QgsProviderRegistry.instance().querySublayers(name)
if kind == "lines":
    layer = QgsVectorLayer(name, "vector", "ogr")
    assert layer.isValid(), messages
    found = [layer.featureCount(), [field.name() for field in layer.fields()],
             sorted(layer.uniqueValues(layer.fields().indexOf("row")))]
    assert layer.setSubsetString("row = '1'")
    found.append([layer.featureCount(), layer.extent().toString(6)])
    assert layer.setSubsetString("")
    found.append([feature.geometry().asWkt(7) for feature in layer.getFeatures()])
else:
    layer = raster(name)
    block = layer.dataProvider().block(1, layer.extent(), layer.width(), layer.height())
    found = [layer.bandCount(), layer.width(), layer.height(),
             hashlib.sha256(block.data().data()).hexdigest()]
print(json.dumps([layer.crs().authid(), layer.extent().toString(6), found]))
finish()
"""


@pytest.mark.parametrize("name, kind", [(LINES, "lines"), (MOSAIC, "mosaic")],
                         ids=["lines", "mosaic"])
def test_layer_of_qgis_is_that_of_the_merged_results(client, name, kind):
    within = {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(FOLDER)}
    crs, extent, found = json.loads(reads_alike(
        client, name,
        lambda source: client.python(LAYERS, source, kind, env=within).stdout))
    if kind == "lines":
        count, fields, rows, part, shapes = found
        assert fields == ["row", "id", "value"] and rows == list(CORNERS)
        assert count == len(shapes) > part[0] > 0 and part[1] != extent
    assert crs == ("EPSG:4326" if kind == "lines" else "EPSG:31985")


# ---- the table of jobs ----

def test_ledger_that_was_saved_leads_to_each_result_and_pays_nothing(client):
    client.run("ogr2ogr", "ledger.gpkg", f"{MOSAIC};wait=no")
    ledger = [row["properties"] for row in features(client, "ledger.gpkg")]
    assert [row["row"] for row in ledger] == list(CORNERS)
    for row in ledger:
        client.run("gdal_translate", "-q", "-oo", "SUBMIT=NO", row["location"],
                   f"{row['row']}.tif")
    for row, path in results(client).items():
        assert pixels(client, f"{row}.tif") == pixels(client, path)
    assert len(client.paid()) == 3
    calls = client.calls()
    client.run("gdalinfo", MOSAIC)
    assert client.calls() == calls, "the results are all there"


# Each pixel of the index, read on the grid of GDAL's own mosaic of the results.
TILES = """
from osgeo import gdal
gdal.UseExceptions()
merged = gdal.Open("merged.vrt")
west, size, _, north, _, _ = merged.GetGeoTransform()
columns, rows = merged.RasterXSize, merged.RasterYSize
corners = (west, north - rows * size, west + columns * size, north)
grid = [f"{name}={value!r}" for name, value in zip(("MINX", "MINY", "MAXX", "MAXY"), corners)]
tiles = gdal.OpenEx("GTI:jobs.gpkg",
                    open_options=[*grid, f"RESX={size!r}", f"RESY={size!r}"])
assert tiles.GetGeoTransform() == merged.GetGeoTransform()
expected = merged.ReadAsArray()
assert (expected != merged.GetRasterBand(1).GetNoDataValue()).sum() > 1000
assert (tiles.ReadAsArray(0, 0, columns, rows) == expected).all()
"""


needs_index = pytest.mark.skipif(VERSION < (3, 9), reason="this GDAL has no driver GTI")


@needs_index
def test_ledger_that_was_saved_is_a_tile_index(client):
    """In the coordinate system of the results: elsewhere, GDAL reprojects each tile."""
    client.run("ogr2ogr", "-t_srs", "EPSG:31985", "jobs.gpkg", f"{MOSAIC};wait=no")
    assert len(client.paid()) == 3
    client.run("gdalinfo", MOSAIC)
    merged_mosaic(client)
    calls = client.calls()
    within = {"GIQ_SUBMIT": "NO", "GIQ_API_KEY": ""}
    client.python(TILES, env=within)
    client.run("gdal_translate", "-q", "GTI:jobs.gpkg", "all.tif", env=within)
    assert client.calls() == calls and len(client.paid()) == 3


# A pixel of each tile, one after the other, as a map that is moved.
MOVED = """
import sys
from osgeo import gdal, ogr
gdal.UseExceptions()
tiles = gdal.Open("GTI:jobs.gpkg")
west, size, _, north, _, _ = tiles.GetGeoTransform()
rows = ogr.Open("jobs.gpkg")
for row in rows.GetLayer(0):
    place = row.GetGeometryRef().PointOnSurface()
    tiles.ReadRaster(int((place.GetX() - west) / size), int((north - place.GetY()) / size), 1, 1)
    print(len(open(sys.argv[1]).read().split("inference/run")) - 1)
"""


@needs_index
def test_map_that_is_moved_over_an_index_pays_for_each_tile_it_opens(client, sandbox):
    client.run("ogr2ogr", "-t_srs", "EPSG:31985", "-oo", "SUBMIT=NO", "jobs.gpkg",
               f"{MOSAIC};wait=no")
    journal = sandbox.state / "journal.jsonl"
    done = client.python(MOVED, journal, ok=False, env={"GIQ_SUBMIT": "NO"})
    assert "SUBMIT=NO does not start one" in done.stderr
    assert client.calls() == []
    before = len(sandbox.runs())
    counts = client.python(MOVED, journal).stdout.split()
    assert [int(count) - before for count in counts] == [1, 2, 3]
    assert len(client.paid()) == 3
