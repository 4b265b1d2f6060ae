"""A result that was paid for is kept where the driver of the moment does not open it: the
error says what would, and opening it again then takes no other download."""
import json

import pytest

from archives import pack_zip
from programs import DATA
from external import NAME, give
from scripted import GEOJSON

CALLS = ["models", "run", "status", "download"]


def published(gdal):
    return [record["state"] for record in gdal.records().values()] == ["published"]


def shapefile(gdal, *parts, folder=""):
    """A zip with parts of a Shapefile."""
    gdal.run("ogr2ogr", "-f", "ESRI Shapefile", "s.shp", DATA / "parcels.geojson")
    members = {f"{folder}s.{part}": (gdal.folder / f"s.{part}").read_bytes()
               for part in parts}
    return pack_zip({"a_readme.txt": "not data", **members})


def test_remedy_of_gdal_is_shown_in_full_and_works_without_a_download(scripted_gdal,
                                                                      service):
    give(service, shapefile(scripted_gdal, "shp", "dbf", folder="data/"), "r.zip")
    text = scripted_gdal.fails("ogrinfo", NAME, tag="result")
    assert text.endswith(
        "GIQ[result] the driver ESRI Shapefile cannot open the result of the job job-1 "
        "(data/s.shp), which is kept and can be opened again: Unable to open s.shx or s.SHX. Set "
        "SHAPE_RESTORE_SHX config option to YES to restore or create it.")
    assert published(scripted_gdal)
    done = scripted_gdal.run("ogrinfo", NAME, env={"SHAPE_RESTORE_SHX": "YES"})
    assert "s (" in done.stdout
    assert service.names() == CALLS


def test_reason_is_given_whatever_words_it_has(scripted_gdal, service):
    give(service, shapefile(scripted_gdal, "shp", folder="not recognized "), "r.zip")
    text = scripted_gdal.fails("ogrinfo", NAME, tag="result")
    assert "(not recognized s.shp), which is kept and can be opened again: Unable to open" in text


def test_limit_of_gdal_is_named_and_lifted_without_a_download(scripted_gdal, service):
    ring = ",".join(f"[{i * 1e-5:.9f},{i % 7 + 1}]" for i in range(60000))
    body = ('{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},'
            '"geometry":{"type":"LineString","coordinates":[' + ring + ']}}]}').encode()
    give(service, body, "r.geojson")
    small = {"OGR_GEOJSON_MAX_OBJ_SIZE": "0.5"}
    text = scripted_gdal.fails("ogrinfo", NAME, tag="result", env=small)
    assert "the driver GeoJSON cannot open the result of the job job-1 (r.geojson)" in text
    assert "OGR_GEOJSON_MAX_OBJ_SIZE" in text and "result.new" not in text
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names() == CALLS


@pytest.mark.parametrize("body,name,driver", [
    (b"PAR1" + bytes(100) + b"PAR1", "r", "Parquet"),
    (b"ARROW1\0\0" + bytes(50) + b"ARROW1", "r", "Arrow")])
def test_driver_that_this_gdal_lacks_is_named(scripted_gdal, service, body, name, driver):
    if f"  {driver} -" in scripted_gdal.run("ogrinfo", "--formats").stdout:
        pytest.skip(f"this GDAL has the driver {driver}")
    give(service, body, name)
    for _ in range(2):
        text = scripted_gdal.fails("ogrinfo", NAME, tag="result")
        assert f"needs the driver {driver}, which this GDAL does not have" in text
        assert "RESULT_DRIVERS" not in text
    assert published(scripted_gdal)
    assert service.names() == CALLS


def test_driver_that_is_not_in_the_list_reads_it_once_it_is(scripted_gdal, service):
    (scripted_gdal.folder / "in.geojson").write_bytes(GEOJSON)
    scripted_gdal.run("ogr2ogr", "-f", "GML", "out.gml", "in.geojson")
    give(service, (scripted_gdal.folder / "out.gml").read_bytes(), "r.gml")
    for _ in range(2):
        text = scripted_gdal.fails("ogrinfo", NAME, tag="result")
        assert "(r.gml) needs the driver GML" in text
        assert text.endswith("open it again with GIQ_RESULT_DRIVERS=+GML")
    assert published(scripted_gdal)
    env = {"GIQ_RESULT_DRIVERS": "+GML"}
    assert "POINT (1 2)" in scripted_gdal.run("ogrinfo", "-al", NAME, env=env).stdout
    assert service.names() == CALLS


def packed(folder, pattern):
    """A zip of these files."""
    return pack_zip({path.name: path.read_bytes() for path in sorted(folder.glob(pattern))})


# Drivers whose formats can name other files in ways that no check sees: the name of the
# result, the files that it is or holds, how they are made, and the program that reads it.
RASTER = ("gdal_translate", "-q", "-of", "netCDF", "a.tif", "r.nc", "-co")
VECTOR = ("ogr2ogr", "-f")
NOT_ALLOWED = {
    "netCDF": ("r.nc", "r.nc", (*RASTER, "FORMAT=NC"), "gdalinfo"),
    "HDF5": ("r.h5", "r.nc", (*RASTER, "FORMAT=NC4"), "gdalinfo"),
    "MapInfo File": ("r.zip", "r.*", (*VECTOR, "MapInfo File", "r.tab", "in.geojson"),
                     "ogrinfo"),
    "DXF": ("r.dxf", "r.dxf", (*VECTOR, "DXF", "r.dxf", "in.geojson", "-select", ""),
            "ogrinfo"),
}


@pytest.mark.parametrize("driver", NOT_ALLOWED)
def test_format_that_is_not_in_the_default_list_is_kept(scripted_gdal, service, driver):
    name, made, command, reader = NOT_ALLOWED[driver]
    scripted_gdal.run("gdal_create", "-q", "-outsize", "9", "9", "-a_srs", "EPSG:4326",
                      "-a_ullr", "0", "9", "9", "0", "a.tif")
    (scripted_gdal.folder / "in.geojson").write_bytes(GEOJSON)
    scripted_gdal.run(*command)
    give(service, packed(scripted_gdal.folder, made) if name == "r.zip" else
         (scripted_gdal.folder / made).read_bytes(), name)
    for _ in range(2):
        text = scripted_gdal.fails(reader, NAME, tag="result")
        assert f"needs the driver {driver}, which is not allowed to open results" in text
        assert text.endswith(f"open it again with GIQ_RESULT_DRIVERS=+{driver}")
        assert published(scripted_gdal)
    done = scripted_gdal.run(reader, NAME, env={"GIQ_RESULT_DRIVERS": f"+{driver}"})
    words = {"gdalinfo": "Driver: ", "ogrinfo": "using driver `"}
    assert words[reader] + driver in done.stdout
    assert service.names() == CALLS


def test_opens_of_one_process_download_once_whatever_the_list(scripted_gdal, service):
    done = scripted_gdal.python("""
import json, sys
from osgeo import gdal
texts = []
for drivers in ("GTiff", "GTiff", "GTiff,GeoJSON", "GTiff"):
    gdal.SetConfigOption("GIQ_RESULT_DRIVERS", drivers)
    opened = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
    texts.append(gdal.GetLastErrorMsg() if opened is None else "")
print(json.dumps(texts))
""", NAME)
    texts = json.loads(done.stdout)
    assert texts[2] == "" and texts[0] == texts[1] == texts[3]
    assert texts[0].endswith("open it again with GIQ_RESULT_DRIVERS=+GeoJSON")
    assert service.names() == CALLS


def test_options_that_do_not_fit_leave_the_result(scripted_gdal, service):
    """The first open has options by which its driver refuses the file."""
    scripted_gdal.run("gdal_create", "-outsize", "9", "9", "a.tif")
    give(service, (scripted_gdal.folder / "a.tif").read_bytes(), "a.tif")
    options = ("-oo", "RESULT_OPTIONS=OVERVIEW_LEVEL=7")
    text = scripted_gdal.fails("gdalinfo", NAME, *options, tag="usage")
    assert "cannot be opened with these RESULT_OPTIONS: Cannot open overview level 7" in text
    scripted_gdal.run("gdalinfo", NAME)
    assert service.names() == CALLS


@pytest.mark.parametrize("body,name", [
    (b'{"error": "try again later"}', "r.geojson"), (b"not ready", "r.bin")])
def test_text_of_no_known_format_is_not_kept(scripted_gdal, service, body, name):
    """It may be a message in place of the result, so the next open asks again."""
    give(service, body, name)
    text = scripted_gdal.fails("ogrinfo", NAME, tag="result")
    assert f"no driver is known for the result ({name})" in text
    assert not published(scripted_gdal)
    give(service, GEOJSON, "r.geojson")
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names() == [*CALLS, "download"]


def test_archive_of_nothing_known_is_not_kept_and_lists_what_it_holds(scripted_gdal,
                                                                      service):
    give(service, pack_zip({"a/readme.txt": "nothing", "b.bin": b"\0\1\2"}), "r.zip")
    text = scripted_gdal.fails("ogrinfo", NAME, tag="result")
    assert "no driver is known for any file of the result: " in text
    assert "a/readme.txt" in text and "b.bin" in text and "result.new" not in text
    assert not published(scripted_gdal)


def test_external_reference_that_a_later_driver_finds_is_refused(scripted_gdal, service):
    """No driver that knows TIFF was allowed when it was published."""
    scripted_gdal.run("gdal_create", "-outsize", "9", "9", "a.tif")
    scripted_gdal.python("""
from osgeo import gdal
dataset = gdal.Open("a.tif", gdal.GA_Update)
dataset.SetMetadataItem("OVERVIEW_FILE", "/vsicurl/http://127.0.0.1:1/x", "OVERVIEWS")
""")
    give(service, (scripted_gdal.folder / "a.tif").read_bytes(), "a.tif")
    text = scripted_gdal.fails("gdalinfo", NAME, tag="result",
                               env={"GIQ_RESULT_DRIVERS": "PNG"})
    assert text.endswith("open it again with GIQ_RESULT_DRIVERS=+GTiff")
    assert published(scripted_gdal)
    for command in (("gdalinfo", NAME), ("gdalinfo", NAME, "-oo", "SUBMIT=NO")):
        text = scripted_gdal.fails(*command, tag="result")
        assert text == ("ERROR 4: GIQ[result] job job-1: the result names the external overview "
                        'file "/vsicurl/http://127.0.0.1:1/x" and is refused')
    assert service.names() == CALLS
