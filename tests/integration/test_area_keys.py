"""The key of an area: random polygons written in every way are one request, and what
differs in one digit is another."""
import json
import math
import random

import pytest
from osgeo import ogr, osr

from areas import OPEN_ALL, points, sent_areas, system, write

UNITS = 10 ** 7


# ---- shapes: polygons of rings of points, in units of 1e-7 degree ----

def make_ring(chance, x, y, least, most, count):
    """A closed ring around a point whose edges are short and do not cross."""
    angles = [2 * math.pi * (i + 0.8 * chance.random()) / count for i in range(count)]
    ring = []
    for angle in angles:
        radius = chance.uniform(least, most)
        ring.append((round(x + radius * math.cos(angle)),
                     round(y + radius * math.sin(angle))))
    return ring + ring[:1]


def make_shape(chance):
    """Some polygons apart from each other, of at most 200 m, with holes."""
    x0 = chance.randrange(-179 * UNITS, 179 * UNITS)
    y0 = chance.randrange(-60 * UNITS, 60 * UNITS)
    shape = []
    for part in range(chance.choice((1, 1, 2, 4))):
        x, y = x0 + part * 30000, y0 + chance.randrange(-9000, 9000)
        rings = [make_ring(chance, x, y, 6000, 9000, chance.randrange(8, 40))]
        for hole in range(chance.choice((0, 0, 1, 3))):
            rings.append(make_ring(chance, x + 2000 * hole - 2000, y, 300, 900,
                                   chance.randrange(3, 9)))
        shape.append(rings)
    return shape


def nudge(chance, shape):
    """The shape with one point of a shell a unit further east."""
    rings = [[list(ring) for ring in polygon] for polygon in shape]
    ring = chance.choice(rings)[0]
    at = chance.randrange(1, len(ring) - 1)
    ring[at] = (ring[at][0] + 1, ring[at][1])
    return rings


# ---- ways to write a shape ----

def shuffled(chance, shape):
    """Rings begin at any vertex and run either way, polygons and holes come in any order."""
    def turn(ring):
        start = chance.randrange(len(ring) - 1)
        turned = ring[start:-1] + ring[:start]
        turned = turned + turned[:1]
        return turned[::-1] if chance.random() < 0.5 else turned
    made = []
    for shell, *holes in shape:
        holes = [turn(hole) for hole in holes]
        chance.shuffle(holes)
        made.append([turn(shell)] + holes)
    chance.shuffle(made)
    return made


def number(chance, units):
    """A number that rounds to these units."""
    noise = chance.choice((0, chance.randrange(-49, 50)))
    text = "%s%d.%09d" % ("-" if units * 100 + noise < 0 else "",
                          *divmod(abs(units * 100 + noise), 100 * UNITS))
    return chance.choice((text, text.rstrip("0") if noise == 0 else text,
                          f"{float(text):.12e}", ("+" + text).replace("+-", "-")))


def listed(chance, ring, more=""):
    pairs = []
    for x, y in ring[:-1]:
        pairs.append(f"{number(chance, x)} {number(chance, y)}{more}")
        if chance.random() < 0.1:
            pairs.append(pairs[-1])
    pairs.append(pairs[0])
    space = chance.choice(("", " ", "\n"))
    return "(" + f",{space}".join(pairs) + ")"


def as_wkt(chance, shape):
    kind, more = chance.choice((("", ""), (" Z", " 7"), (" ZM", " 7 8"), ("", " 1e3")))
    polygons = ["(" + ",".join(listed(chance, ring, more) for ring in polygon) + ")"
                for polygon in shuffled(chance, shape)]
    if len(polygons) == 1 and chance.random() < 0.5:
        wkt = f"POLYGON{kind}{polygons[0]}"
    else:
        wkt = f"MULTIPOLYGON{kind}({','.join(polygons)})"
    return chance.choice((wkt, wkt.lower(), f"  {wkt}\n"))


def as_geometries(shape, transform=None):
    """Polygons of OGR's, in another system where there is a transformation."""
    made = []
    for polygon in shape:
        geometry = ogr.Geometry(ogr.wkbPolygon)
        for ring in polygon:
            line = ogr.Geometry(ogr.wkbLinearRing)
            for x, y in ring:
                line.AddPoint_2D(x / UNITS, y / UNITS)
            geometry.AddGeometryDirectly(line)
        if transform is not None:
            geometry.Transform(transform)
        made.append(geometry)
    return made


def zone_of(shape):
    """The UTM zone in which the shape lies."""
    x, y = shape[0][0][0]
    return (32600 if y > 0 else 32700) + int((x / UNITS + 180) // 6) + 1


def exact_wkt(geometries):
    """Text with all digits of the numbers."""
    def ring(line):
        return "(" + ",".join(f"{x!r} {y!r}" for x, y in line.GetPoints()) + ")"
    return "MULTIPOLYGON(" + ",".join(
        "(" + ",".join(ring(geometry.GetGeometryRef(i))
                       for i in range(geometry.GetGeometryCount())) + ")"
        for geometry in geometries) + ")"


def ways(chance, folder, name, shape):
    """Open options that all mean the shape."""
    (folder / f"{name}.wkt").write_text(as_wkt(chance, shape))
    made = [{"GEOMETRY": as_wkt(chance, shape)} for _ in range(4)]
    made.append({"GEOMETRY": f"@{name}.wkt"})
    made += [{"GEOMETRY": f"SRID={code};{as_wkt(chance, shape)}"} for code in (0, 4326)]
    made.append({"GEOMETRY": f"SRID=4258;{exact_wkt(as_geometries(shape))}"})
    for ending, driver in (("gpkg", "GPKG"), ("geojson", "GeoJSON"), ("kml", "KML"),
                           ("shp", "ESRI Shapefile"), ("fgb", "FlatGeobuf")):
        path = write(folder / f"{name}.{ending}", "EPSG:4326",
                     *as_geometries(shuffled(chance, shape)), driver=driver)
        made.append({"AOI": path.name})
    together = ogr.Geometry(ogr.wkbMultiPolygon)
    for geometry in as_geometries(shuffled(chance, shape)):
        together.AddGeometry(geometry)
    path = write(folder / f"{name}-one.gpkg", "EPSG:4326", together)
    made.append({"AOI": path.name})
    return made + in_metres(chance, folder, name, shape)


def in_metres(chance, folder, name, shape):
    """Edges are so short that they are as straight in degrees."""
    made = []
    for code in (zone_of(shape), 3857):
        transform = osr.CoordinateTransformation(system("EPSG:4326"),
                                                 system(f"EPSG:{code}"))
        geometries = as_geometries(shuffled(chance, shape), transform)
        made.append({"GEOMETRY": f"SRID={code};{exact_wkt(geometries)}"})
        path = write(folder / f"{name}-{code}.gpkg", f"EPSG:{code}", *geometries)
        made.append({"AOI": path.name})
    return made


def open_all(gdal, values):
    listing = gdal.folder / "options.json"
    listing.write_text(json.dumps([[f"{k}={v}" for k, v in one.items()]
                                   for one in values]))
    gdal.python(OPEN_ALL, listing)


@pytest.mark.parametrize("seed", range(20))
def test_a_shape_is_one_request_however_it_is_written(scripted_gdal, service, seed):
    chance = random.Random(seed)
    shape = make_shape(chance)
    values = ways(chance, scripted_gdal.folder, "a", shape)
    chance.shuffle(values)
    open_all(scripted_gdal, values)
    [area] = sent_areas(service)
    given = {(x / UNITS, y / UNITS) for polygon in shape for ring in polygon
             for x, y in ring}
    assert set(points(area)) == given


def spoiled(chance, shape):
    """The shape with more polygons: one that overlaps, one that crosses itself, and one
    that is there twice."""
    x, y = shape[0][0][0]
    side = 12000
    box = [(x, y), (x, y + side), (x + side, y + side), (x + side, y), (x, y)]
    knot = [(x - side, y), (x + side, y + side), (x - side, y + side), (x + side, y),
            (x - side, y)]
    made = shape + [[box], [knot], shape[-1]]
    chance.shuffle(made)
    return made


@pytest.mark.parametrize("seed", range(10))
def test_repaired_polygons_are_one_request_however_they_are_given(scripted_gdal, service,
                                                                  seed):
    chance = random.Random(seed)
    folder = scripted_gdal.folder
    shape = spoiled(chance, make_shape(chance))
    together = ogr.Geometry(ogr.wkbMultiPolygon)
    for geometry in as_geometries(shape):
        together.AddGeometry(geometry)
    write(folder / "many.gpkg", "EPSG:4326", *as_geometries(shuffled(chance, shape)))
    write(folder / "one.gpkg", "EPSG:4326", together)
    wkt = exact_wkt(as_geometries(shuffled(chance, shape)))
    values = [{"GEOMETRY": wkt}, {"GEOMETRY": f"SRID=4326;{wkt}"}, {"AOI": "many.gpkg"},
              {"AOI": "one.gpkg"}]
    open_all(scripted_gdal, [{**value, "MAKE_VALID": "YES"} for value in values])
    [area] = sent_areas(service)
    expected = ogr.Geometry(ogr.wkbPolygon)
    for geometry in as_geometries(shape):
        expected = expected.Union(geometry.MakeValid())
    sent = ogr.CreateGeometryFromWkt(area)
    assert sent.SymDifference(expected).Area() < 1e-7 * expected.Boundary().Length()


def test_different_shapes_are_different_requests(scripted_gdal, service):
    chance = random.Random(1)
    shapes = []
    for _ in range(60):
        shape = make_shape(chance)
        shapes += [shape, nudge(chance, shape)]
        if len(shape) > 1:
            shapes.append(shape[1:])
        if len(shape[0]) > 1:
            shapes.append([shape[0][:-1]] + shape[1:])
    open_all(scripted_gdal, [{"GEOMETRY": as_wkt(chance, shape)} for shape in shapes])
    areas = sent_areas(service)
    assert len(areas) == len(shapes) == len(set(areas))
    assert len(scripted_gdal.records()) == len(shapes)


@pytest.mark.parametrize("seed", range(10))
def test_boxes_are_one_request_however_they_are_written(scripted_gdal, service, seed):
    chance = random.Random(seed)
    west, east = (chance.randrange(-180 * UNITS, 180 * UNITS) for _ in range(2))
    south, north = sorted(chance.randrange(-90 * UNITS, 90 * UNITS) for _ in range(2))
    # An edge that is longer than half the world needs a point in between at another location.
    east = west + (east - west) % (180 * UNITS)
    if chance.random() < 0.5:
        west, east = west - 180 * UNITS, east - 180 * UNITS
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    write(scripted_gdal.folder / "a.gpkg", "EPSG:4326", *as_geometries([[ring]]))
    half_turn = 180 * UNITS
    ends = [(end + half_turn) % (2 * half_turn) - half_turn for end in (west, east)]
    box = ",".join(number(chance, n) for n in (ends[0], south, ends[1], north))
    values = [{"AOI": "a.gpkg"}, {"BBOX": box},
              {"GEOMETRY": f"SRID=4326;{as_wkt(chance, [[ring]])}"}]
    if -half_turn <= west and east <= half_turn:
        values.append({"GEOMETRY": as_wkt(chance, [[ring]])})
    open_all(scripted_gdal, values)
    assert len(sent_areas(service)) == 1


def test_vertices_keep_their_digits_where_edges_need_points_in_between(scripted_gdal,
                                                                       service):
    """An edge that is straight in metres is not straight in degrees: that is another
    area, which holds the points of both ends."""
    chance = random.Random(7)
    shape = [[[(x, y) for x, y in ((550000000, 240000000), (553000000, 240000000),
                                   (553000000, 243000000), (550000000, 240000000))]]]
    open_all(scripted_gdal, [{"GEOMETRY": as_wkt(chance, shape)}]
             + in_metres(chance, scripted_gdal.folder, "a", shape))
    in_degrees, in_utm, in_mercator = map(points, sent_areas(service))
    assert len(in_degrees) == 4 and len(in_utm) > 20 and len(in_mercator) > 20
    assert set(in_degrees) < set(in_utm) and set(in_degrees) < set(in_mercator)
