"""Runs GDAL's programs with the plugin that was built, and the sandbox service.

ctest names the build by the variables below; without it they name build/ at the root."""
import functools
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.request

import pytest

import secret_search

ROOT = pathlib.Path(__file__).resolve().parents[2]
for _name, _path in {"GIQ_TEST_DATA": "data",
                     "GIQ_TEST_PLUGINS": "build/gdalplugins",
                     "GIQ_SANDBOX": "build/tests/sandbox/giq_sandbox",
                     "GIQ_FAULT_LIBRARY": "build/tests/fault/giq_fault.so"}.items():
    os.environ.setdefault(_name, str(ROOT / _path))

DATA = pathlib.Path(os.environ["GIQ_TEST_DATA"])
SCENE = "olinda_landsat7.tif"
# The harbour of Recife and the sea before it, within the scene.
AREA = "POLYGON((-34.89 -8.03,-34.84 -8.03,-34.84 -7.99,-34.89 -7.99,-34.89 -8.03))"

# The folder of a published result in that of its key, as a glob.
PUBLISHED = "result." + "[0-9a-f]" * 32


def entries(folder):
    """The names in a folder of the store; those that are made up end in <token>."""
    return {re.sub(r"[0-9a-f]{32}", "<token>", path.name) for path in folder.iterdir()}


def set_old(folder):
    """Nothing below it was modified for ten minutes."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - 601,) * 2)


def version_of_gdal():
    """Of its programs: major and minor number."""
    done = subprocess.run(["gdalinfo", "--version"], stdout=subprocess.PIPE, text=True,
                          check=True)
    return tuple(map(int, re.match(r"GDAL (\d+)\.(\d+)", done.stdout).groups()))


VERSION = version_of_gdal()
# Whether there is the program "gdal", which does what all others do.
HAS_GDAL_PROGRAM = VERSION >= (3, 11)


def wait_until(is_true, what, seconds=60):
    """Look often until something is so."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, f"{seconds} s without {what}"
        time.sleep(0.02)


@functools.cache
def vector_formats():
    """What its programs print of their vector drivers."""
    return subprocess.run(["ogrinfo", "--formats"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


def needs_driver(name):
    """The mark of a test that is skipped where GDAL was built without a vector driver."""
    return pytest.mark.skipif(f" {name} -" not in vector_formats(),
                              reason=f"this GDAL has no driver {name}")


# A process inherits the peak of the one that starts it: this one is small.
LAUNCHER = """
import os, sys
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
print(os.wait4(child, 0)[2].ru_maxrss)
"""


class Sandbox:
    """A running giq_sandbox; its journal is what a user would have paid for."""

    def __init__(self, state, *options, key=secret_search.KEY):
        self.state = secret_search.is_input(state)
        self.options = options if key is None else ("--api-key", key, *options)
        self.process = None
        self.url = None
        self.start()

    def start(self):
        command = [os.environ["GIQ_SANDBOX"], "--files", str(DATA), "--state",
                   str(self.state), "--job-seconds", "0.3", "--port", "0",
                   *self.options]
        log = open(secret_search.is_input(f"{self.state}.log"), "ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log,
                                        env=without_sanitizer())
        log.close()
        self.url = self.process.stdout.readline().decode().strip()
        assert self.url.startswith("http://127.0.0.1:"), self.url

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=30)
            self.process.stdout.close()
            self.process = None

    def set_faults(self, *specs):
        """The faults of the next calls; without an argument: none."""
        url = self.url.replace("/public", "/control/faults")
        urllib.request.urlopen(url, json.dumps(specs).encode()).read()

    def journal(self):
        path = self.state / "journal.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines()]

    def calls(self):
        """The last part of each path, in order: what reached the service."""
        return [entry["path"].rsplit("/", 1)[-1] for entry in self.journal()]

    def runs(self):
        """What a user pays for."""
        return [e for e in self.journal()
                if e["method"] == "POST" and e["path"].endswith("inference/run")]


@pytest.fixture
def started():
    """Takes what has a stop(), and stops it after the test."""
    kept = []

    def start(made):
        kept.append(made)
        return made

    yield start
    for made in reversed(kept):
        made.stop()


@pytest.fixture
def sandbox(tmp_path, started):
    return started(Sandbox(tmp_path / "sandbox"))


def without_sanitizer():
    """The environment of programs that do not load the plugin."""
    return {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}


class Gdal:
    """GDAL's programs with the plugin, a store of their own and one service."""

    def __init__(self, folder, url):
        self.folder = folder
        self.store = folder / "store"
        self.env = dict(os.environ)
        for name in list(self.env):
            if name.startswith("GIQ_") and not name.startswith("GIQ_TEST"):
                del self.env[name]
        preload = os.environ.get("GIQ_TEST_PRELOAD")
        if preload:
            # Leaks of GDAL's own programs would be reported too.
            self.env.update(LD_PRELOAD=preload, ASAN_OPTIONS="detect_leaks=0")
        self.env.update(GDAL_DRIVER_PATH=os.environ["GIQ_TEST_PLUGINS"],
                        GIQ_BASE_URL=url, GIQ_API_KEY=secret_search.KEY,
                        GIQ_STORE_DIR=str(self.store), HOME=str(folder),
                        GIQ_RETRY_DELAY="0.02")

    def start(self, *command, env=None, **more):
        """Start a program; finish() waits for its end."""
        env = {**self.env, **(env or {})}
        secret_search.know_environment(env)
        return subprocess.Popen([str(word) for word in command], cwd=self.folder, env=env,
                                **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                                   "text": True, **more})

    def finish(self, process, timeout=120, says=None):
        """Wait for the end of a program, whose output is searched for secrets."""
        with process:
            try:
                out, err = process.communicate(says, timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        secret_search.in_text((out or "") + (err or ""), process.args)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def run(self, *command, ok=True, env=None, timeout=120):
        """Run a program; `ok` says whether it must succeed (None: either)."""
        done = self.finish(self.start(*command, env=env), timeout)
        if ok is not None and (done.returncode == 0) != ok:
            drivers = re.compile(r"^  -> .*\n", re.M)
            pytest.fail(f"{command} gave {done.returncode}\n"
                        f"{drivers.sub('', done.stdout)}\n{done.stderr}")
        return done

    def as_user(self, user, *command):
        """The command as another user, who may read the folder. Needs root."""
        for path in (self.folder, *self.folder.parents):
            mode = path.stat().st_mode
            if path.is_relative_to(tempfile.gettempdir()) and mode & 0o055 != 0o055:
                path.chmod(mode | 0o055)
        return ["setpriv", f"--reuid={user}", "--regid=2000", "--clear-groups", *command]

    def fails(self, *command, tag=None, env=None):
        """Run a program that must fail with one error of the driver; its text."""
        done = self.run(*command, ok=None, env=env)
        # The program's own words name the dataset.
        lines = [line for line in done.stderr.splitlines() if "GIQ[" in line
                 or line.startswith("ERROR") and "GIQ:" not in line]
        assert len(lines) == 1 and "GIQ[" in lines[0], done.stderr
        assert done.returncode != 0 or command[0] == "ogrinfo"
        if tag is not None:
            assert f"GIQ[{tag}]" in lines[0], lines[0]
        return lines[0]

    def python(self, script, *arguments, ok=True, env=None):
        return self.run("/usr/bin/python3", "-c", script, *arguments, ok=ok, env=env)

    def peak_kib(self, *command, env=None):
        """The peak memory of a program, and what it says on standard error."""
        done = self.run("/usr/bin/python3", "-S", "-c", LAUNCHER, *command, env=env)
        return int(done.stdout.split()[-1]), done.stderr

    def layer(self, name, *options):
        """All features of the only layer, as GeoJSON features."""
        out = self.folder / "layer.geojson"
        out.unlink(missing_ok=True)
        self.run("ogr2ogr", "-f", "GeoJSON", out, name, *options)
        return json.loads(out.read_text())["features"]

    def records(self):
        """Every job.json of the store, by key."""
        return {path.parent.name: json.loads(path.read_text())
                for path in self.store.glob("v1/*/job.json")}

    def drop_tickets(self):
        """Make every record one of version 0.1, which had no tickets."""
        for path in self.store.glob("v1/*/sent.*"):
            path.unlink()
        for path in self.store.glob("v1/*/job.json"):
            record = {**json.loads(path.read_text()), "format": 1}
            record.pop("attempt", None)
            path.write_text(json.dumps(record))
