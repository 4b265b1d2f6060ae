"""A result must not make GDAL read another file or contact another host."""
import io
import sqlite3
import tarfile

import pytest

from archives import pack_zip
from external import NAME, SECRET, give, needs_source_driver, refused
from programs import PUBLISHED, needs_driver
from scripted import GEOJSON

# In every test: no other host is contacted, and one job is paid for.
pytestmark = pytest.mark.usefixtures("nothing_external")

VIRTUAL_TABLE = ('the result has the table or view "evil", which may read other files, and is '
                 "refused")
OVERVIEW = 'the result names the external overview file "%s" and is refused'


@pytest.mark.parametrize("command", [["ogrinfo", "-al", NAME], ["gdalinfo", NAME]],
                         ids=["ogrinfo", "gdalinfo"])
@pytest.mark.parametrize("name", ["r.vrt", "r.geojson", "r.tif", "r.csv", "r"])
def test_vrt_of_any_name_is_refused(scripted_gdal, service, secret, name, command):
    give(service, f"""<OGRVRTDataSource><OGRVRTLayer name="secret">
<SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>""".encode(), name)
    refused(scripted_gdal, service, needs_source_driver("r.vrt", "OGR_VRT"), command)


@pytest.mark.parametrize("text,driver", [("<GDAL_WMS></GDAL_WMS>", "WMS"),
                                         ("GIQ:models", "GIQ")])
def test_text_that_names_a_source_is_refused(scripted_gdal, service, text, driver):
    give(service, text.encode(), "result.xml")
    refused(scripted_gdal, service, needs_source_driver("result.xml", driver))


def test_text_that_is_an_address_is_refused(scripted_gdal, service, host):
    give(service, f"{host.url}/x".encode(), "result.xml")
    refused(scripted_gdal, service, "no driver is known for the result (result.xml)")


def virtual_table(gdal, name, module):
    return with_row(gdal, name, f"CREATE VIRTUAL TABLE evil USING {module}")


def with_row(gdal, name, sql, kind="table", page=0):
    """A database whose schema has a row of any content."""
    path = gdal.folder / name
    (gdal.folder / "in.geojson").write_bytes(GEOJSON)
    gdal.run("ogr2ogr", path, "in.geojson")
    with sqlite3.connect(path) as data:
        data.execute("pragma writable_schema=1")
        data.execute("insert into sqlite_master values(?,'evil','evil',?,?)",
                     (kind, page, sql))
        if name == "r.gpkg":
            data.execute("insert into gpkg_contents(table_name, data_type, identifier) "
                         "values('evil', 'attributes', 'evil')")
        data.execute("pragma writable_schema=0")
    data.close()
    return path.read_bytes()


@pytest.mark.parametrize("name", ["r.gpkg", "r.sqlite"])
def test_virtual_table_on_another_file_is_refused(scripted_gdal, service, secret, name):
    give(service, virtual_table(scripted_gdal, name,
                                f"VirtualText('{secret}', 'UTF-8', 1)"), name)
    refused(scripted_gdal, service, VIRTUAL_TABLE)


@pytest.mark.parametrize("name", ["r.gpkg", "r.sqlite"])
@pytest.mark.parametrize("change", [
    lambda sql: dict(sql=sql.encode()),
    lambda sql: dict(sql=sql.replace("CREATE", "CREATE \ufeff")),
    lambda sql: dict(sql=sql, kind=b"table"),
    lambda sql: dict(sql=sql, kind="table", page=1),
    lambda sql: dict(sql=sql.encode(), kind="view"),
], ids=["blob", "byte order mark", "kind as blob", "page", "view"])
def test_virtual_table_in_disguise_is_refused(scripted_gdal, service, secret, name, change):
    """SQLite runs all of these as statements, or refuses to read the database."""
    sql = f"CREATE VIRTUAL TABLE evil USING VirtualText('{secret}', 'UTF-8', 1)"
    give(service, with_row(scripted_gdal, name, **change(sql)), name)
    scripted_gdal.fails("ogrinfo", "-al", NAME, tag="result")
    done = scripted_gdal.run("ogrinfo", NAME, "evil", ok=None)
    assert done.returncode != 0 and SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize("call", [
    "ogr_GetConfigOption('GIQ_API_KEY')", "ogr_geocode('x', 'geometry', 'QUERY_TEMPLATE={}/%s')",
    "SqlProc_Execute(SqlProc_FromText('ATTACH \"/x\" AS x'))"])
@pytest.mark.parametrize("name", ["r.gpkg", "r.sqlite"])
def test_view_in_disguise_that_calls_out_is_refused(scripted_gdal, service, host, name, call):
    """GDAL sees its own functions only in texts."""
    sql = f"CREATE VIEW evil AS SELECT {call.format(host.url)} AS g"
    give(service, with_row(scripted_gdal, name, sql.encode(), "view"), name)
    refused(scripted_gdal, service, VIRTUAL_TABLE)


@pytest.mark.parametrize("name", ["r.gpkg", "r.sqlite"])
def test_schema_that_cannot_be_read_is_refused(scripted_gdal, service, name):
    give(service, with_row(scripted_gdal, name, "DROP TABLE evil"), name)
    scripted_gdal.fails("ogrinfo", "-al", NAME, tag="result")


@pytest.mark.parametrize("name", ["r.gpkg", "r.sqlite"])
def test_view_and_index_are_read(scripted_gdal, service, name):
    path = scripted_gdal.folder / name
    (scripted_gdal.folder / "in.geojson").write_bytes(GEOJSON)
    scripted_gdal.run("ogr2ogr", path, "in.geojson", "-nln", "one")
    with sqlite3.connect(path) as data:
        data.executescript("create view v as select * from one; create unique index i on "
                           "one(name); create trigger t after insert on one begin select 1; end;")
    data.close()
    give(service, path.read_bytes(), name)
    scripted_gdal.run("ogrinfo", "-al", NAME)


def test_spatial_index_is_read(scripted_gdal, service):
    give(service, virtual_table(scripted_gdal, "r.gpkg", "rtree(id, a, b)"), "r.gpkg")
    scripted_gdal.run("ogrinfo", NAME)


def test_external_overview_file_is_refused(scripted_gdal, service, host):
    scripted_gdal.python("""
import sys
from osgeo import gdal
made = gdal.GetDriverByName("GTiff").Create("r.tif", 8, 8, 1)
made.SetMetadataItem("OVERVIEW_FILE", sys.argv[1], "OVERVIEWS")
""", f"/vsicurl/{host.url}/x.tif", env={"GDAL_PAM_ENABLED": "NO"})
    give(service, (scripted_gdal.folder / "r.tif").read_bytes(), "r.tif")
    refused(scripted_gdal, service, OVERVIEW % f"/vsicurl/{host.url}/x.tif",
            ("gdalinfo", NAME))


def tiff(gdal, name):
    gdal.run("gdal_create", "-q", "-outsize", "8", "8", "-a_srs", "EPSG:4326", "-a_ullr",
             "0", "8", "8", "0", name)
    return (gdal.folder / name).read_bytes()


def test_members_of_several_kinds_are_subdatasets(scripted_gdal, service):
    raster = tiff(scripted_gdal, "a.tif")
    give(service, pack_zip({"a;b.tif": raster, "deep/c.geojson": GEOJSON}), "r.zip")
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
    names = {"d/r.tif": "r.tif", "d/r.aux": "r.aux", "d/r.rrd": "r.rrd", "rd": "r.rde"}
    members = {name: (scripted_gdal.folder / file).read_bytes()
               for name, file in names.items()}
    give(service, pack_zip(members), "r.zip")
    done = scripted_gdal.run("gdalinfo", f"{NAME};member=d/r.tif")
    assert "Size is 512, 512" in done.stdout and "Overviews:" not in done.stdout
    [warning] = [line for line in done.stderr.splitlines() if line.startswith("Warning")]
    assert warning == ("Warning 1: GIQ: these files were removed from the result, because "
                       "they could make GDAL read other files or hosts: d/r.aux, d/r.rrd")


def link(name, target):
    member = tarfile.TarInfo(name)
    member.type = tarfile.SYMTYPE
    member.linkname = target
    return member


def test_links_and_paths_out_of_an_archive_stay_within_the_result(scripted_gdal, service, secret):
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
    result = next(scripted_gdal.store.glob(f"v1/*/{PUBLISHED}"))
    assert {p.name for p in result.rglob("*.geojson")} == {
        "r.geojson", "up.geojson", "root.geojson"}
    assert not (scripted_gdal.store / "up.geojson").exists()


def test_hard_link_of_an_archive_is_a_file_of_the_result(scripted_gdal, service):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("a.geojson")
        member.size = len(GEOJSON)
        archive.addfile(member, io.BytesIO(GEOJSON))
        second = link("b.geojson", "a.geojson")
        second.type = tarfile.LNKTYPE
        archive.addfile(second)
    give(service, packed.getvalue(), "r.tar")
    done = scripted_gdal.run("ogrinfo", "-al", f"{NAME};member=b.geojson")
    assert "name (String) = one" in done.stdout


@pytest.mark.parametrize("driver,read", [
    pytest.param("KML", "Layer name: f\n", marks=needs_driver("KML")),
    pytest.param("LIBKML", "Name (String) = one\n", marks=needs_driver("LIBKML"))])
def test_links_of_kml_are_not_followed(scripted_gdal, service, secret, host, driver, read):
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
    done = scripted_gdal.run("ogrinfo", "-al", NAME, env={"GIQ_RESULT_DRIVERS": driver})
    assert read in done.stdout
    assert SECRET not in done.stdout + done.stderr


@pytest.fixture
def entities(service, secret, host):
    """A KML file with external entities."""
    body = f"""<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY f SYSTEM "{secret}">
<!ENTITY h SYSTEM "{host.url}/e"><!ENTITY % p SYSTEM "{host.url}/p"> %p;]>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>one&f;&h;</name>
<Point><coordinates>1,2</coordinates></Point></Placemark></Document></kml>"""
    give(service, body.encode(), "r.kml")


@needs_driver("KML")
def test_entities_of_kml_are_not_read(scripted_gdal, entities):
    done = scripted_gdal.run("ogrinfo", "-al", NAME, env={"GIQ_RESULT_DRIVERS": "KML"})
    assert "Name (String) = one\n" in done.stdout and "POINT (1 2)" in done.stdout
    assert SECRET not in done.stdout + done.stderr


@needs_driver("LIBKML")
def test_entities_of_kml_are_not_read_by_libkml(scripted_gdal, entities):
    error = scripted_gdal.fails("ogrinfo", "-al", NAME, tag="result",
                                env={"GIQ_RESULT_DRIVERS": "LIBKML"})
    assert error.startswith(
        "ERROR 4: GIQ[result] the driver LIBKML cannot open the result of the job job-1 "
        "(r.kml), which is kept and can be opened again: ERROR parsing kml r.kml ")
    assert SECRET not in error
