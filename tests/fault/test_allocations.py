"""Every allocation of the plugin fails in turn: one error or the result, no crash, no second
job."""
from osgeo import ogr, osr

from conftest import errors
from areas import sent_areas
from scripted import Response

MOST = 400
WHOLE = "name (String) = one"


def outcome(done):
    """The result without an error, or one error and no result."""
    assert (done.returncode, len(errors(done))) in ((0, 0), (1, 1)), done
    assert (WHOLE in done.stdout) == (done.returncode == 0), done
    return errors(done)


def open_again(bench, at, name=None):
    """One job: the record that says "sending" is reported as unknown, all others lead to
    the result."""
    state = bench.state(at)
    again = bench.open(at, name=name)
    wanted = ["unknown"] if state in ("sending", "unknown") else []
    assert outcome(again) == wanted, (at, state, again)
    assert bench.runs(at) == 1, (at, state)


def numbers(count):
    """All of them, or as many as fit, evenly."""
    step = max(1, -(-count // MOST))
    return range(1, count + 1, step)


def test_each_allocation_of_a_new_request(both):
    bench = both
    count = bench.enumerate("dry", GIQ_FAULT_ALLOC="1000000").count("allocation ")
    print(count, "allocations")
    assert count > 60

    def fail(at):
        outcome(bench.open(at, {"GIQ_FAULT_ALLOC": str(at)}))
        open_again(bench, at)
    bench.each(fail, numbers(count))


def test_each_allocation_of_a_warm_open(both):
    bench = both
    bench.open("warm")
    count = bench.enumerate("warm", GIQ_FAULT_ALLOC="1000000").count("allocation ")
    assert count > 20
    calls = bench.service.names()

    def fail(at):
        outcome(bench.open("warm", {"GIQ_FAULT_ALLOC": str(at)}))
    bench.each(fail, numbers(count))
    assert outcome(bench.open("warm")) == []
    assert bench.service.names() == calls


def test_each_allocation_of_an_open_that_is_refused(bench):
    name = "GIQ:model=m;file=f;geometry=POLYGON((0 0,1 1,0 1,1 0,0 0))"
    done = bench.open("area", {"GIQ_FAULT_ALLOC": "1000000",
                               "GIQ_FAULT_LOG": str(bench.folder / "log")}, name)
    assert errors(done) == ["area"]
    count = (bench.folder / "log").read_text().count("allocation ")
    assert count > 20

    def fail(at):
        done = bench.open("area", {"GIQ_FAULT_ALLOC": str(at)}, name)
        assert len(outcome(done)) == 1, (at, done)
    bench.each(fail, numbers(count))
    assert bench.service.calls() == []


def write_area(path):
    """Polygons that overlap, with a hole, across the antimeridian, in metres."""
    system = osr.SpatialReference()
    system.ImportFromEPSG(3832)
    dataset = ogr.GetDriverByName("GeoJSON").CreateDataSource(str(path))
    layer = dataset.CreateLayer("area", system, ogr.wkbPolygon,
                                ["RFC7946=NO", "COORDINATE_PRECISION=3"])
    for wkt in ("POLYGON((3e6 0,3e6 1e5,35e5 1e5,35e5 0,3e6 0),"
                "(33e5 1e4,34e5 1e4,34e5 2e4,33e5 2e4,33e5 1e4))",
                "POLYGON((32e5 5e4,32e5 2e5,34e5 2e5,34e5 5e4,32e5 5e4))"):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometry(ogr.CreateGeometryFromWkt(wkt))
        layer.CreateFeature(feature)


def test_each_allocation_of_an_area_from_a_dataset(bench):
    path = bench.folder / "area.geojson"
    write_area(path)

    def name(label):
        return f"GIQ:model=m;file=f{label};aoi={path}"
    log = bench.folder / "log"
    done = bench.open("dry", {"GIQ_FAULT_ALLOC": "1000000", "GIQ_FAULT_LOG": str(log)},
                      name("dry"))
    assert done.returncode == 0, done.stderr
    count = log.read_text().count("allocation ")
    assert count > 60
    [area] = sent_areas(bench.service)
    assert area.startswith("MULTIPOLYGON")

    def fail(at):
        outcome(bench.open(at, {"GIQ_FAULT_ALLOC": str(at)}, name(at)))
        open_again(bench, at, name(at))
    bench.each(fail, numbers(count))
    assert set(sent_areas(bench.service)) == {area}


def test_each_allocation_of_a_search_for_files(bench):
    """A whole table, or one error and no table; titles of collections may be missing."""
    box = [[[2, 2], [3, 2], [3, 3], [2, 3], [2, 2]]]
    bench.service.script["search"] = [Response({"features": [
        {"id": "a", "title": "t", "collection": "c", "bbox": [2, 2, 3, 3],
         "geometry": {"type": "Polygon", "coordinates": box},
         "properties": {"datetime": "2024-05-01T10:20:30Z", "name": "one"},
         "assets": {"rendered_preview": {"href": "/p?sourceId=1&width=2"}}}]})]
    bench.service.script["collections"] = [Response([{"id": "c", "title": "C"}])]
    name = "GIQ:files;bbox=1,1,4,4;datetime=2024-05-01"
    log = bench.folder / "log"
    done = bench.open("files", {"GIQ_FAULT_ALLOC": "1000000", "GIQ_FAULT_LOG": str(log)},
                      name)
    assert outcome(done) == [] and "collection_title (String) = C" in done.stdout
    count = log.read_text().count("allocation ")
    assert count > 60

    def fail(at):
        done = bench.open("files", {"GIQ_FAULT_ALLOC": str(at)}, name)
        if outcome(done) == []:
            assert done.stdout.count("item_id (String) = a") == 1, (at, done)
    bench.each(fail, numbers(count))
    assert bench.service.calls("run") == []
