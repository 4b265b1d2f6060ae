"""A result that was downloaded before, against the same file opened directly."""
from side_by_side import SCENE, in_turn, instructions, run

KINDS = (("raster", f"GIQ:model=ndvi;file={SCENE}", ("gdalinfo",)),
         ("vector", f"GIQ:model=water;file={SCENE}", ("ogrinfo", "-so", "-al")))
READ_ALL = {"raster": ("gdalinfo", "-checksum"), "vector": ("ogrinfo", "-q", "-al")}


def measure(table, place, runs):
    for kind, name, command in KINDS:
        path = place.result_of(name)
        table.add(f"warm open, {kind}: the whole command",
                  [(a[0], b[0]) for a, b in in_turn(
                      lambda: place.run(*command, name),
                      lambda: place.run(*command, path), runs)], bound=1.03)
        table.add(f"warm open, {kind}: instructions",
                  [(instructions([*command, name], place.env, place.folder),
                    instructions([*command, path], place.env, place.folder))],
                  "M", 1e-6, bound=1.03)
        table.add(f"reading all, {kind}",
                  [(a[0], b[0]) for a, b in in_turn(
                      lambda: place.run(*READ_ALL[kind], name),
                      lambda: place.run(*READ_ALL[kind], path), runs)], bound=1.01)


def measure_loading(table, place, runs):
    """What the plugin costs every program of GDAL that does not use it."""
    command = ["gdalinfo", "--version"]
    mine = instructions(command, place.env, place.folder)
    other = instructions(command, place.without, place.folder)
    table.single("loading, in instructions", [(mine - other) / 1e6], "M", bound=4)
    pairs = in_turn(lambda: run(command, place.env, place.folder)[0],
                    lambda: run(command, place.without, place.folder)[0], 4 * runs)
    table.single("loading, in time", [(a - b) * 1000 for a, b in pairs], "ms", bound=1)
