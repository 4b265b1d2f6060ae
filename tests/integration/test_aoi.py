"""Areas of interest from vector datasets: united, brought to degrees, cut at the
antimeridian; and what cannot be an area, reported before anything is sent."""
import math
import os
import pathlib
import random
import shutil
import sqlite3

import pytest
from osgeo import ogr, osr

from areas import NAME, open_with, points, refuse, sent_area, sent_areas, system, write

SQUARE = "POLYGON((0 0,0 1,1 1,1 0,0 0))"
BOTH_SIDES = ("MULTIPOLYGON(((170 0,170 9,180 9,180 0,170 0)),"
              "((-180 0,-180 9,-170 9,-170 0,-180 0)))")


def find_proj():
    """The folder of PROJ's database."""
    return next(pathlib.Path(path) for path in osr.GetPROJSearchPaths()
                if os.path.exists(os.path.join(path, "proj.db")))


def box(minx, miny, maxx, maxy):
    return (f"POLYGON(({minx} {miny},{minx} {maxy},{maxx} {maxy},{maxx} {miny},"
            f"{minx} {miny}))")


# ---- what is sent ----

SENT = [
    # geometries, area
    ([SQUARE], SQUARE),
    (["POLYGON Z((1 1 5,0 1 5,0 0 5,1 0 5,1 1 5))"], SQUARE),
    (["POLYGON M((1 1 5,0 1 5,0 0 5,1 0 5,1 1 5))"], SQUARE),
    (["POINT(5 5)", SQUARE, "LINESTRING(0 0,9 9)", "POLYGON EMPTY"], SQUARE),
    ([f"GEOMETRYCOLLECTION(POINT(5 5),GEOMETRYCOLLECTION({SQUARE}))"], SQUARE),
    ([box(0, 0, 2, 2), box(1, 1, 3, 3)], "POLYGON((0 0,0 2,1 2,1 3,3 3,3 1,2 1,2 0,0 0))"),
    ([box(0, 0, 1, 0.1), box(0, 0.1, 1, 0.2 + 1e-13), box(0, 0.3 - 0.1, 1, 1)],
     "POLYGON((0 0,0 0.1,0 0.2,0 1,1 1,1 0.2,1 0.1,1 0,0 0))"),
    (["POLYGON((0 0,0 9,9 9,9 0,0 0),(1 1,2 1,2 2,1 2,1 1),(4 4,5 4,5 5,4 5,4 4))",
      box(3, 3, 6, 6)], "POLYGON((0 0,0 9,9 9,9 0,0 0),(1 1,2 1,2 2,1 2,1 1))"),
    (["MULTIPOLYGON(((0 0,0 2,2 2,2 0,0 0)),((1 1,1 3,3 3,3 1,1 1)))"],
     "POLYGON((0 0,0 2,1 2,1 3,3 3,3 1,2 1,2 0,0 0))"),
    ([box(170, 0, 190, 9)], BOTH_SIDES),
    ([box(-190, 0, -180, 9), box(-180, 0, -170, 9)], BOTH_SIDES),
    ([box(170, 0, 180, 9), box(180, 0, 190, 9)], BOTH_SIDES),
    ([box(270, 0, 280, 9)], box(-90, 0, -80, 9)),
    # curves without arcs
    (["CURVEPOLYGON((0 0,0 1,1 1,1 0,0 0))"], SQUARE),
    (["CURVEPOLYGON(COMPOUNDCURVE((0 0,0 1,1 1),(1 1,1 0,0 0)))", "CURVEPOLYGON EMPTY"], SQUARE),
    (["MULTISURFACE(CURVEPOLYGON((0 0,0 2,2 2,2 0,0 0)),((1 1,1 3,3 3,3 1,1 1)))"],
     "POLYGON((0 0,0 2,1 2,1 3,3 3,3 1,2 1,2 0,0 0))"),
    (["GEOMETRYCOLLECTION(POINT(5 5),CURVEPOLYGON((0 0,0 1,1 1,1 0,0 0)))"], SQUARE),
    (["MULTICURVE((7 7,8 8))", "COMPOUNDCURVE((7 7,8 8))", SQUARE], SQUARE),
    (["POLYHEDRALSURFACE Z(((0 0 0,0 1 0,1 1 0,1 0 0,0 0 0)))"], SQUARE),
    (["TIN Z(((0 0 0,0 2 0,2 2 0,0 0 0)))", "TRIANGLE((0 0,2 2,2 0,0 0))"],
     "POLYGON((0 0,0 2,2 2,2 0,0 0))"),
]


@pytest.mark.parametrize("geometries,area", SENT)
def test_polygons_become_one_area(scripted_gdal, service, geometries, area):
    write(scripted_gdal.folder / "a.gpkg", "EPSG:4326", *geometries)
    open_with(scripted_gdal, AOI="a.gpkg")
    open_with(scripted_gdal, f"{NAME};aoi=a.gpkg")
    assert sent_areas(service) == [area]


def random_polygons(chance, count):
    """Some with a hole, many of which overlap."""
    made = []
    for _ in range(count):
        x, y = chance.uniform(10, 11), chance.uniform(50, 51)
        corners = chance.randrange(3, 12)
        rings = []
        for least, most in ((0.06, 0.12), (0.01, 0.02))[:chance.choice((1, 1, 2))]:
            points = [(x + radius * math.cos(angle), y + radius * math.sin(angle))
                      for angle in [2 * math.pi * i / corners for i in range(corners)]
                      for radius in [chance.uniform(least, most)]]
            rings.append("(" + ",".join(f"{a!r} {b!r}" for a, b in points + points[:1])
                         + ")")
        made.append(ogr.CreateGeometryFromWkt(f"POLYGON({','.join(rings)})"))
    return made


@pytest.mark.parametrize("seed", range(5))
def test_the_union_is_that_of_gdal(scripted_gdal, service, seed):
    polygons = random_polygons(random.Random(seed), 10 + 20 * seed)
    write(scripted_gdal.folder / "a.gpkg", "EPSG:4326", *polygons)
    together = ogr.Geometry(ogr.wkbMultiPolygon)
    for polygon in polygons:
        together.AddGeometry(polygon)
    expected = together.UnionCascaded()
    open_with(scripted_gdal, AOI="a.gpkg")
    area = ogr.CreateGeometryFromWkt(sent_areas(service)[0])
    assert area.IsValid()
    # Rounding moves each edge by less than a unit.
    assert area.SymDifference(expected).Area() < 1e-7 * expected.Boundary().Length()


def test_curves_become_lines(scripted_gdal, service):
    write(scripted_gdal.folder / "a.gpkg", "EPSG:4326",
          "CURVEPOLYGON(CIRCULARSTRING(0 0,1 1,2 0,1 -1,0 0))")
    open_with(scripted_gdal, AOI="a.gpkg")
    [area] = sent_areas(service)
    found = points(area)
    assert len(found) > 80
    assert all(abs(math.hypot(x - 1, y) - 1) < 2e-7 for x, y in found)


def test_features_are_repaired_each_for_itself(scripted_gdal, service):
    write(scripted_gdal.folder / "a.gpkg", "EPSG:4326",
          "POLYGON((0 0,2 2,0 2,2 0,0 0))", box(5, 5, 6, 6), "POLYGON((7 7,8 8,7 7,7 7))")
    open_with(scripted_gdal, AOI="a.gpkg", MAKE_VALID="YES")
    assert sent_areas(service) == [
        "MULTIPOLYGON(((5 5,5 6,6 6,6 5,5 5)),((0 2,2 2,1 1,0 2)),((0 0,1 1,2 0,0 0)))"]


# ---- where it lies ----

def test_the_same_polygons_from_any_kind_of_dataset_are_one_request(scripted_gdal,
                                                                    service):
    folder = scripted_gdal.folder
    polygons = [box(0.1, 0.2, 0.3, 0.4),
                "POLYGON((1 1,1 2,2 2,2 1,1 1),(1.5 1.5,1.6 1.5,1.6 1.6,1.5 1.5))"]
    for name, driver in (("a.gpkg", "GPKG"), ("a.geojson", "GeoJSON"),
                         ("a.shp", "ESRI Shapefile"), ("a.kml", "KML"),
                         ("a.fgb", "FlatGeobuf"), ("a.sqlite", "SQLite"),
                         ("a.gml", "GML"), ("a.tab", "MapInfo File")):
        write(folder / name, "EPSG:4326", *polygons, driver=driver)
    (folder / "a.csv").write_text("id,WKT\n" + "".join(f'1,"{wkt}"\n' for wkt in polygons))
    (folder / "a.vrt").write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource relativeToVRT="1">a.csv'
        "</SrcDataSource><LayerSRS>EPSG:4326</LayerSRS></OGRVRTLayer></OGRVRTDataSource>")
    scripted_gdal.run("/usr/bin/python3", "-m", "zipfile", "-c", "a.zip", "a.shp", "a.shx",
                      "a.dbf", "a.prj")
    (folder / "deep").mkdir()
    for source in ("a.gpkg", "a.geojson", "a.shp", "a.kml", "a.fgb", "a.sqlite", "a.gml",
                   "a.tab", "a.vrt", "a.gpkg,area", "a.gpkg, area", "/vsizip/a.zip",
                   "/vsizip/a.zip/a.shp", "deep/../a.shp", folder / "a.shp",
                   (folder / "a.geojson").read_text(), (folder / "a.vrt").read_text()
                   .replace("relativeToVRT=\"1\"", "")):
        open_with(scripted_gdal, AOI=source)
    wkt = f"MULTIPOLYGON({polygons[1][7:]},{polygons[0][7:]})"
    open_with(scripted_gdal, GEOMETRY=wkt)
    assert len(sent_areas(service)) == 1


def test_layer_is_named_where_there_are_several(scripted_gdal, service):
    folder = scripted_gdal.folder
    write(folder / "a,b.gpkg", "EPSG:4326", SQUARE, layer="one")
    open_with(scripted_gdal, AOI="a,b.gpkg")
    write(folder / "a,b.gpkg", "EPSG:4326", box(5, 5, 6, 6), layer="two")
    text = refuse(scripted_gdal, service, AOI="a,b.gpkg")
    assert "AOI a,b.gpkg has several layers with geometries; name one as <path>,<layer>: one, two" in text
    text = refuse(scripted_gdal, service, AOI="a,b.gpkg,three")
    assert ("AOI a,b.gpkg,three names a layer that the dataset does not have; its layers are "
            "one, two"
            in text)
    open_with(scripted_gdal, AOI="a,b.gpkg,one")
    open_with(scripted_gdal, f"{NAME};aoi='a,b.gpkg,two'")
    assert sent_areas(service) == [SQUARE, box(5, 5, 6, 6)]


def test_names_of_datasets_and_layers_may_have_commas(scripted_gdal, service):
    """The first part that is a dataset with such a layer counts."""
    folder = scripted_gdal.folder
    where = {"a,b.gpkg": ["one", "one,two", " three"], "a": ["one,two,three"],
             "c.gpkg": ["x,c.gpkg,y", "z"], "c.gpkg,x,c.gpkg": ["y"]}
    squares = {}
    for path, layers in where.items():
        for layer in layers:
            number = len(squares)
            squares[path, layer] = box(number, 0, number + 1, 1)
            write(folder / path, "EPSG:4326", squares[path, layer], layer=layer)
    given = [("a,b.gpkg,one", ("a,b.gpkg", "one")), ("a,b.gpkg, one", ("a,b.gpkg", "one")),
             ("a,b.gpkg,one,two", ("a,b.gpkg", "one,two")),
             ("a,one,two,three", ("a", "one,two,three")),
             ("c.gpkg,z", ("c.gpkg", "z")),
             ("c.gpkg,x,c.gpkg,y", ("c.gpkg", "x,c.gpkg,y")),
             ("c.gpkg,x,c.gpkg", ("c.gpkg,x,c.gpkg", "y"))]
    for source, _ in given:
        open_with(scripted_gdal, AOI=source)
    wanted = list(dict.fromkeys(squares[place] for _, place in given))
    assert sent_areas(service) == wanted
    text = refuse(scripted_gdal, service, AOI="a,b.gpkg,one,three")
    assert "names a layer that the dataset does not have; its layers are one,two,three" in text
    text = refuse(scripted_gdal, service, AOI="nothing,here,at,all")
    assert ("AOI nothing,here,at,all cannot be opened as a vector dataset; also tried as "
            "<path>,<layer>: ") in text


@pytest.mark.parametrize("spoil,words", [
    ("older", "whereas a number >= "), ("junk", "file is not a database"),
    ("none", "Cannot find proj.db"),
])
def test_database_of_proj_that_cannot_be_used_is_named(scripted_gdal, service, spoil,
                                                       words):
    """With such a database a file in metres is one in degrees for GDAL."""
    folder = scripted_gdal.folder
    (folder / "proj").mkdir()
    path = folder / "proj/proj.db"
    if spoil == "junk":
        path.write_bytes(b"junk" * 1000)
    if spoil == "older":
        shutil.copy(find_proj() / "proj.db", path)
        with sqlite3.connect(path) as database:
            database.execute("UPDATE metadata SET value = '0' WHERE key = "
                             "'DATABASE.LAYOUT.VERSION.MINOR'")
        database.close()
    env = {"PROJ_LIB": str(folder / "proj"), "PROJ_DATA": str(folder / "proj")}
    write(folder / "a.geojson", "EPSG:4807", SQUARE, driver="GeoJSON")
    write(folder / "a.gpkg", "EPSG:32640", box(500000, 0, 500001, 2))
    write(folder / "a.fgb", "EPSG:32640", box(500000, 0, 500001, 2), driver="FlatGeobuf")
    for values in ({"AOI": "a.geojson"}, {"AOI": "a.gpkg"}, {"AOI": "a.fgb"},
                   {"GEOMETRY": f"SRID=32640;{SQUARE}"}):
        text = refuse(scripted_gdal, service, env=env, **values)
        assert "the database of PROJ cannot be used: PROJ: " in text
        assert words in text
        assert "PROJ_DATA (PROJ_LIB), which may name the folder" in text
    open_with(scripted_gdal, env=env, GEOMETRY=SQUARE)
    assert sent_areas(service) == [SQUARE]


def test_tables_without_geometries_are_no_layers_to_choose_from(scripted_gdal, service):
    path = write(scripted_gdal.folder / "a.gpkg", "EPSG:4326", SQUARE)
    dataset = ogr.Open(str(path), 1)
    dataset.CreateLayer("notes", None, ogr.wkbNone)
    del dataset
    open_with(scripted_gdal, AOI="a.gpkg")
    assert sent_areas(service) == [SQUARE]


# ---- coordinate systems ----

def test_axis_order_of_the_layer_counts(scripted_gdal, service):
    """GML of a system whose first axis is the northing."""
    ring = "4300000 3200000 4300000 3200100 4300100 3200100 4300000 3200000"
    pairs = ring.split()
    for name, order in (("urn:ogc:def:crs:EPSG::3035", 1), ("EPSG:3035", 0)):
        listed = " ".join(" ".join((pairs[i + order], pairs[i + 1 - order]))
                          for i in range(0, len(pairs), 2))
        (scripted_gdal.folder / "a.gml").write_text(
            '<ogr:FeatureCollection xmlns:ogr="http://ogr.maptools.org/" '
            'xmlns:gml="http://www.opengis.net/gml"><gml:featureMember><ogr:a gml:id="a">'
            f'<ogr:g><gml:Polygon srsName="{name}"><gml:exterior><gml:LinearRing>'
            f'<gml:posList>{listed}</gml:posList></gml:LinearRing></gml:exterior>'
            "</gml:Polygon></ogr:g></ogr:a></gml:featureMember></ogr:FeatureCollection>")
        (scripted_gdal.folder / "a.gfs").unlink(missing_ok=True)
        open_with(scripted_gdal, AOI="a.gml")
    open_with(scripted_gdal, GEOMETRY="SRID=3035;POLYGON((4300000 3200000,4300000 "
              "3200100,4300100 3200100,4300000 3200000))")
    [area] = sent_areas(service)
    assert all(9.69 < x < 9.7 and 51.9 < y < 51.92 for x, y in points(area)), area


def distance(point, ring):
    """From a point to the edges of a ring, in degrees."""
    x, y = point
    best = math.inf
    for (ax, ay), (bx, by) in zip(ring, ring[1:]):
        dx, dy = bx - ax, by - ay
        part = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)
        part = min(1, max(0, part))
        best = min(best, math.hypot(x - ax - part * dx, y - ay - part * dy))
    return best


@pytest.mark.parametrize("code,ring", [
    (32640, [(300000, 2600000), (700000, 2700000), (650000, 2900000), (300000, 2800000)]),
    (32633, [(200000, 7000000), (800000, 7100000), (500000, 7300000)]),
    (3857, [(-2e6, -3e6), (3e6, -3e6), (4e6, 5e6), (-2e6, 4e6)]),
    (3035, [(4000000, 2500000), (5000000, 2500000), (4500000, 3500000)]),
    (27700, [(400000, 300000), (450000, 300000), (450000, 350000)]),
])
def test_straight_edges_stay_straight_in_their_own_system(scripted_gdal, service, code,
                                                          ring):
    ring.append(ring[0])
    listed = ",".join(f"{x:.3f} {y:.3f}" for x, y in ring)
    write(scripted_gdal.folder / "a.gpkg", f"EPSG:{code}", f"POLYGON(({listed}))")
    open_with(scripted_gdal, AOI="a.gpkg")
    open_with(scripted_gdal, GEOMETRY=f"SRID={code};POLYGON(({listed}))")
    [area] = sent_areas(service)
    sent = points(area)
    transform = osr.CoordinateTransformation(system(f"EPSG:{code}"), system("EPSG:4326"))
    chance = random.Random(code)
    for (ax, ay), (bx, by) in zip(ring, ring[1:]):
        for _ in range(50):
            part = chance.random()
            x, y, _ = transform.TransformPoint(ax + part * (bx - ax), ay + part * (by - ay))
            assert distance((x, y), sent) <= 1e-7
    assert len(sent) <= 4 * 4096 + 1


def test_edges_that_are_straight_already_get_no_points(scripted_gdal, service):
    write(scripted_gdal.folder / "a.gpkg", "EPSG:3857",
          "POLYGON((0 0,0 4000000,3000000 4000000,3000000 0,0 0))")
    open_with(scripted_gdal, AOI="a.gpkg")
    assert len(points(sent_areas(service)[0])) == 5


def test_other_geographic_systems_are_brought_to_this_one(scripted_gdal, service):
    write(scripted_gdal.folder / "a.gpkg", "EPSG:4258", box(10, 50, 11, 51))
    write(scripted_gdal.folder / "paris.gpkg", "EPSG:4807", "POLYGON((2 50,2 51,3 51,2 50))")
    open_with(scripted_gdal, AOI="a.gpkg")
    open_with(scripted_gdal, AOI="paris.gpkg")
    same, paris = sent_areas(service)
    assert same == box(10, 50, 11, 51)
    # Grads east of Paris.
    assert all(4.1 < x < 5.1 and 44.9 < y < 46 for x, y in points(paris)), paris


@pytest.mark.parametrize("code,ring", [
    (3832, [(3000000, -100000), (3500000, -100000), (3500000, 100000), (3000000, 100000)]),
    (32660, [(700000, 100000), (1100000, 100000), (1100000, 200000), (700000, 200000)]),
    (32601, [(-100000, 100000), (300000, 100000), (300000, 200000), (-100000, 200000)]),
])
def test_projected_areas_are_cut_at_the_antimeridian(scripted_gdal, service, code, ring):
    ring.append(ring[0])
    listed = ",".join(f"{x} {y}" for x, y in ring)
    write(scripted_gdal.folder / "a.gpkg", f"EPSG:{code}", f"POLYGON(({listed}))")
    open_with(scripted_gdal, AOI="a.gpkg")
    area = ogr.CreateGeometryFromWkt(sent_areas(service)[0])
    assert area.GetGeometryCount() == 2 and area.IsValid()
    ends = sorted(area.GetGeometryRef(i).GetEnvelope()[:2] for i in range(2))
    assert ends[0][0] == -180 and ends[0][1] < -170
    assert ends[1][1] == 180 and ends[1][0] > 170


def rings_of(area):
    """How many rings each polygon has."""
    polygons = [area] if area.GetGeometryType() == ogr.wkbPolygon else area
    return [polygon.GetGeometryCount() for polygon in polygons]


@pytest.mark.parametrize("code,pole", [(3031, -90), (3413, 90), (5041, 90), (3995, 90)])
def test_area_around_a_pole_reaches_it(scripted_gdal, service, code, pole):
    offset = 2000000 if code == 5041 else 0
    hole = box(*[offset + n for n in (2e5, 2e5, 3e5, 3e5)])[7:]
    shell = box(*[offset + n for n in (-1e6, -1e6, 1e6, 1e6)])
    write(scripted_gdal.folder / "a.gpkg", f"EPSG:{code}", f"{shell[:-1]},{hole[1:]}")
    open_with(scripted_gdal, AOI="a.gpkg")
    area = ogr.CreateGeometryFromWkt(sent_areas(service)[0])
    assert area.IsValid()
    west, east, south, north = area.GetEnvelope()
    assert (west, east) == (-180, 180)
    assert (south if pole < 0 else north) == pole
    assert 70 < abs(north if pole < 0 else south) < 85
    assert rings_of(area) == [2]


def test_as_is_takes_coordinates_without_a_system(scripted_gdal, service):
    write(scripted_gdal.folder / "a.shp", None, box(500000, 0, 500001, 2),
          driver="ESRI Shapefile")
    write(scripted_gdal.folder / "b.gpkg", "EPSG:32640", box(500000, 0, 500001, 2))
    open_with(scripted_gdal, AOI="a.shp", GEOMETRY_CRS="AS_IS")
    open_with(scripted_gdal, AOI="b.gpkg", env={"GIQ_GEOMETRY_CRS": "AS_IS"})
    assert sent_areas(service) == [box(500000, 0, 500001, 2)]


# ---- placeholders for a coordinate system ----

def with_srs_id(path, srs_id):
    """Change what a GeoPackage says of its layer's system."""
    with sqlite3.connect(path) as database:
        for table in ("gpkg_geometry_columns", "gpkg_contents"):
            database.execute(f"UPDATE {table} SET srs_id = ?", (srs_id,))
    database.close()
    return path


SITE = 'LOCAL_CS["Site",UNIT["m",1]]'
PLACEHOLDERS = [
    # driver, ending, the system or the number of a GeoPackage's, its name
    ("GPKG", "gpkg", 0, "Undefined geographic SRS"),
    ("GPKG", "gpkg", -1, "Undefined Cartesian SRS"),
    ("GPKG", "gpkg", SITE, "Site"),
    ("ESRI Shapefile", "shp", SITE, "Site"),
    ("FlatGeobuf", "fgb", 'ENGCRS["Site",EDATUM["here"],CS[Cartesian,2],AXIS["x",east],'
     'AXIS["y",north],LENGTHUNIT["metre",1]]', "Site"),
    ("FlatGeobuf", "fgb", f'COMPD_CS["Site and height",{SITE},VERT_CS["height",VERT_DATUM['
     '"height",2005],UNIT["m",1]]]', "Site and height"),
    ("MapInfo File", "tab", SITE, "Nonearth"),
]


@pytest.mark.parametrize("driver,ending,srs,name", PLACEHOLDERS)
def test_placeholder_is_no_coordinate_system(scripted_gdal, service, driver, ending, srs,
                                             name):
    is_number = isinstance(srs, int)
    path = write(scripted_gdal.folder / f"a.{ending}", "EPSG:4326" if is_number else srs,
                 box(1, 2, 3, 4), driver=driver)
    if is_number:
        with_srs_id(path, srs)
    text = refuse(scripted_gdal, service, AOI=path.name)
    assert (f'the layer {"a" if ending in ("shp", "tab") else "area"} of AOI {path.name} has '
            f'the coordinate system "{name}", which gives no position on Earth; '
            "assign one, for example with ogr2ogr -a_srs EPSG:<code>, or send its coordinates "
            "as they are with GEOMETRY_CRS=AS_IS") in text
    open_with(scripted_gdal, AOI=path.name, GEOMETRY_CRS="AS_IS")
    [area] = sent_areas(service)
    # A table of MapInfo rounds to a grid of its own, whose step is 0.01 here.
    digits = 1 if driver == "MapInfo File" else 7
    assert [(round(x, digits), round(y, digits)) for x, y in points(area)] == points(
        box(1, 2, 3, 4))


def test_heights_alone_are_no_coordinate_system(scripted_gdal, service):
    text = refuse(scripted_gdal, service, GEOMETRY=f"SRID=5773;{SQUARE}")
    assert ('the SRID 5773 of the area ("EGM96 height") gives no position on Earth'
            in text)


def test_system_with_a_height_counts(scripted_gdal, service):
    """NAD83 and a height; a projected system that nobody named."""
    open_with(scripted_gdal, GEOMETRY=f"SRID=5498;{box(-80, 40, -79, 41)}")
    unnamed = system("EPSG:32640").ExportToWkt().replace("WGS 84 / UTM zone 40N",
                                                         "Undefined projection", 1)
    write(scripted_gdal.folder / "a.shp", unnamed, box(500000, 0, 500010, 20),
          driver="ESRI Shapefile")
    open_with(scripted_gdal, AOI="a.shp")
    assert len(sent_areas(service)) == 2


# ---- what is no area ----

def test_dataset_without_an_area_is_an_error_with_advice(scripted_gdal, service):
    folder = scripted_gdal.folder
    write(folder / "bad.gpkg", "EPSG:4326", SQUARE, "POLYGON((0 0,9 9,0 9,9 0,0 0))")
    write(folder / "flat.gpkg", "EPSG:4326", "POLYGON((0 0,1 1,0 0,0 0))")
    write(folder / "points.gpkg", "EPSG:4326", "POINT(1 2)", "LINESTRING(0 0,1 1)")
    write(folder / "none.gpkg", "EPSG:4326")
    write(folder / "bare.shp", None, SQUARE, driver="ESRI Shapefile")
    write(folder / "far.gpkg", "EPSG:4326", box(0, 0, 1, 91))
    write(folder / "metres.gpkg", "EPSG:4326", box(500000, 0, 500100, 80))
    write(folder / "long.gpkg", "EPSG:4326", box(-179, 0, 179, 1))
    write(folder / "lost.gpkg", "EPSG:32640", box(1e8, 0, 2e8, 1e8))
    write(folder / "local.gpkg", 'LOCAL_CS["Site",UNIT["m",1]]', SQUARE)
    (folder / "table.csv").write_text("a,b\n1,2\n")
    (folder / "text.txt").write_text("nothing")
    (folder / "empty").mkdir()
    (folder / "cut.gpkg").write_bytes((folder / "bad.gpkg").read_bytes()[:2000])
    cases = [
        ("bad.gpkg", "the feature 2 of the layer area is not valid: Self-intersection at "),
        ("flat.gpkg", "the feature 1 of the layer area encloses no area; MAKE_VALID=YES"),
        ("points.gpkg", "the layer area of AOI points.gpkg contains no polygons"),
        ("none.gpkg", "the layer area of AOI none.gpkg contains no polygons"),
        ("table.csv", "AOI table.csv has no layer with geometries"),
        ("bare.shp", "has no coordinate system; assign one, for example with ogr2ogr"),
        ("far.gpkg", "91, which is out of range"),
        ("metres.gpkg", "which is out of range"),
        ("long.gpkg", "spans more than half the world"),
        ("lost.gpkg", "cannot be transformed from WGS 84 / UTM zone 40N to longitude and "
         "latitude"),
        ("local.gpkg", 'has the coordinate system "Site", which gives no position on Earth; '
         "assign one"),
        ("missing.gpkg", "AOI missing.gpkg cannot be opened as a vector dataset: "),
        ("missing,layer", "AOI missing,layer cannot be opened as a vector dataset; also tried "
         "as <path>,<layer>: "),
        ("text.txt", "AOI text.txt cannot be opened as a vector dataset"),
        ("cut.gpkg", "cut.gpkg"),
        ("empty", "AOI empty cannot be opened as a vector dataset"),
        ("GIQ:model=m;file=g", "AOI must not be a GIQ: dataset"),
        ("giq:job=1", "AOI must not be a GIQ: dataset"),
    ]
    for source, words in cases:
        assert words in refuse(scripted_gdal, service, AOI=source), source


def test_value_that_ends_in_a_slash_is_an_error(scripted_gdal, service):
    write(scripted_gdal.folder / "a.gpkg", "EPSG:4326", SQUARE)
    assert "ends in '/'" in refuse(scripted_gdal, service, tag="usage", AOI="a.gpkg/")
    assert "ends in '/'" in refuse(scripted_gdal, service, f"{NAME};aoi=a.gpkg/",
                                   tag="usage")


VRT = ('<OGRVRTDataSource><OGRVRTLayer name="result"><SrcDataSource>{}</SrcDataSource>'
       "{}</OGRVRTLayer></OGRVRTDataSource>")


def test_area_cannot_come_from_a_job_through_a_vrt(scripted_gdal, service):
    open_with(scripted_gdal, "GIQ:model=m;file=published")
    for source in ("GIQ:model=m;file=g", "GIQ:model=m;file=published", "GIQ:jobs"):
        for number, more in enumerate(("", "<SrcLayer>result</SrcLayer>",
                                       "<GeometryType>wkbPolygon</GeometryType>")):
            path = scripted_gdal.folder / f"{number}.vrt"
            path.write_text(VRT.format(source, more))
            text = refuse(scripted_gdal, service, AOI=path.name)
            assert "cannot come from a GIQ: dataset" in text
    outer = scripted_gdal.folder / "outer.vrt"
    outer.write_text(VRT.format("0.vrt", ""))
    refuse(scripted_gdal, service, AOI="outer.vrt")
    # What was refused within is allowed afterwards.
    open_with(scripted_gdal, "GIQ:model=m;file=g")


def test_secrets_in_the_name_of_a_dataset_are_not_repeated(scripted_gdal, service):
    for source in ("PG:dbname=x host=127.0.0.1 port=1 password=hunter2",
                   "/vsicurl/http://127.0.0.1:1/a.gpkg?sig=hunter2",
                   "/vsicurl/http://me:hunter2@127.0.0.1:1/a.gpkg",
                   "/vsicurl/http://127.0.0.1:1/a.gpkg?sig=hunter2,layer",
                   "/vsicurl/http://127.0.0.1:1/a.gpkg#hunter2"):
        assert "hunter2" not in refuse(scripted_gdal, service, AOI=source)


def test_more_than_a_million_vertices_is_an_error_with_the_way_to_simplify(scripted_gdal,
                                                                           service):
    """Circles far from each other, whose points add up."""
    count, each = 300, 3400
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(
        str(scripted_gdal.folder / "many.gpkg"))
    layer = dataset.CreateLayer("area", system("EPSG:4326"), ogr.wkbPolygon)
    layer.StartTransaction()
    for number in range(count):
        ring = ogr.Geometry(ogr.wkbLinearRing)
        for at in range(each):
            angle = 2 * math.pi * at / each
            ring.AddPoint_2D(number % 20 * 5 - 60 + math.cos(angle),
                             number // 20 * 5 - 40 + math.sin(angle))
        ring.CloseRings()
        polygon = ogr.Geometry(ogr.wkbPolygon)
        polygon.AddGeometry(ring)
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometryDirectly(polygon)
        layer.CreateFeature(feature)
    layer.CommitTransaction()
    del layer, dataset
    text = refuse(scripted_gdal, service, AOI="many.gpkg")
    assert f"has {count * each} points, more than 1000000: simplify it" in text
    scripted_gdal.run("ogr2ogr", "-simplify", "0.001", "simple.gpkg", "many.gpkg")
    open_with(scripted_gdal, AOI="simple.gpkg")
    assert len(points(sent_area(service.calls("run")[0]))) < 200 * count


def test_banks_of_a_river_are_compared_by_an_index(scripted_gdal, service):
    """Two polygons that are close all along and do not touch: comparing each edge with
    each takes longer than a program may run."""
    count = 200000

    def bank(shift, far):
        ring = ogr.Geometry(ogr.wkbLinearRing)
        for at in range(count):
            x = at / count
            ring.AddPoint_2D(x, 0.02 * math.sin(40 * x) + 0.003 * math.sin(3333 * x) + shift)
        ring.AddPoint_2D(1, far)
        ring.AddPoint_2D(0, far)
        ring.CloseRings()
        polygon = ogr.Geometry(ogr.wkbPolygon)
        polygon.AddGeometry(ring)
        return polygon
    write(scripted_gdal.folder / "a.gpkg", "EPSG:4326", bank(0, -1), bank(1e-4, 1))
    open_with(scripted_gdal, AOI="a.gpkg")
    [sent] = sent_areas(service)
    assert sent.startswith("MULTIPOLYGON") and sent.count("((") == 2
    assert len(points(sent)) == 2 * (count + 3)


def test_nothing_of_gdal_is_left_in_the_error_state(scripted_gdal, service):
    write(scripted_gdal.folder / "a.gpkg", "EPSG:4326", SQUARE)
    (scripted_gdal.folder / "a.vrt").write_text(
        VRT.format("a.gpkg", "<SrcLayer>area</SrcLayer>"))
    script = """
import sys
from osgeo import gdal
gdal.UseExceptions()
for source in sys.argv[1:]:
    assert gdal.OpenEx("GIQ:model=m;file=f", open_options=["AOI=" + source])
    assert gdal.GetLastErrorMsg() == "", gdal.GetLastErrorMsg()
"""
    scripted_gdal.python(script, "a.gpkg", "a.gpkg,area", "a.vrt")
    assert sent_areas(service) == [SQUARE]
