"""How long after the end of a job its dataset stands open, and the whole command against
a script that asks every second."""
import json
import subprocess
import time

from side_by_side import SCENE, Place

# Asks each second, then converts: what a user would write without the driver.
SCRIPT = r"""
set -e
ask() { curl -s -f -H 'X-API-KEY: sandbox' "$@"; }
id=$(ask -F modelId=contours -F fileId="$2" -F geometry="$3" "$1/inference/run" |
    sed 's/.*"id":"\([^"]*\)".*/\1/')
until ask "$1/inference/status?inferenceId=$id" | grep -q COMPLETED; do sleep 1; done
ask -o "$4.json" "$1/inference/download?inferenceJobId=$id"
ogr2ogr "$4.gpkg" "$4.json"
"""


def after_the_end(place, number, seconds):
    """(seconds from the job's end to the end of the command, status calls)."""
    journal = place.state / "journal.jsonl"
    before = len(journal.read_text().splitlines()) if journal.exists() else 0
    place.run("gdalinfo", f"GIQ:model=ndvi;file={SCENE};rerun=end-{number}")
    ended = time.time()
    job = max((place.state / "jobs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    # It is told to be completed when it is computed and its least time is over.
    done = max((job / "outcome.json").stat().st_mtime,
               (job / "job.json").stat().st_mtime + seconds)
    asked = [entry for entry in map(json.loads, journal.read_text().splitlines()[before:])
             if entry["path"].endswith("status")]
    return ended - done, len(asked)


def measure_end(table, build, folder, runs):
    for seconds in (1, 10):
        place = Place(build, folder, seconds)
        try:
            ends = [after_the_end(place, number, seconds)
                    for number in range(min(runs, 5))]
        finally:
            place.stop()
        table.single(f"a job of {seconds} s: from its end to the end of gdalinfo",
                     [end for end, _ in ends], "s", bound=max(0.3, 0.1 * seconds))
        table.single(f"a job of {seconds} s: status calls", [count for _, count in ends],
                     "calls", bound=50)


def measure_script(table, build, folder, runs):
    """A large vector result; how long the job takes is spread over 0.6 to 1.6 s."""
    pairs = []
    for number in range(min(runs, 6)):
        place = Place(build, folder, round(0.6 + number * 0.2, 1))
        out = place.state / "out"
        area = ("POLYGON((-34.9%d -8.1,-34.8 -8.1,-34.8 -7.9,-34.9%d -7.9,"
                "-34.9%d -8.1))" % (number, number, number))
        try:
            mine = place.run("ogr2ogr", f"{out}-ours.gpkg",
                             f"GIQ:model=contours;file=big.tif;geometry={area}")[0]
            other = place.run("bash", "-c", SCRIPT, "script", place.url, "big.tif", area,
                              out)[0]
        finally:
            place.stop()
        pairs.append((mine, other))
    table.add("the whole: a script of curl, sleep 1 and ogr2ogr", pairs, "s", 1, bound=0.9)


def make_big_scene(folder):
    """A raster of noise, whose contours are many."""
    subprocess.run(["/usr/bin/python3", "-c", (
        "import sys, numpy\nfrom osgeo import gdal\n"
        "source = gdal.Open(sys.argv[1])\n"
        "out = gdal.GetDriverByName('GTiff').Create(sys.argv[2], 700, 700, 1)\n"
        "transform = list(source.GetGeoTransform())\n"
        "transform[1] /= 2\ntransform[5] /= 2\n"
        "out.SetGeoTransform(transform)\nout.SetProjection(source.GetProjection())\n"
        "noise = numpy.random.default_rng(1).integers(0, 255, (700, 700))\n"
        "out.GetRasterBand(1).WriteArray(noise)\n"),
        str(folder / "files" / SCENE), str(folder / "files" / "big.tif")], check=True)
