"""Whole opens under valgrind: no leak and no bad access in the plugin. What GDAL and its
libraries keep by themselves is theirs: only reports with a frame of the plugin count."""
import xml.etree.ElementTree

import pytest

from programs import AREA, DATA, SCENE
from scripted import Response

NAME = "GIQ:model=m;file=f"


def reports(gdal, *command):
    """The errors whose stack goes through the plugin."""
    out = gdal.folder / "valgrind.xml"
    gdal.run("valgrind", "--leak-check=full", "--show-leak-kinds=definite,indirect",
             "--keep-debuginfo=yes", "--num-callers=40", "--xml=yes", f"--xml-file={out}",
             *command, ok=None, timeout=250)
    root = xml.etree.ElementTree.parse(out).getroot()
    assert root.findall("status"), "valgrind ran to the end"
    ours = []
    for error in root.findall("error"):
        objects = [o.text or "" for o in error.iter("obj")]
        if any("gdal_GIQ" in o for o in objects):
            frames = [f.findtext("fn") for f in error.iter("frame")]
            ours.append((error.findtext("kind"), frames[:12]))
    return ours


@pytest.mark.parametrize("name", [
    f"GIQ:model=segments;file={SCENE};geometry={AREA}", "GIQ:models",
    "GIQ:files;bbox=-35,-9,-34,-7;limit=1",
    f"GIQ:model=hulls;file={SCENE}", f"GIQ:model=water;file={SCENE};wait=no",
    f"GIQ:model=water;file={SCENE};aoi={DATA}/parcels.geojson;wait=no",
])
def test_open_leaks_nothing(gdal, name):
    assert reports(gdal, "ogrinfo", "-so", name) == []
    assert reports(gdal, "ogrinfo", "-so", name) == []


def test_failing_open_leaks_nothing(scripted_gdal, service):
    service.script["download"] = [Response(b"no data", chunked=True)]
    service.script["models"].insert(0, Response(b"", 503))
    assert reports(scripted_gdal, "gdalinfo", NAME) == []
    assert reports(scripted_gdal, "ogrinfo", "GIQ:model=m;file=f;geometry=POINT(1 1)") == []
    assert reports(scripted_gdal, "ogrinfo", "GIQ:model=m;file=f;aoi=missing,layer") == []
    assert reports(scripted_gdal, "ogrinfo", "GIQ:model=m;file=f;geometry="
                   "'SRID=32640;POLYGON((0 0,1e9 0,0 1e9,0 0))'") == []
