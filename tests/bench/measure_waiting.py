"""How long after the end of a job its dataset stands open."""
import json
import time

from side_by_side import SCENE, Place


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


def measure(table, build, folder, runs):
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
