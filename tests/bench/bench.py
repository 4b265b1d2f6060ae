#!/usr/bin/python3
"""Measures the driver side by side with what a user would do without it, in one run:

  /usr/bin/python3 tests/bench/bench.py [--build build] [--runs 15]

Prints a table of medians and their ratio (ours to theirs). Nothing here is a test:
times are not asserted anywhere.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENE = "olinda_landsat7.tif"
NAME = f"GIQ:model=ndvi;file={SCENE}"


def run(command, env, folder):
    """(seconds, peak KiB) of one run of a program that must succeed."""
    began = time.perf_counter()
    child = subprocess.Popen([str(c) for c in command], env=env, cwd=folder,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    words = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    child.stderr.close()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{command} failed: {words.decode()}")
    return seconds, usage.ru_maxrss


class Bench:
    def __init__(self, build, runs, folder):
        self.runs = runs
        self.folder = folder
        self.build = build
        self.state = folder / "sandbox"
        self.server = subprocess.Popen(
            [build / "tests/sandbox/giq_sandbox", "--files", ROOT / "data", "--state",
             self.state, "--job-seconds", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.url = self.server.stdout.readline().decode().strip()
        empty = folder / "empty"
        empty.mkdir()
        self.without = {**os.environ, "GDAL_DRIVER_PATH": str(empty)}
        self.env = {**os.environ, "GDAL_DRIVER_PATH": str(build / "gdalplugins"),
                    "GIQ_BASE_URL": self.url, "GIQ_API_KEY": "sandbox",
                    "GIQ_STORE_DIR": str(folder / "store")}

    def stop(self):
        self.server.terminate()
        self.server.wait()

    def compare(self, what, ours, theirs, unit="ms", factor=1000, index=0):
        """Run both in turn, so that what else the machine does meets both."""
        pairs = [(ours(), theirs()) for _ in range(self.runs)]
        mine = statistics.median(a[index] for a, _ in pairs) * factor
        other = statistics.median(b[index] for _, b in pairs) * factor
        print(f"{what:52} {mine:10.1f} {other:10.1f} {unit:4} {mine / other:7.2f}")

    def loading(self):
        self.compare("loading: ogrinfo --formats / without plugin",
                     lambda: run(["ogrinfo", "--formats"], self.env, self.folder),
                     lambda: run(["ogrinfo", "--formats"], self.without, self.folder))

    def warm_open(self):
        run(["gdalinfo", NAME], self.env, self.folder)
        [path] = self.folder.glob("store/v1/*/result/*")
        self.compare("warm open: gdalinfo GIQ: / the file itself",
                     lambda: run(["gdalinfo", NAME], self.env, self.folder),
                     lambda: run(["gdalinfo", path], self.env, self.folder))
        script = ("import sys, time\nfrom osgeo import gdal\ngdal.UseExceptions()\n"
                  "gdal.OpenEx(sys.argv[1])\nbegan = time.perf_counter()\n"
                  "for _ in range(200): gdal.OpenEx(sys.argv[1])\n"
                  "print((time.perf_counter() - began) / 200)")

        def inside(name):
            done = subprocess.run(["/usr/bin/python3", "-c", script, str(name)],
                                  env=self.env, check=True, stdout=subprocess.PIPE)
            return (float(done.stdout),)
        self.compare("warm open within one process", lambda: inside(NAME),
                     lambda: inside(path), "us", 1e6)

    def jobs(self, count):
        """Open and list a store of so many records, made of one real one."""
        store = self.folder / "many"
        env = {**self.env, "GIQ_STORE_DIR": str(store)}
        area = "POLYGON((-34.87 -8.02,-34.84 -8.02,-34.84 -7.99,-34.87 -8.02))"
        run(["ogrinfo", f"GIQ:model=water;file={SCENE};geometry={area}"], env, self.folder)
        [first] = (store / "v1").iterdir()
        for number in range(1, count):
            copy = store / "v1" / f"{number:064x}"
            copy.mkdir()
            for name in ("request.json", "job.json"):
                shutil.copyfile(first / name, copy / name)
        table = self.folder / "jobs.csv"
        run(["ogr2ogr", "-f", "CSV", table, "GIQ:jobs"], env, self.folder)

        def listed(name):
            return lambda: run(["ogrinfo", "-q", "-al", name], env, self.folder)
        self.compare(f"GIQ:jobs, {count} records / a CSV of them", listed("GIQ:jobs"),
                     listed(table))

    def big_job(self, mib):
        """The id and the file of a job whose result has this size: it is put in the
        place of the one that the model made."""
        run(["ogrinfo", f"{NAME};rerun={mib};wait=no"], self.env, self.folder)
        job = max((self.state / "jobs").iterdir(), key=lambda path: path.stat().st_mtime)
        while not (job / "outcome.json").exists():
            time.sleep(0.01)
        big = job / "result" / "ndvi.tif"
        side = int((mib * 1024 * 1024) ** 0.5)
        run(["gdal_create", "-q", "-outsize", side, side, "-burn", "1", big],
            self.env, self.folder)
        return job.name, big

    def download(self, mib, folder, where, sync):
        """To `folder`, net of the start of both programs."""
        job, big = self.big_job(mib)
        env = {**self.env, "GIQ_STORE_DIR": str(folder / "store")}
        out = folder / "out.tif"
        url = f"{self.url}/inference/download?inferenceJobId={job}"
        fetch = f"curl -s -f -H 'X-API-KEY: sandbox' -o {out} '{url}'"
        opened = ["gdalinfo", f"GIQ:job={job}"]

        def start_of(command, **more):
            return statistics.median(run(command, {**env, **more}, self.folder)[0]
                                     for _ in range(5))

        def ours():
            shutil.rmtree(folder / "store", ignore_errors=True)
            seconds, peak = run(opened, env, self.folder)
            return seconds - start, peak

        def theirs():
            out.unlink(missing_ok=True)
            return (run(["sh", "-c", fetch + (f" && sync {out}" if sync else "")], env,
                        self.folder)[0] - curl_start,)
        start = 0
        ours()
        start = start_of(opened)
        curl_start = start_of(["sh", "-c", "curl -s -o /dev/null file:///dev/null"])
        self.compare(f"{mib} MiB {where}: open / curl", ours, theirs)
        self.compare(f"{mib} MiB {where}: peak / gdalinfo of the file", ours,
                     lambda: run(["gdalinfo", big], self.without, self.folder),
                     "MiB", 1 / 1024, 1)
        out.unlink(missing_ok=True)
        big.unlink()

    def downloads(self):
        self.runs = min(self.runs, 7)
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            for mib in (20, 256, 1024):
                self.download(mib, pathlib.Path(memory), "to memory", sync=False)
        for mib in (256, 1024):
            self.download(mib, self.folder, "to disk with sync", sync=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    print(f"{'':52} {'ours':>10} {'theirs':>10} {'':4} {'ratio':>7}")
    with tempfile.TemporaryDirectory(prefix="giq-bench-") as folder:
        bench = Bench(options.build.resolve(), options.runs, pathlib.Path(folder))
        try:
            bench.loading()
            bench.warm_open()
            bench.jobs(10000)
            bench.downloads()
        finally:
            bench.stop()


if __name__ == "__main__":
    main()
