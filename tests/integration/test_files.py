"""GIQ:files: what it lists, how it searches, what it never shows, and that it costs
nothing."""
import json
import urllib.parse

import pytest

from areas import write
from external import Host
from programs import SCENE, Gdal, Sandbox
from scripted import Response
from secret_search import SIGNATURE

COLUMNS = {"item_id": "String", "file_id": "String", "name": "String",
           "collection": "String", "collection_title": "String", "datetime": "DateTime",
           "ingested_at": "DateTime", "source_type": "String", "layer_type": "String",
           "source": "String", "source_sub_type": "String", "preview": "String",
           "json": "String"}
UUID = "0a1b2c3d-0000-4000-8000-00000000abcd"
SIGNED = f"https://store.example/a.zip?X-Amz-Signature={SIGNATURE}"
SORTED = [{"field": "properties.datetime", "direction": "desc"}]
L_SHAPE = "POLYGON((0 0,0 10,1 10,1 1,10 1,10 0,0 0))"
LAYER = """
import json, sys
from osgeo import ogr
dataset = ogr.Open(sys.argv[1])
assert dataset is not None
[layer] = list(dataset)
defn = layer.GetLayerDefn()
fields = [defn.GetFieldDefn(i) for i in range(defn.GetFieldCount())]
srs = layer.GetSpatialRef()
def times(row):  # as text of one form, whatever the version of GDAL
    names = [name for name in ("datetime", "ingested_at") if row.IsFieldSetAndNotNull(name)]
    return {name: "%04d-%02d-%02dT%02d:%02d:%02d+%d" % tuple(row.GetFieldAsDateTime(name))
            for name in names}
print(json.dumps({
    "name": layer.GetName(),
    "columns": {field.GetName(): field.GetTypeName() for field in fields},
    "geometry": ogr.GeometryTypeToName(layer.GetGeomType()),
    "crs": srs.GetAuthorityName(None) + ":" + srs.GetAuthorityCode(None),
    "rows": [{**json.loads(row.ExportToJson())["properties"], **times(row),
              "wkt": row.GetGeometryRef() and row.GetGeometryRef().ExportToWkt()}
             for row in layer]}))
"""


def box(west, south, east, north):
    return {"type": "Polygon", "coordinates": [[[west, south], [east, south],
                                                [east, north], [west, north],
                                                [west, south]]]}


def item(name, **more):
    return {"type": "Feature", "id": name, "bbox": [2, 2, 3, 3],
            "geometry": box(2, 2, 3, 3), **more}


def page(*items, **more):
    return Response({"type": "FeatureCollection", "features": list(items), **more})


def bodies(service):
    """What was searched for, page by page."""
    return [json.loads(call["body"]) for call in service.calls("search")]


def table(gdal, name, *more, env=None):
    return json.loads(gdal.python(LAYER, name, *more, env=env).stdout)


def ids(gdal, name="GIQ:files"):
    return [row["item_id"] for row in table(gdal, name)["rows"]]


@pytest.fixture(autouse=True)
def nothing_paid_and_nothing_recorded(request):
    """Holds for every test but the one that shows the way to a result."""
    names = {"gdal", "scripted_gdal", "signed_gdal", "sandbox", "signed", "service"}
    used = {name: request.getfixturevalue(name)
            for name in sorted(names & set(request.fixturenames))}
    yield
    if request.function is test_way_from_an_area_to_a_result:
        return
    for made in used.values():
        if isinstance(made, Gdal):
            assert not made.store.exists()
        elif isinstance(made, Sandbox):
            assert made.runs() == []
        else:
            assert made.calls("run") == []


# ---- the table ----

def test_table_has_these_columns_and_footprints(gdal, sandbox):
    found = table(gdal, "GIQ:files")
    assert found["name"] == "files" and found["columns"] == COLUMNS
    assert found["geometry"] == "Multi Polygon" and found["crs"] == "EPSG:4326"
    rows = {row["item_id"]: row for row in found["rows"]}
    assert sorted(rows) == [SCENE, "parcels.geojson"]
    scene = rows[SCENE]
    assert scene["name"] == "olinda_landsat7" and len(scene["file_id"]) == 36
    assert scene["collection"] == "rasters"
    assert scene["collection_title"] == "Raster scenes"
    assert scene["source_type"] == "MULTISPECTRAL" and scene["layer_type"] == "RASTER"
    assert scene["source"] == "SANDBOX" and scene["source_sub_type"] == "GTiff"
    assert scene["datetime"] and scene["ingested_at"]
    assert rows["parcels.geojson"]["wkt"] == (
        "MULTIPOLYGON (((-34.9 -8.03,-34.9 -7.96,-34.87 -7.96,-34.87 -8.03,"
        "-34.9 -8.03)))")
    assert json.loads(scene["json"])["id"] == SCENE
    assert sandbox.calls() == ["search", "collections"]


def test_members_of_giq_come_before_the_plain_ones(scripted_gdal, service):
    properties = {"datetime": "2024-05-01T10:20:30+04:00", "name": "A", "source_type": "IMAGE",
                  "layer_type": "RASTER", "giq:source_type": "SAR", "giq:layer_type": None,
                  "giq:source": "SAT", "giq:source_sub_type": "X",
                  "giq:ingestion_date": "2024-05-02T00:00:00"}
    service.script["search"] = [page(item("a", title=UUID, collection="c",
                                          properties=properties))]
    service.script["collections"] = [Response({"collections": [
        {"id": "b", "title": "Other"}, {"id": "c", "title": "Scenes"}]})]
    [row] = table(scripted_gdal, "GIQ:files")["rows"]
    del row["json"], row["wkt"]
    # 100 is GDAL's word for UTC.
    assert row == {
        "item_id": "a", "file_id": UUID, "name": "A", "collection": "c",
        "collection_title": "Scenes", "datetime": "2024-05-01T06:20:30+100",
        "ingested_at": "2024-05-02T00:00:00+100", "source_type": "SAR",
        "layer_type": "RASTER", "source": "SAT", "source_sub_type": "X", "preview": None}


@pytest.mark.parametrize("bad", [Response(status=404), Response(status=403),
                                 Response(b"<html>"), Response({"collections": 7})])
def test_titles_that_cannot_be_had_are_null(scripted_gdal, service, bad):
    service.script["search"] = [page(item("a", collection="c"), item("b", collection="c"))]
    service.script["collections"] = [bad]
    rows = table(scripted_gdal, "GIQ:files")["rows"]
    assert [row["collection_title"] for row in rows] == [None, None]
    assert service.names() == ["search", "collections"]


def test_nothing_found_is_an_empty_table(scripted_gdal, service):
    service.script["search"] = [page()]
    found = table(scripted_gdal, "GIQ:files;collection=none")
    assert found["rows"] == [] and found["columns"] == COLUMNS
    assert service.names() == ["search"]
    assert bodies(service) == [{"collections": ["none"], "limit": 100, "offset": 0,
                                "sortby": SORTED}]


def test_way_from_an_area_to_a_result(gdal, sandbox):
    [row] = table(gdal, "GIQ:files;bbox=-34.85,-8.0,-34.84,-7.99;collection=rasters")["rows"]
    assert row["item_id"] == SCENE
    out = gdal.folder / "water.gpkg"
    gdal.run("ogr2ogr", out, f"GIQ:model=water;file={row['file_id']}")
    [run] = sandbox.runs()
    assert run["form"]["fileId"] == row["file_id"] and out.exists()


# ---- areas ----

@pytest.mark.parametrize("how", ["bbox", "geometry", "aoi", "BBOX", "GEOMETRY", "AOI"])
def test_area_comes_by_a_key_or_by_an_open_option(scripted_gdal, service, how):
    shape = "POLYGON((1 2,1 4,3 4,3 2,1 2))"
    path = scripted_gdal.folder / "area.gpkg"
    write(path, "EPSG:4326", shape)
    value = {"bbox": "1,2,3,4", "geometry": shape, "aoi": str(path)}[how.lower()]
    service.script["search"] = [page(item("a"), item("b", geometry=box(5, 5, 6, 6)))]
    name, more = (f"GIQ:files;{how}={value}", ()) if how.islower() else (
        "GIQ:files", ("-oo", f"{how}={value}"))
    done = scripted_gdal.run("ogrinfo", "-q", "-ro", *more, name, "files")
    assert "item_id (String) = a" in done.stdout
    assert "item_id (String) = b" not in done.stdout
    [body] = bodies(service)
    assert body["bbox"] == [1, 2, 3, 4]


@pytest.mark.parametrize("command", [
    ("GIQ:files;bbox=1,2,3,4;geometry=POLYGON((1 2,1 4,3 4,1 2))",),
    ("-oo", "BBOX=1,2,3,4", "GIQ:files;bbox=1,2,3,4"),
    ("-oo", "BBOX=1,2,3,4", "-oo", "AOI=x.gpkg", "GIQ:files")])
def test_two_areas_are_an_error_before_anything_is_sent(scripted_gdal, service, command):
    scripted_gdal.fails("ogrinfo", "-ro", *command, tag="usage")
    assert service.names() == []


def test_area_that_is_invalid_is_an_error_before_anything_is_sent(scripted_gdal, service):
    scripted_gdal.fails("ogrinfo", "-ro", "GIQ:files;bbox=3,2,3,4", tag="area")
    assert service.names() == []


def test_box_goes_to_the_service_and_the_exact_shape_filters(scripted_gdal, service):
    service.script["search"] = [page(
        item("corner", geometry=box(5, 5, 6, 6)), item("arm", geometry=box(0, 5, 6, 6)),
        item("around", geometry=box(-20, -20, 20, 20)), item("edge", geometry=box(1, 5, 6, 6)),
        item("box", geometry=None, bbox=[0.5, 0.5, 0.6, 0.6]),
        {"type": "Feature", "id": "nowhere"})]
    name = f"GIQ:files;geometry={L_SHAPE}"
    assert ids(scripted_gdal, name) == ["arm", "around", "edge", "box"]
    [body] = bodies(service)
    assert body["bbox"] == [0, 0, 10, 10]


def test_as_is_of_the_configuration_does_not_change_a_search(scripted_gdal, service):
    service.script["search"] = [page(item("a"))]
    scripted_gdal.env["GIQ_GEOMETRY_CRS"] = "AS_IS"
    scripted_gdal.fails("ogrinfo", "-ro", "GIQ:files;geometry=POLYGON((1 2,1 400,3 4,1 2))",
                        tag="area")
    assert ids(scripted_gdal, "GIQ:files;bbox=1,2,3,4") == ["a"]


def test_antimeridian_is_two_searches(scripted_gdal, service):
    both = item("both", bbox=[179, 0, -179, 1], geometry=None)
    west = item("west", geometry=box(170, 0, 171, 1))
    east = item("east", geometry=box(-171, 0, -170, 1))
    service.script["search"] = [page(both, west), page(both, east)]
    rows = table(scripted_gdal, "GIQ:files;bbox=165,-10,-165,10")["rows"]
    assert [row["item_id"] for row in rows] == ["both", "west", "east"]
    assert rows[0]["wkt"] == ("MULTIPOLYGON (((179 0,179 1,180 1,180 0,179 0)),"
                              "((-180 0,-180 1,-179 1,-179 0,-180 0)))")
    assert [body["bbox"] for body in bodies(service)] == [[165, -10, 180, 10],
                                                          [-180, -10, -165, 10]]


# ---- what narrows a search ----

@pytest.mark.parametrize("typed, sent", [
    ("2024-05-01T10:20:30Z", "2024-05-01T10:20:30Z/2024-05-01T10:20:30Z"),
    ("2024-05-01", "2024-05-01T00:00:00Z/2024-05-01T23:59:59.999Z"),
    ("2024-05-01/2024-06-30", "2024-05-01T00:00:00Z/2024-06-30T23:59:59.999Z"),
    ("2024-05-01T12:00:00+02:00/..", "2024-05-01T10:00:00Z/.."),
    ("../2024-05-01", "../2024-05-01T23:59:59.999Z")])
def test_datetime_is_an_instant_a_day_or_an_interval(scripted_gdal, service, typed, sent):
    service.script["search"] = [page()]
    scripted_gdal.run("ogrinfo", "-ro", f"GIQ:files;datetime={typed}")
    [body] = bodies(service)
    assert body["datetime"] == sent


def test_end_date_includes_its_day(gdal, sandbox):
    """The files of the sandbox are as new as the checkout."""
    [day] = {row["datetime"][:10] for row in table(gdal, "GIQ:files")["rows"]}
    assert len(ids(gdal, f"GIQ:files;datetime={day}")) == 2
    assert len(ids(gdal, f"GIQ:files;datetime=../{day}")) == 2
    assert ids(gdal, "GIQ:files;datetime=../1999-12-31") == []


@pytest.mark.parametrize("keys, words", [
    ("datetime=soon", '"datetime" must be an instant (2024-05-01T10:20:30Z), a day'),
    ("datetime=2024-05-02/2024-05-01", '"datetime" ends before it starts'),
    ("limit=0", '"limit" must be a whole number from 1 to 100000; got "0"'),
    ("limit=100001", '"limit" must be a whole number from 1 to 100000; got "100001"'),
    ("model=water", 'the key "model" is not for GIQ:files; allowed are bbox, geometry, aoi, '
                    'datetime, collection, limit'),
    ("wait=no", 'the key "wait" is not for GIQ:files'),
    ("rerun=a", 'the key "rerun" is not for GIQ:files'),
    ("job=a", 'the key "job" is not for GIQ:files'),
    ("member=a", 'the key "member" is not for GIQ:files'),
    ("colour=red", 'unknown key "colour" in the connection string; allowed are bbox, ')])
def test_mistakes_are_found_before_anything_is_sent(scripted_gdal, service, keys, words):
    assert words in scripted_gdal.fails("ogrinfo", "-ro", f"GIQ:files;{keys}", tag="usage")
    assert service.names() == []


@pytest.mark.parametrize("option", [
    "WAIT=NO", "SUBMIT=NO", "RETRY=a", "POLL_INTERVAL=1", "GEOMETRY_CRS=AS_IS",
    "SOURCE_TYPE=SAR", "RESULT_OPTIONS=A=B"])
def test_options_of_requests_are_an_error(scripted_gdal, service, option):
    name = option.split("=")[0]
    text = scripted_gdal.fails("ogrinfo", "-ro", "-oo", option, "GIQ:files", tag="usage")
    assert f"the open option {name} is for requests, not for GIQ:files; remove it" in text
    assert service.names() == []


def test_keys_of_a_search_are_an_error_in_a_request(scripted_gdal, service):
    text = scripted_gdal.fails("ogrinfo", "-ro", "GIQ:model=m;file=f;limit=3", tag="usage")
    assert 'the key "limit" is only for GIQ:files' in text
    assert service.names() == []


def test_table_is_not_a_raster(scripted_gdal, service):
    text = scripted_gdal.fails("gdalinfo", "GIQ:files", tag="usage")
    assert "GIQ:files is a table, not a raster; use ogrinfo or ogr2ogr" in text
    assert service.names() == []


def test_without_a_key_nothing_is_sent(scripted_gdal, service):
    del scripted_gdal.env["GIQ_API_KEY"]
    scripted_gdal.fails("ogrinfo", "-ro", "GIQ:files", tag="credentials")
    assert service.names() == []


# ---- limits and pages ----

def pages_of(total, size=100):
    """A service that has so many items, a page at a time."""
    def respond(seen):
        body = json.loads(seen["body"])
        first = body["offset"]
        last = min(total, first + min(size, body["limit"]))
        return page(*[item(f"i{n}") for n in range(first, last)])
    return respond


@pytest.mark.parametrize("limit, rows, warns", [("3", 3, True), ("250", 250, False),
                                                ("249", 249, True), (None, 250, False)])
def test_limit_ends_with_a_warning_if_there_is_more(scripted_gdal, service, limit, rows,
                                                    warns):
    service.script["search"] = [pages_of(250)]
    name = "GIQ:files" + (f";limit={limit}" if limit else "")
    done = scripted_gdal.run("ogrinfo", "-q", "-ro", name, "files")
    assert done.stdout.count("OGRFeature(") == rows
    warning = (f"Warning 1: GIQ: the list ends at the limit of {rows} files, and the service "
               "has more; narrow the search with an area, datetime or collection, or raise "
               "limit (at most 100000)\n")
    assert done.stderr == (warning if warns else "")
    offsets = [body["offset"] for body in bodies(service)]
    assert offsets == ([0] if limit == "3" else [0, 100, 200])
    assert all(body["limit"] == 100 and body["sortby"] == SORTED
               for body in bodies(service))


def test_default_limit_is_a_thousand(scripted_gdal, service):
    service.script["search"] = [pages_of(1001)]
    done = scripted_gdal.run("ogrinfo", "-q", "-ro", "GIQ:files", "files")
    assert done.stdout.count("OGRFeature(") == 1000
    assert "the list ends at the limit of 1000 files" in done.stderr


def test_limit_counts_what_the_exact_filter_lets_pass(scripted_gdal, service):
    service.script["search"] = [page(
        item("out", geometry=box(5, 5, 6, 6)), item("in", geometry=box(0, 0, 1, 1)),
        item("out too", geometry=box(7, 7, 8, 8)))]
    name = f"GIQ:files;limit=1;geometry={L_SHAPE}"
    done = scripted_gdal.run("ogrinfo", "-q", "-ro", name, "files")
    assert done.stdout.count("OGRFeature(") == 1 and done.stderr == ""


def test_item_that_comes_twice_is_one_row(scripted_gdal, service):
    items = [item(f"i{n}") for n in range(150)]
    service.script["search"] = [page(*items[:100]), page(*items[50:]), page(*items[50:])]
    assert len(ids(scripted_gdal)) == 150
    assert len(bodies(service)) == 3


def test_service_with_smaller_pages_is_listed_to_its_end(scripted_gdal, service):
    service.script["search"] = [pages_of(130, size=50)]
    assert len(ids(scripted_gdal)) == 130
    assert [body["offset"] for body in bodies(service)] == [0, 50, 100]


def test_list_that_does_not_end_is_an_error(scripted_gdal, service):
    """None of the items is in the area, so the limit does not end it."""
    service.script["search"] = [pages_of(10 ** 9, size=10)]
    text = scripted_gdal.fails("ogrinfo", "-ro", "GIQ:files;bbox=50,50,51,51", tag="service")
    assert ("the list of files does not end: 2000 pages were read; narrow the search with "
            "bbox, datetime or collection") in text
    assert len(bodies(service)) == 2000


def test_links_to_other_origins_are_not_followed(scripted_gdal, service, started):
    host = started(Host())
    links = [{"rel": "next", "method": "GET", "href": f"{host.url}/public/stac/search?p=2"}]
    service.script["search"] = [page(item("a"), links=links), page(links=links)]
    assert ids(scripted_gdal) == ["a"]
    assert [body["offset"] for body in bodies(service)] == [0, 1]
    assert host.visits == 0


# ---- failures ----

def test_search_is_repeated_like_a_get(scripted_gdal, service):
    service.script["search"] = [Response(status=503), Response(status=429), Response(drop=True),
                                page(item("a"))]
    assert ids(scripted_gdal) == ["a"]
    assert len({json.dumps(body) for body in bodies(service)}) == 1
    assert service.names() == ["search"] * 4


def test_search_is_redirected_within_the_origin_only(scripted_gdal, service, started):
    there = service.url.replace("/public", "/there/search")
    service.script["search"] = [Response(status=307, headers={"Location": there}),
                                page(item("a"))]
    assert ids(scripted_gdal) == ["a"]
    assert [call["path"] for call in service.calls()] == ["/public/stac/search",
                                                          "/there/search"]
    host = started(Host())
    service.script["search"] = [Response(status=307, headers={"Location": host.url})]
    text = scripted_gdal.fails("ogrinfo", "-ro", "GIQ:files", tag="network")
    assert "redirects the POST to another origin" in text
    assert host.visits == 0


@pytest.mark.parametrize("response, tag, words", [
    (Response({"message": "no"}, 400), "service", "getting the list of files: HTTP 400 no"),
    (Response({"message": "no"}, 401), "credentials", "getting the list of files: HTTP 401"),
    (Response(b"<html>"), "service", "the list of files cannot be read"),
    (Response({"features": {}}), "service", "the response is not a list"),
    (Response(status=302, headers={"Location": "/x"}), "service", "HTTP 302")])
def test_page_that_cannot_be_read_is_an_error(scripted_gdal, service, response, tag, words):
    service.script["search"] = [page(*[item(f"i{n}") for n in range(100)]), response]
    assert words in scripted_gdal.fails("ogrinfo", "-ro", "GIQ:files", tag=tag)
    assert len(service.calls("search")) == 2


# ---- odd responses ----

@pytest.mark.parametrize("odd, expected", [
    (item("a", geometry=None), "box"), (item("a", geometry={"type": "Polygon"}), "box"),
    (item("a", geometry={"type": "Point", "coordinates": [2, 2]}), "box"),
    (item("a", geometry={"type": "Polygon", "coordinates": [[["x", 1], [2, 2]]]}), "box"),
    (item("a", geometry={"type": "Polygon", "coordinates": [
        [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}), "box"),
    (item("a", geometry=box(2, 2, 3, 99)), "box"),
    (item("a", geometry=None, bbox=[2, 2, 0, 3, 3, 9]), "box"),
    (item("a", geometry=None, bbox=None), None),
    (item("a", geometry=None, bbox=[1, 2, 3]), None),
    (item("a", geometry=None, bbox=[1, 2, 3, "x"]), None),
    (item("a", properties=None, assets=None, links=None, collection=None), "box")])
def test_odd_geometries_and_boxes(scripted_gdal, service, odd, expected):
    service.script["search"] = [page(odd)]
    [row] = table(scripted_gdal, "GIQ:files")["rows"]
    square = "MULTIPOLYGON (((2 2,2 3,3 3,3 2,2 2)))"
    assert row["wkt"] == (square if expected else None)
    assert ids(scripted_gdal, "GIQ:files;bbox=0,0,9,9") == (["a"] if expected else [])


def test_items_without_members_and_entries_that_are_no_items(scripted_gdal, service):
    service.script["search"] = [page(None, 7, "x", [], {}, {"type": "Feature", "id": 17})]
    rows = table(scripted_gdal, "GIQ:files")["rows"]
    assert [row["item_id"] for row in rows] == [None, "17"]
    assert {name for row in rows for name in row if row[name] is not None} == {"item_id",
                                                                               "json"}


@pytest.mark.parametrize("word", ["wrapped", "next", "bare", "no-geometry", "bad-geometry",
                                  "bow-tie", "box-3d", "no-zone", "null-properties"])
def test_oddities_of_the_sandbox_change_no_list(gdal, sandbox, word):
    sandbox.set_faults(f"search:odd={word}")
    rows = table(gdal, "GIQ:files")["rows"]
    assert sorted(row["item_id"] for row in rows) == [SCENE, "parcels.geojson"]
    has_footprint = word != "bare"
    assert [row["wkt"] is not None for row in rows] == [has_footprint] * 2
    known = word not in ("bare", "null-properties")
    assert [row["datetime"] is not None for row in rows] == [known] * 2


def test_repeated_page_of_the_sandbox_ends_the_list(tmp_path, started):
    sandbox = started(Sandbox(tmp_path / "many", "--stac-items", "250"))
    gdal = Gdal(tmp_path, sandbox.url)
    assert len(ids(gdal)) == 250
    for odd, rows in ("repeat", 100), ("short", 250):
        sandbox.set_faults(f"search:odd={odd}")
        assert len(ids(gdal)) == rows
    sandbox.set_faults("search:odd=half@2")
    gdal.fails("ogrinfo", "-ro", "GIQ:files", tag="service")
    assert sandbox.runs() == []


# ---- secrets ----

@pytest.fixture
def data_host(started):
    """Where the presigned addresses of the sandbox lead."""
    return started(Host())


@pytest.fixture
def signed(tmp_path, data_host, started):
    port = urllib.parse.urlsplit(data_host.url).port
    return started(Sandbox(tmp_path / "signed", "--data-port", str(port)))


@pytest.fixture
def signed_gdal(tmp_path, signed):
    return Gdal(tmp_path, signed.url)


def test_presigned_addresses_are_never_fetched_shown_or_stored(signed_gdal, signed,
                                                                data_host):
    """Every output and every file is searched for their signature."""
    loud = {"CPL_DEBUG": "ON", "CPL_CURL_VERBOSE": "YES", "GIQ_PROGRESS": "YES"}
    done = signed_gdal.run("ogrinfo", "-ro", "-al", "GIQ:files", env=loud)
    assert "POST /public/stac/search" in done.stderr
    assert "GIQ: listing files: 2 so far" in done.stderr
    assert done.stdout.count(f"{data_host.url}/giq-data/") == 2
    for driver, name in ("GPKG", "a.gpkg"), ("GeoJSON", "a.geojson"), ("CSV", "a.csv"):
        signed_gdal.run("ogr2ogr", "-f", driver, name, "GIQ:files")
    assert "Amz" not in (signed_gdal.folder / "a.geojson").read_text()
    signed.set_faults("search:odd=half")
    signed_gdal.fails("ogrinfo", "-ro", "GIQ:files", tag="service", env=loud)
    signed.set_faults("search:odd=next")
    signed_gdal.run("ogrinfo", "-ro", "-al", "GIQ:files", env=loud)
    assert data_host.visits == 0


def test_preview_keeps_what_describes_the_picture(signed_gdal, signed):
    row = table(signed_gdal, "GIQ:files")["rows"][0]
    parts = urllib.parse.urlsplit(row["preview"])
    assert f"{parts.scheme}://{parts.netloc}" == signed.url.replace("/public", "")
    query = dict(urllib.parse.parse_qsl(parts.query))
    assert list(query) == ["sourceId", "bbox", "width", "height"]
    assert query["sourceId"] == row["file_id"]
    assets = json.loads(row["json"])["assets"]
    assert assets["rendered_preview"]["href"] == row["preview"]
    assert urllib.parse.urlsplit(assets["data"]["href"]).query == ""


def test_addresses_anywhere_in_an_item_lose_their_query(scripted_gdal, service):
    own = service.url.replace("/public", "")
    service.script["search"] = [page(item(
        "a", links=[{"rel": "self", "href": f"{own}/x?token={SIGNATURE}"}, SIGNED],
        properties={"name": f"see {SIGNED} there", "thumbs": {"a": [SIGNED]},
                    "description": f"https://user:{SIGNATURE}@store.example/b#c"},
        assets={"rendered_preview": {"href": f"{own}/p?sourceId=1&token={SIGNATURE}#f"},
                "data": {"href": SIGNED, "alternate": {"s3": f"//h/x?{SIGNATURE}"}}}))]
    [row] = table(scripted_gdal, "GIQ:files")["rows"]
    assert row["preview"] == f"{own}/p?sourceId=1"
    assert row["name"] == "see https://store.example/a.zip there"
    whole = json.loads(row["json"])
    assert whole["links"] == [{"rel": "self", "href": f"{own}/x"},
                              "https://store.example/a.zip"]
    assert whole["properties"]["thumbs"] == {"a": ["https://store.example/a.zip"]}
    assert whole["properties"]["description"] == "https://store.example/b"
    assert whole["assets"] == {
        "rendered_preview": {"href": f"{own}/p?sourceId=1"},
        "data": {"href": "https://store.example/a.zip", "alternate": {"s3": "//h/x"}}}


def test_preview_of_another_origin_has_no_query(scripted_gdal, service):
    service.script["search"] = [page(item("a", assets={"rendered_preview": {
        "href": f"https://cdn.example/p.png?sourceId=1&sig={SIGNATURE}"}}))]
    [row] = table(scripted_gdal, "GIQ:files")["rows"]
    assert row["preview"] == "https://cdn.example/p.png"
