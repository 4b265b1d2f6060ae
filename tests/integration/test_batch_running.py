"""How a batch runs: how many requests at a time, what holds up or ends all of them, and
what is said before the first job is paid for."""
import threading
import time

import pytest

from batches import NAME, fails, file_of, read, table, write_rows
from scripted import Response, job


@pytest.fixture
def gdal(scripted_gdal):
    scripted_gdal.env.update(GIQ_POLL_INTERVAL="0.05")
    return scripted_gdal


class Gate:
    """Holds run requests until so many of them are there. `most` is how many there were at
    a time."""

    def __init__(self, jobs, width):
        self.jobs = jobs
        self.lock = threading.Lock()
        self.barrier = threading.Barrier(width)
        self.left = width
        self.now = self.most = 0
        jobs.service.script["run"] = [self.on_run]

    def on_run(self, seen):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            is_held = self.left > 0
            self.left -= 1
        if is_held:
            self.barrier.wait(60)
        with self.lock:
            self.now -= 1
        return self.jobs.on_run(seen)


def test_line_comes_before_the_first_run_request(gdal, service, jobs):
    write_rows(gdal, "a", "b")
    may_run = threading.Event()
    service.script["run"] = [lambda seen: may_run.wait(60) and jobs.on_run(seen)]
    process = gdal.start("ogrinfo", "-ro", NAME)
    assert process.stderr.readline() == "GIQ: starting 2 jobs, 0 exist\n"
    may_run.set()
    assert gdal.finish(process).returncode == 0
    assert jobs.paid() == ["a", "b"]


@pytest.mark.parametrize("more", ["", ";wait=no"])
@pytest.mark.parametrize("options, width", [((), 16), (("CONCURRENCY=3",), 3)])
def test_as_many_run_requests_at_a_time_as_allowed(gdal, jobs, more, options, width):
    files = [f"f{i:02}" for i in range(width + 4)]
    write_rows(gdal, *files)
    gate = Gate(jobs, width)
    gdal.run("ogrinfo", "-ro", NAME + more, *(w for o in options for w in ("-oo", o)))
    assert gate.most == width and jobs.paid() == files


def test_jobs_that_run_take_places_until_they_are_fetched(gdal, service, jobs):
    """A third job is submitted when one of two is published."""
    write_rows(gdal, *"abcde")
    running, most = set(), []
    lock = threading.Lock()

    def run(seen):
        with lock:
            running.add(file_of(seen))
            most.append(len(running))
        return jobs.on_run(seen)

    def download(seen):
        with lock:
            running.discard(seen["query"]["inferenceJobId"].removeprefix("job-"))
        return jobs.on_download(seen)

    service.script.update(run=[run], download=[download])
    assert len(read(gdal, NAME, "CONCURRENCY=2")[0]) == 5
    assert max(most) == 2 and jobs.paid() == list("abcde")


def test_one_throttled_request_holds_up_new_ones_of_all(gdal, service, jobs):
    """Three requests are at the service when one is throttled; the others are answered
    once the driver has read that."""
    write_rows(gdal, *"abcdefgh")
    barrier, is_read = threading.Barrier(3), threading.Event()
    sent = []

    def run(seen):
        sent.append((time.monotonic(), file_of(seen)))
        if len(sent) > 3:
            return jobs.on_run(seen)
        barrier.wait(60)
        if file_of(seen) == "a":
            return Response({"message": "slow down"}, 429, {"Retry-After": "2"})
        assert is_read.wait(60)
        return jobs.on_run(seen)

    service.script["run"] = [run]
    process = gdal.start("ogrinfo", "-ro", "-oo", "CONCURRENCY=3", NAME,
                         env={"CPL_DEBUG": "GIQ", "CPL_CURL_VERBOSE": "YES"})
    assert any("HTTP/1.1 429" in line for line in process.stderr)
    is_read.set()
    assert gdal.finish(process).returncode == 0
    throttled = max(when for when, _ in sent[:3])
    assert min(when for when, _ in sent[3:]) - throttled >= 1.9
    assert jobs.paid() == list("aabcdefgh")


def test_success_between_bad_endings_keeps_the_batch_going(gdal, jobs):
    files = [f"f{i:02}" for i in range(21)]
    write_rows(gdal, *files)
    jobs.run.update({file: Response({"message": "no"}, 422)
                     for i, file in enumerate(files) if i not in (9, 19)})
    said = fails(gdal, "batch", "CONCURRENCY=1")
    assert "19 of 21 rows of the batch failed (19 refused); row r0: " in said
    assert jobs.paid() == files


def test_timeout_counts_from_the_last_row_that_changed(gdal, service, jobs):
    """Each of four jobs takes 1.5 s, so that all take longer than the time limit."""
    write_rows(gdal, *"abcd")
    began = {}

    def run(seen):
        began[f"job-{file_of(seen)}"] = time.monotonic()
        return jobs.on_run(seen)

    def status(seen):
        name = seen["query"]["inferenceId"]
        is_done = time.monotonic() - began[name] >= 1.5
        return Response({**job("COMPLETED" if is_done else "RUNNING"), "id": name})

    service.script.update(run=[run], status=[status])
    first = time.monotonic()
    assert len(read(gdal, NAME, "CONCURRENCY=1", "TIMEOUT=5")[0]) == 4
    assert time.monotonic() - first > 5
    assert jobs.paid() == list("abcd")


def test_gone_job_is_started_again_by_a_label_alone(gdal, service, jobs):
    write_rows(gdal, "a", "b")
    jobs.results["b"] = Response({"message": "no such job"}, 404)
    for _ in range(2):
        said = fails(gdal, "batch")
        assert "1 of 2 rows of the batch failed (1 gone); row r1: [gone] " in said
        assert "RETRY=<label> starts one new job for each row that is failed or gone" in said
    assert jobs.paid() == ["a", "b"]
    jobs.run["b"] = Response({**job("SUBMITTED"), "id": "job-c"})
    for _ in range(2):
        assert read(gdal, NAME, "RETRY=x")[0] == [("r0", "a"), ("r1", "c")]
    assert jobs.paid() == ["a", "b", "b"]


def test_refused_key_stops_the_table_too(gdal, service, jobs):
    write_rows(gdal, *"abcd")
    jobs.run["b"] = Response({"message": "key revoked"}, 401)
    said = fails(gdal, "credentials", "CONCURRENCY=1", name=f"{NAME};wait=no")
    assert "2 further rows were not begun" in said
    assert jobs.paid() == ["a", "b"]
    jobs.run.clear()
    assert [row["state"] for row in table(gdal)[0]] == ["succeeded"] + ["submitted"] * 3
    assert jobs.paid() == ["a", "b", "b", "c", "d"]


def test_failure_of_the_network_that_is_permanent_stops_the_batch(gdal, jobs):
    """A proxy that wants other credentials."""
    write_rows(gdal, *"abcd")
    jobs.run["b"] = Response({"message": "who are you"}, 407)
    said = fails(gdal, "batch", "CONCURRENCY=1")
    assert ("1 of 4 rows of the batch failed (1 network); 2 further rows were not begun, "
            "because of [network] ") in said
    assert "opening the batch again goes on with the other rows" in said
    assert jobs.paid() == ["a", "b"]
    jobs.run.clear()
    assert len(read(gdal)[0]) == 4
    assert jobs.paid() == ["a", "b", "b", "c", "d"]


def test_status_calls_of_all_rows_keep_to_ten_a_second(gdal, service, jobs):
    files = [f"f{i:02}" for i in range(16)]
    write_rows(gdal, *files)
    first = []

    def status(seen):
        now = time.monotonic()
        first.append(now)
        return Response({**job("RUNNING" if now - first[0] < 3 else "COMPLETED"),
                         "id": seen["query"]["inferenceId"]})

    service.script["status"] = [status]
    began = time.monotonic()
    assert len(read(gdal)[0]) == 16
    assert 16 < len(service.calls("status")) <= 10 * (time.monotonic() - began)
    assert jobs.paid() == files


THREADS = """
import os, sys, threading, time
from osgeo import gdal
gdal.DontUseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
def tasks():
    return sorted(os.listdir("/proc/self/task"))
# A sanitizer starts a thread of its own with the first one.
first = threading.Thread()
first.start()
first.join()
while str(first.native_id) in tasks():
    time.sleep(0.01)
before = tasks()
data = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
print(data is not None, tasks() == before)
"""


@pytest.mark.parametrize("is_ok", [True, False])
def test_threads_have_ended_when_the_open_returns(gdal, jobs, is_ok):
    write_rows(gdal, *"abcdef")
    if not is_ok:
        jobs.run["c"] = Response({"message": "no"}, 422)
    assert gdal.python(THREADS, NAME).stdout == f"{is_ok} True\n"
    assert jobs.paid() == list("abcdef")
