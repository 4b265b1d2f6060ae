"""Nothing writes through the driver, and no result is lost by trying."""
import pytest

from programs import HAS_GDAL_PROGRAM, VERSION

NAME = "GIQ:model=m;file=f"


def listing(gdal):
    return {str(p.relative_to(gdal.store)): p.read_bytes()
            for p in gdal.store.rglob("*") if p.is_file()}


TOLD = [
    ["gdalmanage", "delete", NAME],
    ["gdalmanage", "rename", NAME, "other"],
    ["gdalmanage", "copy", NAME, "other"],
    ["ogr2ogr", "-f", "GeoJSON", NAME, "in.geojson"],
    ["gdal_translate", "in.tif", NAME],
    ["ogr2ogr", "-append", NAME, "in.geojson"],
    ["ogr2ogr", "-update", "-append", NAME, "in.geojson"],
    ["ogr2ogr", "-overwrite", NAME, "in.geojson"],
]
# These ask for no errors of drivers and have words of their own.
QUIET = [
    ["ogr2ogr", "-update", NAME, "in.geojson"],
    ["gdal_edit.py", "-a_srs", "EPSG:4326", NAME],
]
if HAS_GDAL_PROGRAM:
    TOLD += [
        ["gdal", "dataset", "delete", NAME],
        ["gdal", "dataset", "rename", NAME, "other"],
        ["gdal", "dataset", "copy", NAME, "other"],
        ["gdal", "raster", "edit", "--nodata", "3", NAME],
        ["gdal", "vector", "convert", "--update", "in.geojson", NAME],
        ["gdal", "vector", "convert", "--append", "in.geojson", NAME],
    ]
    QUIET += [
        ["gdal", "vector", "convert", "in.geojson", NAME],
        ["gdal", "vector", "convert", "--overwrite", "in.geojson", NAME],
        ["gdal", "raster", "convert", "in.tif", NAME],
    ]


@pytest.fixture
def sources(scripted_gdal):
    """What is there to be written."""
    (scripted_gdal.folder / "in.geojson").write_text(
        '{"type":"FeatureCollection","features":[]}')
    scripted_gdal.run("gdal_create", "-outsize", "2", "2", "in.tif")


@pytest.mark.parametrize("command", TOLD + QUIET)
def test_writing_is_refused_and_loses_nothing(scripted_gdal, service, sources, command):
    scripted_gdal.run("ogrinfo", NAME)
    before = listing(scripted_gdal)
    calls = service.names()
    done = scripted_gdal.run(*command, ok=None)
    if command in TOLD:
        assert "GIQ[readonly]" in done.stderr, done.stderr
    else:
        assert done.returncode == (255 if command[0] == "gdal_edit.py" else 1), done.stderr
    assert listing(scripted_gdal) == before
    assert service.names() == calls


@pytest.mark.parametrize("command", TOLD + QUIET)
def test_writing_to_a_new_request_submits_nothing(scripted_gdal, service, sources, command):
    done = scripted_gdal.run(*command, ok=None)
    # After the error a raster is written to a file of that name.
    if command in TOLD or command[1] == "raster":
        assert "GIQ[readonly]" in done.stderr, done.stderr
    else:
        assert done.returncode == (255 if command[0] == "gdal_edit.py" else 1), done.stderr
    assert service.calls() == []
    assert not scripted_gdal.store.exists()


SCRIPT = """
from osgeo import gdal
driver = gdal.GetDriverByName("GIQ")
assert driver.Create("GIQ:models", 1, 1) is None
assert driver.CreateCopy("GIQ:models", gdal.GetDriverByName("MEM").Create("", 1, 1)) is None
assert driver.Delete("GIQ:models") != 0
assert driver.Rename("GIQ:a", "GIQ:b") != 0
assert driver.CopyFiles("GIQ:a", "GIQ:b") != 0
"""


def test_functions_of_the_driver_refuse(scripted_gdal, service):
    done = scripted_gdal.python(SCRIPT)
    assert done.stderr.count("GIQ[readonly]") >= 5
    assert service.calls() == []


def test_update_is_refused_before_the_read_only_open_of_the_same_job(scripted_gdal,
                                                                     service):
    """ogrinfo -sql tries update first; the error must not stand over the result, but
    for the GDALs that ask for it."""
    done = scripted_gdal.run("ogrinfo", "-q", "-sql", "select * from result", NAME)
    assert "name (String) = one" in done.stdout
    assert done.stderr.count("ERROR") == (1 if VERSION >= (3, 10) else 0)
    assert done.stderr.count("GIQ[readonly]") == done.stderr.count("ERROR")
    assert len(service.calls("run")) == 1


REFUSED = """
from osgeo import gdal
gdal.UseExceptions()
def read(name, flags=0):
    try:
        gdal.OpenEx(name, gdal.OF_VECTOR | gdal.OF_VERBOSE_ERROR | flags)
        print("read")
    except RuntimeError as error:
        print("GIQ[readonly]" in str(error))
read("GIQ:model=m;file=out", gdal.OF_UPDATE)
read("GIQ:model=m;file=out")
read("GIQ:model=m;file=f")
read("GIQ:model=m;file=out")
"""


@pytest.mark.parametrize("program", ["gdal", "ogr2ogr"])
def test_other_requests_are_read_after_an_update_was_refused(scripted_gdal, service, program):
    """The driver knows a program by its name alone."""
    link = scripted_gdal.folder / program
    link.symlink_to("/usr/bin/python3")
    done = scripted_gdal.run(str(link), "-c", REFUSED)
    assert done.stdout.split() == ["True", "True", "read", "True"]
    [run] = service.calls("run")
    assert b"out" not in run["body"]
