"""Prints the keys of areas that come in other systems than longitude and latitude: they
must be the same on every GDAL. A line has the option, the system and the key.

keys.py BUILD
"""
import math
import os
import pathlib
import sys
import tempfile

BUILD = pathlib.Path(sys.argv[1]).resolve()
TESTS = pathlib.Path(__file__).resolve().parents[1]
os.environ.update(GIQ_TEST_DATA=str(TESTS.parent / "data"),
                  GIQ_TEST_PLUGINS=str(BUILD / "gdalplugins"))
sys.path.insert(0, str(TESTS / "kit"))
from programs import Gdal  # noqa: E402
from scripted import ScriptedService  # noqa: E402

# A place on land in each system, and a distance there. Systems whose method PROJ itself
# changed are not among them: the equal-area one of Europe, EPSG:3035, has latitudes that
# differ by 3e-9 degrees from PROJ 9.9 on, which rounding does not always hide.
SYSTEMS = {
    32725: (292000, 9117000, 3000),
    31985: (292000.5, 9117000.25, 3000),
    3857: (-3882000, -889000, 4000),
    3395: (-3882000, -884000, 4000),
    5880: (7103000, 9098000, 3000),
    2154: (652000, 6862000, 2000),
    27700: (530000, 180000, 2500),
    32633: (390000, 5820000, 50000),
}
VRT = """<OGRVRTDataSource><OGRVRTLayer name="area">
<SrcDataSource relativeToVRT="1">area.csv</SrcDataSource>
<GeometryType>wkbPolygon</GeometryType><LayerSRS>EPSG:{system}</LayerSRS>
<GeometryField encoding="WKT" field="wkt"/></OGRVRTLayer></OGRVRTDataSource>
"""


def circle(x, y, radius, corners=180):
    points = [(x + radius * math.cos(turn), y + radius * math.sin(turn))
              for turn in (2 * math.pi * i / corners for i in range(corners))]
    ring = ",".join(f"{east:.3f} {north:.3f}" for east, north in (*points, points[0]))
    return f"POLYGON(({ring}))"


def areas(folder):
    """Pairs of a name and the open option that holds the area."""
    for system, place in SYSTEMS.items():
        wkt = circle(*place)
        (folder / "area.wkt").write_text(f"SRID={system};{wkt}")
        (folder / "area.csv").write_text(f'id,wkt\n1,"{wkt}"\n')
        (folder / "area.vrt").write_text(VRT.format(system=system))
        yield f"GEOMETRY {system}", "GEOMETRY=@area.wkt"
        yield f"AOI {system}", "AOI=area.vrt"


def main():
    # The address is part of the key, so the service has a name and stands as a proxy.
    service = ScriptedService()
    with tempfile.TemporaryDirectory() as name:
        gdal = Gdal(pathlib.Path(name), "http://giq.invalid/public")
        gdal.env.update(GDAL_HTTP_PROXY=f"http://127.0.0.1:{service.port}",
                        GIQ_ALLOW_HTTP="YES")
        for label, option in areas(gdal.folder):
            before = set(gdal.records())
            gdal.run("ogrinfo", f"GIQ:model=m;file=f;rerun={label};wait=no", "-oo", option)
            [key] = set(gdal.records()) - before
            print(label, key)
    service.stop()


main()
