"""How long after the end of a job its dataset stands open, with and without earlier jobs of
its model in the store."""
import json
import time

from side_by_side import SCENE, Place

HISTORY = 5  # earlier jobs


def after_the_end(place, number, seconds, store):
    """(seconds from the job's end to the end of the command, status calls)."""
    journal = place.state / "journal.jsonl"
    before = len(journal.read_text().splitlines()) if journal.exists() else 0
    place.run("gdalinfo", f"GIQ:model=ndvi;file={SCENE};rerun=end-{number}",
              GIQ_STORE_DIR=str(place.state / store))
    ended = time.time()
    job = max((place.state / "jobs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    # It is told to be completed when it is computed and its least time is over.
    done = max((job / "outcome.json").stat().st_mtime,
               (job / "job.json").stat().st_mtime + seconds)
    asked = [entry for entry in map(json.loads, journal.read_text().splitlines()[before:])
             if entry["path"].endswith("status")]
    return ended - done, len(asked)


def add_rows(table, what, ends, bound):
    table.single(f"{what}: from its end to the end of gdalinfo", [end for end, _ in ends],
                 "s", bound=bound)
    table.single(f"{what}: status calls", [count for _, count in ends], "calls", bound=50)


def measure(table, build, folder, runs):
    runs = min(runs, 5)
    for seconds in (1, 10):
        place = Place(build, folder, seconds)
        try:
            ends = [after_the_end(place, number, seconds, f"store-{number}")
                    for number in range(runs)]
            add_rows(table, f"a job of {seconds} s", ends, max(0.3, 0.1 * seconds))
            for number in range(HISTORY):
                after_the_end(place, HISTORY + number, seconds, "history")
            ends = [after_the_end(place, 2 * HISTORY + number, seconds, "history")
                    for number in range(runs)]
            # A program takes 0.2 s to open what it waited for.
            add_rows(table, f"a job of {seconds} s, after {HISTORY} others", ends,
                     max(0.3, 0.015 * seconds) + 0.2)
        finally:
            place.stop()
