"""Areas of interest as text: refused with reason and place, sent in one normal form."""
import json
import re

import pytest

from areas import NAME, open_with, options, points, refuse, sent_areas
from programs import AREA, SCENE

SQUARE = "POLYGON((0 0,0 1,1 1,1 0,0 0))"
BOTH_SIDES = ("MULTIPOLYGON(((170 0,170 9,180 9,180 0,170 0)),"
              "((-180 0,-180 9,-170 9,-170 0,-180 0)))")

REFUSED = [
    ("POLYGON((0 0,10 10,0 10,10 0,0 0))", "Self-intersection at 5 5"),
    ("POLYGON((0 0,0 1,1 1,0 0)) x", "followed by unexpected text"),
    ("POLYGON((0 0,0 1,1 1))", "is not closed"),
    ("POLYGON((0 0,0 91,1 1,0 0))", "out of range"),
    ("POLYGON((500000 2700000,500100 2700000,500000 2700100,500000 2700000))",
     "another system need \"SRID=<code>;\" before them, or GEOMETRY_CRS=AS_IS"),
    ("POLYGON((170 0,190 0,190 9,170 0))", "190 0, which is beyond the antimeridian: "
     "begin the area with \"SRID=4326;\" to have it cut there"),
    ("POLYGON((170 0,-170 0,-170 9,170 0))", "use longitudes beyond 180"),
    ("POLYGON((0 0,0 nan,1 1,0 0))", "not a finite number"),
    ("POLYGON EMPTY", "empty"),
    ("POINT(1 2)", "is a POINT; it must be a POLYGON"),
    ("area.gpkg", "AOI for a dataset"),
    ("@missing.wkt", "the GEOMETRY file missing.wkt cannot be found"),
    ("@.", "not a regular file"),
    ("@pipe", "not a regular file"),
    ("@long.wkt", "larger than 64 MiB"),
    ("SRID=999999;" + SQUARE, "SRID 999999 of the area is not a known EPSG code"),
    ("SRID=12345678901;" + SQUARE, "SRID=<EPSG code>;"),
    ("SRID=x;" + SQUARE, 'SRID=<EPSG code>;POLYGON((...)); got "SRID=x;POLYGON((0 0'),
    ("SRID=4326 " + SQUARE, "SRID=<EPSG code>;"),
    ("SRID=4326;POLYGON((0 0,10 10,0 10,10 0,0 0))", "Self-intersection at 5 5"),
    ("SRID=4326;POLYGON((0 0,0 91,1 1,0 0))", "out of range"),
    ("SRID=4326;POLYGON((0 0,340 0,340 1,0 0))", "spans more than half"),
    ("SRID=4326;POLYGON((0 0,400 0,400 1,0 0))", "400 0, which is out of range"),
    ("SRID=32640;POLYGON((0 0,1e9 0,0 1e9,0 0))",
     "cannot be transformed from WGS 84 / UTM zone 40N to longitude and latitude; check"),
]


@pytest.mark.parametrize("wkt,words", REFUSED)
def test_bad_area_is_refused_before_anything_is_sent(scripted_gdal, service, wkt, words):
    if wkt == "@long.wkt":
        with open(scripted_gdal.folder / "long.wkt", "wb") as file:
            file.truncate(64 * 1024 * 1024 + 1)
    if wkt == "@pipe":
        scripted_gdal.run("mkfifo", "pipe")
    assert words in refuse(scripted_gdal, service, GEOMETRY=wkt)


def test_area_written_differently_is_one_request(scripted_gdal, service):
    (scripted_gdal.folder / "a.wkt").write_text("POLYGON((1 0,0 0,0 1,1 1,1 0))\n")
    (scripted_gdal.folder / "b.wkt").write_bytes(
        b"\xef\xbb\xbf srid=4326 ;\r\nPOLYGON((1 0,0 0,0 1,1 1,1 0))\r\n")
    for wkt in (SQUARE, "POLYGON((1 1,1 0,0 0,0 1,1 1))",
                "MULTIPOLYGON(((0 0,1 0,1 0,1 1,0 1,0 0)))",
                "POLYGON Z((0 0 1,0 1 1,1 1 2,1 0 1,0 0 1))", "@a.wkt", "@b.wkt",
                f"SRID=0;{SQUARE}", f"SRID=4326;{SQUARE}"):
        open_with(scripted_gdal, GEOMETRY=wkt)
    open_with(scripted_gdal, BBOX="0,0,1,1")
    for area in (f"geometry={SQUARE}", f"geometry=\"SRID=4326;{SQUARE}\"",
                 "BBOX= 0.0 , -0 , 1e0, +1", "geometry=@b.wkt"):
        open_with(scripted_gdal, f"{NAME};{area}")
    assert sent_areas(service) == [SQUARE]


def test_collinear_point_makes_another_request(scripted_gdal, service):
    for wkt in ("POLYGON((0 0,0 1,1 1,0 0))", "POLYGON((0 0,0 0.5,0 1,1 1,0 0))"):
        open_with(scripted_gdal, GEOMETRY=wkt)
    assert len(service.calls("run")) == 2


def test_make_valid_sends_the_repaired_area(scripted_gdal, service):
    open_with(scripted_gdal, MAKE_VALID="YES",
              GEOMETRY="POLYGON((0 0,10 10,0 10,10 0,0 0))")
    assert sent_areas(service) == [
        "MULTIPOLYGON(((0 10,10 10,5 5,0 10)),((0 0,5 5,10 0,0 0)))"]


def test_areas_across_the_antimeridian_are_one_request(scripted_gdal, service):
    for values in ({"BBOX": "170,0,-170,9"}, {"GEOMETRY": BOTH_SIDES},
                   {"GEOMETRY": "SRID=4326;POLYGON((170 0,190 0,190 9,170 9,170 0))"},
                   {"GEOMETRY": "SRID=4326;POLYGON((-170 9,-170 0,-190 0,-190 9,-170 9))"}):
        open_with(scripted_gdal, **values)
    assert sent_areas(service) == [BOTH_SIDES]


BOXES = [
    ("1,2,3", "four numbers"), ("1,2,3,4,5", "four numbers"), ("1;2;3;4", "four numbers"),
    ("1,2,3,north", "four numbers"), ("1,2,3,nan", "four numbers"),
    ("1,2,1,4", "its minx is not less than its maxx"),
    ("1,4,3,2", "its miny is not less than its maxy"),
    ("1,2,3,2", "its miny is not less than its maxy"),
    ("170,0,190,9", "use minx greater than maxx"),
    ("1,2,3,91", "out of range"),
]


@pytest.mark.parametrize("box,words", BOXES)
def test_bad_box_is_refused_before_anything_is_sent(scripted_gdal, service, box, words):
    assert words in refuse(scripted_gdal, service, BBOX=box)
    assert words in refuse(scripted_gdal, service, f"{NAME};bbox='{box}'")


def test_metres_become_degrees(scripted_gdal, service):
    """On the central meridian of its zone, where GDAL's own program says the same."""
    ring = [(500000, 2700000), (500100, 2700000), (500100, 2700100), (500000, 2700000)]
    wkt = ",".join(f"{x} {y}" for x, y in ring)
    open_with(scripted_gdal, GEOMETRY=f"SRID=32640;POLYGON(({wkt}))")
    done = scripted_gdal.run("sh", "-c", "printf '%s\\n' \"$@\" | gdaltransform "
                             "-output_xy -s_srs EPSG:32640 -t_srs EPSG:4326",
                             "sh", *[f"{x} {y}" for x, y in ring])
    expected = {tuple(round(float(n), 7) for n in line.split())
                for line in done.stdout.splitlines()}
    [area] = sent_areas(service)
    assert set(points(area)) == expected


def test_one_area_in_two_ways_is_an_error(scripted_gdal, service):
    text = refuse(scripted_gdal, service, f"{NAME};geometry={SQUARE}", tag="usage",
                  GEOMETRY=SQUARE)
    assert '"geometry" is given in the connection string and as an open option' in text
    for key, value in (("AOI", "a.shp"), ("BBOX", "0,0,1,1")):
        text = refuse(scripted_gdal, service, f"{NAME};{key}={value}", tag="usage",
                      **{key: value})
        assert f'"{key.lower()}" is given in the connection string' in text


def test_two_kinds_of_area_are_an_error_that_names_both(scripted_gdal, service):
    values = {"GEOMETRY": SQUARE, "AOI": "a.shp", "BBOX": "0,0,1,1"}
    for one, other in (("GEOMETRY", "AOI"), ("GEOMETRY", "BBOX"), ("AOI", "BBOX")):
        names = {f'"{one.lower()}"', f'"{other.lower()}"'}
        for name, chosen in (
                (NAME, {one: values[one], other: values[other]}),
                (f"{NAME};{one}={values[one]}", {other: values[other]}),
                (f"{NAME};{one}={values[one]};{other}={values[other]}", {})):
            text = refuse(scripted_gdal, service, name, tag="usage", **chosen)
            assert all(name in text for name in names), text


def test_area_does_not_go_with_a_job_alone(scripted_gdal, service):
    for values in ({"BBOX": "0,0,1,1"}, {"GEOMETRY": SQUARE}, {"AOI": "a.shp"}):
        assert "\"job\" names" in refuse(scripted_gdal, service, "GIQ:job=j", tag="usage",
                                         **values)
    text = refuse(scripted_gdal, service, "GIQ:job=j;bbox=0,0,1,1", tag="usage")
    assert "\"model\" is missing" in text


METRES = "POLYGON((500000 2700000,500000 2700100,500100 2700000,500000 2700000))"


def jobs(gdal, name, layer, env=None):
    """Rows of a table of jobs: status and area."""
    done = gdal.run("ogr2ogr", "-f", "GeoJSON", "/vsistdout/", name, layer, env=env)
    return [(row["properties"]["status"], row["geometry"])
            for row in json.loads(done.stdout)["features"]]


def test_as_is_sends_what_is_given_and_shows_no_area(scripted_gdal, service):
    rounded = METRES.replace("500100 2700000", "500100.1234568 2700000")
    given = METRES.replace("500100 2700000", "500100.12345678 2700000")
    open_with(scripted_gdal, GEOMETRY_CRS="AS_IS", GEOMETRY=given)
    open_with(scripted_gdal, f"{NAME};geometry={given}", env={"GIQ_GEOMETRY_CRS": "as_is"})
    open_with(scripted_gdal, f"{NAME};bbox=500,600,700,800;rerun=2", GEOMETRY_CRS="AS_IS")
    assert sent_areas(service) == [
        rounded, "POLYGON((500 600,500 800,700 800,700 600,500 600))"]
    assert jobs(scripted_gdal, "GIQ:jobs", "jobs") == [("published", None)] * 2
    assert jobs(scripted_gdal, f"{NAME};geometry={given};wait=no", "job",
                {"GIQ_GEOMETRY_CRS": "AS_IS"}) == [("published", None)]
    assert {record["geometry_crs"] for record in scripted_gdal.records().values()} == {
        "AS_IS"}


def test_the_same_text_as_is_is_the_same_request(scripted_gdal, service):
    open_with(scripted_gdal, GEOMETRY=SQUARE)
    open_with(scripted_gdal, GEOMETRY=SQUARE, GEOMETRY_CRS="AS_IS")
    assert sent_areas(service) == [SQUARE]
    [(status, area)] = jobs(scripted_gdal, "GIQ:jobs", "jobs")
    assert status == "published" and area["type"] == "MultiPolygon"
    assert "geometry_crs" not in next(iter(scripted_gdal.records().values()))


def test_as_is_without_an_area_marks_nothing(scripted_gdal, service):
    open_with(scripted_gdal, GEOMETRY_CRS="AS_IS")
    assert "geometry_crs" not in next(iter(scripted_gdal.records().values()))
    assert sent_areas(service) == [None]


def test_as_is_still_checks_the_area(scripted_gdal, service):
    def refused(**values):
        return refuse(scripted_gdal, service, GEOMETRY_CRS="AS_IS", **values)
    assert "Self-intersection" in refused(GEOMETRY="POLYGON((0 0,9 9,0 9,9 0,0 0))")
    assert "the area has SRID=32640, but GEOMETRY_CRS=AS_IS sends coordinates" in refused(
        GEOMETRY=f"SRID=32640;{METRES}")
    assert "between -900000000 and 900000000" in refused(
        GEOMETRY="POLYGON((0 0,0 1e9,1 1,0 0))")
    assert "minx is not less" in refused(BBOX="170,0,-170,9")
    assert 'must be one of EPSG:4326, AS_IS; got "EPSG:3857"' in refuse(
        scripted_gdal, service, tag="usage", GEOMETRY_CRS="EPSG:3857")


def test_host_locale_makes_no_difference(scripted_gdal, service):
    script = """
import locale, sys
from osgeo import gdal
locale.setlocale(locale.LC_ALL, sys.argv[1])
assert locale.localeconv()["decimal_point"] == ","
gdal.UseExceptions()
gdal.OpenEx("GIQ:model=m;file=f;geometry=POLYGON((0.5 0,0 1.25,1 1,0.5 0))")
gdal.OpenEx("GIQ:model=m;file=f;bbox=0.5,1.25,1.5,2")
gdal.OpenEx("GIQ:model=m;file=f;geometry='SRID=3857;POLYGON((0.5 0,0 1.25,1 1,0.5 0))'")
try:
    gdal.OpenEx("GIQ:model=m;file=f;geometry=POLYGON((0 0,0 90.5,1 1,0 0))")
except RuntimeError as error:
    assert "0 90.5" in str(error), error
else:
    raise AssertionError
"""
    locales = scripted_gdal.folder / "locales"
    locales.mkdir()
    scripted_gdal.run("localedef", "-i", "de_DE", "-f", "UTF-8", locales / "de_DE.UTF-8")
    scripted_gdal.python(script, "de_DE.UTF-8", env={"LOCPATH": str(locales)})
    assert sent_areas(service) == [
        "POLYGON((0 1.25,1 1,0.5 0,0 1.25))",
        "POLYGON((0.5 1.25,0.5 2,1.5 2,1.5 1.25,0.5 1.25))",
        "POLYGON((0 0.0000112,0.000009 0.000009,0.0000045 0,0 0.0000112))"]


def test_options_are_declared_and_cause_no_warning(scripted_gdal, service):
    text = scripted_gdal.run("ogrinfo", "--format", "GIQ").stdout
    for name in ("GEOMETRY", "AOI", "BBOX", "GEOMETRY_CRS", "MAKE_VALID"):
        assert f'name="{name}"' in text
    for values in ({"BBOX": "0,0,1,1"}, {"GEOMETRY": SQUARE, "GEOMETRY_CRS": "EPSG:4326"}):
        done = scripted_gdal.run("ogrinfo", "-so", *options(**values), NAME)
        assert done.stderr == ""
    assert len(service.calls("run")) == 1


def test_result_lies_within_the_area(gdal, sandbox):
    gdal.run("ogr2ogr", "out.gpkg", f"GIQ:model=water;file={SCENE};geometry={AREA}",
             "-t_srs", "EPSG:4326")
    text = gdal.run("ogrinfo", "-so", "-al", "out.gpkg").stdout
    extent = re.search(r"Extent: \((.*), (.*)\) - \((.*), (.*)\)", text)
    xmin, ymin, xmax, ymax = (float(g) for g in extent.groups())
    pixel = 0.0003
    assert -34.89 - pixel <= xmin < xmax <= -34.84 + pixel
    assert -8.03 - pixel <= ymin < ymax <= -7.99 + pixel
    assert len(sandbox.runs()) == 1
