"""A result comes from outside: it must not make GDAL read another file or host."""
import io
import sqlite3
import tarfile
import zipfile

import pytest

from external import NAME, SECRET, give, refused
from scripted import GEOJSON


@pytest.mark.parametrize("name", ["r.vrt", "r.geojson", "r.tif", "r.csv", "r"])
def test_vrt_of_any_name_reads_nothing(scripted_gdal, service, secret, name):
    give(service, f"""<OGRVRTDataSource><OGRVRTLayer name="secret">
<SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>""".encode(), name)
    for command in (["ogrinfo", "-al", NAME], ["gdalinfo", NAME]):
        done = scripted_gdal.run(*command, ok=None)
        assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize("text", [b"<GDAL_WMS></GDAL_WMS>", b"GIQ:models",
                                  b"http://127.0.0.1:1/x"])
def test_other_texts_that_reach_out_are_refused(scripted_gdal, service, text):
    give(service, text, "result.xml")
    refused(scripted_gdal, service)


def virtual_table(gdal, name, module):
    path = gdal.folder / name
    (gdal.folder / "in.geojson").write_bytes(GEOJSON)
    gdal.run("ogr2ogr", path, "in.geojson")
    with sqlite3.connect(path) as data:
        data.execute("pragma writable_schema=1")
        data.execute("insert into sqlite_master values('table','evil','evil',0,?)",
                     (f"CREATE VIRTUAL TABLE evil USING {module}",))
        data.execute("pragma writable_schema=0")
    data.close()
    return path.read_bytes()


@pytest.mark.parametrize("name", ["r.gpkg", "r.sqlite"])
def test_virtual_table_on_another_file_is_refused(scripted_gdal, service, secret, name):
    give(service, virtual_table(scripted_gdal, name,
                                f"VirtualText('{secret}', 'UTF-8', 1)"), name)
    assert "virtual table" in refused(scripted_gdal, service)


def test_spatial_index_is_no_such_table(scripted_gdal, service):
    give(service, virtual_table(scripted_gdal, "r.gpkg", "rtree(id, a, b)"), "r.gpkg")
    scripted_gdal.run("ogrinfo", NAME)


def test_overview_file_elsewhere_is_refused(scripted_gdal, service):
    scripted_gdal.python("""
from osgeo import gdal
made = gdal.GetDriverByName("GTiff").Create("r.tif", 8, 8, 1)
made.SetMetadataItem("OVERVIEW_FILE", "/vsicurl/http://127.0.0.1:1/x.tif", "OVERVIEWS")
""", env={"GDAL_PAM_ENABLED": "NO"})
    give(service, (scripted_gdal.folder / "r.tif").read_bytes(), "r.tif")
    assert "overview" in refused(scripted_gdal, service, ("gdalinfo", NAME))


def tiff(gdal, name):
    gdal.run("gdal_create", "-q", "-outsize", "8", "8", "-a_srs", "EPSG:4326", "-a_ullr",
             "0", "8", "8", "0", name)
    return (gdal.folder / name).read_bytes()


def test_members_of_several_kinds_are_subdatasets(scripted_gdal, service):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a;b.tif", tiff(scripted_gdal, "a.tif"))
        archive.writestr("deep/c.geojson", GEOJSON)
    give(service, packed.getvalue(), "r.zip")
    done = scripted_gdal.run("gdalinfo", NAME)
    assert "Size is 8, 8" in done.stdout, "the only raster"
    script = """
import sys
from osgeo import gdal
gdal.UseExceptions()
found = gdal.OpenEx(sys.argv[1])
names = [name for name, _ in found.GetSubDatasets()]
assert len(names) == 2, names
kinds = sorted(gdal.OpenEx(name).GetDriver().ShortName for name in names)
assert kinds == ["GTiff", "GeoJSON"], kinds
"""
    scripted_gdal.python(script, NAME)
    assert service.names() == ["models", "run", "status", "download"]


def test_pyramids_of_another_folder_are_not_read(scripted_gdal, service):
    """An ERDAS .aux names an .rrd, which names the file of its pixels anywhere."""
    script = """
import pathlib
from osgeo import gdal
gdal.SetConfigOption("GDAL_PAM_ENABLED", "NO")
made = gdal.GetDriverByName("GTiff").Create("r.tif", 512, 512, 1)
made = None
for name in ("HFA_USE_RRD", "USE_RRD", "USE_SPILL"):
    gdal.SetConfigOption(name, "YES")
made = gdal.Open("r.tif")
made.BuildOverviews("NEAREST", [2, 4])
made = None
pyramids = pathlib.Path("r.rrd")
pyramids.write_bytes(pyramids.read_bytes().replace(b"r.rde", b"../rd"))
"""
    scripted_gdal.python(script)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("r.tif", "r.aux", "r.rrd"):
            archive.write(scripted_gdal.folder / name, f"d/{name}")
        archive.write(scripted_gdal.folder / "r.rde", "rd")
    give(service, packed.getvalue(), "r.zip")
    done = scripted_gdal.run("gdalinfo", f"{NAME};member=d/r.tif")
    assert "Overviews:" not in done.stdout


def link(name, target):
    member = tarfile.TarInfo(name)
    member.type = tarfile.SYMTYPE
    member.linkname = target
    return member


def test_links_and_ways_out_of_an_archive_lead_nowhere(scripted_gdal, service, secret):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in ("r.geojson", "../../../up.geojson", "/root.geojson"):
            member = tarfile.TarInfo(name)
            member.size = len(GEOJSON)
            archive.addfile(member, io.BytesIO(GEOJSON))
        archive.addfile(link("link.csv", str(secret)))
        archive.addfile(link("folder", "/etc"))
    give(service, packed.getvalue(), "r.tar.gz")
    done = scripted_gdal.run("ogrinfo", "-al", f"{NAME};member=r.geojson")
    assert "name (String) = one" in done.stdout
    found = [p for p in scripted_gdal.store.rglob("*") if p.is_symlink()]
    assert found == []
    result = next(scripted_gdal.store.glob("v1/*/result"))
    assert {p.name for p in result.rglob("*.geojson")} == {
        "r.geojson", "up.geojson", "root.geojson"}
    assert not (scripted_gdal.store / "up.geojson").exists()


def test_what_kml_points_at_is_not_read(scripted_gdal, service, secret, host):
    body = f"""<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<StyleMap id="m"><Pair><key>normal</key><styleUrl>{host.url}/s.kml#x</styleUrl></Pair>
</StyleMap><NetworkLink><Link><href>{secret}</href></Link></NetworkLink>
<NetworkLink><Link><href>{host.url}/n.kml</href></Link></NetworkLink><Folder><name>f</name>
<Placemark><name>one</name><styleUrl>{host.url}/s.kml#a</styleUrl><Model><Location>
<longitude>1</longitude><latitude>2</latitude></Location><Link><href>{host.url}/m.dae</href>
</Link></Model></Placemark><PhotoOverlay><name>two</name><Icon>
<href>{host.url}/$[x]/$[y]/$[level].png</href></Icon><Point><coordinates>1,2</coordinates>
</Point></PhotoOverlay></Folder></Document></kml>"""
    give(service, body.encode(), "r.kml")
    formats = scripted_gdal.run("ogrinfo", "--formats").stdout
    for driver in ("KML", "LIBKML"):
        if f" {driver} -" in formats:
            done = scripted_gdal.run("ogrinfo", "-al", NAME,
                                     env={"GIQ_RESULT_DRIVERS": driver})
            assert SECRET not in done.stdout
    told = scripted_gdal.run("ogrinfo", "-al", NAME).stdout
    assert " LIBKML -" not in formats or "one" in told
    assert host.visits == 0


@pytest.mark.parametrize("driver", ["KML", "LIBKML"])
def test_entities_of_kml_are_not_read(scripted_gdal, service, secret, host, driver):
    body = f"""<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY f SYSTEM "{secret}">
<!ENTITY h SYSTEM "{host.url}/e"><!ENTITY % p SYSTEM "{host.url}/p"> %p;]>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>one&f;&h;</name>
<Point><coordinates>1,2</coordinates></Point></Placemark></Document></kml>"""
    give(service, body.encode(), "r.kml")
    done = scripted_gdal.run("ogrinfo", "-al", NAME, ok=None,
                             env={"GIQ_RESULT_DRIVERS": driver})
    assert SECRET not in done.stdout + done.stderr
    assert host.visits == 0
