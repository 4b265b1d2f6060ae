"""Recording jobs: one submission, and the list of many records."""
import itertools
import shutil

from side_by_side import SCENE, in_turn

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


def measure_submission(table, place, runs):
    """What a new job costs until it is recorded, beside a dry run, which sends and writes
    nothing."""
    numbers = itertools.count()

    def opened(*options):
        name = f"GIQ:model=water;file={SCENE};rerun=submission-{next(numbers)};wait=no"
        return place.run("ogrinfo", "-q", *options, name)[0]

    table.add("a new job with wait=no: its dry run",
              in_turn(opened, lambda: opened("-oo", "SUBMIT=NO"), runs))
