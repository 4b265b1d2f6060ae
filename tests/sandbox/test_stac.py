"""The STAC calls of the sandbox: what an item says of its file, which items a search
finds, and the odd responses that it has on demand."""
import copy
import json
import os
import shutil
import urllib.parse
import uuid

import pytest
from osgeo import gdal, ogr, osr

from programs import DATA, SCENE, Sandbox
from sandbox_client import Client
from secret_search import SIGNATURE

gdal.UseExceptions()
DATA_PORT = 7
NEWEST_FIRST = [{"field": "properties.datetime", "direction": "desc"}]
# 2024-05-01T10:20:30Z
CHANGED = 1714558830


def write_raster(path, left, top, size, epsg, date=None):
    raster = gdal.GetDriverByName("GTiff").Create(str(path), 10, 10)
    raster.SetGeoTransform((left, size, 0, top, 0, -size))
    srs = osr.SpatialReference()
    srs.ImportFromEPSG(epsg)
    raster.SetProjection(srs.ExportToWkt())
    if date is not None:
        raster.SetMetadataItem("TIFFTAG_DATETIME", date)
        raster.SetMetadataItem("TIFFTAG_IMAGEDESCRIPTION", "A test")
    raster = None
    os.utime(path, (CHANGED, CHANGED))


def write_roads(path):
    """Two lines in UTM zone 25 south."""
    srs = osr.SpatialReference()
    srs.ImportFromEPSG(31985)
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = dataset.CreateLayer("roads", srs, ogr.wkbLineString)
    for line in ("LINESTRING(290000 9112000,295000 9118000)",
                 "LINESTRING(291000 9111000,292000 9112000)"):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometry(ogr.CreateGeometryFromWkt(line))
        layer.CreateFeature(feature)
    feature = layer = dataset = None
    os.utime(path, (CHANGED, CHANGED))


@pytest.fixture
def folder(tmp_path):
    """Files of the service: three rasters, one vector file, two without a location."""
    made = tmp_path / "folder"
    made.mkdir()
    write_raster(made / "africa.tif", 10, 5, 0.1, 4326, "2020:03:04 05:06:07")
    write_raster(made / "fiji.tif", 813000, 8030000, 1000, 32760, "2021:01:01 00:00:00")
    write_raster(made / "north.tif", 10, 65, 0.1, 4326)
    write_roads(made / "roads.gpkg")
    (made / "notes.txt").write_text("no dataset")
    shutil.copy(DATA / "quickstart.png", made)
    return made


@pytest.fixture
def sandbox(tmp_path, folder, started):
    return started(Sandbox(tmp_path / "sandbox", "--files", str(folder), "--data-port",
                           str(DATA_PORT)))


def search(client, status=200, **body):
    got, page = client.call_json("POST", "/stac/search", json.dumps(body),
                                 **{"Content-Type": "application/json"})
    assert got == status, page
    return page


def found(client, **body):
    """The ids of the items that a search finds, in order."""
    return [item["id"] for item in search(client, **body)["features"]]


def one_item(client, name):
    return client.call_json("GET", f"/stac/collections/rasters/items/{name}")[1]


@pytest.mark.parametrize("method,path", [
    ("GET", "/stac/collections"),
    ("GET", "/stac/collections/rasters/items"),
    ("GET", "/stac/collections/rasters/items/africa.tif"),
    ("POST", "/stac/search"),
])
def test_every_call_needs_a_key(client, method, path):
    for key in (None, "wrong"):
        status, fields = client.call_json(method, path, key=key)
        assert (status, fields["message"]) == (401, "Unauthorized Request")
    assert client.call(method, path).status == 200


def test_collections_have_extents_and_titles(client):
    _, page = client.call_json("GET", "/stac/collections")
    rasters, vectors = page["collections"]
    assert (rasters["id"], rasters["title"], rasters["keywords"]) == (
        "rasters", "Raster scenes", ["raster"])
    assert (vectors["id"], vectors["title"], vectors["keywords"]) == (
        "vectors", "Vector layers", ["vector"])
    assert rasters["stac_version"] == vectors["stac_version"] == "1.0.0"
    # One of them crosses 180 degrees.
    box = rasters["extent"]["spatial"]["bbox"][0]
    assert (box[0], box[2], box[3]) == (-180, 180, 65)
    assert rasters["extent"]["temporal"]["interval"] == [
        ["2020-03-04T05:06:07.000Z", "2024-05-01T10:20:30.000Z"]]
    assert [link["rel"] for link in vectors["links"]] == ["self", "items"]


def test_item_says_what_gdal_reads_from_the_file(client, sandbox):
    item = one_item(client, "africa.tif")
    number = item["title"]
    assert str(uuid.UUID(number)) == number
    assert (item["type"], item["id"], item["collection"]) == ("Feature", "africa.tif",
                                                              "rasters")
    assert item["bbox"] == [10, 4, 11, 5]
    assert item["geometry"] == {"type": "Polygon", "coordinates": [
        [[10, 5], [10, 4], [11, 4], [11, 5], [10, 5]]]}
    assert item["properties"] == {
        "datetime": "2020-03-04T05:06:07.000Z", "name": "africa",
        "description": "A test", "source_type": "PANCHROMATIC", "layer_type": "RASTER",
        "giq:ingestion_date": "2024-05-01T10:20:30.000Z", "giq:source": "SANDBOX",
        "giq:source_type": "PANCHROMATIC", "giq:source_sub_type": "GTiff",
        "giq:layer_type": "RASTER"}
    assert item["links"][0] == {
        "rel": "self",
        "href": f"{sandbox.url}/stac/collections/rasters/items/{number}"}
    preview = urllib.parse.urlsplit(item["assets"]["rendered_preview"]["href"])
    assert f"{preview.scheme}://{preview.netloc}/public" == sandbox.url
    assert urllib.parse.parse_qs(preview.query) == {
        "sourceId": [number], "bbox": ["10.0000000,4.0000000,11.0000000,5.0000000"],
        "width": ["512"], "height": ["512"]}


def test_data_has_a_presigned_address_of_another_port(client):
    for item in search(client)["features"]:
        data = urllib.parse.urlsplit(item["assets"]["data"]["href"])
        assert data.netloc == f"127.0.0.1:{DATA_PORT}"
        signature, = urllib.parse.parse_qs(data.query)["X-Amz-Signature"]
        assert signature == SIGNATURE + item["title"][:8]


def test_file_without_a_date_has_that_of_its_change(client):
    properties = one_item(client, "north.tif")["properties"]
    assert properties["datetime"] == "2024-05-01T10:20:30.000Z"
    assert properties["description"] is None


def test_footprint_of_a_projected_vector_file(client):
    item, = search(client, collections=["vectors"])["features"]
    assert item["id"] == "roads.gpkg"
    assert item["properties"]["source_type"] == "LINESTRING"
    to_degrees = osr.CoordinateTransformation(*[reference(code) for code in (31985, 4326)])
    corners = [to_degrees.TransformPoint(x, y)[:2]
               for x, y in ((290000, 9111000), (295000, 9111000), (295000, 9118000),
                            (290000, 9118000))]
    ring = [value for point in [*corners, corners[0]] for value in point]
    got = [value for point in item["geometry"]["coordinates"][0] for value in point]
    assert got == pytest.approx(ring, abs=1e-9)
    xs, ys = zip(*corners)
    assert item["bbox"] == pytest.approx([min(xs), min(ys), max(xs), max(ys)], abs=1e-9)


def reference(code):
    srs = osr.SpatialReference()
    srs.ImportFromEPSG(code)
    srs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return srs


def test_footprint_across_180_degrees_is_cut(client):
    item = one_item(client, "fiji.tif")
    west, south, east, north = item["bbox"]
    assert 179 < west < 180 and -180 < east < -179 and south < north
    assert item["geometry"]["type"] == "MultiPolygon"
    assert len(item["geometry"]["coordinates"]) == 2
    for box, ids in (([178, -19, 179.99, -17], ["fiji.tif"]),
                     ([-179.99, -19, -178, -17], ["fiji.tif"]),
                     ([179.9, -19, -179.9, -17], ["fiji.tif"]),
                     ([-170, -19, 170, -17], [])):
        assert found(client, bbox=box) == ids


def test_files_that_come_change_and_go(client, folder):
    everything = ["africa.tif", "fiji.tif", "north.tif", "roads.gpkg"]
    assert found(client) == everything
    before = one_item(client, "africa.tif")
    write_raster(folder / "zebra.tif", 20, 5, 0.1, 4326)
    write_raster(folder / "africa.tif", 30, 5, 0.1, 4326, "2020:03:04 05:06:07")
    os.utime(folder / "africa.tif", (CHANGED + 1, CHANGED + 1))
    (folder / "north.tif").unlink()
    assert found(client) == ["africa.tif", "fiji.tif", "roads.gpkg", "zebra.tif"]
    after = one_item(client, "africa.tif")
    assert (before["bbox"][0], after["bbox"][0]) == (10, 30)
    assert before["title"] == after["title"]


@pytest.mark.parametrize("body,ids", [
    ({}, ["africa.tif", "fiji.tif", "north.tif", "roads.gpkg"]),
    ({"bbox": [0, -10, 20, 4]}, ["africa.tif"]),
    ({"bbox": [0, -10, 20, 3.9]}, []),
    ({"bbox": [0, 0, -9, 20, 70, 9]}, ["africa.tif", "north.tif"]),
    ({"collections": ["vectors"]}, ["roads.gpkg"]),
    ({"collections": ["rasters", "vectors"], "bbox": [-40, -10, 20, 10]},
     ["africa.tif", "roads.gpkg"]),
    ({"collections": ["nothing"]}, []),
    ({"datetime": "2020-03-04T05:06:07Z"}, ["africa.tif"]),
    ({"datetime": "2020-03-04T06:06:07.0+01:00"}, ["africa.tif"]),
    ({"datetime": "2020-03-04T05:06:08Z/2021-01-01T00:00:00Z"}, ["fiji.tif"]),
    ({"datetime": "../2020-12-31T23:59:59Z"}, ["africa.tif"]),
    ({"datetime": "2021-01-01T00:00:00.001Z/.."}, ["north.tif", "roads.gpkg"]),
    ({"sortby": NEWEST_FIRST}, ["north.tif", "roads.gpkg", "fiji.tif", "africa.tif"]),
    ({"sortby": [{"field": "id", "direction": "desc"}], "limit": 3, "offset": 1},
     ["north.tif", "fiji.tif", "africa.tif"]),
    ({"limit": 3, "offset": 3}, ["roads.gpkg"]),
    ({"limit": 3, "offset": 4}, []),
])
def test_search_finds_what_matches(client, body, ids):
    assert found(client, **body) == ids


@pytest.mark.parametrize("body,message", [
    ([], "The body is not a JSON object"),
    ({"bbox": [1, 2, 3]}, "bbox is not [minx,miny,maxx,maxy] in degrees"),
    ({"bbox": [1, 2, 3, "4"]}, "bbox is not [minx,miny,maxx,maxy] in degrees"),
    ({"bbox": [1, 2, 3, 1]}, "bbox is not [minx,miny,maxx,maxy] in degrees"),
    ({"bbox": [1, 2, 181, 3]}, "bbox is not [minx,miny,maxx,maxy] in degrees"),
    ({"datetime": "2020-03-04"}, "datetime is not an RFC 3339 instant or interval"),
    ({"datetime": "2020-03-04T05:06:07"},
     "datetime is not an RFC 3339 instant or interval"),
    ({"datetime": "2020-03-04T05:06:07Z/2019-03-04T05:06:07Z"},
     "datetime is not an RFC 3339 instant or interval"),
    ({"limit": 0}, "limit is not a number from 1 to 1000"),
    ({"limit": 1001}, "limit is not a number from 1 to 1000"),
    ({"limit": "9"}, "limit is not a number from 1 to 1000"),
    ({"offset": -1}, "offset is not a number from 0"),
    ({"sortby": ["datetime"]}, "sortby is not a list of known fields and directions"),
    ({"sortby": [{"field": "datetime"}]},
     "sortby is not a list of known fields and directions"),
    ({"sortby": [{"field": "id", "direction": "down"}]},
     "sortby is not a list of known fields and directions"),
    ({"collections": "rasters"}, "collections is not a list of ids"),
])
def test_search_is_refused_with_the_reason(client, body, message):
    status, fields = client.call_json("POST", "/stac/search", json.dumps(body))
    assert (status, fields["message"]) == (400, message)


def test_items_of_a_collection(client):
    def names(query):
        status, page = client.call_json("GET", f"/stac/collections/{query}")
        assert status == 200, page
        return [item["id"] for item in page["features"]]
    assert names("vectors/items") == ["roads.gpkg"]
    assert names("rasters/items?limit=1&offset=1") == ["fiji.tif"]
    assert names("rasters/items?bbox=0,0,20,70&datetime=2024-01-01T00:00:00Z/..") == [
        "north.tif"]
    assert client.call_json("GET", "/stac/collections/rasters/items?limit=x")[0] == 400


def test_item_is_found_by_name_and_by_uuid(client):
    item = one_item(client, "africa.tif")
    assert one_item(client, item["title"]) == item
    for path, message in (("rasters/items/nothing.tif", "Item not found"),
                          ("vectors/items/africa.tif", "Item not found"),
                          ("nothing/items", "Collection not found"),
                          ("rasters", "No such endpoint")):
        status, fields = client.call_json("GET", f"/stac/collections/{path}")
        assert (status, fields["message"]) == (404, message)
    assert client.call("GET", "/stac/search").status == 405


def test_uuid_of_an_item_is_a_file_id(tmp_path):
    sandbox = Sandbox(tmp_path / "scenes")
    try:
        client = Client(sandbox.url)
        item, = search(client, collections=["rasters"])["features"]
        assert item["id"] == SCENE
        assert client.wait(client.run("ndvi", item["title"]))[-1] == "COMPLETED"
        sandbox.stop()
        sandbox.start()
        assert search(Client(sandbox.url))["features"][0]["title"] == item["title"]
    finally:
        sandbox.stop()


def test_journal_has_the_body_of_a_search(client, sandbox):
    search(client, limit=2, datetime="../2030-01-01T00:00:00Z")
    client.call("POST", "/stac/search", "{nonsense")
    client.call("GET", "/stac/collections")
    first, second, third = sandbox.journal()
    assert first["path"] == "/stac/search" and first["status"] == 200
    assert first["body"] == {"limit": 2, "datetime": "../2030-01-01T00:00:00Z"}
    assert (second["status"], second["body"]) == (400, "{nonsense")
    assert third["path"] == "/stac/collections" and "body" not in third
    assert sandbox.calls() == ["search", "search", "collections"]


def test_made_up_items_are_as_many_and_as_long_as_asked(tmp_path):
    sandbox = Sandbox(tmp_path / "many", "--stac-items", "1000")
    try:
        client = Client(sandbox.url)
        pages = [search(client, limit=100, offset=offset, sortby=NEWEST_FIRST)["features"]
                 for offset in range(0, 1100, 100)]
    finally:
        sandbox.stop()
    items = [item for page in pages for item in page]
    assert [len(page) for page in pages] == [100] * 10 + [0]
    assert len({item["id"] for item in items}) == 1000
    assert len({item["title"] for item in items}) == 1000
    sizes = [len(json.dumps(item, separators=(",", ":"))) for item in items]
    assert 1900 <= min(sizes) and max(sizes) <= 2100
    dates = [item["properties"]["datetime"] for item in items]
    assert dates == sorted(dates, reverse=True)
    assert (dates[-1][:10], dates[0][:4]) == ("2020-01-01", "2024")
    # Each tenth of the globe from west to east has its share.
    tenths = [int((item["bbox"][0] + 180) // 36) for item in items]
    assert all(90 <= tenths.count(tenth) <= 110 for tenth in range(10))


def changed(item, **members):
    made = {**copy.deepcopy(item), **members}
    return {name: value for name, value in made.items() if value is not ...}


@pytest.mark.parametrize("words,members", [
    ("no-geometry", {"geometry": None}),
    ("bad-geometry", {"geometry": {"type": "Polygon",
                                   "coordinates": [[["x", "y"], ["z"]]]}}),
    ("bow-tie", {"geometry": {"type": "Polygon", "coordinates": [
        [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}}),
    ("no-box", {"bbox": ...}),
    ("box-3d", {"bbox": [10, 4, -5, 11, 5, 120]}),
    ("no-geometry+box-180", {"geometry": None, "bbox": [179, 4, -179, 5]}),
    ("null-properties", {"properties": None}),
    ("bare", {name: ... for name in ("stac_version", "title", "collection", "geometry",
                                     "bbox", "properties", "assets", "links")}),
])
def test_odd_items(client, words, members):
    item = one_item(client, "africa.tif")
    assert client.faults(f"search:odd={words}", f"items:odd={words}",
                         f"item:odd={words}") == 200
    odd = changed(item, **members)
    assert one_item(client, "africa.tif") == odd
    assert search(client, bbox=item["bbox"])["features"] == [odd]
    _, page = client.call_json("GET", "/stac/collections/rasters/items?limit=1")
    assert page["features"] == [odd]


def test_odd_dates_have_no_zone(client):
    assert client.faults("search:odd=no-zone") == 200
    properties = search(client, limit=1)["features"][0]["properties"]
    assert properties["datetime"] == "2020-03-04T05:06:07"
    assert properties["giq:ingestion_date"] == "2024-05-01T10:20:30"


def test_odd_pages(client):
    page = search(client)
    assert client.faults("search:odd=wrapped@1", "search:odd=next@2",
                         "search:odd=repeat@3-4", "search:odd=short@5",
                         "search:odd=half@6", "collections:odd=wrapped") == 200
    assert search(client) == {"data": page}
    following = search(client)["links"][-1]
    assert following["rel"] == "next"
    assert urllib.parse.urlsplit(following["href"]).netloc == f"127.0.0.1:{DATA_PORT}"
    for offset in (0, 2):
        assert found(client, limit=2, offset=offset) == ["africa.tif", "fiji.tif"]
    assert found(client, limit=4, offset=1) == ["fiji.tif", "north.tif"]
    half = client.call("POST", "/stac/search").content
    whole = client.call("POST", "/stac/search").content
    assert half == whole[:len(whole) // 2]
    assert list(client.call_json("GET", "/stac/collections")[1]) == ["data"]
    assert search(client) == page


def test_faults_of_the_stac_calls(client, sandbox):
    assert client.faults("collections:status=503,retry-after=7", "items:status=500",
                         "item:status=404", "search:body={\"no\":1}") == 200
    response = client.call("GET", "/stac/collections")
    assert (response.status, response.getheader("Retry-After")) == (503, "7")
    assert client.call("GET", "/stac/collections/rasters/items").status == 500
    assert client.call("GET", "/stac/collections/rasters/items/africa.tif").status == 404
    assert search(client) == {"no": 1}
    assert [entry["status"] for entry in sandbox.journal()] == [503, 500, 404, 200]
    assert client.faults("search:odd=strange") == 400
    assert client.faults("search:odd=half+") == 400
