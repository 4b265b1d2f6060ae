"""Areas of interest in every way to give one: what make_areas.py records the keys of.

Each case is a dict of open options. An AOI is written as text ("EPSG code", WKT) and
becomes a dataset only when it is opened, so that no driver's file format decides."""
import math
import random

# A location in each coordinate system, and a distance there in its units. They are of
# methods on which all versions of PROJ agree well below 1e-7 degrees.
SYSTEMS = {
    32725: (292000, 9117000, 3000),
    31985: (292000.5, 9117000.25, 3000),
    3857: (-3882000, -889000, 4000),
    3395: (-3882000, -884000, 4000),
    5880: (7103000, 9098000, 3000),
    2154: (652000, 6862000, 2000),
    27700: (530000, 180000, 2500),
    32633: (390000, 5820000, 50000),
    4258: (13.25, 52.5, 0.75),
    3413: (1200000, -900000, 60000),
    3031: (-1500000, 700000, 80000),
    2193: (1750000, 5420000, 20000),
}
AREAS_OF_A_SYSTEM = 6
DEGREES = 10 ** 7


def ring(chance, x, y, least, most, count, digits):
    points = []
    for i in range(count):
        angle = 2 * math.pi * (i + 0.8 * chance.random()) / count
        radius = chance.uniform(least, most)
        points.append((round(x + radius * math.cos(angle), digits),
                       round(y + radius * math.sin(angle), digits)))
    return points + points[:1]


def shape(chance, x, y, size, digits):
    """Polygons of a shell and holes, apart from each other."""
    made = []
    for part in range(chance.choice((1, 1, 1, 2, 3))):
        at = x + part * 2.5 * size
        rings = [ring(chance, at, y, 0.6 * size, size, chance.randrange(8, 12), digits)]
        for hole in range(chance.choice((0, 0, 1, 2))):
            rings.append(ring(chance, at + (0.2 - 0.4 * hole) * size, y, 0.03 * size,
                              0.08 * size, chance.randrange(3, 6), digits))
        made.append(rings)
    return made


def wkt(polygons, more="", kind=""):
    def listed(points):
        return "(" + ",".join(f"{x!r} {y!r}{more}" for x, y in points) + ")"
    texts = ["(" + ",".join(map(listed, rings)) + ")" for rings in polygons]
    if len(texts) == 1:
        return f"POLYGON{kind}{texts[0]}"
    return f"MULTIPOLYGON{kind}({','.join(texts)})"


def in_degrees(chance):
    return shape(chance, chance.uniform(-175, 170), chance.uniform(-80, 78),
                 chance.choice((0.001, 0.02, 0.6)), 9)


def texts(chance):
    """GEOMETRY as WKT."""
    for _ in range(46):
        more, kind = chance.choice((("", ""), (" 7", " Z"), (" 7 8", " ZM"), (" 1", "")))
        text = wkt(in_degrees(chance), more, kind)
        yield chance.choice((text, text.lower(), f"  {text}\n"))
    yield "POLYGON((179 -10,180 -10,180 10,179 10,179 -10))"
    yield "POLYGON((-180 60,-170 60,-170 90,-180 90,-180 60))"
    yield "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))"
    yield "POLYGON((0 0,0 0,1 0,1 1,1 1,0 1,0 0))"
    yield "POLYGON((0 0,10 0,10 10,0 10,0 0),(2 2,2 8,8 8,8 2,2 2))"
    yield "POLYGON((1e1 2.0e0,+12 2,12 4,10.00000004 4,10 2))"


def texts_with_system(chance):
    """GEOMETRY as EWKT."""
    for code in (0, 4326, 4258):
        for _ in range(4):
            yield f"SRID={code};{wkt(in_degrees(chance))}"
    for code, (x, y, size) in SYSTEMS.items():
        for _ in range(2):
            digits = 9 if size < 1 else 3
            yield f"SRID={code};{wkt(shape(chance, x, y, size, digits))}"
    yield "SRID=4326;POLYGON((170 -20,190 -20,190 -10,170 -10,170 -20))"
    yield "SRID=4326;POLYGON((-190 40,-175 40,-175 50,-190 50,-190 40))"
    yield ("SRID=4326;MULTIPOLYGON(((178 1,182 1,182 2,178 2,178 1)),"
           "((178 3,182 3,182 4,178 4,178 3)))")
    yield "SRID=3857;POLYGON((19900000 0,20200000 0,20200000 300000,19900000 0))"


def boxes(chance):
    """BBOX, some across the antimeridian."""
    for _ in range(22):
        west, east = sorted(round(chance.uniform(-180, 180), 8) for _ in range(2))
        south, north = sorted(round(chance.uniform(-90, 90), 8) for _ in range(2))
        if east - west < 180:
            yield f"{west},{south},{east},{north}"
        else:
            yield f"{east},{south},{west},{north}"
    yield "-180,-90,180,90"
    yield "179.5,-17,-179.5,-16"
    yield "170,60,-170,90"
    yield "-34.89,-8.03,-34.84,-7.99"


def cases():
    chance = random.Random("areas of interest")
    for text in texts(chance):
        yield {"GEOMETRY": text}
    for text in texts_with_system(chance):
        yield {"GEOMETRY": text}
    for text in boxes(chance):
        yield {"BBOX": text}
    for code, (x, y, size) in SYSTEMS.items():
        for _ in range(AREAS_OF_A_SYSTEM):
            digits = 9 if size < 1 else 3
            yield {"AOI": [code, wkt(shape(chance, x, y, size, digits))]}
    for _ in range(8):
        x, y = chance.uniform(0, 6e6), chance.uniform(0, 6e6)
        yield {"GEOMETRY": wkt(shape(chance, x, y, 500, 3)), "GEOMETRY_CRS": "AS_IS"}
    yield {"AOI": [32725, wkt(shape(chance, 292000, 9117000, 900, 3))],
           "GEOMETRY_CRS": "AS_IS"}
    yield {"GEOMETRY": "POLYGON((0 0,2 2,2 0,0 2,0 0))", "MAKE_VALID": "YES"}
    yield {"GEOMETRY": "POLYGON((0 0,4 0,4 4,2 4,2 5,2 4,0 4,0 0))", "MAKE_VALID": "YES"}
    yield {"AOI": [32725, "POLYGON((292000 9117000,294000 9119000,294000 9117000,"
                          "292000 9119000,292000 9117000))"], "MAKE_VALID": "YES"}
