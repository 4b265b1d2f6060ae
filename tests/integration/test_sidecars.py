"""Sidecars in archives: those that the data needs stay, those that could make GDAL read other
files or hosts are removed, and one warning lists them."""
import json
import re

import pytest

from archives import pack_tar, pack_zip
from external import NAME, SECRET, give
from test_contents import kept

# A raster, and all that GDAL writes about it into a sidecar.
MAKE = """
from osgeo import gdal, osr
made = gdal.GetDriverByName("MEM").Create("", 8, 8, 1)
made.SetGeoTransform((500000, 10, 0, 2700000, 0, -10))
system = osr.SpatialReference()
system.ImportFromEPSG(32640)
made.SetSpatialRef(system)
made.SetMetadataItem("MODEL", "water")
band = made.GetRasterBand(1)
band.SetNoDataValue(7)
band.SetDescription("water")
band.SetUnitType("m/s")
band.SetOffset(1)
band.SetScale(2)
band.SetCategoryNames(["land", "sea"])
colours = gdal.ColorTable()
colours.SetColorEntry(0, (1, 2, 3, 255))
colours.SetColorEntry(1, (9, 8, 7, 255))
band.SetColorTable(colours)
table = gdal.RasterAttributeTable()
table.CreateColumn("name", gdal.GFT_String, gdal.GFU_Name)
table.SetRowCount(1)
table.SetValueAsString(0, 0, "sea")
band.SetDefaultRAT(table)
gdal.SetConfigOption("GDAL_PAM_ENABLED", "NO")
gdal.GetDriverByName("PNG").CreateCopy("bare.png", gdal.GetDriverByName("MEM").Create(
    "", 8, 8, 1))
gdal.SetConfigOption("GDAL_PAM_ENABLED", "YES")
copy = gdal.GetDriverByName("PNG").CreateCopy("r.png", made)
copy.GetRasterBand(1).SetColorTable(colours)
copy.GetRasterBand(1).ComputeStatistics(False)
copy = None
"""
SYSTEM = 'GEOGCS["x",DATUM["y",SPHEROID["z",6378137,298]],PRIMEM["g",0],UNIT["d",0.017]]'


def warnings(done):
    return [line for line in done.stderr.splitlines() if line.startswith("Warning")]


def raster(gdal):
    gdal.python(MAKE)
    return (gdal.folder / "bare.png").read_bytes()


@pytest.mark.parametrize("pack", [pack_zip, pack_tar], ids=["zip", "tar.gz"])
def test_metadata_in_a_sidecar_is_read(scripted_gdal, service, pack):
    bare = raster(scripted_gdal)
    sidecar = (scripted_gdal.folder / "r.png.aux.xml").read_bytes()
    for part in (b"<SRS", b"<GeoTransform", b"<NoDataValue", b"STATISTICS_MEAN",
                 b"<CategoryNames", b"<GDALRasterAttributeTable"):
        assert part in sidecar
    give(service, pack({"d/r.png": bare, "d/r.png.aux.xml": sidecar}), "r.zip")
    for _ in range(2):
        done = scripted_gdal.run("gdalinfo", "-json", NAME)
        info = json.loads(done.stdout)
        [band] = info["bands"]
        assert info["geoTransform"] == [500000, 10, 0, 2700000, 0, -10]
        assert 'ID["EPSG",32640]' in info["coordinateSystem"]["wkt"]
        assert info["metadata"][""]["MODEL"] == "water"
        assert band["noDataValue"] == 7 and band["description"] == "water"
        assert band["unit"] == "m/s" and band["offset"] == 1 and band["scale"] == 2
        assert band["metadata"][""]["STATISTICS_MEAN"] == "0"
        assert not warnings(done)
    text = scripted_gdal.run("gdalinfo", NAME).stdout
    assert re.search(r"0: land\s+1: sea", text) and "<F>sea</F>" in text
    assert kept(scripted_gdal) == ["d/r.png", "d/r.png.aux.xml"]


def test_colours_of_a_sidecar_arrive(scripted_gdal, service):
    scripted_gdal.run("gdal_create", "-q", "-outsize", "8", "8", "bare.tif")
    bare = (scripted_gdal.folder / "bare.tif").read_bytes()
    sidecar = b"""<PAMDataset><PAMRasterBand band="1"><ColorInterp>Palette</ColorInterp>
<ColorTable><Entry c1="1" c2="2" c3="3" c4="255"/><Entry c1="9" c2="8" c3="7" c4="255"/>
</ColorTable></PAMRasterBand></PAMDataset>"""
    give(service, pack_zip({"r.tif": bare, "r.tif.aux.xml": sidecar}), "r.zip")
    text = scripted_gdal.run("gdalinfo", NAME).stdout
    assert "0: 1,2,3,255" in text and "1: 9,8,7,255" in text


def test_mask_that_is_a_plain_tiff_arrives(scripted_gdal, service):
    scripted_gdal.python("""
from osgeo import gdal
gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", "NO")
made = gdal.GetDriverByName("GTiff").Create("r.tif", 8, 8, 1)
made.CreateMaskBand(gdal.GMF_PER_DATASET)
made.GetRasterBand(1).GetMaskBand().WriteRaster(0, 0, 1, 1, b"\\xff")
""")
    files = {name: (scripted_gdal.folder / name).read_bytes()
             for name in ("r.tif", "r.tif.msk")}
    give(service, pack_zip(files), "r.zip")
    done = scripted_gdal.run("gdalinfo", NAME)
    assert "Mask Flags: PER_DATASET" in done.stdout and not warnings(done)
    assert kept(scripted_gdal) == ["r.tif", "r.tif.msk"]


def pam(inner, before="", encoding=None):
    text = f"{before}<PAMDataset>{inner}</PAMDataset>"
    return text.encode(encoding or "utf-8")


def item(key, value, domain=None):
    named = f' domain="{domain}"' if domain else ""
    return f'<Metadata{named}><MDI key="{key}">{value}</MDI></Metadata>'


HARMLESS = {
    "declared": pam(item("a", "b"), '\ufeff<?xml version="1.0" encoding="utf-8"?>\n'),
    "comment": pam(f"<!-- by hand --><SRS>{SYSTEM}</SRS>"),
    "code": pam("<SRS>EPSG:32640</SRS>"),
    "rpc": pam(item("LINE_OFF", "1", "RPC")),
    "arcgis": pam('<Metadata domain="xml:ESRI" format="xml"><GeodataXform '
                  'xmlns:typens="http://www.esri.com/schemas/ArcGIS/10.1"><SpatialReference>'
                  f"<WKT>{SYSTEM}</WKT></SpatialReference></GeodataXform></Metadata>"
                  + item("PyramidResamplingType", "NEAREST", "Esri")),
    "mask": pam('<PAMRasterBand band="1"><NoDataValue le_hex_equiv="0000000000001C40">7'
                "</NoDataValue></PAMRasterBand>"),
    "letter": pam('<PAMRasterBand band="1"><CategoryNames><Category>A:</Category>'
                  "</CategoryNames></PAMRasterBand>"),
    "parts": pam(f'<Subdataset name="x">{pam("<SRS/>").decode()}</Subdataset>'),
}
HOSTILE = {
    "overview": pam(item("OVERVIEW_FILE", "secret.tif", "OVERVIEWS")),
    "overview-band": pam('<PAMRasterBand band="1">'
                         + item("OVERVIEW_FILE", "x.tif", "OVERVIEWS") + "</PAMRasterBand>"),
    "geolocation": pam(item("X_DATASET", "x.tif", "GEOLOCATION")),
    "subdataset": pam(item("SUBDATASET_1_NAME", "x.tif", "SUBDATASETS")),
    "vrt": pam(item("source_0", "x", "vrt_sources")),
    "vsi": pam(item("a", "b /VSICURL/x")),
    "address": pam(item("a", "http://127.0.0.1:1/x")),
    "path": pam(item("a", "/etc/passwd")),
    "up": pam(item("a", "..\\x")),
    "key": pam('<Metadata><MDI key="/vsicurl/x">a</MDI></Metadata>'),
    "entity": pam(item("a", "&#47;vsicurl&#x2F;x")),
    "doctype": pam(item("a", "&x;"), '<!DOCTYPE PAMDataset [<!ENTITY x "/etc/passwd">]>'),
    "cdata": pam("<SRS><![CDATA[/etc/passwd]]></SRS>"),
    "srs-file": pam("<SRS>secret.wkt</SRS>"),
    "srs-link": pam("<SRS>http://127.0.0.1:1/x</SRS>"),
    "srs-grid": pam("<SRS>+proj=longlat +nadgrids=/etc/grid +type=crs</SRS>"),
    "srs-points": pam('<GCPList Projection="secret.wkt"/>'),
    "source": pam("<SourceFilename>x.tif</SourceFilename>"),
    "band-source": pam('<PAMRasterBand band="1"><SimpleSource><SourceFilename>x</SourceFilename>'
                       "</SimpleSource></PAMRasterBand>"),
    "second": pam("") + b"<VRTDataset/>",
    "root": b"<VRTDataset/>",
    "srs-parameter": pam(f'<SRS>COORDINATEOPERATION[PARAMETERFILE["a,b","/etc/x"]]</SRS>'),
    "srs-long": pam(f"<SRS>{SYSTEM}{' ' * 70000}</SRS>"),
    "deep": b"<PAMDataset>" + b"<Subdataset><PAMDataset>" * 50000,
    "closed-deep": pam("<Subdataset><PAMDataset>" * 50 + "</PAMDataset></Subdataset>" * 50),
    "arcgis-name": pam('<Metadata domain="xml:ESRI" format="xml"><GeodataXform>'
                       "<SpatialReference><WKT>secret.wkt</WKT></SpatialReference>"
                       "</GeodataXform></Metadata>"),
    "arcgis": pam('<Metadata domain="xml:ESRI" format="xml"><GeodataXform><SpatialReference>'
                  "<WKT>/etc/passwd</WKT></SpatialReference></GeodataXform></Metadata>"),
    "utf-16": pam(item("a", "b"), encoding="utf-16"),
    "declared-utf-16": pam(item("a", "b"), '<?xml version="1.0" encoding="UTF-16"?>'),
    "declared-utf-7": pam(item("a", "b"), '<?xml version="1.0" encoding="utf-7"?>'),
    "latin-1": pam(item("a", "\u00e9"), encoding="latin-1"),
    "nul": pam(item("a", "b")) + b"\0",
    "broken": pam("<SRS>"),
    "empty": b"",
}


def test_sidecars_are_kept_or_removed_by_their_content(scripted_gdal, service, host):
    bare = raster(scripted_gdal)
    members = {}
    for name, text in HARMLESS.items():
        members.update({f"good-{name}.png": bare, f"good-{name}.png.aux.xml": text})
    for name, text in HOSTILE.items():
        text = text.replace(b"http://127.0.0.1:1", host.url.encode())
        members.update({f"bad-{name}.png": bare, f"bad-{name}.png.aux.xml": text})
    give(service, pack_zip(members), "r.zip")
    done = scripted_gdal.run("gdalinfo", NAME)
    assert {name for name in kept(scripted_gdal) if name.endswith(".aux.xml")} == {
        f"good-{name}.png.aux.xml" for name in HARMLESS}
    assert len([name for name in kept(scripted_gdal) if name.endswith(".png")]) == len(
        HARMLESS) + len(HOSTILE)
    assert done.stdout.count("_NAME=") == len(HARMLESS) + len(HOSTILE)
    [warning] = warnings(done)
    assert "bad-" in warning and "good-" not in warning and len(warning) < 500
    assert host.visits == 0


def test_removed_sidecars_are_listed_in_one_warning(scripted_gdal, service):
    bare = raster(scripted_gdal)
    removed = ["a.ovr", "r.aux", "r.ige", "r.png.aux.xml", "r.png.msk", "r.png.ovr",
                "r.rde", "r.rrd", "x.gpkg-journal", "x.gpkg-shm", "x.gpkg-wal"]
    members = {name: b"<VRTDataset/>" for name in removed}
    members.update({"r.png": bare, "r.wld": b"1\n0\n0\n-1\n0\n0\n", "._r.png": b"x",
                    "__MACOSX/r.png": b"x"})
    give(service, pack_zip(members), "r.zip")
    done = scripted_gdal.run("gdalinfo", NAME)
    assert kept(scripted_gdal) == ["r.png", "r.wld"]
    [warning] = warnings(done)
    text, _, names = warning.rpartition(": ")
    assert text == ("Warning 1: GIQ: these files were removed from the result, because they "
                    "could make GDAL read other files or hosts")
    assert sorted(names.split(", ")) == removed
    assert not warnings(scripted_gdal.run("gdalinfo", NAME))


def test_mask_that_names_another_file_is_removed(scripted_gdal, service, secret):
    scripted_gdal.python("""
from osgeo import gdal
for name in ("r.tif", "r.tif.msk"):
    made = gdal.GetDriverByName("GTiff").Create(name, 8, 8, 1)
    made = None
made = gdal.GetDriverByName("GTiff").Create("o.tif", 8, 8, 1)
made.SetMetadataItem("OVERVIEW_FILE", "/etc/x.tif", "OVERVIEWS")
""", env={"GDAL_PAM_ENABLED": "NO"})
    tiff = (scripted_gdal.folder / "r.tif").read_bytes()
    members = {"a.tif": tiff, "b.tif": tiff, "c.tif": tiff,
               "a.tif.msk": (scripted_gdal.folder / "o.tif").read_bytes(),
               "b.tif.msk": f'<VRTDataset rasterXSize="8" rasterYSize="8"><VRTRasterBand '
                            f'band="1" dataType="Byte"><SimpleSource><SourceFilename>{secret}'
                            f"</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>",
               "c.tif.msk": tiff, "c.tif.msk.ovr": tiff}
    give(service, pack_zip(members), "r.zip")
    done = scripted_gdal.run("gdalinfo", NAME)
    assert kept(scripted_gdal) == ["a.tif", "b.tif", "c.tif", "c.tif.msk"]
    [warning] = warnings(done)
    assert sorted(warning.rpartition(": ")[2].split(", ")) == [
        "a.tif.msk", "b.tif.msk", "c.tif.msk.ovr"]
    assert SECRET not in done.stdout + done.stderr


def test_mask_without_its_raster_is_a_member(scripted_gdal, service):
    scripted_gdal.run("gdal_create", "-q", "-outsize", "8", "8", "w.tif")
    give(service, pack_zip({"w.msk": (scripted_gdal.folder / "w.tif").read_bytes()}), "r.zip")
    assert "Size is 8, 8" in scripted_gdal.run("gdalinfo", NAME).stdout
