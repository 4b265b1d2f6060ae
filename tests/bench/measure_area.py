"""An area of a million vertices from a dataset, against ogr2ogr reading the dataset."""
import statistics
import subprocess

from side_by_side import SCENE, in_turn

COUNT = 1000000
# One ring, and the cells of a grid, which have to be united.
MAKE = """
import struct, sys, numpy
from osgeo import ogr, osr
ogr.UseExceptions()
ring_path, cells_path, code, count = sys.argv[1], sys.argv[2], 32725, int(sys.argv[3])

def polygon(points):
    points = numpy.vstack([points, points[:1]]).astype("<f8")
    return struct.pack("<BIII", 1, 3, 1, len(points)) + points.tobytes()

def write(path, polygons):
    system = osr.SpatialReference()
    system.ImportFromEPSG(code)
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(path)
    layer = dataset.CreateLayer("area", system, ogr.wkbPolygon)
    layer.StartTransaction()
    for bytes in polygons:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometry(ogr.CreateGeometryFromWkb(bytes))
        layer.CreateFeature(feature)
    layer.CommitTransaction()

angle = numpy.linspace(0, 2 * numpy.pi, count, endpoint=False)
radius = 60000 + 9000 * numpy.sin(7 * angle) + 900 * numpy.sin(131 * angle)
radius += numpy.random.default_rng(1).uniform(-0.05, 0.05, count)
write(ring_path, [polygon(numpy.column_stack([290000 + radius * numpy.cos(angle),
                                              9120000 + radius * numpy.sin(angle)]))])

side, parts = int((count / 20) ** 0.5), 5
x, y = numpy.meshgrid(numpy.arange(side + 1), numpy.arange(side + 1))
corner = numpy.stack([x, y], -1) + numpy.random.default_rng(2).uniform(
    -0.2, 0.2, (side + 1, side + 1, 2))
corner = corner * 500 + [240000, 9070000]

def edge(a, b):
    return a + (b - a) * (numpy.arange(parts) / parts)[:, None]

write(cells_path, (polygon(numpy.vstack([
    edge(a, b) for a, b in zip(cell, cell[1:] + cell[:1])]))
    for i in range(side) for j in range(side)
    for cell in [[corner[i, j], corner[i, j + 1], corner[i + 1, j + 1], corner[i + 1, j]]]))
"""


def measure(table, place, runs):
    """The job is submitted and not waited for; each time it is another request."""
    runs = min(runs, 5)
    paths = {"one ring": place.folder / "ring.gpkg", "cells": place.folder / "cells.gpkg"}
    subprocess.run(["/usr/bin/python3", "-c", MAKE, *map(str, paths.values()), str(COUNT)],
                   check=True)
    for what, path in paths.items():
        number = iter(range(1000000))
        copy = place.folder / "copy.gpkg"

        def ours():
            name = f"GIQ:model=water;file={SCENE};wait=no;rerun={path.stem}-{next(number)}"
            return place.run("ogrinfo", "-so", name, "-oo", f"AOI={path}")

        def theirs():
            copy.unlink(missing_ok=True)
            return place.run_without("ogr2ogr", "-t_srs", "EPSG:4326", copy, path)

        pairs = in_turn(ours, theirs, runs)
        table.add(f"AOI of {COUNT} vertices, {what}: ogr2ogr of it",
                  [(a[0], b[0]) for a, b in pairs], "s", 1)
        mine, other = ([pair[i][1] / 1024 for pair in pairs] for i in (0, 1))
        table.single(f"AOI of {COUNT} vertices, {what}: peak memory", mine, "MiB",
                     theirs=f"{statistics.median(other):.0f} MiB")
