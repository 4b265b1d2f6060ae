"""Areas at the poles, in systems where a pole is one point: whichever way a ring comes to
a pole, what is sent is what was given. Points of the globe tell: each lies in both or in
neither."""
import json
import math
import random

import pytest
from osgeo import ogr, osr

from areas import OPEN_ALL, open_with, refuse, sent_areas, system, write

# The pole that is a point of the system, and how far from it areas go, in metres.
SYSTEMS = {
    3995: (90, 1e6), 3413: (90, 1e3), 3996: (90, 3e3), 5041: (90, 2e3), 5936: (90, 1e4),
    6931: (90, 4e3), 3571: (90, 1e3), 3031: (-90, 4e4), 3976: (-90, 1e3),
    3032: (-90, 2e3), 5042: (-90, 5e3), 6932: (-90, 4e3),
    # Poles that are not the origin of the system.
    32633: (90, 2e3), 32733: (-90, 3e4), 3035: (90, 5e3), 3573: (90, 1e4),
}
EVERY_QUADRANT = (3995, 3413, 3031, 3976)
QUADRANTS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
FURTHER_QUADRANTS = ("+1-1", "-1+1", "-1-1")  # whose areas are given as text alone
MOST_SECONDS = 500


def box(minx, miny, maxx, maxy):
    return [(minx, miny), (maxx, miny), (maxx, maxy), (minx, maxy)]


def shapes(code):
    """Names and polygons, as rings of points, for a pole at 0 0 and a distance of 1."""
    whole = box(-1, -1, 1, 1)
    for x, y in QUADRANTS if code in EVERY_QUADRANT else QUADRANTS[1:2]:
        corner = [(0, 0), (x, 0), (x, y), (0, y)]
        small = [(0, 0), (x / 2, 0), (x / 2, y / 2), (0, y / 2)]
        narrow = [(0, 0), (x / 3, y / 9), (x / 9, y / 3)]
        where = f"{x:+d}{y:+d}"
        yield f"corner {where}", [[corner]]
        yield f"corner, begun at another vertex {where}", [[corner[2:] + corner[:2]]]
        yield f"corner, run the other way {where}", [[corner[::-1]]]
        yield f"reflex corner {where}", [[[(0, 0), (x, 0), (x, -y), (-x, -y), (-x, y),
                                           (0, y)]]]
        yield f"hole with a corner {where}", [[whole, small]]
        yield f"hole and shell touch {where}", [[corner, narrow]]
        yield f"corner of two {where}", [[corner], [[(0, 0), (-x, -y / 2), (-x / 2, -y)]]]
        yield f"hole near a corner {where}", [[corner, [(x / 3, y / 3), (x / 2, y / 3),
                                                        (x / 3, y / 2)]]]
        yield f"edge along x {where}", [[[(-x, 0), (x * 0.7, 0), (x, y), (-x, y)]]]
        yield f"edge along y {where}", [[[(0, -y), (0, y * 0.3), (x, y), (x, -y)]]]
        yield f"edge askew {where}", [[[(-x, -y), (x / 2, y / 2), (-x, y)]]]
        yield f"edge of a hole {where}", [[whole, [(-x / 2, 0), (x / 3, 0), (0, y / 2)]]]
        yield f"edge that misses it {where}", [[[(-x, y * 1e-7), (x * 0.7, y * 1e-7),
                                                 (x, y), (-x, y)]]]
        yield f"corner beside it {where}", [[[(x * 1e-6, y * 1e-6), (x, 0), (0, y)]]]
    yield "within", [[whole]]
    yield "within, clockwise", [[whole[::-1]]]
    # From the first point the pole cannot be seen.
    bay = [(-0.5, 0.8), (-0.9, 0.9), (-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.7, 0.2),
           (-0.6, 0.4), (0.5, 0.9)]
    yield "within, behind a bay", [[bay]]
    yield "within, behind a step", [[[(0, 0.5), (0, 0.2), (0.7, 0.2), (0.7, -0.6),
                                      (-0.6, -0.6), (-0.6, 0.5)]]]
    yield "within, behind a bay of a hole", [[whole, bay]]
    yield "within a hole", [[whole, box(-0.2, -0.3, 0.4, 0.1)]]
    yield "within, beside a hole", [[whole, box(0.2, 0.3, 0.4, 0.5)]]
    yield "away", [[box(0.2, 0.3, 0.4, 0.5)]]


def placed(code, shape):
    """The shape in the system, around its pole: a MULTIPOLYGON of OGR's."""
    lat, metres = SYSTEMS[code]
    transform = osr.CoordinateTransformation(system("EPSG:4326"), system(f"EPSG:{code}"))
    x0, y0, _ = transform.TransformPoint(0.0, float(lat))
    made = ogr.Geometry(ogr.wkbMultiPolygon)
    for rings in shape:
        polygon = ogr.Geometry(ogr.wkbPolygon)
        for ring in rings:
            line = ogr.Geometry(ogr.wkbLinearRing)
            for x, y in ring + ring[:1]:
                line.AddPoint_2D(x0 + x * metres, y0 + y * metres)
            polygon.AddGeometryDirectly(line)
        made.AddGeometryDirectly(polygon)
    assert made.IsValid()
    return made


def exact_wkt(geometry):
    """Text with all digits of the numbers."""
    def ring(line):
        return "(" + ",".join(f"{x!r} {y!r}" for x, y in line.GetPoints()) + ")"
    return "MULTIPOLYGON(" + ",".join(
        "(" + ",".join(map(ring, polygon)) + ")" for polygon in geometry) + ")"


def point(x, y):
    made = ogr.Geometry(ogr.wkbPoint)
    made.AddPoint_2D(x, y)
    return made


def samples(chance, given, to_degrees, lat):
    """Points of the globe as longitude and latitude: in the extent of the area, close to
    the pole, and anywhere."""
    west, east, south, north = given.GetEnvelope()
    for _ in range(50):
        yield to_degrees.TransformPoint(chance.uniform(west, east),
                                        chance.uniform(south, north))[:2]
    for _ in range(25):
        yield chance.uniform(-180, 180), lat - math.copysign(10 ** chance.uniform(-5, 1),
                                                             lat)
    for _ in range(25):
        yield chance.uniform(-180, 180), math.degrees(math.asin(chance.uniform(-1, 1)))


def is_given(given, boundary, tolerance, from_degrees, lon, lat):
    """Whether a point lies in the area that was given; None where it is at its edge."""
    try:
        x, y, _ = from_degrees.TransformPoint(lon, lat)
    except RuntimeError:
        return False
    if not (abs(x) < 1e9 and abs(y) < 1e9):
        return False
    where = point(x, y)
    return None if boundary.Distance(where) < tolerance else given.Contains(where)


def check(code, name, given, sent):
    area = ogr.CreateGeometryFromWkt(sent)
    assert area.IsValid(), name
    west, east, south, north = area.GetEnvelope()
    assert -180 <= west < east <= 180 and -90 <= south < north <= 90, name
    to_degrees, from_degrees = (
        osr.CoordinateTransformation(system(one), system(other)) for one, other in
        ((f"EPSG:{code}", "EPSG:4326"), ("EPSG:4326", f"EPSG:{code}")))
    chance = random.Random(name)
    boundary = given.GetBoundary()
    # An edge that passes close to a pole is sent in 4096 parts and no more.
    tolerance = SYSTEMS[code][1] * (1e-3 if " it " in name else 1e-5)
    prepared = area.CreatePreparedGeometry()
    for lon, lat in samples(chance, given, to_degrees, SYSTEMS[code][0]):
        expected = is_given(given, boundary, tolerance, from_degrees, lon, lat)
        if expected is not None:
            assert prepared.Contains(point(lon, lat)) == expected, (name, lon, lat)


@pytest.mark.parametrize("code", SYSTEMS)
def test_area_at_a_pole_is_sent_as_it_is(scripted_gdal, service, code):
    """As text and from a dataset: one request for each, for the right area."""
    osr.UseExceptions()
    folder = scripted_gdal.folder
    named = [(name, placed(code, shape)) for name, shape in shapes(code)]
    values = []
    for number, (name, geometry) in enumerate(named):
        (folder / f"{number}.wkt").write_text(f"SRID={code};{exact_wkt(geometry)}")
        values.append([f"GEOMETRY=@{number}.wkt"])
        if code not in EVERY_QUADRANT or not name.endswith(FURTHER_QUADRANTS):
            path = write(folder / f"{number}.fgb", f"EPSG:{code}", geometry,
                         driver="FlatGeobuf")
            values.append([f"AOI={path.name}"])
    (folder / "options.json").write_text(json.dumps(values))
    scripted_gdal.run("/usr/bin/python3", "-c", OPEN_ALL, "options.json",
                      timeout=MOST_SECONDS)
    # A ring that begins at another vertex, or runs the other way, is the same area.
    kept = [(name, geometry) for name, geometry in named
            if "begun" not in name and "other way" not in name]
    sent = sent_areas(service)
    assert len(sent) == len(kept)
    for (name, geometry), area in zip(kept, sent):
        check(code, name, geometry, area)


def test_both_poles_may_be_corners(scripted_gdal, service):
    """A quarter of the world in Mollweide's projection, from pole to pole."""
    moll = system("ESRI:54009")
    transform = osr.CoordinateTransformation(system("EPSG:4326"), moll)
    ring = [transform.TransformPoint(lon, lat)[:2] for lon, lat in
            [(0.0, 90.0)] + [(30.0, float(lat)) for lat in range(85, -90, -5)]
            + [(0.0, -90.0)] + [(120.0, float(lat)) for lat in range(-85, 90, 5)]]
    ring.append(ring[0])
    for number, one in enumerate((ring, ring[::-1], ring[20:] + ring[1:21])):
        wkt = "POLYGON((" + ",".join(f"{x!r} {y!r}" for x, y in one) + "))"
        write(scripted_gdal.folder / f"{number}.gpkg", "ESRI:54009", wkt)
        open_with(scripted_gdal, AOI=f"{number}.gpkg")
    [sent] = sent_areas(service)
    area = ogr.CreateGeometryFromWkt(sent)
    for lon, lat, expected in ((75, 0, True), (75, 84, True), (75, -84, True),
                               (20, 0, False), (130, 0, False), (-75, 0, False),
                               (-75, 89, False), (-75, -89, False), (5, 89, False)):
        assert area.Contains(point(lon, lat)) == expected, (lon, lat)


# The cone of Lambert's projection is cut open behind the pole, along x = 0.
TORN = [
    [(-1e5, 5e6), (1e5, 5e6), (1e5, 5.2e6), (-1e5, 5.2e6)],
    [(-1e6, 4e6), (1e6, 4e6), (1e6, 6e6), (-1e6, 6e6)],
    [(0, 4654175.264342438), (1e5, 5e6), (-1e5, 5e6)],
]


@pytest.mark.parametrize("ring", TORN)
@pytest.mark.parametrize("repairs", ["NO", "YES"])
def test_area_across_a_discontinuity_is_refused(scripted_gdal, service, ring, repairs):
    listed = ",".join(f"{x} {y}" for x, y in ring + ring[:1])
    text = refuse(scripted_gdal, service, MAKE_VALID=repairs,
                  GEOMETRY=f"SRID=3978;POLYGON(({listed}))")
    assert "crosses a discontinuity of NAD83 / Canada Atlas Lambert" in text


def test_ring_that_encircles_the_earth_twice_is_refused(scripted_gdal, service):
    """The cone of this projection is half a turn for a turn of the Earth, and the apex of the
    cone is a pole: around it the whole map shows the Earth twice."""
    cone = ("+proj=lcc +lat_1=30 +lat_2=30 +lat_0=30 +lon_0=0 +datum=WGS84 +units=m "
            "+type=crs")
    transform = osr.CoordinateTransformation(system("EPSG:4326"), system(cone))
    _, apex, _ = transform.TransformPoint(0.0, 90.0)
    ring = [(1e6 * math.cos(turn * math.pi / 8), apex + 1e6 * math.sin(turn * math.pi / 8))
            for turn in range(16)]
    listed = ",".join(f"{x:.3f} {y:.3f}" for x, y in ring + ring[:1])
    area = write(scripted_gdal.folder / "twice.gpkg", cone, f"POLYGON(({listed}))")
    text = refuse(scripted_gdal, service, AOI=area)
    assert f"a ring through 1000000 {round(apex, 3):.15g} that encircles the Earth more " \
           "than once; give the area in another coordinate system" in text
