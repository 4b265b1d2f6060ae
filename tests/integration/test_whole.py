"""Results that are cut although their transfer ended as if whole: each format says how long
it is, and what is shorter is asked for again instead of being published."""
import json

import pytest

from programs import DATA, PUBLISHED, SCENE, needs_driver
from external import NAME, give

RASTER = ("gdal_translate", "-q", "-outsize", "300", "300", "-of")
VECTOR = ("ogr2ogr", "-f")
PARCELS = DATA / "parcels.geojson"

# Name of the file; the program that makes it; its input and options.
FORMATS = {
    "strips.tif": (*RASTER, "GTiff", DATA / SCENE),
    "big.tif": (*RASTER, "GTiff", "-co", "BIGTIFF=YES", "-co", "TILED=YES", DATA / SCENE),
    "cog.tif": (*RASTER, "COG", "-co", "BLOCKSIZE=128", DATA / SCENE),
    "jpeg.tif": (*RASTER, "GTiff", "-co", "COMPRESS=JPEG", "-b", "1", DATA / SCENE),
    "r.png": (*RASTER, "PNG", "-b", "1", DATA / SCENE),
    "r.jpg": (*RASTER, "JPEG", "-b", "1", DATA / SCENE),
    "r.jp2": (*RASTER, "JP2OpenJPEG", "-b", "1", DATA / SCENE),
    "r.j2k": (*RASTER, "JP2OpenJPEG", "-co", "CODEC=J2K", "-b", "1",
              DATA / SCENE),
    "r.mbtiles": (*RASTER, "MBTiles", "-b", "1", DATA / SCENE),
    "v.fgb": (*VECTOR, "FlatGeobuf"),
    "without_index.fgb": (*VECTOR, "FlatGeobuf", "-lco", "SPATIAL_INDEX=NO"),
    "v.gpkg": (*VECTOR, "GPKG"),
    "v.sqlite": (*VECTOR, "SQLite"),
    "v.geojson": (*VECTOR, "GeoJSON"),
    "v.geojsonl": (*VECTOR, "GeoJSONSeq"),
    "v.kml": (*VECTOR, "LIBKML"),
    "v.kmz": (*VECTOR, "LIBKML"),
}
CUTS = {"last_bytes": lambda size: size - 3, "page": lambda size: size - 4096,
        "half": lambda size: size // 2, "tenth": lambda size: size // 10}


def make(gdal, name):
    """The bytes of a whole file."""
    path = gdal.folder / name
    command = FORMATS[name]
    if command[0] == "ogr2ogr":
        gdal.run(*command, path, PARCELS, "-t_srs", "EPSG:4326")
    else:
        gdal.run(*command, path)
    return path.read_bytes()


def published(gdal):
    return list(gdal.store.glob(f"v1/*/{PUBLISHED}"))


def command_for(name):
    return "ogrinfo" if FORMATS[name][0] == "ogr2ogr" else "gdalinfo"


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=needs_driver("LIBKML") if "LIBKML" in command else ())
    for name, command in FORMATS.items()])
def test_cut_file_is_asked_for_again_and_the_whole_one_is_published(scripted_gdal, service,
                                                                    name):
    whole = make(scripted_gdal, name)
    program = command_for(name)
    sizes = sorted({cut(len(whole)) for cut in CUTS.values() if cut(len(whole)) > 0})
    for size in sizes:
        give(service, whole[:size], name)
        text = scripted_gdal.fails(program, NAME, tag="incomplete")
        assert "job-1" in text and "Open again" in text
        assert not published(scripted_gdal)
    give(service, whole, name)
    done = scripted_gdal.run(program, NAME)
    assert "GIQ" not in done.stderr
    [folder] = published(scripted_gdal)
    assert (folder / name).read_bytes() == whole
    assert len(service.calls("run")) == 1
    assert len(service.calls("download")) == len(sizes) + 1
    assert list(scripted_gdal.store.glob("v1/*/result.*")) == [folder]


def test_cut_file_that_comes_twice_is_kept_with_a_warning(scripted_gdal, service):
    whole = make(scripted_gdal, "v.fgb")
    give(service, whole[:-10], "v.fgb")
    text = scripted_gdal.fails("ogrinfo", NAME, tag="incomplete")
    assert f"{len(whole) - 10} bytes, but at least {len(whole)} are needed" in text
    # Another cut is not the same file.
    give(service, whole[:-20], "v.fgb")
    scripted_gdal.fails("ogrinfo", NAME, tag="incomplete")
    done = scripted_gdal.run("ogrinfo", NAME)
    [warning] = [line for line in done.stderr.splitlines() if "GIQ" in line]
    assert warning.startswith("Warning 1: GIQ: job job-1: ") and "twice" in warning
    assert [record["state"] for record in scripted_gdal.records().values()] == ["published"]
    done = scripted_gdal.run("ogrinfo", NAME)
    assert "GIQ" not in done.stderr
    assert len(service.calls("run")) == 1 and len(service.calls("download")) == 3
    assert not list(scripted_gdal.store.glob("v1/*/result.short"))


def test_sequence_of_opens_in_one_process_ends_with_the_result(scripted_gdal, service):
    """A GIS opens a source many times: the same bytes a second time are enough."""
    give(service, make(scripted_gdal, "v.gpkg")[:-4096], "v.gpkg")
    done = scripted_gdal.python("""
import json, sys
from osgeo import gdal
texts = []
for _ in range(4):
    dataset = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
    texts.append("" if dataset else gdal.GetLastErrorMsg())
print(json.dumps(texts))
""", NAME)
    texts = json.loads(done.stdout)
    assert texts[0].startswith("GIQ[incomplete] job job-1: ")
    assert len(service.calls("download")) == 2 and len(service.calls("run")) == 1
    assert "twice" in done.stderr


def test_whole_files_of_odd_forms_are_published_at_once(scripted_gdal, service):
    """Holes, bytes after the end and lengths that are not valid are no shortage."""
    scripted_gdal.run("gdal_create", "-of", "GTiff", "-outsize", "2000", "2000", "-co",
                      "SPARSE_OK=TRUE", "-co", "TILED=YES", "sparse.tif")
    jpeg = make(scripted_gdal, "r.jpg")
    database = bytearray(make(scripted_gdal, "v.gpkg"))
    database[24:32] = bytes([0, 0, 0, 9]) + (2 ** 20).to_bytes(4, "big")
    files = {"sparse.tif": (scripted_gdal.folder / "sparse.tif").read_bytes(),
             "junk.jpg": jpeg + bytes(100000), "old.gpkg": bytes(database)}
    for number, (name, body) in enumerate(files.items()):
        give(service, body, name)
        program = "ogrinfo" if name.endswith("gpkg") else "gdalinfo"
        done = scripted_gdal.run(program, f"{NAME};rerun={number}")
        assert "GIQ" not in done.stderr
    assert len(service.calls("download")) == len(files)
