"""Areas of interest: refused with reason and place, sent in one normal form."""
import re

import pytest

from opens import AREA, SCENE

REFUSED = [
    ("POLYGON((0 0,10 10,0 10,10 0,0 0))", "Self-intersection at 5 5"),
    ("POLYGON((0 0,0 1,1 1,0 0)) x", "text after the end"),
    ("POLYGON((0 0,0 91,1 1,0 0))", "out of range"),
    ("POLYGON((0 0,0 nan,1 1,0 0))", "no number"),
    ("POLYGON EMPTY", "empty"),
    ("POINT(1 2)", "must be a POLYGON"),
    ("@missing.wkt", "cannot be found"),
    ("@.", "not a regular file"),
]


def sent_area(entry):
    found = re.search(rb'name="geometry"\r\n\r\n(.*?)\r\n', entry["body"])
    return found and found.group(1).decode()


@pytest.mark.parametrize("wkt,words", REFUSED)
def test_bad_area_is_refused_before_anything_is_sent(scripted_gdal, service, wkt, words):
    text = scripted_gdal.fails("ogrinfo", "-oo", f"GEOMETRY={wkt}", "GIQ:model=m;file=f",
                               tag="area")
    assert words in text
    assert service.calls() == []


def test_area_written_differently_is_one_request(scripted_gdal, service):
    (scripted_gdal.folder / "a.wkt").write_text("POLYGON((1 0,0 0,0 1,1 1,1 0))\n")
    for wkt in ("POLYGON((0 0,0 1,1 1,1 0,0 0))", "POLYGON((1 1,1 0,0 0,0 1,1 1))",
                "MULTIPOLYGON(((0 0,1 0,1 0,1 1,0 1,0 0)))",
                "POLYGON Z((0 0 1,0 1 1,1 1 2,1 0 1,0 0 1))", "@a.wkt"):
        scripted_gdal.run("ogrinfo", "-oo", f"GEOMETRY={wkt}", "GIQ:model=m;file=f")
    scripted_gdal.run("ogrinfo",
                      "GIQ:model=m;file=f;geometry=POLYGON((0 0,0 1,1 1,1 0,0 0))")
    runs = service.calls("run")
    assert [sent_area(run) for run in runs] == ["POLYGON((0 0,0 1,1 1,1 0,0 0))"]


def test_collinear_point_makes_another_request(scripted_gdal, service):
    for wkt in ("POLYGON((0 0,0 1,1 1,0 0))", "POLYGON((0 0,0 0.5,0 1,1 1,0 0))"):
        scripted_gdal.run("ogrinfo", "-oo", f"GEOMETRY={wkt}", "GIQ:model=m;file=f")
    assert len(service.calls("run")) == 2


def test_make_valid_sends_the_repaired_area(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", "-oo", "MAKE_VALID=YES", "-oo",
                      "GEOMETRY=POLYGON((0 0,10 10,0 10,10 0,0 0))", "GIQ:model=m;file=f")
    assert sent_area(service.calls("run")[0]) == (
        "MULTIPOLYGON(((0 10,10 10,5 5,0 10)),((0 0,5 5,10 0,0 0)))")


def test_host_locale_makes_no_difference(scripted_gdal, service):
    script = """
import locale, sys
from osgeo import gdal
locale.setlocale(locale.LC_ALL, sys.argv[1])
assert locale.localeconv()["decimal_point"] == ","
gdal.UseExceptions()
gdal.OpenEx("GIQ:model=m;file=f;geometry=POLYGON((0.5 0,0 1.25,1 1,0.5 0))")
"""
    locales = scripted_gdal.folder / "locales"
    locales.mkdir()
    scripted_gdal.run("localedef", "-i", "de_DE", "-f", "UTF-8", locales / "de_DE.UTF-8")
    scripted_gdal.python(script, "de_DE.UTF-8", env={"LOCPATH": str(locales)})
    assert sent_area(service.calls("run")[0]) == (
        "POLYGON((0 1.25,1 1,0.5 0,0 1.25))")


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
