"""Waiting: TIMEOUT, wait=no, progress, and the negative cache."""
import json
import os
import pty
import subprocess
import threading

import pytest

import secret_search
from scripted import Response, GEOJSON, job

NAME = "GIQ:model=m;file=f"


def test_timeout_names_the_job_and_opening_again_resumes(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING"))]
    text = scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=1", NAME, tag="timeout")
    assert "the job job-1 is still RUNNING after 1 s" in text
    service.script["status"] = [Response(job("COMPLETED"))]
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names().count("run") == 1
    assert service.names()[-2:] == ["status", "download"]


def test_timeout_of_zero_checks_once(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING"))]
    scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=0", NAME, tag="timeout")
    assert service.names() == ["models", "run", "status"]


def test_status_is_polled_at_once_and_then_less_often(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING"))]
    scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=1.2", NAME, tag="timeout")
    # At once, and after pauses of 0.25 s and more, with jitter.
    assert 3 <= len(service.calls("status")) <= 7


def test_poll_interval_is_kept(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING"))] * 5 + [Response(job("DONE"))]
    scripted_gdal.run("ogrinfo", "-oo", "POLL_INTERVAL=0.05", NAME)
    assert len(service.calls("status")) == 6


def test_outage_while_polling_is_survived(scripted_gdal, service):
    service.script["status"] = [Response(b"", 503), Response(drop=True), Response(b"", 502),
                                Response(b"", 429), Response(job("DONE"))]
    scripted_gdal.run("ogrinfo", "-oo", "MAX_RETRY=0", NAME)
    assert service.names().count("run") == 1


def test_job_that_is_not_known_yet_is_waited_for(scripted_gdal, service):
    service.script["status"] = [Response({"message": "Inference Job not found"}, 404),
                                Response(job("DONE"))]
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names().count("status") == 2


ODD = {
    "a page for signing in": Response(b"<html>please sign in</html>", 200,
                                    {"Content-Type": "text/html"}),
    "202": Response(job("RUNNING"), 202), "204": Response(b"", 204), "400": Response(b"", 400),
    "401": Response({"message": "expired"}, 401),
    "403 of a firewall": Response(b"<html>blocked</html>", 403),
    "404 once": Response(b"", 404), "520": Response(b"", 520), "522": Response(b"", 522),
    "another job": Response(job("FAILED", id="job-2")),
    "failure of no job": Response({"status": "error", "message": "temporarily unavailable"}),
    "a redirect that is not followed": Response(b"", 302, {"Location": "ftp://x/"}),
}


def test_id_in_other_case_is_that_of_the_job(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING", id="JOB-1")),
                                Response(job("DONE", id="JOB-1"))]
    scripted_gdal.run("ogrinfo", "-oo", "POLL_INTERVAL=0.05", NAME)
    assert service.names() == ["models", "run", "status", "status", "download"]
    assert service.calls("download")[0]["query"] == {"inferenceJobId": "job-1"}


@pytest.mark.parametrize("odd", ODD)
def test_odd_response_does_not_end_the_wait(scripted_gdal, service, odd):
    service.script["status"] = [Response(job("RUNNING")), ODD[odd], Response(job("RUNNING")),
                                ODD[odd], Response(job("DONE"))]
    scripted_gdal.run("ogrinfo", "-oo", "POLL_INTERVAL=0.05", NAME)
    assert len(service.calls("run")) == 1 and len(service.calls("status")) == 5


@pytest.mark.parametrize("odd,tag", [
    ("a page for signing in", "service"), ("202", "service"), ("400", "service"),
    ("401", "credentials"), ("403 of a firewall", "credentials"), ("520", "service")])
def test_odd_first_response_ends_the_open_and_not_the_job(scripted_gdal, service, odd,
                                                          tag):
    service.script["status"] = [Response(job("RUNNING"))]
    scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=0", NAME, tag="timeout")
    before = scripted_gdal.records()
    service.script["status"] = [ODD[odd]]
    text = scripted_gdal.fails("ogrinfo", NAME, tag=tag)
    assert ("the state of the job job-1 could not be read; the job continues, and opening "
            "the same dataset again checks it again: ") in text
    assert scripted_gdal.records() == before
    service.script["status"] = [Response(job("DONE"))]
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 1


@pytest.mark.parametrize("odd", ["another job", "failure of no job"])
def test_responses_about_another_job_alone_are_tried_max_retry_times(scripted_gdal,
                                                                     service, odd):
    service.script["status"] = [ODD[odd]]
    text = scripted_gdal.fails("ogrinfo", "-oo", "MAX_RETRY=2", NAME, tag="service")
    assert ("the state of the job job-1 could not be read; the job continues, and opening "
            "the same dataset again checks it again: ") in text
    assert service.names() == ["models", "run", "status", "status", "status"]
    [record] = scripted_gdal.records().values()
    assert record["state"] == "submitted" and record["job_id"] == "job-1"
    service.script["status"] = [ODD[odd], Response(job("DONE"))]
    scripted_gdal.run("ogrinfo", "-oo", "MAX_RETRY=2", NAME)
    assert len(service.calls("run")) == 1


@pytest.mark.parametrize("status", ["REQUESTED", "approved", "Scheduled", "INGESTING"])
def test_job_that_waits_for_approval_is_waited_for(scripted_gdal, service, status):
    service.script["status"] = [Response(job(status)), Response(job("DONE"))]
    assert scripted_gdal.run("ogrinfo", NAME).stderr == ""
    assert len(service.calls("status")) == 2


def test_record_from_the_future_is_not_waited_for_without_end(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING"))]
    scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=0", NAME, tag="timeout")
    [path] = scripted_gdal.store.glob("v1/*/job.json")
    record = json.loads(path.read_text())
    record.update(submitted_at="2099-05-01T00:00:00.000Z")
    path.write_text(json.dumps(record))
    service.script["status"] = [Response(b"", 404)]
    text = scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=1", NAME, tag="timeout")
    assert "the job job-1 has no result after 1 s" in text
    assert len(service.calls("run")) == 1


def test_wait_no_returns_the_job_at_once(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING"))]
    done = scripted_gdal.run("ogrinfo", "-al", f"{NAME};wait=no")
    for words in ("Layer name: job", "job_id (String) = job-1",
                  "status (String) = RUNNING", "model_id (String) = m",
                  "started_at (DateTime) = 2024/05/01 10:20:30+00",
                  "result_path (String) = (null)"):
        assert words in done.stdout
    assert service.names() == ["models", "run", "status"]
    service.script["status"] = [Response(job("COMPLETED"))]
    done = scripted_gdal.run("ogrinfo", "-al", "-oo", "WAIT=NO", NAME)
    assert "status (String) = succeeded" in done.stdout
    assert "download" not in service.names()
    scripted_gdal.run("ogrinfo", NAME)
    done = scripted_gdal.run("ogrinfo", "-al", f"{NAME};wait=no")
    assert "status (String) = published" in done.stdout
    assert "result_size (Integer64) = " in done.stdout
    assert service.names() == ["models", "run", "status", "status", "download"]


def test_row_of_a_job_has_its_area(scripted_gdal):
    done = scripted_gdal.run(
        "ogrinfo", "-al",
        f"{NAME};wait=no;geometry=POLYGON((0 0,0 1,1 1,1 0,0 0))")
    assert "MULTIPOLYGON (((0 0,0 1,1 1,1 0,0 0)))" in done.stdout


def test_wait_no_as_a_raster_fails_before_anything_is_sent(scripted_gdal, service):
    text = scripted_gdal.fails("gdalinfo", f"{NAME};wait=no", tag="usage")
    assert "wait=no returns a table of jobs, which is not a raster" in text
    assert service.calls() == []


def test_failed_job_is_a_row_with_wait_no(scripted_gdal, service):
    service.script["status"] = [Response(job("FAILED"))]
    scripted_gdal.fails("ogrinfo", NAME, tag="failed")
    done = scripted_gdal.run("ogrinfo", "-al", f"{NAME};wait=no")
    assert "status (String) = failed" in done.stdout


def stderr_of_terminal(gdal, *command):
    """What a program prints on a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, cwd=gdal.folder, env=gdal.env, stderr=theirs,
                               stdout=subprocess.DEVNULL)
    os.close(theirs)
    printed = b""
    while True:
        try:
            block = os.read(ours, 4096)
        except OSError:
            break
        if not block:
            break
        printed += block
    os.close(ours)
    process.wait(timeout=60)
    return secret_search.in_text(printed.decode(), command)


def test_status_line_is_printed_on_a_terminal_and_cleared(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING")), Response(job("COMPLETED"))]
    printed = stderr_of_terminal(scripted_gdal, "ogrinfo", NAME)
    assert "job job-1 RUNNING" in printed
    assert printed.endswith("\r\x1b[K")


def test_nothing_is_printed_without_a_terminal(scripted_gdal):
    assert scripted_gdal.run("ogrinfo", NAME).stderr == ""


def test_progress_yes_prints_a_line_without_a_terminal(scripted_gdal):
    done = scripted_gdal.run("ogrinfo", "-oo", "PROGRESS=YES", NAME)
    assert done.stderr.startswith("GIQ: job job-1 ")
    assert "\x1b" not in done.stderr


def test_opens_of_one_process_after_a_timeout_check_once(scripted_gdal, service):
    """A GIS opens a source ten times: only the first waits."""
    service.script["status"] = [Response(job("RUNNING"))]
    script = """
import sys, time
from osgeo import gdal
gdal.SetConfigOption("GIQ_TIMEOUT", "1")
for _ in range(10):
    assert gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR) is None
    print(gdal.GetLastErrorMsg())
"""
    messages = scripted_gdal.python(script, NAME).stdout.splitlines()
    assert len(messages) == 10 and all(line.startswith("GIQ[timeout]") for line in messages)
    assert messages[0] == (
        "GIQ[timeout] the job job-1 is still RUNNING after 1 s; it continues, and opening "
        "the same dataset again continues the wait. Set TIMEOUT to wait longer")
    # A longer TIMEOUT would not make them wait.
    assert set(messages[1:]) == {
        "GIQ[timeout] another open of this program timed out or failed slowly less than a "
        "minute ago, so this open checked only once: the job job-1 is still RUNNING after "
        "0 s; it continues; open again in a minute to wait"}
    # The first asks at once and after each pause, the others once each.
    assert 2 + 9 <= len(service.calls("status")) <= 6 + 9
    service.script["status"] = [Response(job("RUNNING")), Response(job("DONE"))]
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 1


def test_check_once_does_not_shorten_the_next_wait(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING"))] * 3 + [Response(job("DONE"))]
    script = """
import sys
from osgeo import gdal
assert gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR, open_options=["TIMEOUT=0"]) is None
assert gdal.GetLastErrorMsg().startswith("GIQ[timeout]")
assert gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR) is not None
"""
    scripted_gdal.python(script, NAME, env={"GIQ_POLL_INTERVAL": "0.05"})
    assert len(service.calls("run")) == 1


def opens_in_one_process(gdal, *steps, env=None):
    """What the opens of (name, open options) of one program report, in order."""
    script = """
import json, sys
from osgeo import gdal
gdal.DontUseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
for name, options in json.load(sys.stdin):
    gdal.ErrorReset()
    dataset = gdal.OpenEx(name, gdal.OF_VECTOR, open_options=options)
    print("opened" if dataset else gdal.GetLastErrorMsg(), flush=True)
"""
    process = gdal.start("/usr/bin/python3", "-c", script, env=env, stdin=-1)
    done = gdal.finish(process, says=json.dumps(steps))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_timeout_of_one_open_makes_every_other_check_once(scripted_gdal, service):
    """Several unfinished layers freeze a GIS once, not once each."""
    service.script["status"] = [Response(job("RUNNING"))]
    messages = opens_in_one_process(
        scripted_gdal, (NAME, ["TIMEOUT=1"]), (f"{NAME};rerun=b", []),
        (f"{NAME};rerun=c", []), ("GIQ:job=job-1", []))
    assert "is still RUNNING after 1 s" in messages[0] and "only once" not in messages[0]
    assert all("checked only once: the job job-1 is still RUNNING" in line
               for line in messages[1:])
    assert service.names().count("run") == 3
    statuses = len(service.calls("status"))
    service.script["status"] = [Response(job("DONE"))]
    messages = opens_in_one_process(
        scripted_gdal, (NAME, []), (f"{NAME};rerun=b", ["TIMEOUT=0"]))
    assert messages == ["opened", "opened"]
    assert service.names().count("run") == 3
    assert len(service.calls("status")) == statuses + 2


NEVER = {"GIQ_HTTP_TIMEOUT": "3000", "GIQ_LOW_SPEED_TIME": "3000",
         "GIQ_CONNECT_TIMEOUT": "3000"}


@pytest.mark.parametrize("call,tag", [("status", "timeout"), ("download", "network")])
def test_check_ends_where_the_service_is_silent(scripted_gdal, service, call, tag):
    over = threading.Event()

    def silent(_):
        over.wait(60)
        return Response(drop=True)
    service.script[call] = [silent]
    messages = opens_in_one_process(scripted_gdal, (NAME, ["TIMEOUT=0"]), env=NEVER)
    over.set()
    [message] = messages
    assert message.startswith(f"GIQ[{tag}] ") and "job-1" in message
    assert service.names().count(call) == 1


def test_check_after_a_timeout_ends_where_the_service_is_silent(scripted_gdal, service):
    over = threading.Event()

    def silent(_):
        over.wait(60)
        return Response(drop=True)
    service.script["status"] = [Response(job("RUNNING")), silent]
    messages = opens_in_one_process(scripted_gdal, (NAME, ["TIMEOUT=0.5"]), (NAME, []),
                                env={**NEVER, "GIQ_POLL_INTERVAL": "0.4"})
    over.set()
    assert [line.split()[0] for line in messages] == ["GIQ[timeout]"] * 2
    assert "checked only once: the job job-1 has no result" in messages[1]
    assert messages[1].endswith("; it continues; open again in a minute to wait")


def second_job_is_done(service):
    """The first job keeps running; the one that is submitted after it has succeeded."""
    return lambda _: Response(job("RUNNING" if len(service.calls("run")) < 2 else "DONE"))


def after_a_check(response, at):
    """The response of the given call comes after the time of a check, 2 s; all others come
    at once."""
    calls = []

    def late(_):
        calls.append(1)
        if len(calls) == at:
            threading.Event().wait(2.5)
        return response
    return late


@pytest.mark.parametrize("call,at,name", [
    ("download", 1, f"{NAME};rerun=b"), ("models", 2, f"{NAME};rerun=b"),
    ("upload", 1, "GIQ:model=m;upload=local.csv")])
def test_timeout_of_one_open_leaves_others_the_time_for_their_calls(scripted_gdal, service,
                                                                    call, at, name):
    (scripted_gdal.folder / "local.csv").write_text("a\n1\n")
    service.script["status"] = [second_job_is_done(service)]
    service.script[call] = [after_a_check(service.script[call][0], at)]
    messages = opens_in_one_process(scripted_gdal, (NAME, ["TIMEOUT=0.1"]), (name, []))
    assert messages[0].startswith("GIQ[timeout]") and messages[1] == "opened"
    assert service.names().count("run") == 2
    assert service.names().count(call) == at


def test_timeout_of_one_open_leaves_others_the_time_to_submit_when_throttled(scripted_gdal,
                                                                       service):
    service.script["status"] = [second_job_is_done(service)]
    service.script["run"] = [Response(job("SUBMITTED")),
                             Response(b"", 429, {"Retry-After": "1"}),
                             Response(job("SUBMITTED"))]
    messages = opens_in_one_process(scripted_gdal, (NAME, ["TIMEOUT=0.1"]),
                                (f"{NAME};rerun=b", []))
    assert messages[0].startswith("GIQ[timeout]") and messages[1] == "opened"
    assert service.names().count("run") == 3


def test_finished_job_is_downloaded_with_retries_after_a_timeout(scripted_gdal, service):
    service.script["status"] = [second_job_is_done(service)]
    service.script["download"] = [Response(b"", 503), *service.script["download"]]
    messages = opens_in_one_process(scripted_gdal, (NAME, ["TIMEOUT=0.1"]),
                                (f"{NAME};rerun=b", []), env={"GIQ_RETRY_DELAY": "0.1"})
    assert messages[0].startswith("GIQ[timeout]") and messages[1] == "opened"
    assert service.names().count("download") == 2


SLOWLY = {"GIQ_MAX_RETRY": "2", "GIQ_RETRY_DELAY": "1"}  # 2.25 s at least


@pytest.mark.parametrize("name,call", [(NAME, "download"), ("GIQ:models", "models")])
def test_slow_failure_is_cached(scripted_gdal, service, name, call):
    service.script[call] = [Response({"message": "busy"}, 503)]
    messages = opens_in_one_process(scripted_gdal, *[(name, [])] * 3, env=SLOWLY)
    assert all(line.startswith("GIQ[service] ") and "busy" in line for line in messages)
    assert service.names().count(call) == 3 + 1 + 1


def test_open_waits_again_once_the_failure_has_passed(scripted_gdal, service):
    busy = Response({"message": "busy"}, 429)
    service.script["run"] = [busy] * 4 + [Response(job("SUBMITTED"))]
    service.script["status"] = [Response(job("RUNNING"))] * 3 + [Response(job("DONE"))]
    messages = opens_in_one_process(scripted_gdal, *[(NAME, [])] * 3,
                                env={**SLOWLY, "GIQ_POLL_INTERVAL": "0.05"})
    assert [line.split()[0] for line in messages] == ["GIQ[refused]"] * 2 + ["opened"]
    assert service.names().count("run") == 3 + 1 + 1
    assert service.names().count("status") == 4


def test_empty_result_is_reported_as_empty(scripted_gdal, service):
    service.script["download"] = [Response(b"")]
    for _ in range(2):
        text = scripted_gdal.fails("ogrinfo", NAME, tag="result")
        assert "is empty" in text and "job-1" in text
    assert service.names().count("download") == 2
    service.script["download"] = [Response(GEOJSON)]
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names().count("run") == 1
