#!/usr/bin/python3
"""Measures the driver side by side with what a user would do without it, in one run:

  /usr/bin/python3 tests/bench/bench.py [--build build] [--runs 15] [--mib 256]

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
        print(f"{what:44} {mine:10.1f} {other:10.1f} {unit:4} {mine / other:7.2f}")

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

    def download(self, mib):
        """The sandbox streams a result of this size: its file is put in the place of
        the one that the model made."""
        run(["ogrinfo", f"{NAME};rerun=big;wait=no"], self.env, self.folder)
        job = sorted((self.state / "jobs").iterdir())[-1]
        while not (job / "outcome.json").exists():
            time.sleep(0.01)
        big = job / "result" / "ndvi.tif"
        side = int((mib * 1024 * 1024) ** 0.5)
        run(["gdal_create", "-q", "-outsize", side, side, "-burn", "1", big],
            self.env, self.folder)
        curl = ["sh", "-c", f"curl -s -f -H 'X-API-KEY: sandbox' -o out.tif "
                f"'{self.url}/inference/download?inferenceJobId={job.name}' && "
                "sync out.tif"]
        opened = ["gdalinfo", f"GIQ:job={job.name}"]

        def ours():
            for result in self.folder.glob("store/v1/*"):
                shutil.rmtree(result)
            return run(opened, self.env, self.folder)

        def theirs():
            (self.folder / "out.tif").unlink(missing_ok=True)
            return run(curl, self.env, self.folder)
        self.runs = min(self.runs, 5)
        self.compare(f"{mib} MiB: open / curl and sync", ours, theirs)
        self.compare(f"{mib} MiB: peak memory / gdalinfo of the file", ours,
                     lambda: run(["gdalinfo", big], self.without, self.folder),
                     "MiB", 1 / 1024, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--mib", type=int, default=256)
    options = parser.parse_args()
    print(f"{'':44} {'ours':>10} {'theirs':>10} {'':4} {'ratio':>7}")
    with tempfile.TemporaryDirectory(prefix="giq-bench-") as folder:
        bench = Bench(options.build.resolve(), options.runs, pathlib.Path(folder))
        try:
            bench.loading()
            bench.warm_open()
            bench.jobs(10000)
            bench.download(options.mib)
        finally:
            bench.stop()


if __name__ == "__main__":
    main()
