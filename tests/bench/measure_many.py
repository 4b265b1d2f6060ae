"""Many records in a store, many requests in one batch."""
import shutil

from side_by_side import ROOT, SCENE

AREA = "POLYGON((-34.87 -8.02,-34.84 -8.02,-34.84 -7.99,-34.87 -8.02))"


def measure_records(table, place, runs, count=10000):
    """The table of so many records, made of one real one."""
    store = place.folder / "many"
    env = {"GIQ_STORE_DIR": str(store)}
    place.run("ogrinfo", f"GIQ:model=water;file={SCENE};geometry={AREA}", **env)
    [first] = (store / "v1").iterdir()
    for number in range(1, count):
        copy = store / "v1" / f"{number:064x}"
        copy.mkdir()
        for name in ("request.json", "job.json"):
            shutil.copyfile(first / name, copy / name)
    table.single(f"GIQ:jobs of {count} records: ogrinfo -so",
                 [place.run("ogrinfo", "-q", "-so", "GIQ:jobs", "jobs", **env)[0]
                  for _ in range(runs)], "s", bound=0.3)


def measure_batch(table, place):
    """data/batch.sh, four at once, jobs that take no time; then all of it again."""
    for count in (1, 10, 100, 1000):
        rows = place.folder / f"batch-{count}.tsv"
        # Another corner each time, so that each is a request of its own.
        rows.write_text("".join(
            f"{number}.gpkg\thulls\tparcels.geojson\tGEOMETRY=POLYGON((-34.9 -8.1,"
            f"-34.8 -8.1,-34.8 -7.9,-34.9{count + number:05d} -7.9,-34.9 -8.1))\n"
            for number in range(count)))
        command = ("sh", ROOT / "data/batch.sh", rows, place.folder / f"batch-{count}", 4)
        seconds = place.run(*command)[0]
        again = place.run(*command)[0]
        table.single(f"a batch of {count}: for each request", [seconds / count * 1000],
                     "ms")
        table.single(f"a batch of {count}, all there: for each request",
                     [again / count * 1000], "ms")
