"""QGIS as it is used: layers, pictures, filters, projects, processing. However often it
opens a source, a request is one job."""
import json

import numpy
import pytest
from osgeo import gdal

from conftest import AREA, FOLDER, RASTER, VECTOR
from scripted import Response, job

WITHIN = {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(FOLDER)}
# A GUI asks for the sublayers of a source before it adds one.
SESSION = """
import json, os, sys
from qgis.core import QgsProject, QgsProviderRegistry
from qgis_kit import draw, finish, raster, vector
names = sys.argv[1:3]
os.mkdir(sys.argv[3])
os.chdir(sys.argv[3])
for name in names:
    assert len(QgsProviderRegistry.instance().querySublayers(name)) == 1
layers = [vector(names[0]), raster(names[1])]
counts = [layers[0].featureCount()]
draw(layers, "whole.png")
assert layers[0].setSubsetString('"area_m2" < 50000')
counts.append(layers[0].featureCount())
draw(layers, "filtered.png")
project = QgsProject.instance()
assert project.addMapLayers(layers)
assert project.write("project.qgs")
print(json.dumps(counts))
finish()
"""
RELOAD = """
import os, sys
from qgis.core import QgsProject
from qgis_kit import draw, finish
os.chdir(sys.argv[1])
project = QgsProject.instance()
assert project.read("project.qgs")
layers = [project.mapLayersByName(name)[0] for name in ("vector", "raster")]
assert all(layer.isValid() for layer in layers)
draw(layers, "reloaded.png")
finish()
"""


def picture(path):
    return gdal.Open(str(path)).ReadAsArray()


def red_of(pixels):
    """How many pixels the polygons cover."""
    return int(numpy.sum((pixels[0] == 255) & (pixels[1] == 0) & (pixels[2] == 0)))


def grey_of(pixels):
    """How many shades the raster has."""
    grey = (pixels[0] == pixels[1]) & (pixels[1] == pixels[2])
    return len(set(pixels[0][grey].tolist()))


@pytest.mark.parametrize("area", ["", f";geometry={AREA}"], ids=["whole", "area"])
def test_pictures_are_those_of_the_local_files(client, area):
    names = (VECTOR + area, RASTER + area)
    ours = client.python(SESSION, *names, "ours", env=WITHIN)
    assert len(client.paid()) == 2
    calls = client.calls()
    client.python(RELOAD, "ours", env=WITHIN)
    assert client.calls() == calls, "a reloaded project asks nobody"

    local = (client.local("water"), client.local("ndvi"))
    theirs = client.python(SESSION, *local, "theirs", env=WITHIN)
    client.python(RELOAD, "theirs", env=WITHIN)
    assert ours.stdout == theirs.stdout
    whole, filtered = json.loads(ours.stdout)
    assert whole > filtered > 0
    for name in ("whole.png", "filtered.png", "reloaded.png"):
        assert numpy.array_equal(picture(client.folder / "ours" / name),
                                 picture(client.folder / "theirs" / name)), name
    drawn = [picture(client.folder / "ours" / name)
             for name in ("whole.png", "filtered.png", "reloaded.png")]
    assert red_of(drawn[0]) > red_of(drawn[1]) > 0 and grey_of(drawn[0]) > 50
    assert numpy.array_equal(drawn[1], drawn[2])


def test_qgis_process_takes_a_vrt_file(client):
    (client.folder / "water.vrt").write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="water"><SrcDataSource>{VECTOR}'
        "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>")
    client.run("gdalbuildvrt", "-q", "ndvi.vrt", RASTER)

    def process(zones, raster, out):
        client.run("qgis_process.bin", "run", "native:zonalstatisticsfb", "--",
                   f"INPUT={zones}", f"INPUT_RASTER={raster}", "RASTER_BAND=1",
                   "STATISTICS=0,2", f"OUTPUT={out}", env=WITHIN)
        return json.loads((client.folder / out).read_text())["features"]
    found = process("water.vrt", "ndvi.vrt", "ours.geojson")
    assert len(client.paid()) == 2
    assert len(found) == 69 and any(f["properties"]["_mean"] for f in found)
    assert found == process(client.local("water"), client.local("ndvi"),
                            "theirs.geojson")


PROCESSING = """
import os, sys
sys.path.append("/usr/share/qgis/python/plugins")
from qgis_kit import finish, raster, vector
import processing
from processing.core.Processing import Processing
Processing.initialize()
layers = [vector(sys.argv[1]), raster(sys.argv[2])]
os.mkdir(sys.argv[3])
for algorithm, layer, out, more in (
        ("native:centroids", 0, "points.geojson", {}),
        ("gdal:convertformat", 0, "copy.geojson", {}),
        ("gdal:warpreproject", 1, "warped.tif", {"TARGET_CRS": "EPSG:4326"})):
    out = os.path.join(os.getcwd(), sys.argv[3], out)
    processing.run(algorithm, {"INPUT": layers[layer], "OUTPUT": out, **more})
finish()
"""


def test_processing_takes_layers_that_are_loaded(client):
    client.python(PROCESSING, VECTOR, RASTER, "ours", env=WITHIN)
    assert len(client.paid()) == 2
    client.python(PROCESSING, client.local("water"), client.local("ndvi"), "theirs",
                  env=WITHIN)
    for name in ("points.geojson", "copy.geojson"):
        ours, theirs = (json.loads((client.folder / side / name).read_text())
                        for side in ("ours", "theirs"))
        assert ours == theirs and len(ours["features"]) == 69
    assert numpy.array_equal(picture(client.folder / "ours" / "warped.tif"),
                             picture(client.folder / "theirs" / "warped.tif"))


TABLES = """
import json, sys
from qgis_kit import QgsVectorLayer, finish
for name in sys.argv[1:]:
    layer = QgsVectorLayer(name, "x", "ogr")
    [feature] = layer.getFeatures()
    print(json.dumps([layer.name(), feature["status"], feature["model_id"],
                      feature.geometry().area() > 0]))
finish()
"""


def test_wait_no_is_a_layer_of_one_row(client):
    """What a careful user adds first: it stands still for two calls only."""
    request = f"{VECTOR};geometry={AREA}"
    done = client.python(TABLES, f"{request};wait=no", "GIQ:jobs", env=WITHIN)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row[2:] for row in rows] == [["water", True]] * 2
    assert client.calls()[:2] == ["models", "run"] and "download" not in client.calls()
    client.python("import sys; from qgis_kit import finish, vector; "
                  "vector(sys.argv[1]); finish()", request, env=WITHIN)
    assert len(client.paid()) == 1


ERRORS = """
import json, sys
from qgis_kit import QgsRasterLayer, QgsVectorLayer, finish, messages, words
for name in sys.argv[1:]:
    del messages[:]
    layer = QgsVectorLayer(name, "x", "ogr")
    assert not layer.isValid()
    log = "".join(messages)
    layer = QgsRasterLayer(name, "x", "gdal")
    assert not layer.isValid()
    print(json.dumps([log, words(layer)]))
finish()
"""


def test_layers_and_the_message_log_tell_what_the_driver_says(scripted_client, service):
    service.script["status"] = [Response(job("FAILED", message="too cloudy"))]
    done = scripted_client.python(ERRORS, "GIQ:model=n;file=f", "GIQ:model=m;file=f",
                                  "GIQ:model=m", env=WITHIN)
    unknown, failed, usage = (json.loads(line) for line in done.stdout.splitlines())
    for text in unknown:
        assert "GIQ[usage] the service has no model" in text
    for text in failed:
        assert "GIQ[failed]" in text and "too cloudy" in text and "job-1" in text
    for text in usage:
        assert "GIQ[usage]" in text
    assert len(service.calls("run")) == 1


ARCHIVES = """
import sys
from qgis.core import QgsProviderRegistry
from qgis_kit import finish, vector
for name in sys.argv[1:]:
    assert len(QgsProviderRegistry.instance().querySublayers(name)) == 1
    assert vector(name).featureCount() == 1
finish()
"""


def test_string_that_ends_as_an_archive_is_one_job(scripted_client, service):
    """QGIS puts /vsizip/ before it, and a slash after what it takes for the archive."""
    names = ["GIQ:model=m;file=s.zip", "GIQ:model=m;file=s.tar.gz",
             "GIQ:model=m;file=t.zip;rerun=x", "GIQ:model=m;file='u.zip.tif'"]
    scripted_client.python(ARCHIVES, *names, env=WITHIN)
    for name in names:
        scripted_client.run("ogrinfo", name)
    assert len(service.calls("run")) == len(scripted_client.records()) == len(names)


# The marks part what the service saw: one for each layer that was tried.
TIMEOUTS = """
import os, sys, urllib.error, urllib.request
from qgis_kit import QgsRasterLayer, QgsVectorLayer, finish, messages
for _ in range(3):
    for kind, provider in ((QgsVectorLayer, "ogr"), (QgsRasterLayer, "gdal")):
        assert not kind(sys.argv[1], "x", provider).isValid()
        try:
            urllib.request.urlopen(os.environ["GIQ_BASE_URL"] + "/mark")
        except urllib.error.HTTPError:
            pass
assert all("GIQ[timeout]" in text for text in messages), messages
finish()
"""


def status_calls(client, service, timeout):
    """How many status calls each of six layers of one QGIS made."""
    before = len(service.calls())
    client.python(TIMEOUTS, "GIQ:model=m;file=f",
                  env={**WITHIN, "GIQ_TIMEOUT": timeout, "GIQ_POLL_INTERVAL": "0.05"})
    parts = " ".join(service.names()[before:]).split("mark")
    return [part.split().count("status") for part in parts[:-1]]


def test_only_the_first_open_of_a_qgis_waits(scripted_client, service):
    service.script["status"] = [Response(job("RUNNING"))]
    opens = status_calls(scripted_client, service, "0")
    waits = status_calls(scripted_client, service, "1")
    assert min(opens) >= 1 and waits[0] > opens[0]
    assert waits[1:] == opens[1:], "the others check once for each open"
    assert len(service.calls("run")) == 1


def test_nothing_is_shown_where_there_is_no_terminal(client):
    done = client.python(SESSION, VECTOR, RASTER, "ours", env=WITHIN)
    assert "GIQ: " not in done.stderr and "\x1b" not in done.stderr


def test_closed_standard_streams_do_no_harm(client):
    """As of a QGIS that was started from a desktop: what is written to descriptor 2
    must not land in a file that happened to get it."""
    client.run("sh", "-c", 'exec /usr/bin/python3 -c "$0" "$@" <&- >&- 2>&-', SESSION,
               VECTOR, RASTER, "ours", env={**WITHIN, "GIQ_PROGRESS": "AUTO"})
    client.python(SESSION, client.local("water"), client.local("ndvi"), "theirs",
                  env=WITHIN)
    for name in ("whole.png", "filtered.png"):
        assert numpy.array_equal(picture(client.folder / "ours" / name),
                                 picture(client.folder / "theirs" / name)), name
    assert len(client.paid()) == 2
