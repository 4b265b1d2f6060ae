"""RESULT_OPTIONS: the open options of the driver that opens the result, and those that are
refused because they could make it read other files or hosts."""
import pytest

from programs import SCENE
from scripted import Response

NAME = "GIQ:model=m;file=f"
TABLE = b"lon,lat,name\n7,50,one\n8,51,two\n"


@pytest.fixture
def table(service):
    service.script["download"] = [Response(TABLE, chunked=True, headers={
        "Content-Disposition": "attachment; filename=t.csv"})]


@pytest.mark.parametrize("options", [
    "X_POSSIBLE_NAMES=lon,Y_POSSIBLE_NAMES=lat",
    "X_POSSIBLE_NAMES=\"x,lon\",Y_POSSIBLE_NAMES='lat,y'",
    " x_possible_names = lon , Y_POSSIBLE_NAMES = \"lat\" ",
])
def test_options_reach_the_driver_of_the_result(scripted_gdal, service, table, options):
    for _ in range(2):
        done = scripted_gdal.run("ogrinfo", "-al", "-oo", f"RESULT_OPTIONS={options}", NAME)
        assert "POINT (7 50)" in done.stdout and "POINT (8 51)" in done.stdout
        assert "arning" not in done.stderr
    assert "POINT" not in scripted_gdal.run("ogrinfo", "-al", NAME).stdout
    assert service.names().count("run") == service.names().count("download") == 1


def test_quote_is_doubled_inside(scripted_gdal, service):
    service.script["download"] = [Response(b'{"type":"FeatureCollection","features":[{"type":'
                                         b'"Feature","geometry":null,"properties":{"a":'
                                         b'{"b":1}}}]}', chunked=True)]
    options = ("RESULT_OPTIONS=FLATTEN_NESTED_ATTRIBUTES=YES,"
               "NESTED_ATTRIBUTE_SEPARATOR=\"\"\"\"")
    done = scripted_gdal.run("ogrinfo", "-al", "-oo", options, NAME)
    assert 'a"b (Integer) = 1' in done.stdout


@pytest.mark.parametrize("options", [
    "HEADERS", "=YES", "HEADERS=", "HEADERS=YES,", ",HEADERS=YES", "HEADERS=YES,,A=B",
    "HEADERS='YES", "HEADERS=\"YES\"x", "HEAD ERS=YES", "@HEADERS=YES", "HEADERS=YES;A=B,C",
    "HEADERS=YES,headers=NO",
    "PRELUDE_STATEMENTS=ATTACH x", "prelude_statements='SELECT 1'", "A=B,WHERE=1",
    "LIST_VIRTUAL_OGR=YES", "OPEN_REMOTE_GML=YES", "OGR_SCHEMA={}", "CRS=EPSG:4326",
    "FEATURE_SERVER_PAGING=YES", "ROOT_PATH=x",
    "XSD=x.xsd", "GFS_TEMPLATE=x.gfs", "registry=x.xml", "CONFIG_FILE=x", "MODEL=x.imd",
    "DOWNLOAD_SCHEMA=YES", "METADATA_FILE=x.json", "URL=x", "A=sub/x.gfs",
    "A=sub/../../x.xsd", "A=sub\\x", "A=x/",
    "A=/etc/passwd", "A=http://127.0.0.1/x", "A=~/x", "A='../x'", "A=x/vsicurl/y",
])
def test_refused_options_are_an_error_before_any_request(scripted_gdal, service, options):
    for name in (NAME, "GIQ:jobs"):
        text = scripted_gdal.fails("ogrinfo", "-oo", f"RESULT_OPTIONS={options}", name,
                                   tag="usage")
        assert "RESULT_OPTIONS" in text
    assert service.calls() == []


def test_option_that_the_driver_does_not_have_is_a_warning(scripted_gdal, service, table):
    done = scripted_gdal.run("ogrinfo", "-al", "-oo", "RESULT_OPTIONS=SPARSE_OK=YES", NAME)
    [line] = [x for x in done.stderr.splitlines() if "arning" in x]
    assert ("RESULT_OPTIONS contains SPARSE_OK, but the result is read by the driver CSV, "
            "which has no such open option") in line
    assert "name (String) = two" in done.stdout


def test_option_of_gdal_itself(gdal, sandbox):
    name = f"GIQ:model=ndvi;file={SCENE}"
    text = gdal.fails("gdalinfo", "-oo", "RESULT_OPTIONS=OVERVIEW_LEVEL=0", name,
                      tag="usage")
    assert "RESULT_OPTIONS" in text and "verview level" in text
    done = gdal.run("gdalinfo", "-oo", "RESULT_OPTIONS=OVERVIEW_LEVEL=NONE", name)
    assert "Driver: GTiff" in done.stdout and "arning" not in done.stderr
    assert len(sandbox.runs()) == 1


def test_shared_dataset_has_its_options(scripted_gdal, service, table):
    done = scripted_gdal.python("""
import sys
from osgeo import gdal
gdal.UseExceptions()
data = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR | gdal.OF_SHARED, open_options=[
    "RESULT_OPTIONS=X_POSSIBLE_NAMES=lon,Y_POSSIBLE_NAMES=lat"])
row = data.GetLayer(0).GetNextFeature()
print(row.geometry().ExportToWkt())
""", NAME)
    assert "POINT (7 50)" in done.stdout


def test_configuration_gives_no_options(scripted_gdal, service, table):
    done = scripted_gdal.run("ogrinfo", "-al", NAME, env={
        "GIQ_RESULT_OPTIONS": "X_POSSIBLE_NAMES=lon,Y_POSSIBLE_NAMES=lat"})
    assert "POINT" not in done.stdout
