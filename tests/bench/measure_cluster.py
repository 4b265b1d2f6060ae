"""Tasks of a Slurm array job that share a store, and one process that does as much at once."""
import datetime
import itertools
import json
import sys

from side_by_side import ROOT, SCENE, Place, in_turn

sys.path.insert(0, str(ROOT / "tests" / "kit"))
from areas import write_squares  # noqa: E402
from programs import wait_until  # noqa: E402
from slurm import Slurm  # noqa: E402

ROWS, SECONDS, TASKS = 80, 10, 8


def calls_of(place):
    return (place.state / "journal.jsonl").read_text().splitlines()


def seconds(place, work):
    """From the first call to the last, since the start of tasks does not count."""
    before = len(calls_of(place))
    work()
    first, *_, last = [datetime.datetime.fromisoformat(json.loads(line)["time"].rstrip("Z"))
                       for line in calls_of(place)[before:]]
    return (last - first).total_seconds()


def run_tasks(cluster, folder, batch):
    job = cluster.ask("sbatch", "--parsable", f"--chdir={folder}", ROOT / "data/slurm.sh",
                      batch).strip()
    wait_until(lambda: cluster.states(job) == dict.fromkeys(range(TASKS), "COMPLETED"),
               "the end of all tasks", 60 * SECONDS)


def measure(table, build, folder, runs):
    place = Place(build, folder, SECONDS, "--offer-wait")
    cluster = Slurm()
    cluster.env.update(place.env, **cluster.env)
    place.run("ogrinfo", "GIQ:models")
    rows = write_squares(folder / "squares.gpkg", ROWS)
    batch = f"GIQ:batch={rows};model=wait;file={SCENE};rerun="
    labels = itertools.count()
    try:
        pairs = in_turn(
            lambda: seconds(place, lambda: run_tasks(
                cluster, folder, f"{batch}{next(labels)}")),
            lambda: seconds(place, lambda: place.run(
                "ogrinfo", f"{batch}{next(labels)}", GIQ_CONCURRENCY=str(ROWS))),
            min(runs, 3))
    finally:
        cluster.stop()
        place.stop()
    table.add(f"{TASKS} tasks of Slurm, {ROWS} jobs of {SECONDS} s: one process", pairs,
              unit="s", factor=1, bound=1.3)
