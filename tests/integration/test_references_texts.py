"""Texts in a result that would make GDAL read another file or contact a host: references to
definitions of coordinate systems, and what a database schema runs."""
import json
import sqlite3

import pytest

from archives import pack_zip
from external import NAME, SECRET, give, refused

# In every test: no other host is contacted, and one job is paid for.
pytestmark = pytest.mark.usefixtures("nothing_external")

FETCHED = 'the result would make GDAL fetch "%s/crs" and is refused'
DEFINED = "the result defines a coordinate system by a file or a URL and is refused"
NAMED = ('member "r.csv": the coordinate system "x" of the result names a file or a URL; '
         "the result is refused")
TABLE = ("the table %s of the result defines a coordinate system by a file or a URL; "
         "the result is refused")
VIRTUAL_TABLE = ('the result has the table or view "evil", which may read other files, and is '
                 "refused")

WKT = ('GEOGCS["{name}",DATUM["d",SPHEROID["s",6378137,298]{more}],'
       'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]')


@pytest.fixture
def dictionary(scripted_gdal):
    """Definitions by code, found from GDAL's own folder by a way up and down."""
    path = scripted_gdal.folder / "secret.dict"
    path.write_text(f"x\nEPSG:,{WKT.format(name=SECRET, more='')}\n")
    return f"DICT:{'../' * 12}{path.relative_to('/')},EPSG:"


# ---- GeoJSON ----

def collection(crs=None, geometry_crs=None):
    geometry = {"type": "Point", "coordinates": [1, 2]}
    made = {"type": "FeatureCollection",
            "features": [{"type": "Feature", "properties": {"name": "one"},
                          "geometry": geometry}]}
    if crs is not None:
        made["crs"] = crs
    if geometry_crs is not None:
        geometry["crs"] = geometry_crs
    return json.dumps(made)


def escaped(text):
    """JSON with the letters of its crs hidden."""
    for word in ("crs", "link", "href"):
        text = text.replace(f'"{word}"', '"%s"' % "".join(
            f"\\u{ord(letter):04x}" for letter in word))
    return text


def links(url):
    link = {"type": "link", "properties": {"href": url, "type": "ogcwkt"}}
    return {
        "of the collection": collection(link),
        "of a geometry": collection(geometry_crs=link),
        "named url": collection({"type": "URL", "properties": {"url": url}}),
        "escaped": escaped(collection(link)),
        "of a line": json.dumps({
            "type": "Feature", "properties": {},
            "geometry": {"type": "Point", "coordinates": [1, 2], "crs": link}}) + "\n",
    }


@pytest.mark.parametrize("way", links(""))
def test_a_link_to_a_coordinate_system_is_not_fetched(scripted_gdal, service, host, way):
    name = "r.geojsonl" if way == "of a line" else "r.geojson"
    give(service, links(f"{host.url}/crs")[way].encode(), name)
    refused(scripted_gdal, service, FETCHED % host.url)


def test_a_link_after_many_features_is_not_fetched(scripted_gdal, service, host):
    lines = [json.dumps({"type": "Feature", "properties": {"url": "x"},
                         "geometry": {"type": "Point", "coordinates": [i, 2]}})
             for i in range(50)]
    lines.append(links(f"{host.url}/crs")["of a line"])
    give(service, "\n".join(lines).encode(), "r.geojsonl")
    refused(scripted_gdal, service, FETCHED % host.url)


def test_other_coordinate_systems_of_geojson_are_read(scripted_gdal, service):
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
    text = collection(named).replace('"name": "one"', '"url": "http://a.b/c", "name": "one"')
    give(service, text.encode(), "r.geojson")
    assert 'ID["EPSG",32633]' in scripted_gdal.run("ogrinfo", "-al", NAME).stdout


def test_checked_geojson_begins_at_its_first_feature(scripted_gdal, service):
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
    text = collection(named).replace('"name": "one"', '"url": "http://a.b/c", "name": "one"')
    give(service, pack_zip({"r.geojson": text}), "r.zip")
    done = scripted_gdal.python(
        "import sys\nfrom osgeo import ogr\nogr.UseExceptions()\n"
        "dataset = ogr.Open(sys.argv[1])\n"
        "feature = dataset.GetLayer(0).GetNextFeature()\n"
        "print(feature and feature.GetField('name'))", NAME)
    assert done.stdout == "one\n"


def test_a_name_that_is_a_dictionary_is_refused(scripted_gdal, service, dictionary):
    named = {"type": "name", "properties": {"name": dictionary}}
    give(service, collection(named).replace("/", "\\/").encode(), "r.geojson")
    refused(scripted_gdal, service, DEFINED)


def test_a_name_that_is_a_file_of_proj_is_refused(scripted_gdal, service):
    named = {"type": "name", "properties": {"name": "+init=/dev/stdin:x +type=crs"}}
    give(service, collection(named).encode(), "r.geojson")
    refused(scripted_gdal, service, DEFINED)


# ---- other formats ----

def test_a_dictionary_beside_a_table_is_refused(scripted_gdal, service, dictionary):
    give(service, pack_zip({"r.csv": 'WKT,a\n"POINT(1 2)",1\n', "r.prj": dictionary}), "r.zip")
    refused(scripted_gdal, service, f'member "r.prj": {DEFINED}')


GRIDS = {
    "of a datum": WKT.format(name="x", more=',EXTENSION["PROJ4_GRIDS","/etc/grid"]'),
    "of a projection": 'PROJCS["x",' + WKT.format(name="x", more="") +
        ',PROJECTION["Mercator_1SP"],UNIT["metre",1],'
        'EXTENSION["PROJ4","+proj=merc +nadgrids=HOST/g +type=crs"]]',
}


GRIDS["behind a quote"] = WKT.format(name="x", more=',EXTENSION["PROJ4_GRIDS","@a"",@/x"]')
GRIDS["behind many"] = WKT.format(
    name="x", more=',EXTENSION["PROJ4_GRIDS","%s@/x"]' % ("@a," * 1400))


@pytest.mark.parametrize("grid", GRIDS)
def test_an_external_grid_is_refused(scripted_gdal, service, host, grid):
    system = GRIDS[grid].replace("HOST", host.url)
    give(service, pack_zip({"r.csv": 'WKT,a\n"POINT(1 2)",1\n', "r.prj": system}), "r.zip")
    refused(scripted_gdal, service, NAMED)


def test_a_grid_of_proj_is_read(scripted_gdal, service):
    wkt = WKT.format(name="x", more=',EXTENSION["PROJ4_GRIDS","conus"]')
    give(service, pack_zip({"r.csv": 'WKT,a\n"POINT(1 2)",1\n', "r.prj": wkt}), "r.zip")
    assert "conus" in scripted_gdal.run("ogrinfo", "-al", NAME).stdout


def flatgeobuf(gdal, authority):
    """A file whose coordinate system is of an authority of this name."""
    place = "x" * len(authority)
    gdal.python("""
import sys
from osgeo import ogr, osr
system = osr.SpatialReference()
system.ImportFromEPSG(4326)
system.SetAuthority("GEOGCS", sys.argv[1], 77)
made = ogr.GetDriverByName("FlatGeobuf").CreateDataSource("r.fgb")
layer = made.CreateLayer("r", system, ogr.wkbPoint)
feature = ogr.Feature(layer.GetLayerDefn())
feature.SetGeometry(ogr.CreateGeometryFromWkt("POINT(1 2)"))
layer.CreateFeature(feature)
""", place)
    body = (gdal.folder / "r.fgb").read_bytes()
    assert place.encode() in body
    return body.replace(place.encode(), authority.encode())


def test_an_authority_that_is_a_dictionary_is_refused(scripted_gdal, service, dictionary):
    give(service, flatgeobuf(scripted_gdal, dictionary), "r.fgb")
    refused(scripted_gdal, service, DEFINED)


# ---- databases ----

def database(gdal, name, *statements, options=()):
    (gdal.folder / "in.geojson").write_text(collection())
    gdal.run("ogr2ogr", *options, gdal.folder / name, "in.geojson")
    with sqlite3.connect(gdal.folder / name) as data:
        for statement in statements:
            data.execute(*statement)
    data.close()
    return (gdal.folder / name).read_bytes()


def test_a_database_of_spatialite_is_read(scripted_gdal, service):
    body = database(scripted_gdal, "r.sqlite", options=("-dsco", "SPATIALITE=YES"))
    give(service, body, "r.sqlite")
    assert "name (String) = one" in scripted_gdal.run("ogrinfo", "-al", NAME).stdout


@pytest.mark.parametrize("module", [
    "VirtualText('{}','UTF-8',1) -- using rtree", "VirtualText('{}','UTF-8',1,'using rtree')",
    "rtree_of_mine('{}')"])
def test_no_word_makes_a_module_an_index(scripted_gdal, service, secret, module):
    give(service, database(
        scripted_gdal, "r.gpkg", ("pragma writable_schema=1",),
        ("insert into sqlite_master values('table','evil','evil',0,?)",
         (f"CREATE VIRTUAL/**/TABLE evil USING {module.format(secret)}",)),
        ("insert into gpkg_contents(table_name,data_type) values('evil','attributes')",)),
        "r.gpkg")
    refused(scripted_gdal, service, VIRTUAL_TABLE)


@pytest.mark.parametrize("change", [str, str.encode], ids=["text", "blob"])
@pytest.mark.parametrize("grid", ["of a datum", "behind a quote", "behind many"])
def test_a_definition_with_an_external_grid_is_refused(scripted_gdal, service, grid, change):
    give(service, database(
        scripted_gdal, "r.gpkg", ("update gpkg_spatial_ref_sys set definition = ? "
                                  "where srs_id = 4326", (change(GRIDS[grid]),))), "r.gpkg")
    refused(scripted_gdal, service, TABLE % "gpkg_spatial_ref_sys")


def test_a_file_of_proj_in_a_database_is_refused(scripted_gdal, service):
    give(service, database(
        scripted_gdal, "r.sqlite", ("update spatial_ref_sys set proj4text = ?",
                                    ("+init=/dev/stdin:x",)),
        options=("-dsco", "SPATIALITE=YES")), "r.sqlite")
    refused(scripted_gdal, service, TABLE % "spatial_ref_sys")


def give_view(gdal, service, name, expression):
    """A result with a view that calls a function."""
    extra = [("insert into gpkg_contents(table_name,data_type) values('v','attributes')",)]
    give(service, database(gdal, name, (f"create view v as select 1 as fid, {expression} as y",),
                           *(extra if name == "r.gpkg" else [])), name)


ALL_TABLES = {"OGR_SQLITE_LIST_ALL_TABLES": "YES"}


@pytest.mark.parametrize("function", [
    "ogr_datasource_load_layers('{secret}')", "ogr_GetConfigOption('GIQ_API_KEY')",
    "ogr_geocode('Recife','geometry','QUERY_TEMPLATE={host}/%s')"])
@pytest.mark.parametrize("name,driver", [("r.gpkg", "GPKG"), ("r.sqlite", "SQLite")])
def test_view_that_calls_a_function_of_gdal_is_not_opened(scripted_gdal, service, secret, host,
                                                          name, driver, function):
    give_view(scripted_gdal, service, name, function.format(secret=secret, host=host.url))
    error = scripted_gdal.fails("ogrinfo", "-al", NAME, tag="result", env=ALL_TABLES)
    assert error.startswith(
        f"ERROR 4: GIQ[result] the driver {driver} cannot open the result of the job job-1 "
        f"({name}), which is kept and can be opened again: A trigger and/or view calls a OGR "
        "extension SQL function that could be used to steal data")


@pytest.mark.parametrize("function", ["BlobFromFile", "load_extension"])
@pytest.mark.parametrize("name", ["r.gpkg", "r.sqlite"])
def test_view_that_calls_a_function_of_sqlite_reads_no_file(scripted_gdal, service, secret,
                                                            name, function):
    give_view(scripted_gdal, service, name, f"{function}('{secret}')")
    done = scripted_gdal.run("ogrinfo", "-al", NAME, ok=None, env=ALL_TABLES)
    assert "Layer name: in" in done.stdout and "POINT (1 2)" in done.stdout
    assert "GIQ[" not in done.stderr
    assert SECRET not in done.stdout + done.stderr
