"""Batches: the run, beside what a user would do without them, the second open, reading the
union, and ten batches in one process."""
import json
import math
import re
import subprocess

from side_by_side import SCENE, Place, instructions, run_counted

ROWS, AT_ONCE = 1000, 64
# Each reads lines "name<TAB>area" and makes a file of each result; $1 is the URL.
XARGS = r"""
tr '\n\t' '\0\0' < "$2" | xargs -0 -P "$3" -n 2 sh -c \
    'exec ogr2ogr -f GeoJSON "$0.geojson" "GIQ:model=wait;file=%s;rerun=xargs;geometry=$1"'
""" % SCENE
POOL = """
import sys
from concurrent.futures import ThreadPoolExecutor
from osgeo import gdal
gdal.UseExceptions()
def one(line):
    name, area = line.rstrip().split("\\t")
    data = gdal.OpenEx(f"GIQ:model=wait;file=%s;rerun=pool;geometry={area}", gdal.OF_VECTOR)
    gdal.VectorTranslate(name + ".geojson", data, format="GeoJSON")
with ThreadPoolExecutor(int(sys.argv[3])) as pool, open(sys.argv[2]) as lines:
    list(pool.map(one, lines))
""" % SCENE
CURL = r"""
cat > one.sh <<'END'
set -e
ask() { curl -s -f -H 'X-API-KEY: sandbox' "$@"; }
id=$(ask -F modelId=wait -F fileId=%s -F geometry="$3" "$1/inference/run" |
    sed 's/.*"id":"\([^"]*\)".*/\1/')
until ask "$1/inference/status?inferenceId=$id" | grep -q COMPLETED; do sleep 1; done
ask -o "$2.geojson" "$1/inference/download?inferenceJobId=$id"
END
tr '\n\t' '\0\0' < "$2" | xargs -0 -P "$3" -n 2 sh one.sh "$1"
""" % SCENE
PEERS = (("xargs -P over ogr2ogr", ("sh", "-c", XARGS, "sh")),
         ("a Python thread pool over OpenEx", ("/usr/bin/python3", "-c", POOL)),
         ("a script of curl and sleep 1", ("sh", "-c", CURL, "sh")))
# Opens and reads the batches part=0/n ... in one process; prints its descriptors and its
# memory in KiB after each.
MANY = """
import os, sys
from osgeo import gdal
gdal.UseExceptions()
for part in range(int(sys.argv[2])):
    data = gdal.OpenEx(f"{sys.argv[1]};part={part}/{sys.argv[2]}", gdal.OF_VECTOR)
    assert sum(1 for _ in data.GetLayer(0)) == int(sys.argv[3])
    data = None
    pages = int(open("/proc/self/statm").read().split()[1])
    print(len(os.listdir("/proc/self/fd")), pages * os.sysconf("SC_PAGE_SIZE") // 1024)
"""
OPEN = "import sys; from osgeo import gdal; gdal.UseExceptions(); gdal.OpenEx(sys.argv[1])"


def square(number):
    """A ring of its own for each number, within the scene."""
    x, y = round(-34.9 + number % 100 * 5e-4, 4), round(-8.02 + number // 100 * 5e-4, 4)
    right, top = round(x + 4e-4, 4), round(y + 4e-4, 4)
    return [[x, y], [right, y], [right, top], [x, top], [x, y]]


def rows(folder, count):
    """The areas as a layer for batches, and as lines for scripts."""
    layer, lines = folder / f"rows-{count}.geojsonl", folder / f"rows-{count}.tsv"
    layer.write_text("".join(json.dumps(
        {"type": "Feature", "properties": {"id": f"r{number}"},
         "geometry": {"type": "Polygon", "coordinates": [square(number)]}}) + "\n"
        for number in range(count)))
    lines.write_text("".join("out-%d\tPOLYGON((%s))\n" % (
        number, ",".join(f"{x} {y}" for x, y in square(number))) for number in range(count)))
    return layer, lines


def status_calls(place):
    return (place.state / "journal.jsonl").read_text().count("/inference/status")


def counted(place, *command):
    """(seconds, seconds of CPU, peak KiB, status calls)."""
    before = status_calls(place)
    env = {**place.env, "GIQ_MAX_NEW_JOBS": "100000"}
    return (*run_counted(command, env, place.folder), status_calls(place) - before)


def batch(layer, label, at_once, model="wait"):
    """The batch of a layer, and the option for how many rows run at a time."""
    return (f"GIQ:batch={layer};model={model};file={SCENE};rerun={label}", "-oo",
            f"CONCURRENCY={at_once}")


def compare(table, place, count, at_once):
    """A run of new jobs of 1 s, beside the same rows by other ways."""
    layer, lines = rows(place.folder, count)
    ideal = math.ceil(count / at_once)
    mine = counted(place, "ogr2ogr", "-f", "GeoJSON", place.folder / "all.geojson",
                   *batch(layer, "batch", at_once))
    what = f"a batch of {count} jobs of 1 s, {at_once} at once"
    table.single(f"{what}: the ideal time", [mine[0] / ideal], "times", bound=1.5)
    table.single(f"{what}: CPU of a row", [mine[1] / count * 1000], "ms", bound=30)
    table.single(f"{what}: peak memory", [mine[2] / 1024], "MiB", bound=150)
    for name, command in PEERS:
        other = counted(place, *command, place.url, lines, at_once)
        table.add(f"{what}: {name}", [(mine[0], other[0])], "s", 1)
        table.add(f"{what}: {name}, CPU", [(mine[1], other[1])], "s", 1)
        table.add(f"{what}: {name}, memory of a process", [(mine[2], other[2])],
                  "MiB", 1 / 1024)
        table.add(f"{what}: {name}, status calls", [(mine[3], other[3])], "calls", 1)


def measure_run(table, build, folder, runs, count=ROWS, slow=100):
    place = Place(build, folder / "batch-1", 1, "--offer-wait")
    try:
        compare(table, place, count, AT_ONCE)
    finally:
        place.stop()
    place = Place(build, folder / "batch-10", 10, "--offer-wait")
    layer, _ = rows(place.folder, slow)
    try:
        ratios = [counted(place, "ogrinfo", "-q", "-so", *batch(layer, f"r{number}", slow))
                  [0] / 10 for number in range(min(runs, 3))]
    finally:
        place.stop()
    table.single(f"a batch of {slow} jobs of 10 s, all at once: the ideal time", ratios,
                 "times", bound=1.15)


def measure_again(table, build, folder, runs, count=ROWS, parts=10):
    """Ten batches in one process, and opens of what they published."""
    place = Place(build, folder / "batch-again", 0, "--offer-wait")
    layer, _ = rows(place.folder, parts * count)
    name = batch(layer, "again", 1)[0]
    env = {**place.env, "GIQ_MAX_NEW_JOBS": "100000", "GIQ_CONCURRENCY": str(AT_ONCE)}
    try:
        done = subprocess.run(["/usr/bin/python3", "-c", MANY, name, str(parts), str(count)],
                              env=env, cwd=place.folder, capture_output=True, text=True,
                              check=True)
        after = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
        calls = len((place.state / "journal.jsonl").read_text().splitlines())
        for part, what, bound in ((f";part=0/{parts}", count, 0.5),
                                  ("", parts * count, 4)):
            table.single(f"second open of a batch of {what}: CPU", [
                run_counted(["/usr/bin/python3", "-c", OPEN, name + part], env,
                            place.folder)[1] for _ in range(min(runs, 5))], "s", bound=bound)
        calls -= len((place.state / "journal.jsonl").read_text().splitlines())
    finally:
        place.stop()
    table.single("second opens of batches: calls", [-calls], "calls", bound=0)
    grown = after[-1][1] - after[1][1]
    table.single(f"{parts} batches of {count} in one process: memory from the second to the "
                 "last", [grown / 1024], "MiB", bound=10)
    table.single(f"{parts} batches of {count} in one process: from the second to the last",
                 [after[-1][0] - after[1][0]], "descriptors", bound=0)


def by_hand(place, name):
    """The file of the batch with the paths of the results in place of their strings."""
    [written] = (place.state / "store/batches/v1").glob("*/rows.vrt")
    jobs = place.folder / "jobs.geojson"
    place.run("ogr2ogr", "-f", "GeoJSON", jobs, f"{name};wait=no")
    paths = iter([row["properties"]["result_path"]
                  for row in json.loads(jobs.read_text())["features"]])
    out = place.folder / "by-hand.vrt"
    out.write_text(re.sub(r"<SrcDataSource([^>]*)>[^<]*</SrcDataSource>"
                          r"<OpenOptions>.*?</OpenOptions>",
                          lambda found: f"<SrcDataSource{found[1]}>{next(paths)}"
                          "</SrcDataSource>", written.read_text()))
    return out


def measure_union(table, build, folder, runs, count=ROWS):
    """What reading costs, after the open; and all of it, by the clock."""
    place = Place(build, folder / "batch-union", 0)
    layer, _ = rows(place.folder, count)
    name = batch(layer, "union", 1, "water")[0]
    try:
        place.run("ogrinfo", "-q", "-so", name)
        paths = (name, by_hand(place, name))
        all_of, open_of = ([instructions(["ogrinfo", "-q", "-ro", how, path], place.env,
                                         place.folder) for path in paths]
                           for how in ("-al", "-so"))
        table.add(f"reading the union of {count} results: instructions",
                  [(all_of[0] - open_of[0], all_of[1] - open_of[1])], "M", 1e-6, bound=1.05)
        pairs = [tuple(run_counted(["ogrinfo", "-q", "-ro", "-al", path], place.env,
                                   place.folder)[1] for path in paths)
                 for _ in range(min(runs, 5))]
    finally:
        place.stop()
    table.add(f"opening and reading the union of {count} results: CPU", pairs, "s", 1)


def measure(table, build, folder, runs):
    measure_run(table, build, folder, runs)
    measure_again(table, build, folder, runs)
    measure_union(table, build, folder, runs)
