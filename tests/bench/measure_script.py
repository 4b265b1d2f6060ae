"""The whole command against a script that asks every second: a large vector result, and
jobs that take from 0.6 to 1.6 s."""
import os
import subprocess
import threading
import time

from side_by_side import Place, gdal_version

COUNT = 200000
# What a user would write without the driver.
SCRIPT = r"""
set -e
ask() { curl -s -f -H 'X-API-KEY: sandbox' "$@"; }
id=$(ask -F modelId=hulls -F fileId="$2" -F geometry="$3" "$1/inference/run" |
    sed 's/.*"id":"\([^"]*\)".*/\1/')
until ask "$1/inference/status?inferenceId=$id" | grep -q COMPLETED; do sleep 1; done
ask -o "$4.fgb" "$1/inference/download?inferenceJobId=$id"
ogr2ogr "$4.gpkg" "$4.fgb"
"""
MAKE = """
import sys
from osgeo import ogr, osr
ogr.UseExceptions()
system = osr.SpatialReference()
system.ImportFromEPSG(4326)
dataset = ogr.GetDriverByName("FlatGeobuf").CreateDataSource(sys.argv[1])
layer = dataset.CreateLayer("hulls", system, ogr.wkbPolygon)
layer.CreateField(ogr.FieldDefn("name", ogr.OFTString))
for number in range(int(sys.argv[2])):
    x, y = -34.9 + number % 500 * 1e-4, -8.1 + number // 500 * 1e-4
    feature = ogr.Feature(layer.GetLayerDefn())
    feature["name"] = f"parcel {number}"
    feature.SetGeometry(ogr.CreateGeometryFromWkt(
        f"POLYGON(({x} {y},{x + 8e-5} {y},{x + 8e-5} {y + 8e-5},{x} {y + 8e-5},{x} {y}))"))
    layer.CreateFeature(feature)
"""


class Results:
    """Puts one large file in the place of what the model computed, while the job still
    counts as running: what computing takes is the same for both and no matter here."""

    def __init__(self, place, path):
        self.jobs = place.state / "jobs"
        self.path = path
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        seen = set()
        while not self.is_over.wait(0.01):
            for outcome in set(self.jobs.glob("*/outcome.json")) - seen:
                [result] = (outcome.parent / "result").iterdir()
                link = outcome.parent / "large"
                os.link(self.path, link)
                link.replace(result)
                seen.add(outcome)

    def stop(self):
        self.is_over.set()
        self.thread.join()


def pair(place, path, number):
    """(seconds of ours, seconds of theirs) for the same area."""
    out = place.state / f"out-{number}"
    area = ("POLYGON((-34.9%d -8.1,-34.8 -8.1,-34.8 -7.9,-34.9%d -7.9,-34.9%d -8.1))"
            % (number, number, number))
    results = Results(place, path)
    try:
        mine = place.run("ogr2ogr", f"{out}-ours.gpkg",
                         f"GIQ:model=hulls;file=parcels.geojson;geometry={area}")[0]
        time.sleep(0.1)
        other = place.run("bash", "-c", SCRIPT, "script", place.url, "parcels.geojson",
                          area, out)[0]
    finally:
        results.stop()
    assert out.with_suffix(".fgb").stat().st_size == path.stat().st_size
    return mine, other


def measure(table, build, folder, runs):
    path = folder / "large.fgb"
    subprocess.run(["/usr/bin/python3", "-c", MAKE, str(path), str(COUNT)], check=True)
    pairs = []
    for number in range(min(runs, 11)):
        place = Place(build, folder, round(0.6 + number % 6 * 0.2, 1))
        try:
            pairs.append(pair(place, path, number))
        finally:
            place.stop()
    # Most of it is GDAL's writing, which became much faster after 3.6.
    table.add(f"the whole, {gdal_version()}: a script of curl, sleep 1 and ogr2ogr", pairs,
              "s", 1, bound=0.9)
