"""Many records in a store."""
import shutil

from side_by_side import SCENE

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
