"""Measuring two ways of the same in turn, and the table that comes of it."""
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENE = "olinda_landsat7.tif"
# A process inherits the peak of the one that starts it: this one is small.
LAUNCHER = """
import os, sys, time
began = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss,
      file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def first_line(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          check=True).stdout.splitlines()[0]


def gdal_version():
    return " ".join(first_line("gdalinfo", "--version").split()[:2]).strip(",")


class Table:
    """Rows of Markdown: what ours is to theirs, with the bound that it is to meet, in bold
    where it is missed."""

    def __init__(self):
        self.rows = []
        self.line("what", "ours", "theirs", "ratio (95 % of the medians)", "at most")
        self.line("---", *["--:"] * 4)

    def add(self, what, pairs, unit="ms", factor=1000, bound=None):
        mine = sorted(a * factor for a, _ in pairs)
        other = sorted(b * factor for _, b in pairs)
        ratios = sorted(a / b for a, b in pairs)
        ratio = statistics.median(ratios)
        self.line(what, f"{statistics.median(mine):.1f} {unit}",
                  f"{statistics.median(other):.1f} {unit}",
                  f"{ratio:.3f}{around(ratios, 3)}", shown(ratio, bound))

    def single(self, what, values, unit, bound=None, theirs=""):
        """What stands for itself: a median, with what holds it."""
        values = sorted(values)
        middle = statistics.median(values)
        digits = 2 if middle < 10 else 0
        self.line(what, f"{middle:.{digits}f}{around(values, digits)} {unit}", theirs, "",
                  shown(middle, bound, f" {unit}"))

    def line(self, *cells):
        self.rows.append("| " + " | ".join(cells) + " |")
        print(self.rows[-1], flush=True)


def shown(value, bound, unit=""):
    if bound is None:
        return ""
    return f"{bound:g}{unit}" if value <= bound else f"**{bound:g}{unit}**"


def around(values, digits):
    """The interval of the median of sorted values, unless it is one value."""
    low, high = interval(values)
    return f" ({low:.{digits}f} to {high:.{digits}f})" if len(values) > 1 else ""


def interval(values):
    """Ranks around the median that hold it with 95 % (binomial)."""
    n = len(values)
    half = 0.98 * math.sqrt(n)
    low = max(0, math.floor(n / 2 - half))
    high = min(n - 1, math.ceil(n / 2 + half) - 1)
    return values[low], values[max(high, low)]


def in_turn(ours, theirs, runs):
    """Pairs of both, so that what else the machine does meets both; the order of the two
    changes, so that neither profits from the other."""
    pairs = []
    for number in range(runs):
        if number % 2:
            pairs.append((ours(), theirs()))
        else:
            other = theirs()
            pairs.append((ours(), other))
    return pairs


def run(command, env, folder):
    """(seconds, peak KiB) of one run of a program that must succeed."""
    seconds, _, peak = run_counted(command, env, folder)
    return seconds, peak


def run_counted(command, env, folder):
    """(seconds, seconds of CPU, peak KiB), of all processes and of the largest one."""
    done = subprocess.run(["/usr/bin/python3", "-S", "-c", LAUNCHER,
                           *[str(word) for word in command]], env=env, cwd=folder,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    words = done.stderr.decode()
    if done.returncode != 0:
        sys.exit(f"{command} failed: {words}")
    seconds, cpu, peak = words.split()[-3:]
    return float(seconds), float(cpu), int(peak)


def instructions(command, env, folder):
    """How many a program executes, counted by valgrind."""
    out = folder / "callgrind.out"
    done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
                           *[str(word) for word in command]], env=env, cwd=folder,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr.decode())
    if done.returncode != 0 or not found:
        sys.exit(f"{command} failed: {done.stderr.decode()}")
    return int(found.group(1))


class Place:
    """A sandbox, a store and the environments of GDAL's programs with and without the
    plugin."""

    def __init__(self, build, folder, job_seconds=0, *options):
        self.folder = folder
        self.state = folder / f"sandbox-{job_seconds}"
        self.files = folder / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        for path in (ROOT / "data").iterdir():
            link = self.files / path.name
            link.exists() or link.symlink_to(path)
        self.server = subprocess.Popen(
            [build / "tests/sandbox/giq_sandbox", "--files", self.files, "--state",
             self.state, "--job-seconds", str(job_seconds), *options],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.url = self.server.stdout.readline().decode().strip()
        empty = folder / "empty"
        empty.mkdir(exist_ok=True)
        self.without = {**os.environ, "GDAL_DRIVER_PATH": str(empty)}
        self.env = {**os.environ, "GDAL_DRIVER_PATH": str(build / "gdalplugins"),
                    "GIQ_BASE_URL": self.url, "GIQ_API_KEY": "sandbox",
                    "GIQ_STORE_DIR": str(self.state / "store")}

    def stop(self):
        self.server.terminate()
        self.server.wait()
        self.server.stdout.close()

    def run(self, *command, **more):
        return run(command, {**self.env, **more}, self.folder)

    def run_without(self, *command):
        return run(command, self.without, self.folder)

    def result_of(self, name):
        """The published file of a request, which is opened first; the newest one."""
        self.run("ogrinfo" if "water" in name or "hulls" in name else "gdalinfo", name)
        found = (self.state / "store").glob("v1/*/result.*/*")
        return max(found, key=lambda path: path.stat().st_mtime_ns)
