"""Metadata in a raster that would make GDAL read another file or contact a host."""
import sqlite3
import struct

import pytest

from external import NAME, SECRET, give, refused
from programs import PUBLISHED

# In every test: no other host is contacted, and one job is paid for.
pytestmark = pytest.mark.usefixtures("nothing_external")

EXTERNAL = 'the result names the external {} "{}" and is refused'
GEOLOCATION = ("PIXEL_OFFSET=0", "LINE_OFFSET=0", "PIXEL_STEP=1", "LINE_STEP=1",
               "X_BAND=1", "Y_BAND=1", "SRS=EPSG:4326")
DOMAINS = {
    "overview": ("OVERVIEWS", "OVERVIEW_FILE={}"),
    "geolocation": ("GEOLOCATION", "X_DATASET={}", "Y_DATASET={}", *GEOLOCATION),
    "subdataset": ("SUBDATASETS", "SUBDATASET_1_NAME={}", "SUBDATASET_1_DESC=x"),
}
DOORS = (["gdalinfo", NAME], ["gdal_translate", "-q", "-sds", NAME, "out.tif"],
         ["gdalwarp", "-q", NAME, "out.tif"], ["gdal_translate", "-q", "-of", "netCDF",
                                                NAME, "out.nc"])
MAKE = """
import sys
from osgeo import gdal
gdal.SetConfigOption("GDAL_PAM_ENABLED", "NO")
name, kind, domain, *items = sys.argv[1:]
made = gdal.GetDriverByName("GTiff").Create(name, 64, 64, 1)
made.SetGeoTransform([0, 1, 0, 64, 0, -1])
(made.GetRasterBand(1) if kind == "band" else made).SetMetadata(items, domain)
"""


def tiff(gdal, what, target, kind="dataset"):
    domain, *items = DOMAINS[what]
    gdal.python(MAKE, "r.tif", kind, domain, *(item.format(target) for item in items))
    return (gdal.folder / "r.tif").read_bytes()


def box(kind, body):
    return struct.pack(">I", 8 + len(body)) + kind + body


def jpeg2000(gdal, *boxes):
    """A JPEG 2000 file with these boxes before its code stream."""
    gdal.python("""
from osgeo import gdal
source = gdal.GetDriverByName("MEM").Create("", 64, 64, 1)
gdal.Translate("r.jp2", source, format="JP2OpenJPEG")
""")
    body = (gdal.folder / "r.jp2").read_bytes()
    at = body.index(b"jp2c") - 4
    return body[:at] + b"".join(boxes) + body[at:]


def metadata_box(what, target):
    domain, *items = DOMAINS[what]
    pairs = (item.format(target).split("=", 1) for item in items)
    return box(b"xml ", ("<GDALMultiDomainMetadata><Metadata domain='%s'>%s</Metadata>"
                         "</GDALMultiDomainMetadata>" % (domain, "".join(
                             f"<MDI key='{key}'>{value}</MDI>" for key, value in pairs)
                                                         )).encode())


@pytest.mark.parametrize("command", DOORS, ids=lambda command: " ".join(command[:4:2]))
@pytest.mark.parametrize("what", DOMAINS)
@pytest.mark.parametrize("form", ["tif", "jp2"])
def test_a_host_in_metadata_is_not_contacted(scripted_gdal, service, host, form, what, command):
    target = f"/vsicurl/{host.url}/x.tif"
    body = (tiff(scripted_gdal, what, target) if form == "tif"
            else jpeg2000(scripted_gdal, metadata_box(what, target)))
    give(service, body, f"r.{form}")
    named = what if what == "subdataset" else f"{what} file"
    refused(scripted_gdal, service, EXTERNAL.format(named, target), command)


def test_an_overview_of_a_band_is_refused(scripted_gdal, service, secret):
    give(service, tiff(scripted_gdal, "overview", secret, "band"), "r.tif")
    refused(scripted_gdal, service, EXTERNAL.format("overview file", secret), ("gdalinfo", NAME))


@pytest.mark.parametrize("name", ["GTIFF_DIR:1:/etc/x.tif", "GTIFF_DIR:1:r.tif", "r.tif",
                                  "<VRTDataset/>"])
def test_a_part_that_is_not_the_file_s_own_is_refused(scripted_gdal, service, name):
    give(service, tiff(scripted_gdal, "subdataset", name), "r.tif")
    refused(scripted_gdal, service, EXTERNAL.format("subdataset", name), ("gdalinfo", NAME))


def pages(gdal, target):
    """A TIFF of three pages, the last of which names an overview file."""
    gdal.python("""
import sys
from osgeo import gdal
gdal.SetConfigOption("GDAL_PAM_ENABLED", "NO")
for page in range(3):
    made = gdal.GetDriverByName("GTiff").Create(
        "r.tif", 16, 16, 1, options=["APPEND_SUBDATASET=YES"] if page else [])
    if page == 2 and sys.argv[1]:
        made.SetMetadata(["OVERVIEW_FILE=" + sys.argv[1]], "OVERVIEWS")
    made = None
""", target)
    return (gdal.folder / "r.tif").read_bytes()


def test_every_page_of_a_tiff_is_checked(scripted_gdal, service, host):
    target = f"/vsicurl/{host.url}/x.tif"
    give(service, pages(scripted_gdal, target), "r.tif")
    refused(scripted_gdal, service, EXTERNAL.format("overview file", target), ("gdalinfo", NAME))


def test_pages_of_a_tiff_are_read(scripted_gdal, service):
    give(service, pages(scripted_gdal, ""), "r.tif")
    assert "SUBDATASET_3_NAME=GTIFF_DIR:3:" in scripted_gdal.run("gdalinfo", NAME).stdout


def chain(count, order="<", is_big=False, text=b"", loops=False):
    """A TIFF of small pages, with this GDAL metadata and an end or a loop after the last."""
    entries = [(256, 3, 1), (257, 3, 1), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8),
               (277, 3, 1), (278, 3, 1), (279, 4, 1)]
    number = "Q" if is_big else "I"
    magic = b"II" if order == "<" else b"MM"
    body = bytearray(magic + (struct.pack(order + "HHHQ", 43, 8, 0, 16) if is_big else
                              struct.pack(order + "HI", 42, 16) + bytes(8)))
    for page in range(count):
        tags = entries + [(42112, 2, 0)] * bool(text)
        following = len(body) + (8 + 20 * len(tags) + 8 if is_big else 2 + 12 * len(tags) + 4)
        body += struct.pack(order + ("Q" if is_big else "H"), len(tags))
        for tag, kind, value in tags:
            value = struct.pack(order + ("H" if kind == 3 else "I"), value or following)
            body += struct.pack(order + "HH" + number, tag, kind, 1 if kind > 2 else len(text))
            body += value.ljust(8 if is_big else 4, b"\0")
        after = following + len(text) if page < count - 1 else 16 if loops else 0
        body += struct.pack(order + number, after) + text
    return bytes(body)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("is_big", [False, True], ids=["classic", "big"])
def test_a_tiff_of_many_pages_is_kept(scripted_gdal, service, order, is_big):
    """A valid result is not refused for its size, and not opened once for each page."""
    count = 10000 if not is_big else 3
    body = chain(count, order, is_big)
    give(service, body, "r.tif")
    done = scripted_gdal.run("gdalinfo", NAME)
    assert f"SUBDATASET_{count}_NAME=GTIFF_DIR:{count}:" in done.stdout
    assert "GIQ[" not in done.stderr


def test_a_tiff_with_too_many_pages_to_check_is_kept(scripted_gdal, service):
    """What was paid for is not thrown away; the error names the file to open."""
    give(service, chain(501, text=b"<GDALMetadata>&amp;</GDALMetadata>\0"), "r.tif")
    for _ in range(2):
        error = scripted_gdal.fails("gdalinfo", NAME, tag="result")
        [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/r.tif")
        assert error == (
            "ERROR 4: GIQ[result] job job-1: the result has 501 subdatasets; references to "
            "other files can be checked in at most 500. The result is kept; if you trust "
            f"the service, open the file itself: {path}")
    assert service.names() == ["models", "run", "status", "download"]
    assert "SUBDATASET_501_NAME" in scripted_gdal.run("gdalinfo", path).stdout


def test_a_loop_of_pages_ends_the_check(scripted_gdal, service):
    give(service, chain(3, loops=True), "r.tif")
    assert "SUBDATASET_3_NAME" in scripted_gdal.run("gdalinfo", NAME).stdout


def geopackage(gdal, *statements):
    gdal.python("""
from osgeo import gdal
gdal.UseExceptions()
for name in "ab":
    source = gdal.GetDriverByName("MEM").Create("", 256, 256, 3)
    source.SetGeoTransform([0, 1, 0, 256, 0, -1])
    source.SetMetadataItem("note", "x")
    gdal.Translate("r.gpkg", source, format="GPKG", outputSRS="EPSG:3857",
                   creationOptions=["RASTER_TABLE=" + name, "APPEND_SUBDATASET=YES"])
""")
    with sqlite3.connect(gdal.folder / "r.gpkg") as data:
        for statement in statements:
            data.execute(statement)
    data.close()
    return (gdal.folder / "r.gpkg").read_bytes()


def test_rasters_of_a_geopackage_are_read(scripted_gdal, service):
    give(service, geopackage(scripted_gdal), "r.gpkg")
    assert "SUBDATASET_2_NAME=GPKG:" in scripted_gdal.run("gdalinfo", NAME).stdout


def test_every_raster_of_a_geopackage_is_checked(scripted_gdal, service):
    give(service, geopackage(
        scripted_gdal, "update gpkg_metadata set metadata = '<GDALMultiDomainMetadata>"
        '<Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">/etc/x</MDI></Metadata>'
        "</GDALMultiDomainMetadata>' where id = 2"), "r.gpkg")
    refused(scripted_gdal, service, EXTERNAL.format("overview file", "/etc/x"), ("gdalinfo", NAME))


# ---- what JPEG 2000 holds beside its pixels ----

def gml_box(features):
    collection = (
        '<gmljp2:GMLJP2CoverageCollection xmlns:gml="http://www.opengis.net/gml/3.2" '
        'xmlns:gmljp2="http://www.opengis.net/gmljp2/2.0"><gmljp2:featureMember>'
        f"<gmljp2:GMLJP2RectifiedGridCoverage>{features}"
        "</gmljp2:GMLJP2RectifiedGridCoverage></gmljp2:featureMember>"
        "</gmljp2:GMLJP2CoverageCollection>")
    root = box(b"asoc", box(b"lbl ", b"gml.root-instance") +
               box(b"xml ", collection.encode()))
    return box(b"asoc", box(b"lbl ", b"gml.data") + root)


def test_features_in_jpeg2000_are_not_read(scripted_gdal, service):
    """GDAL gives them to its GML driver, which may open what they name."""
    dictionary = scripted_gdal.folder / "secret.dict"
    dictionary.write_text(f'EPSG:,GEOGCS["{SECRET}",DATUM["d",SPHEROID["s",6378137,298]],'
                          'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]\n')
    system = f"DICT:{'../' * 12}{dictionary.relative_to('/')},EPSG:"
    features = (
        '<gmljp2:feature><ogr:FeatureCollection xmlns:ogr="http://ogr.maptools.org/" '
        'xmlns:gml="http://www.opengis.net/gml/3.2"><gml:featureMember><ogr:f><ogr:g>'
        f'<gml:Point srsName="{system}"><gml:pos>1 2</gml:pos></gml:Point></ogr:g>'
        "</ogr:f></gml:featureMember></ogr:FeatureCollection></gmljp2:feature>")
    give(service, jpeg2000(scripted_gdal, gml_box(features)), "r.jp2")
    error = scripted_gdal.fails("ogrinfo", "-al", NAME, tag="result")
    assert error == ("ERROR 4: GIQ[result] the result of the job job-1 is a raster, not a "
                     "vector dataset: use gdalinfo or gdal_translate")
    done = scripted_gdal.run("strace", "-f", "-e", "trace=open,openat", "gdalinfo", NAME)
    assert "secret.dict" not in done.stderr
    script = """
import sys
from osgeo import gdal
gdal.UseExceptions()
made = gdal.OpenEx(sys.argv[1], gdal.OF_RASTER | gdal.OF_VECTOR)
assert made.RasterXSize == 64
assert made.GetLayerCount() == 0, made.GetLayerCount()
"""
    scripted_gdal.python(script, NAME)
