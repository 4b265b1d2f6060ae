"""Processes that open one request at once, on hosts whose locks, links and clocks are as a
test wants them: what the tests of shared stores have in common."""
import collections
import concurrent.futures
import contextlib
import errno
import itertools
import json
import os
import pathlib
import random
import re
import threading
import time

from conftest import Opener
from programs import Gdal
from scripted import Response, ScriptedService, job

PROCESSES = 16
ROUNDS = int(os.environ.get("GIQ_TEST_RACES") or 30)
SEED = int(os.environ.get("GIQ_TEST_SEED") or random.randrange(1 << 20))
WAIT_SECONDS = 30
UNTOUCHED_SECONDS = 70  # a ticket that old is not touched any more

# ---- hosts ----

DEAD = {"GIQ_FAULT_LOCKS": "0"}


def host(letter, **more):
    """A host whose locks lock nothing."""
    boot = f"{letter * 8}-0000-4000-8000-000000000000"
    return {**DEAD, "GIQ_FAULT_HOST": f"node-{letter}", "GIQ_FAULT_BOOT": boot, **more}


def failing(variable, *names):
    return {f"{variable.lower()}-{name}": [{
        **DEAD, f"GIQ_FAULT_{variable}": str(getattr(errno, name, name))}]
        for name in names}


# The environments of processes, which take them in turn.
WORLDS = {
    "locks": [{}],
    "dead": [DEAD],
    "hosts": [host("a"), host("b")],
    "clocks": [host("a", GIQ_FAULT_CLOCK="-300"), host("b", GIQ_FAULT_CLOCK="420")],
    **failing("LOCKS", "ENOLCK", "EOPNOTSUPP", "ENOSYS", "EIO", "EINTR"),
    **failing("LINKS", "EPERM", "EOPNOTSUPP", "ENOSYS", "EMLINK", "lost"),
}


# ---- the service ----


def file_of(run):
    return re.search(rb'name="fileId"\r\n\r\n(.*?)\r\n', run["body"])[1].decode()


class Jobs(ScriptedService):
    """The jobs of file f are f-1, f-2, ... Each download of a result is of its own length,
    and its feature has the name <job>-<number of the download>."""

    def __init__(self):
        super().__init__()
        self.mutex = threading.Lock()
        self.runs = collections.defaultdict(list)  # file: ids of its jobs
        self.failing = set()                       # ids of jobs that fail
        self.throttles = collections.Counter()     # file: 429s that are left
        self.throttled = collections.Counter()
        self.on_run = {}                           # file: called before the response
        self.on_download = {}                      # job: called before the response
        self.results = collections.defaultdict(dict)  # job: bytes by name
        self.script.update(run=[self.run], status=[self.status], download=[self.download])

    def run(self, seen):
        file = file_of(seen)
        with self.mutex:
            if self.throttles[file] > 0:
                self.throttles[file] -= 1
                self.throttled[file] += 1
                return Response({}, 429, {"Retry-After": "1"})
            self.runs[file].append(f"{file}-{len(self.runs[file]) + 1}")
            made = self.runs[file][-1]
        if file in self.on_run:
            self.on_run[file]()
        return Response({**job("SUBMITTED"), "id": made})

    def status(self, seen):
        of = seen["query"]["inferenceId"]
        return Response({**job("FAILED" if of in self.failing else "COMPLETED"), "id": of})

    def download(self, seen):
        of = seen["query"]["inferenceJobId"]
        if of in self.on_download:
            self.on_download[of]()
        with self.mutex:
            name = f"{of}-{len(self.results[of]) + 1}"
            body = json.dumps({
                "type": "FeatureCollection", "rest": "x" * random.randrange(20000),
                "features": [{"type": "Feature", "properties": {"name": name},
                              "geometry": {"type": "Point", "coordinates": [1, 2]}}]})
            self.results[of][name] = body.encode()
        return Response(self.results[of][name], headers={
            "Content-Disposition": "attachment; filename=r.geojson"}, chunked=True)


# ---- opening ----


class Races:
    """A service, and a process that opens for all hosts. Each file has a store."""

    def __init__(self, folder):
        self.folder = folder
        self.service = Jobs()
        self.gdal = Gdal(folder, self.service.url)
        self.pool = concurrent.futures.ThreadPoolExecutor()
        self.idle_openers = []
        self.openers = itertools.count()
        self.held = []  # events that somebody waits for

    def stop(self):
        for event in self.held:
            event.set()
        self.pool.shutdown()
        for opener in self.idle_openers:
            opener.stop()
        self.service.stop()

    def store(self, file):
        return self.folder / f"store-{file}"

    def key(self, file):
        """The folder of the only request in the store of a file. A file from which the time
        of the server is read may lie beside it."""
        [path] = self.store(file).glob("v1/" + "[0-9a-f]" * 64)
        return path

    def order(self, file, env, store=None, options=(), name=None):
        store = store or self.store(file)
        return {"name": name or f"GIQ:model=m;file={file}", "options": list(options), "env": {
            "GIQ_STORE_DIR": str(store), "GIQ_FAULT_STORE": str(store),
            "GIQ_POLL_INTERVAL": "0.05", "GIQ_RETRY_DELAY": "0", "GIQ_TIMEOUT": "20", **env}}

    def open_all(self, orders):
        """What each said, all having begun at once."""
        opener = (self.idle_openers.pop() if self.idle_openers
                  else Opener(self.gdal, next(self.openers)))
        done = opener.open_all(orders)
        self.idle_openers.append(opener)
        return done

    def start(self, orders):
        return self.pool.submit(self.open_all, orders)

    def race(self, file, world, count=PROCESSES, options=lambda number: (), **env):
        return self.open_all([
            self.order(file, {**world[number % len(world)], **env}, options=options(number))
            for number in range(count)])

    def open(self, file, env=DEAD, options=()):
        [done] = self.open_all([self.order(file, env, options=options)])
        return done

    # ---- what is on disk ----

    def files(self, file, pattern):
        return sorted(path.name for path in self.key(file).glob(pattern))

    def record(self, file):
        return json.loads((self.key(file) / "job.json").read_text())

    def ticket(self, file, n=1):
        return json.loads((self.key(file) / f"sent.{n}").read_text())

    def outcomes(self, file):
        """Of the tickets, in ascending order: job, nothing, unknown or None."""
        count = sum(name.split(".")[-1].isdigit() for name in self.files(file, "sent.*"))
        return [self.ticket(file, n).get("outcome") for n in range(1, count + 1)]

    def wait_for_ticket(self, file, n=1):
        """Wait until there is this ticket; the process id of its owner."""
        def listed():
            with contextlib.suppress(ValueError, FileNotFoundError):
                return self.ticket(file, n)["pid"]
        return wait_for(listed)

    def age(self, file, n=1, seconds=UNTOUCHED_SECONDS):
        """As if the ticket had not been touched for so long."""
        path = self.key(file) / f"sent.{n}"
        then = path.stat().st_mtime - seconds
        os.utime(path, (then, then))

    def age_when_dead(self, file, n=1):
        """Wait for the end of the owner of a ticket; others learn it by the ticket's age."""
        pid = self.wait_for_ticket(file, n)
        wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists())
        self.age(file, n)

    # ---- what must hold ----

    def check_published(self, file, job_id):
        """One result, whole: a download of this job's result. The name of its feature."""
        record = self.record(file)
        assert (record["state"], record.get("job_id")) == ("published", job_id), record
        folder = record["result"].get("folder", "result")
        assert self.files(file, "result*") == [folder], self.files(file, "*")
        body = (self.key(file) / folder / record["result"]["name"]).read_bytes()
        assert len(body) == record["result"]["size"]
        [name] = [name for name, sent in self.service.results[job_id].items() if sent == body]
        return name

    def check_all_read(self, file, done, job_id):
        """Each process has read the one result, which is of this job."""
        name = self.check_published(file, job_id)
        assert [(one.returncode, names_read(one)) for one in done] == [(0, [name])] * len(done), (
            [one for one in done if names_read(one) != [name]])


def wait_for(condition):
    """Wait until the condition is met; what it returned."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        met = condition()
        if met:
            return met
        time.sleep(0.005)
    raise AssertionError("waited in vain")


def names_read(done):
    return re.findall(r"name \(String\) = (\S+)", done.stdout)


def tags(done):
    return re.findall(r"GIQ\[(\w+)\]", done.stderr)
