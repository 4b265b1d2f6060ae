"""Ctrl-C while an open waits, in a program that handles SIGINT itself: the wait ends, the
job continues, and the program's handler has run and is left as it was. What would wait for
an hour ends here by the signal alone."""
import fcntl
import json
import os
import signal
import struct
import threading

import pytest

from areas import write
from scripted import GEOJSON, MODELS, Response, ScriptedService, job

NAME = "GIQ:model=m;file=f"
HOUR = {"GIQ_POLL_INTERVAL": "3000", "GIQ_RETRY_DELAY": "3000",
        "GIQ_HTTP_TIMEOUT": "3000", "GIQ_LOW_SPEED_TIME": "3000"}
RUNNING = Response(job("RUNNING"))
BUSY = Response({"message": "busy"}, 503)
F_OFD_SETLK = 37

SCRIPT = """
import ctypes, signal, sys, threading
from osgeo import gdal
gdal.DontUseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
libc = ctypes.CDLL(None)
def action():
    room = ctypes.create_string_buffer(256)
    assert libc.sigaction(signal.SIGINT, None, room) == 0
    return room.raw[:16] + room.raw[136:140]  # function, signals 1 to 64, flags
def interrupt(*_):
    print("handler", flush=True)
    raise KeyboardInterrupt
kinds = {"handler": interrupt, "quiet": lambda *_: None,
         "ignored": signal.SIG_IGN, "default": signal.SIG_DFL}
signal.signal(signal.SIGINT, kinds[sys.argv[2]])
before = action()
def work():
    dataset = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
    print("opened" if dataset else gdal.GetLastErrorMsg(), flush=True)
try:
    if sys.argv[3:] == ["thread"]:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    else:
        work()
except KeyboardInterrupt:
    print("KeyboardInterrupt", gdal.GetLastErrorMsg())
print("same handler" if action() == before else "another handler")
"""


class Program:
    """A program that opens a name; the service sends it SIGINT during a call."""

    def __init__(self, gdal, name=NAME, kind="handler", *more, env=None):
        self.gdal = gdal
        self.process = gdal.start("/usr/bin/python3", "-c", SCRIPT, name, kind, *more,
                                  env={**HOUR, **(env or {})})

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def lines(self):
        done = self.gdal.finish(self.process)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def wait_for(self, text):
        """Read what it prints on standard error until this comes."""
        for line in self.process.stderr:
            if text in line:
                return line
        raise AssertionError(f"no {text}")


@pytest.fixture
def interrupts(service):
    """Puts a call into the script that sends SIGINT and answers only when the test is
    over."""
    over = threading.Event()
    programs = []

    def hold(response):
        def respond_late(_):
            programs[0].interrupt()
            over.wait(60)
            return response
        return respond_late
    yield programs, hold
    over.set()


CANCELLED = ("KeyboardInterrupt GIQ[cancelled] Ctrl-C ended the wait for the job job-1; "
             "the job continues; open again to resume")


def test_wait_ends_and_opening_again_resumes(scripted_gdal, service):
    service.script["status"] = [RUNNING]
    program = Program(scripted_gdal, env={"GIQ_PROGRESS": "YES"})
    line = program.wait_for("job job-1 RUNNING")
    assert line.endswith("; Ctrl-C ends the wait but not a started job\n")
    program.interrupt()
    assert program.lines() == ["handler", CANCELLED, "same handler"]
    service.script["status"] = [Response(job("DONE"))]
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names() == ["models", "run", "status", "status", "download"]


def test_call_that_is_silent_ends(scripted_gdal, service, interrupts):
    programs, hold = interrupts
    service.script["status"] = [hold(RUNNING), Response(job("DONE"))]
    programs.append(Program(scripted_gdal))
    assert programs[0].lines() == ["handler", CANCELLED, "same handler"]
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 1


@pytest.mark.parametrize("name,first", [("GIQ:models", "models"), ("GIQ:files", "search"),
                                        (NAME, "models"),
                                        ("GIQ:model=m;upload=local.csv", "upload")])
def test_pause_before_a_retry_ends_and_nothing_is_started(scripted_gdal, service, name,
                                                         first):
    (scripted_gdal.folder / "local.csv").write_text("a\n1\n")
    program = None
    sent = threading.Event()

    def busy(_):
        sent.wait(60)
        threading.Timer(0.3, program.interrupt).start()
        return BUSY
    service.script[first] = [busy, Response([])]
    program = Program(scripted_gdal, name)
    sent.set()
    said, error, handler = program.lines()
    assert said == "handler" and handler == "same handler"
    assert error.startswith("KeyboardInterrupt GIQ[cancelled] Ctrl-C ended the open before ")
    assert service.names()[-1] == first and service.names().count(first) == 1
    assert service.calls("run") == []
    assert scripted_gdal.records() == {}


@pytest.mark.parametrize("response", [BUSY, Response(GEOJSON, cut=9)])
def test_download_ends_and_is_resumed(scripted_gdal, service, interrupts, response):
    programs, hold = interrupts
    good = service.script["download"][0]
    service.script["download"] = [hold(response), good]
    programs.append(Program(scripted_gdal))
    said, error, handler = programs[0].lines()
    assert error == ("KeyboardInterrupt GIQ[cancelled] Ctrl-C ended the download of the "
                     "result of the job job-1; open again to repeat it")
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names() == ["models", "run", "status", "download", "download"]


def test_response_to_a_run_request_that_is_out_is_waited_for(scripted_gdal, service):
    held = threading.Event()

    def run(_):
        held.set()
        handled.wait(60)
        return Response(job("SUBMITTED"))
    handled = threading.Event()
    service.script["run"] = [run]
    program = Program(scripted_gdal)
    assert held.wait(60)
    program.interrupt()
    # Python says so only when the open returns; the kernel shows that the signal came.
    while signal_is_pending(program.process.pid):
        pass
    handled.set()
    assert program.lines() == ["handler", CANCELLED, "same handler"]
    [record] = scripted_gdal.records().values()
    assert record["state"] == "submitted" and record["job_id"] == "job-1"
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 1


def signal_is_pending(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        lines = dict(line.split(":", 1) for line in status)
    return any(int(lines[name], 16) & 1 << signal.SIGINT - 1
               for name in ("SigPnd", "ShdPnd"))


def test_wait_for_a_lock_ends(scripted_gdal, service):
    """Somebody else holds the lock of the request, whose folder a refused run made."""
    service.script["run"] = [Response({"message": "no"}, 422)]
    scripted_gdal.fails("ogrinfo", NAME, tag="refused")
    [path] = scripted_gdal.store.glob("v1/*/lock")
    sent = threading.Event()

    def models(_):
        sent.wait(60)
        threading.Timer(0.3, program.interrupt).start()
        return Response(MODELS)
    service.script["models"] = [models]
    with open(path, "r+b") as file:
        fcntl.fcntl(file, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        program = Program(scripted_gdal)
        sent.set()
        said, error, handler = program.lines()
    assert error == ("KeyboardInterrupt GIQ[cancelled] Ctrl-C ended the open before a job "
                     "was started")
    assert (said, handler) == ("handler", "same handler")
    assert len(service.calls("run")) == 1


@pytest.mark.parametrize("name", ["GIQ:job=job-1", f"{NAME};job=job-1"])
def test_external_job_is_not_said_to_continue_before_it_is_confirmed(
        scripted_gdal, service, interrupts, name):
    programs, hold = interrupts
    service.script["status"] = [hold(RUNNING)]
    programs.append(Program(scripted_gdal, name))
    said, error, handler = programs[0].lines()
    assert error == ("KeyboardInterrupt GIQ[cancelled] Ctrl-C ended the open before the job "
                     "job-1 was found and recorded; open again to check it")
    assert service.names() == ["status"] and scripted_gdal.records() == {}


def test_retry_of_a_failed_job_ends_before_a_new_job(scripted_gdal, service):
    service.script["status"] = [Response(job("FAILED"))]
    scripted_gdal.fails("ogrinfo", NAME, tag="failed")
    program = None
    sent = threading.Event()

    def throttled(_):
        sent.wait(60)
        threading.Timer(0.3, program.interrupt).start()
        return Response({"message": "busy"}, 429)
    service.script["run"] = [throttled]
    program = Program(scripted_gdal, env={"GIQ_RETRY": "a"})
    sent.set()
    said, error, handler = program.lines()
    assert error == ("KeyboardInterrupt GIQ[cancelled] Ctrl-C ended the open before a new "
                     "job was started in place of the job job-1, which failed")
    scripted_gdal.fails("ogrinfo", NAME, tag="failed")
    assert len(service.calls("run")) == 2


def test_check_of_a_job_that_is_gone_ends_before_a_new_job(scripted_gdal, service,
                                                           interrupts):
    service.script["status"] = [RUNNING]
    scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=0", NAME, tag="timeout")
    [path] = scripted_gdal.store.glob("v1/*/job.json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "submitted_at": "2024-05-01T00:00:00.000Z"}))
    service.script["status"] = [Response({"message": "Inference Job not found"}, 404)]
    scripted_gdal.fails("ogrinfo", NAME, tag="gone")
    programs, hold = interrupts
    service.script["status"] = [hold(RUNNING)]
    programs.append(Program(scripted_gdal, env={"GIQ_RETRY": "a"}))
    said, error, handler = programs[0].lines()
    assert error == ("KeyboardInterrupt GIQ[cancelled] Ctrl-C ended the open while the job "
                     "job-1, which is recorded as gone, was checked again; no new job was "
                     "started")
    assert len(service.calls("run")) == 1


MAY_EXIST = ("Ctrl-C ended the open; a run request was sent before, so a job may have been "
             "started; open again without RETRY to see its state")


@pytest.mark.parametrize("change,text", [
    ({"state": "sending"}, MAY_EXIST),
    ({"state": "unknown"}, MAY_EXIST),
    ({"state": "submitted", "job_id": "job-1"}, CANCELLED.split("] ")[1]),
])
def test_wait_for_a_lock_ends_and_what_another_process_recorded_is_reported(
        scripted_gdal, service, change, text):
    """Another process holds the lock, and submits a job after this one read the record."""
    service.script["run"] = [Response(b"", 500)]
    scripted_gdal.fails("ogrinfo", NAME, tag="unknown")
    scripted_gdal.drop_tickets()
    [path] = scripted_gdal.store.glob("v1/*/job.json")
    record = {**json.loads(path.read_text()), **change}
    path.unlink()
    sent = threading.Event()

    def models(_):
        sent.wait(60)
        path.write_text(json.dumps(record))
        threading.Timer(0.3, program.interrupt).start()
        return Response(MODELS)
    service.script["models"] = [models]
    with open(path.with_name("lock"), "r+b") as file:
        fcntl.fcntl(file, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        program = Program(scripted_gdal)
        sent.set()
        said, error, handler = program.lines()
    assert error == f"KeyboardInterrupt GIQ[cancelled] {text}"
    assert (said, handler) == ("handler", "same handler")
    assert json.loads(path.read_text()) == record
    assert len(service.calls("run")) == 1


ENDLESS = """<OGRVRTDataSource><OGRVRTLayer name="all">
<SrcDataSource relativeToVRT="1">a.gpkg</SrcDataSource>
<SrcSQL>WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
SELECT geom FROM n CROSS JOIN area</SrcSQL></OGRVRTLayer></OGRVRTDataSource>"""


def has_open(pid, name):
    folder = f"/proc/{pid}/fd"
    for number in os.listdir(folder):
        try:
            if os.path.basename(os.readlink(f"{folder}/{number}")) == name:
                return True
        except FileNotFoundError:
            pass
    return False


def test_reading_of_an_endless_area_ends_and_nothing_is_sent(scripted_gdal, service):
    write(scripted_gdal.folder / "a.gpkg", "EPSG:4326", "POLYGON((0 0,0 1,1 1,1 0,0 0))")
    (scripted_gdal.folder / "endless.vrt").write_text(ENDLESS)
    program = Program(scripted_gdal, f"{NAME};aoi=endless.vrt")
    while not has_open(program.process.pid, "a.gpkg"):
        assert program.process.poll() is None
    program.interrupt()
    assert program.lines() == ["handler", "KeyboardInterrupt GIQ[cancelled] the open was "
                               "cancelled while its area was read; nothing was sent",
                               "same handler"]
    assert service.calls() == []


AREA = b"POLYGON((0 0,0 1,1 1,1 0,0 0))"


@pytest.mark.parametrize("file,body,name,text", [
    ("area.wkt", AREA, f"{NAME};geometry=@",
     "the open was cancelled while its area was read; nothing was sent"),
    ("local.csv", b"a\n1\n", "GIQ:model=m;upload=",
     "the open was cancelled while the file was read"),
])
def test_signal_while_a_remote_file_is_read_ends_the_open_and_nothing_is_sent(
        scripted_gdal, service, started, file, body, name, text):
    """The file is complete when GDAL returns: only the signal can stop the run request."""
    host = started(ScriptedService())
    programs = []
    ready = threading.Event()

    def interrupted(_):
        assert ready.wait(60)
        programs[0].interrupt()
        return Response(body)
    host.script[file] = [interrupted, Response(body)]
    url = f"/vsicurl/http://127.0.0.1:{host.port}/{file}"
    programs.append(Program(scripted_gdal, name + url, env={
        "CPL_VSIL_CURL_USE_HEAD": "NO", "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}))
    ready.set()
    assert programs[0].lines() == [
        "handler", f"KeyboardInterrupt GIQ[cancelled] {text}", "same handler"]
    assert service.calls() == []
    assert scripted_gdal.records() == {}


def test_status_of_a_running_job_that_reads_gone_is_not_the_state_gone(
        scripted_gdal, service, interrupts):
    programs, hold = interrupts
    service.script["status"] = [Response(job("gone")), hold(Response(job("gone")))]
    programs.append(Program(scripted_gdal, env={"GIQ_POLL_INTERVAL": "0.05"}))
    assert programs[0].lines() == ["handler", CANCELLED, "same handler"]


def test_ignored_signal_ends_nothing(scripted_gdal, service, interrupts):
    programs, _ = interrupts

    def running(_):
        programs[0].interrupt()
        return RUNNING
    service.script["status"] = [running, Response(job("DONE"))]
    programs.append(Program(scripted_gdal, NAME, "ignored", env={
        "GIQ_POLL_INTERVAL": "0.05", "GIQ_PROGRESS": "YES"}))
    assert programs[0].lines() == ["opened", "same handler"]


def test_default_action_ends_the_program(scripted_gdal, service):
    service.script["status"] = [RUNNING]
    program = Program(scripted_gdal, NAME, "default", env={"GIQ_PROGRESS": "YES"})
    assert "Ctrl-C ends the wait but not a started job" in program.wait_for("RUNNING")
    program.interrupt()
    assert scripted_gdal.finish(program.process).returncode == -signal.SIGINT
    service.script["status"] = [Response(job("DONE"))]
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 1


def test_wait_in_another_thread_goes_on(scripted_gdal, service, interrupts):
    """The signal is for the main thread, and the program decides what it means."""
    programs, _ = interrupts

    def running(_):
        programs[0].interrupt()
        return RUNNING
    service.script["status"] = [running, Response(job("DONE"))]
    programs.append(Program(scripted_gdal, NAME, "quiet", "thread", env={
        "GIQ_POLL_INTERVAL": "0.05", "GIQ_PROGRESS": "YES"}))
    assert programs[0].lines() == ["opened", "same handler"]
    assert len(service.calls("run")) == 1


def test_published_result_opens_without_a_handler_of_the_drivers(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    trace = scripted_gdal.folder / "trace"
    scripted_gdal.run("strace", "-f", "-o", trace, "-e", "trace=rt_sigaction",
                      "/usr/bin/python3", "-c", SCRIPT, NAME, "handler")
    text = trace.read_text()
    installed = [line for line in text.splitlines() if "rt_sigaction(SIGINT, {" in line]
    scripted_gdal.run("strace", "-f", "-o", trace, "-e", "trace=rt_sigaction",
                      "/usr/bin/python3", "-c", SCRIPT, "GIQ:jobs", "handler")
    others = [line for line in trace.read_text().splitlines()
              if "rt_sigaction(SIGINT, {" in line]
    assert len(installed) == len(others)
