"""Downloads against the curl program's, net of the start of both."""
import pathlib
import shutil
import statistics
import tempfile
import time

from side_by_side import SCENE, in_turn

NAME = f"GIQ:model=ndvi;file={SCENE}"
MEMORY = "/dev/shm"


def big_job(place, mib):
    """The id and the file of a job whose result has this size: it is put in the place of
    the one that the model made."""
    place.run("ogrinfo", f"{NAME};rerun={mib};wait=no")
    job = max((place.state / "jobs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    while not (job / "outcome.json").exists():
        time.sleep(0.01)
    big = job / "result" / "ndvi.tif"
    side = int((mib * 1024 * 1024) ** 0.5)
    place.run("gdal_create", "-q", "-outsize", side, side, "-burn", "1", big)
    return job.name, big


class Download:
    def __init__(self, place, folder, mib, sync):
        self.place = place
        self.store = folder / "store"
        self.out = folder / "out.tif"
        self.job, self.big = big_job(place, mib)
        self.opened = ("gdalinfo", f"GIQ:job={self.job}")
        url = f"{place.url}/inference/download?inferenceJobId={self.job}"
        self.fetch = (f"curl -s -f -H 'X-API-KEY: sandbox' -o {self.out} '{url}'"
                      + (f" && sync {self.out}" if sync else ""))
        self.ours()

    def open(self):
        return self.place.run(*self.opened, GIQ_STORE_DIR=str(self.store))

    def ours(self):
        """What the second open, which downloads nothing, takes is no part of it."""
        shutil.rmtree(self.store, ignore_errors=True)
        seconds, peak = self.open()
        return seconds - self.open()[0], peak

    def theirs(self):
        self.out.unlink(missing_ok=True)
        seconds = self.place.run("sh", "-c", self.fetch)[0]
        nothing = "curl -s -o /dev/null file:///dev/null"
        return seconds - self.place.run("sh", "-c", nothing)[0]

    def end(self):
        self.out.unlink(missing_ok=True)
        self.big.unlink()


def one(table, place, runs, folder, mib, where):
    sync = where == "disk, synced"
    download = Download(place, folder, mib, sync)
    pairs = in_turn(download.ours, download.theirs, runs)
    table.add(f"download, {mib} MiB to {where}: curl", [(a[0], b) for a, b in pairs],
              bound=0.95 if sync else 0.9)
    idle = statistics.median(place.run_without("gdalinfo", download.big)[1]
                             for _ in range(5))
    table.single(f"download, {mib} MiB to {where}: memory above idle",
                 [(a[1] - idle) / 1024 for a, _ in pairs], "MiB", bound=6)
    download.end()


def measure(table, place, runs):
    few = min(runs, 7)  # a gibibyte takes seconds
    with tempfile.TemporaryDirectory(dir=MEMORY) as memory:
        for mib, times in ((20, runs), (256, runs), (1024, few)):
            one(table, place, times, pathlib.Path(memory), mib, "memory")
    for mib, times in ((256, runs), (1024, few)):
        one(table, place, times, place.folder, mib, "disk, synced")
