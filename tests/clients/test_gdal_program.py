"""The program gdal of GDAL 3.11 and later: what it writes is what it writes of the local
files, and each request is one job. Where it only looks at a dataset there is no job: to
complete words of a shell, to see whether an output exists, to identify."""
import json

import pytest

from conftest import DATA, RASTER, SCENE, VECTOR
from datasets import features, pixels
from programs import HAS_GDAL_PROGRAM, VERSION

pytestmark = pytest.mark.skipif(not HAS_GDAL_PROGRAM,
                                reason="this GDAL has no program gdal")
BOXES = ("-34.92,-8.03,-34.88,-7.99", "-34.90,-8.03,-34.86,-7.99")
STEPS = {"vector": 'filter --where "area_m2 > 9000"', "raster": "edit --nodata 7"}


def two(name):
    """Two requests whose areas overlap."""
    return [f"{name};bbox='{box}'" for box in BOXES]


def results(client):
    """What the service computed, in the order of the run requests."""
    return [client.result(run) for run in client.paid()]


# ---- writing ----

def test_concat_of_two_jobs_and_one_of_them_again(client):
    one, other = two(VECTOR)
    into = ("gdal", "vector", "concat", "--mode", "single")
    client.run(*into, one, other, one, "ours.gpkg")
    first, second = results(client)
    client.run(*into, first, second, first, "theirs.gpkg")
    assert features(client, "ours.gpkg") == features(client, "theirs.gpkg")
    assert len(client.paid()) == 2


@pytest.mark.parametrize("extension", ["tif", "vrt"])
def test_mosaic_of_two_jobs(client, extension):
    client.run("gdal", "raster", "mosaic", *two(RASTER), f"ours.{extension}")
    client.run("gdal", "raster", "mosaic", *results(client), f"theirs.{extension}")
    calls = client.calls()
    assert pixels(client, f"ours.{extension}") == pixels(client, f"theirs.{extension}")
    assert client.calls() == calls and len(client.paid()) == 2


def test_request_that_is_read_and_clips_is_one_job(client):
    client.run("gdal", "raster", "clip", "--like", RASTER, RASTER, "ours.tif")
    local = client.local("ndvi")
    client.run("gdal", "raster", "clip", "--like", local, local, "theirs.tif")
    assert pixels(client, "ours.tif") == pixels(client, "theirs.tif")
    assert len(client.paid()) == 1


@pytest.mark.skipif(VERSION < (3, 12), reason="this GDAL has no gdal pipeline")
def test_pipeline_from_pixels_to_polygons(client):
    steps = ("!", "polygonize", "!", "write")
    client.run("gdal", "pipeline", "read", RASTER, *steps, "ours.gpkg")
    local = client.local("ndvi")
    client.run("gdal", "pipeline", "read", local, *steps, "theirs.gpkg")
    assert features(client, "ours.gpkg") == features(client, "theirs.gpkg")
    assert len(client.paid()) == 1


# ---- files of commands ----

def save_command(client, kind, name, file):
    (client.folder / file).write_text(json.dumps({
        "type": "gdal_streamed_alg",
        "command_line": f'gdal {kind} pipeline ! read "{name}" ! {STEPS[kind]}'}))


@pytest.mark.parametrize("kind,name,model", [("vector", VECTOR, "water"),
                                             ("raster", RASTER, "ndvi")])
def test_command_that_was_saved_reads_a_request(client, kind, name, model):
    look = features if kind == "vector" else pixels
    save_command(client, kind, name, "ours.gdalg.json")
    assert client.run("gdal", "dataset", "identify", "ours.gdalg.json").stdout.split() == [
        "ours.gdalg.json:", "GDALG"]
    assert client.calls() == []
    ours = look(client, "ours.gdalg.json")
    assert len(client.paid()) == 1
    calls = client.calls()
    save_command(client, kind, client.local(model), "theirs.gdalg.json")
    assert ours == look(client, "theirs.gdalg.json")
    client.run("gdal", kind, "info", "ours.gdalg.json")
    assert client.calls() == calls, "the result is in the store"


# ---- opens that only look ----

def test_identify_asks_nobody(client):
    done = client.run("gdal", "dataset", "identify", VECTOR, "GIQ:jobs", "other")
    assert done.stdout.splitlines() == [f"{VECTOR}: GIQ", "GIQ:jobs: GIQ"]
    assert client.calls() == [] and not client.store.exists()


@pytest.mark.parametrize("name", [VECTOR, RASTER])
def test_identify_in_detail_looks_only_at_what_is_published(client, name):
    identify = ("gdal", "dataset", "identify", "--detailed", name)
    assert client.run(*identify).stdout == f"{name}: GIQ\n"
    assert client.calls() == [] and client.records() == {}
    client.run("gdal", "info", "--input", name)
    assert client.run(*identify).stdout.startswith(f"{name}: GIQ, has CRS")
    assert len(client.paid()) == 1


# The words before the cursor, and what is completed once there is a result.
COMPLETED = {
    "layer of a file": (f"vector convert {VECTOR} --layer", "water"),
    "layer within a pipeline": (f"vector pipeline read {VECTOR} --layer", "water"),
    "band within a pipeline": (f"raster pipeline read {RASTER} ! select --band",
                               "1 mask gray"),
}


@pytest.mark.parametrize("words", COMPLETED)
def test_shell_completes_words_of_what_is_published(client, words):
    """The shell runs this whenever a user presses the tabulator."""
    words, expected = COMPLETED[words]
    complete = ("gdal", "completion", "gdal", *words.split(),
                "last_word_is_complete=true")
    assert client.run(*complete).stdout.split()[0] == "**", "the description alone"
    assert client.calls() == [] and client.records() == {}
    client.run("gdalinfo" if RASTER in words else "ogrinfo",
               RASTER if RASTER in words else VECTOR)
    assert client.run(*complete).stdout.strip() == expected
    assert len(client.paid()) == 1


WRITTEN = {
    "vector": (VECTOR, f"vector convert {DATA}/parcels.geojson"),
    "vector, appended": (VECTOR, f"vector convert --append {DATA}/parcels.geojson"),
    "vector, of a pipeline": (VECTOR, f"vector pipeline read {DATA}/parcels.geojson ! write"),
    "raster": (RASTER, f"raster convert --of COG {DATA}/{SCENE}"),
    "raster, appended": (RASTER, f"raster convert --append {DATA}/{SCENE}"),
    "mosaic": (RASTER, f"raster mosaic --of COG {DATA}/{SCENE}"),
}


@pytest.mark.parametrize("command", WRITTEN)
def test_request_that_stands_where_an_output_belongs_is_not_paid_for(client, command):
    name, words = WRITTEN[command]
    client.run("gdal", *words.split(), name, ok=None)
    assert client.calls() == [] and client.records() == {}
