"""GIQ:files as users open it: on the command line, in GeoPandas and in QGIS. A search is
free, and no program makes it a job."""
import json

import pytest

from conftest import FOLDER, SCENE

WITHIN = {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(FOLDER)}
AREA = "bbox=-34.85,-8.0,-34.84,-7.99"  # within the scene, beside the parcels
BOTH = [SCENE, "parcels.geojson"]


@pytest.fixture(autouse=True)
def costs_nothing(client):
    yield
    assert client.paid() == []
    assert set(client.calls()) == {"search", "collections"}
    assert not client.store.exists()


def test_ogrinfo_and_its_filters(client):
    out = client.run("ogrinfo", "-al", f"GIQ:files;{AREA}").stdout
    assert "Layer name: files" in out and "Feature Count: 1" in out
    assert f"item_id (String) = {SCENE}" in out
    out = client.run("ogrinfo", "-q", "GIQ:files", "-sql",
                     "SELECT item_id FROM files WHERE layer_type = 'VECTOR'").stdout
    assert "item_id (String) = parcels.geojson" in out and SCENE not in out
    out = client.run("ogrinfo", "-q", "GIQ:files", "files", "-spat", "-34.85", "-8",
                     "-34.84", "-7.99").stdout
    assert out.count("OGRFeature(") == 1


def test_geopackage_holds_the_whole_table(client):
    client.run("ogr2ogr", "files.gpkg", "GIQ:files")
    script = """
import json
from osgeo import ogr
dataset = ogr.Open("files.gpkg")
layer = dataset.GetLayer("files")
print(json.dumps([sorted(row["item_id"] for row in layer),
                  layer.GetLayerDefn().GetFieldCount(),
                  ogr.GeometryTypeToName(layer.GetGeomType())]))
"""
    names, columns, geometry = json.loads(client.python(script).stdout)
    assert (names, columns, geometry) == (BOTH, 13, "Multi Polygon")


def test_geopandas_reads_footprints_and_times(client):
    script = """
import json
import sys
import geopandas
# Fiona has a list of the drivers that it likes, and that of tables in memory is not in it.
found = geopandas.read_file("GIQ:files", allow_unsupported_drivers=True)
narrow = geopandas.read_file("GIQ:files", allow_unsupported_drivers=True,
                             BBOX=sys.argv[1])
print(json.dumps([sorted(found.item_id), str(found.crs), str(found.datetime.dtype)[:10],
                  bool(found.geometry.is_valid.all()), list(narrow.item_id)]))
"""
    found = client.python(script, AREA.split("=")[1]).stdout
    assert json.loads(found) == [BOTH, "EPSG:4326", "datetime64", True, [SCENE]]


def test_qgis_shows_the_footprints(client):
    script = f"""
import json
from qgis.core import QgsProviderRegistry, QgsRectangle
from qgis_kit import draw, finish, vector
names = ["GIQ:files", "GIQ:files;{AREA}"]
for name in names:
    assert len(QgsProviderRegistry.instance().querySublayers(name)) == 1
layers = [vector(name) for name in names]
draw(layers, "files.png")
assert layers[0].setSubsetString("source_type = 'MULTISPECTRAL'")
print(json.dumps([[layer.featureCount(), layer.crs().authid(),
                   [field.name() for field in layer.fields()][:2],
                   [row["item_id"] for row in layer.getFeatures()]]
                  for layer in layers]))
finish()
"""
    filtered, narrow = json.loads(client.python(script, env=WITHIN).stdout)
    assert filtered == [1, "EPSG:4326", ["item_id", "file_id"], [SCENE]]
    assert narrow == filtered
