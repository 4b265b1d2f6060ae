"""Programs that a signal ends at a moment that the service, or the system, tells: the
next open goes on with the same job, or says that its outcome is unknown."""
import os
import signal
import threading

import pytest

from archives import pack_zip
from programs import PUBLISHED, Gdal, entries, set_old
from raw import RESULT, WELL, RawService, response, job

NAME = "GIQ:model=m;file=f"
RECORD = {"request.json", "job.json", "lock", "sent.1"}
LONG = 60
PYTHON = """
import signal, sys
from osgeo import gdal
gdal.UseExceptions()
if len(sys.argv) > 2:
    gdal.DontUseExceptions()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
data = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
print(data.GetLayer(0).GetFeatureCount(), "features")
"""
PROGRAMS = {
    "ogr2ogr": (["ogr2ogr", "out.gpkg"], ""),
    "gdalinfo": (["gdalinfo"], "Size is 8, 8"),
    "python": (["/usr/bin/python3", "-c", PYTHON], "20 features"),
}


# ---- moments ----


class Held:
    """The service has sent `first` of a reply; the rest comes when the test says so."""
    env = {}

    def __init__(self, service, call, first, rest, before=()):
        self.first = first
        self.rest = rest
        self.begun = threading.Event()
        self.released = threading.Event()
        service.faults[call] = [*before, self]

    def __call__(self, connection, _):
        connection.sendall(self.first)
        self.begun.set()
        self.released.wait(LONG)
        connection.sendall(self.rest)

    def is_reached(self, _):
        return self.begun.wait(LONG)

    def send(self, process, number):
        process.send_signal(number)

    def release(self):
        self.released.set()


class Running(Held):
    """The job runs until the test says otherwise: the program asks and sleeps."""

    def __init__(self, service):
        super().__init__(service, "status", response(job("RUNNING")), b"")
        self.service = service
        service.faults["status"] = self

    def __call__(self, connection, _):
        connection.sendall(self.first)
        self.begun.set()

    def release(self):
        self.service.faults.clear()


class Stopped:
    """The process stops at the first call of the system that looks like this."""

    def __init__(self, call, action="stop-before"):
        self.env = {"LD_PRELOAD": os.environ["GIQ_FAULT_LIBRARY"],
                    "GIQ_FAULT_ON": call, "GIQ_FAULT_ACTION": action}

    def is_reached(self, process):
        seen = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        return seen.si_code == os.CLD_STOPPED

    def send(self, process, number):
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)

    def release(self):
        pass


def within(service, call, data, at=-1):
    return Held(service, call, data[:at], data[at:])


# The record's state at each moment, and how it is brought about.
MOMENTS = {
    "models": (None, lambda s: within(s, "models", WELL["models"], 0)),
    "run": ("sending", lambda s: within(s, "run", WELL["run"], 0)),
    "run_response": ("sending", lambda s: within(s, "run", WELL["run"])),
    "status": ("submitted", lambda s: within(s, "status", WELL["status"], 0)),
    "waiting": ("submitted", Running),
    "download": ("succeeded", lambda s: within(s, "download", s.result, 0)),
    "download_body": ("succeeded", lambda s: within(s, "download", s.result, -400)),
    "download_end": ("succeeded", lambda s: within(s, "download", s.result)),
    "unpacking": ("succeeded", lambda _: Stopped("open */result.new.*/r.geojson")),
    "unpacked": ("succeeded", lambda _: Stopped("remove */result.part.*")),
    "publishing": ("succeeded", lambda _: Stopped(f"rename */{PUBLISHED}")),
    "published": ("succeeded", lambda _: Stopped(f"rename */{PUBLISHED}", "stop-after")),
    "claimed": ("succeeded", lambda _: Stopped("link */published.1", "stop-after")),
}


class EndingService(RawService):
    """Its result is an archive that has something for every program."""

    def __init__(self, raster):
        super().__init__()
        self.result = response(pack_zip({"r.tif": raster, "r.geojson": RESULT}))

    def next_reply(self, call, head, body):
        reply = super().next_reply(call, head, body)
        return self.result if reply is WELL["download"] else reply


@pytest.fixture
def gdal(tmp_path):
    made = Gdal(tmp_path, "")
    made.env.update(GIQ_TIMEOUT="20", GIQ_POLL_INTERVAL="0.2",
                    GIQ_FAULT_STORE=str(made.store))
    return made


@pytest.fixture(scope="module")
def raster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raster")
    Gdal(folder, "").run("gdal_create", "-q", "-outsize", "8", "8", "r.tif")
    return (folder / "r.tif").read_bytes()


@pytest.fixture
def service(gdal, raster, started):
    made = started(EndingService(raster))
    gdal.env["GIQ_BASE_URL"] = made.url
    return made


# ---- ending ----


def start(gdal, program, moment, *more):
    """Ctrl-C counts, also where the tests run in the background."""
    command, _ = PROGRAMS[program]
    process = gdal.start(*command, NAME, *more, env=moment.env, preexec_fn=lambda:
                         signal.signal(signal.SIGINT, signal.SIG_DFL))
    assert moment.is_reached(process)
    return process


def check_left(gdal, state):
    assert [record["state"] for record in gdal.records().values()] == (
        [state] if state else [])
    for folder in gdal.store.glob("v1/*"):
        assert entries(folder) <= {*RECORD, "result.part.<token>", "result.new.<token>",
                                   "result.<token>", "published.1", "new.<token>.tmp"}
    assert entries(gdal.folder) <= {"store"}


def check_next(gdal, service, program, state):
    """The same open again: one job in all, and nothing but its result is left, once it is
    ten minutes later."""
    command, words = PROGRAMS[program]
    set_old(gdal.store)
    adopts = ""
    if state == "sending":
        assert "job=<id>" in gdal.fails(*command, NAME, tag="unknown")
        assert service.count("run") == 1
        adopts = ";job=job-1"
    assert words in gdal.run(*command, NAME + adopts).stdout
    assert service.count("run") == 1
    [folder] = gdal.store.glob("v1/*")
    assert entries(folder) == {*RECORD, "published.1", "result.<token>"}
    [result] = folder.glob(PUBLISHED)
    assert entries(result) == {"r.tif", "r.geojson"}


ENDS = [("ogr2ogr", signal.SIGINT), ("ogr2ogr", signal.SIGTERM),
        ("ogr2ogr", signal.SIGKILL), ("gdalinfo", signal.SIGINT),
        ("gdalinfo", signal.SIGTERM), ("gdalinfo", signal.SIGKILL),
        ("python", signal.SIGTERM), ("python", signal.SIGKILL)]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("program,number", ENDS, ids=lambda value: str(value))
def test_signal_ends_a_program_at_once(gdal, service, program, number, moment):
    state, make = MOMENTS[moment]
    moment = make(service)
    process = start(gdal, program, moment)
    moment.send(process, number)
    assert process.wait(LONG) == -number, "while the service still holds its response"
    moment.release()
    gdal.finish(process)
    check_left(gdal, state)
    service.faults.clear()
    check_next(gdal, service, program, state)


@pytest.mark.parametrize("moment", MOMENTS)
def test_signal_that_python_handles_waits_for_the_open(gdal, service, moment):
    """The handler runs when the open returns: it disturbs nothing until then."""
    check_open_goes_on(gdal, service, signal.SIGTERM, MOMENTS[moment][1](service))


@pytest.mark.parametrize("moment", ["unpacked", "publishing", "published", "claimed"])
def test_ctrl_c_that_python_handles_lets_a_result_be_published(gdal, service, moment):
    check_open_goes_on(gdal, service, signal.SIGINT, MOMENTS[moment][1](service))


@pytest.mark.parametrize("moment,state", [
    ("models", None), ("run", "submitted"), ("run_response", "submitted"),
    ("status", "submitted"), ("waiting", "submitted"), ("download", "succeeded"),
    ("download_body", "succeeded"), ("download_end", "succeeded"),
    ("unpacking", "succeeded")])
def test_ctrl_c_that_python_handles_ends_the_wait(gdal, service, moment, state):
    """But for a run request that is out, whose response is recorded first."""
    is_out = moment in ("run", "run_response")
    is_stopped = moment == "unpacking"
    moment = MOMENTS[moment][1](service)
    process = start(gdal, "python", moment, "handles")
    moment.send(process, signal.SIGINT)
    if is_out or is_stopped:
        moment.release()
    else:
        assert process.wait(LONG) == -signal.SIGINT, "while the service holds its response"
        moment.release()
    done = gdal.finish(process)
    assert done.returncode == -signal.SIGINT and done.stdout == ""
    assert "GIQ[cancelled] " in done.stderr and "KeyboardInterrupt" in done.stderr
    assert ("job-1" in done.stderr) == (state is not None)
    check_left(gdal, state)
    service.faults.clear()
    check_next(gdal, service, "python", state)


def check_open_goes_on(gdal, service, number, moment):
    process = start(gdal, "python", moment, "handles")
    moment.send(process, number)
    moment.release()
    done = gdal.finish(process)
    assert done.returncode == -signal.SIGINT and done.stdout == ""
    assert "KeyboardInterrupt" in done.stderr and "GIQ[" not in done.stderr
    calls = len(service.seen)
    check_next(gdal, service, "python", None)
    assert len(service.seen) == calls, "the result is there"


# ---- those who wait for another's open ----


def start_waiter(gdal):
    """Stopped after it has found the lock taken."""
    moment = Stopped("fcntl *", "stop-after")
    return moment, start(gdal, "python", moment)


@pytest.mark.parametrize("moment", ["run", "download_body"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_python_is_not_disturbed_by_a_waiter_that_is_ended(gdal, service, moment,
                                                           number):
    held = MOMENTS[moment][1](service)
    holder = start(gdal, "python", held)
    stopped, waiter = start_waiter(gdal)
    stopped.send(waiter, number)
    assert gdal.finish(waiter).returncode == -number
    held.release()
    assert "20 features" in gdal.finish(holder).stdout
    check_next(gdal, service, "python", None)
    assert service.count("download") == 1


@pytest.mark.parametrize("moment", ["run", "download_body"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_python_goes_on_for_a_holder_that_is_ended(gdal, service, moment, number):
    state, make = MOMENTS[moment]
    held = make(service)
    holder = start(gdal, "python", held)
    stopped, waiter = start_waiter(gdal)
    held.send(holder, number)
    assert holder.wait(LONG) == -number
    set_old(gdal.store)
    stopped.send(waiter, signal.SIGCONT)
    done = gdal.finish(waiter)
    assert ("GIQ[unknown]" if state == "sending" else "20 features") in (
        done.stdout + done.stderr)
    held.release()
    gdal.finish(holder)
    check_next(gdal, service, "python", state)
