"""Fiona, Rasterio and GeoPandas read what a job gave, hand keyword arguments on as open
options, and their exceptions hold the driver's words."""
import inspect

import pytest
import rasterio

from conftest import AREA, RASTER, VECTOR

HAS_THREAD_SAFE = "thread_safe" in inspect.signature(rasterio.open).parameters

# Each runs twice, with the name and with the local file, and must print the same.
READING = {
    "fiona": (VECTOR, """
import fiona
with fiona.open(name) as found:
    print(found.crs, found.schema, found.bounds, fiona.listlayers(name))
    print([(f.geometry.coordinates, dict(f.properties)) for f in found])
with fiona.open(name, layer="water") as found:
    print(len(list(found.filter(bbox=(289000, 9111000, 290000, 9112000)))))
"""),
    "geopandas": (VECTOR, """
import geopandas
found = geopandas.read_file(name)
print(found.crs, found.to_json())
print(geopandas.read_file(name, rows=slice(2, 5)).to_json())
print(geopandas.read_file(name, where="area_m2 > 9000").to_json())
"""),
    "rasterio": (RASTER, """
import hashlib
import rasterio
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window
def digest(pixels):
    return pixels.shape, pixels.dtype, hashlib.sha256(pixels.tobytes()).hexdigest()
with rasterio.open(name) as found:
    print(found.profile, found.descriptions, digest(found.read()))
    print(digest(found.read(1, window=Window(10, 20, 30, 40), out_shape=(15, 20))))
    print(digest(found.read(1, masked=True).mask))
    with WarpedVRT(found, crs="EPSG:4326") as warped:
        print(warped.profile, digest(warped.read()))
with rasterio.open(name, sharing=True) as one, rasterio.open(name, sharing=True) as two:
    print(digest(one.read()) == digest(two.read()))
"""),
}


@pytest.mark.parametrize("library", READING)
def test_library_reads_what_the_local_file_holds(client, library):
    name, script = READING[library]
    script = f"import sys\nname = sys.argv[1]\n{script}"
    ours = client.python(script, name)
    theirs = client.python(script, client.local("ndvi" if name == RASTER else "water"))
    assert ours.stdout == theirs.stdout and len(ours.stdout) > 500
    assert len(client.paid()) == 1


OPTIONS = {
    "fiona": (VECTOR, "import fiona; print(len(fiona.open(name, GEOMETRY=area)))"),
    "geopandas": (VECTOR, "import geopandas; "
                          "print(len(geopandas.read_file(name, GEOMETRY=area)))"),
    "rasterio": (RASTER, "import rasterio; "
                         "print(rasterio.open(name, GEOMETRY=area).shape)"),
}


@pytest.mark.parametrize("library", OPTIONS)
def test_keyword_arguments_are_open_options(client, library):
    name, script = OPTIONS[library]
    script = f"import sys; name, area = sys.argv[1:]; {script}"
    done = client.python(script, name, AREA)
    [run] = client.paid()
    assert run["form"]["geometry"].startswith("POLYGON")
    whole = {"fiona": "69", "geopandas": "69", "rasterio": "(352, 349)"}
    assert done.stdout.strip() not in ("", "0", whole[library])


OPENING = {
    "fiona": "import fiona; opening = fiona.open",
    "geopandas": "import geopandas; opening = geopandas.read_file",
    "rasterio": "import rasterio; opening = rasterio.open",
}
# Later Fionas tell the cause in an exception of its own.
FAILING = """
try:
    opening("GIQ:model=ndwi;file=x")
except Exception as error:
    print(error.__cause__ or error)
try:
    opening("GIQ:model=ndvi;file=x", API_KEY="s3cret-word")
except Exception as error:
    print(error.__cause__ or error)
"""


@pytest.mark.parametrize("library", OPENING)
def test_exceptions_hold_the_words_of_the_driver(client, library):
    done = client.python(OPENING[library] + FAILING)
    model, key = done.stdout.splitlines()
    assert model.startswith("GIQ[usage]") and "ndvi" in model
    assert key.startswith("GIQ[usage]") and "GIQ_API_KEY" in key
    assert "s3cret-word" not in done.stdout + done.stderr
    assert client.paid() == []


ENV = """
import rasterio
with rasterio.Env(GIQ_SUBMIT="NO"):
    try:
        rasterio.open("%s")
    except rasterio.errors.RasterioIOError as error:
        print(error)
"""


def test_environment_of_rasterio_is_configuration(client):
    done = client.python(ENV % RASTER)
    assert done.stdout.startswith("GIQ[usage]") and "SUBMIT=NO" in done.stdout
    assert client.paid() == []


THREADS = """
import concurrent.futures, sys
import rasterio
from rasterio.windows import Window
def bytes_of(name):
    with rasterio.open(name, thread_safe=True) as found:
        def strip(row):
            return found.read(1, window=Window(0, row, found.width, 16)).tobytes()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            strips = list(pool.map(strip, range(0, found.height, 16)))
        assert len(strips) == 22
        return b"".join(strips)
with rasterio.open(sys.argv[2]) as whole:
    assert bytes_of(sys.argv[1]) == whole.read(1).tobytes()
"""


@pytest.mark.skipif(not HAS_THREAD_SAFE, reason="this rasterio has no thread_safe")
def test_threads_of_rasterio_share_a_dataset(client):
    client.run("gdalinfo", RASTER)
    client.python(THREADS, RASTER, client.local("ndvi"))
    assert len(client.paid()) == 1
